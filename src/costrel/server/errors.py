"""What keeps a server from starting, said in one sentence."""

from __future__ import annotations


class StartError(Exception):
    """The server cannot start with the host, port or certificate that it was given; the message says what to do."""
