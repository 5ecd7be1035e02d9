"""Keeps the context of a client's last request current for the test, after the application has left it."""

from __future__ import annotations

from contextlib import ExitStack

from ..context import Context

PRESERVE = "werkzeug.debug.preserve_context"
"""The entry of an environ with a function that gets the context of the request before the application leaves it."""


def keep_last(contexts: list[Context], stack: ExitStack) -> None:
    """Enter the last of `contexts` until `stack` is closed; the others belong to redirects, which are over."""
    if contexts:
        last = contexts[-1]
        contexts.clear()
        last.on_loop = False  # the functions on teardown run in the test's thread, and may block there
        last.is_kept = True
        stack.enter_context(last)
