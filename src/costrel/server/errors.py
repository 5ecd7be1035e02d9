"""The error for a server that cannot start."""

from __future__ import annotations


class StartError(Exception):
    """The server cannot start with this host, port, certificate or setting. The message says how to fix it."""
