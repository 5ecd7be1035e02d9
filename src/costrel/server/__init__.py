"""Granian, started and kept for development and production."""
