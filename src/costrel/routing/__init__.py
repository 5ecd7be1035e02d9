"""URL to endpoint and back."""
