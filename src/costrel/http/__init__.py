"""What HTTP says: headers, dates, cookies, URLs and errors as values; bytes and text in, values out, no I/O."""
