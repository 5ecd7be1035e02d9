"""The development server: Granian or the standard library's WSGI server in one process, behind the reloader."""
