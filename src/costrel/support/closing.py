"""Closes iterables that may have ``close`` or ``aclose``: generators, files, WSGI response bodies (PEP 3333)."""

from __future__ import annotations


def call_close(items: object) -> None:
    """Call ``items.close()``, if there is such a method."""
    method = getattr(items, "close", None)
    if method is not None:
        method()


async def call_aclose(items: object) -> None:
    """Await ``items.aclose()``, if there is such a method, as asynchronous generators have."""
    method = getattr(items, "aclose", None)
    if method is not None:
        await method()
