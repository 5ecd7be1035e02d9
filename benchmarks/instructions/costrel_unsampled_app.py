"""Costrel, traced: see `traced.py`."""

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from .traced import traced

wsgi, asgi = traced(TracerProvider(ALWAYS_OFF))
