"""The applications of the served figures, one module each, as a server imports them."""
