"""Costrel, traced: see `traced.py`."""

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

from .traced import traced

wsgi, asgi = traced(TracerProvider(ALWAYS_ON))
