"""Plain Python that knows nothing of HTTP."""
