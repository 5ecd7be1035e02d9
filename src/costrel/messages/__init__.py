"""One request and one response: read from an environ, parsed, built and written out."""
