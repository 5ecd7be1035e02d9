"""Costrel, traced: see `traced.py`."""

from .traced import traced

wsgi, asgi = traced(True)
