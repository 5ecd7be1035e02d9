"""Starlette's, with `async def` endpoints."""

from __future__ import annotations

from ..peers.starlette_app import asgi as build

asgi = build("hello")
