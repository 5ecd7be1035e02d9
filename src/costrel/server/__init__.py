"""Granian, embedded for development and with workers for production; and the WSGI server of the standard library."""
