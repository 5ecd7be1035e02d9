"""What HTTP says: headers, dates, cookies, URLs and errors as values, without environ or I/O."""
