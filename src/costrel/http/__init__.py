"""The vocabulary of HTTP: headers, dates, cookies, URLs and errors as values. Bytes and text in, values out, no I/O."""
