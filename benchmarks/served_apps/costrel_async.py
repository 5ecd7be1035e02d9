"""Costrel's, with `async def` views."""

from __future__ import annotations

from ..peers.costrel_async import asgi as build

asgi = build("hello")
app = asgi.app
