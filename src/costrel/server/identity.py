"""Under which name Costrel serves here: its own, or that of Flask."""

from __future__ import annotations

import sys
from collections.abc import Callable

from ..app.application import Costrel


def served_as_flask() -> bool:
    """Whether ``import flask`` gives Costrel in this process."""
    cls = getattr(sys.modules.get("flask"), "Flask", None)
    return isinstance(cls, type) and issubclass(cls, Costrel)


def replaced_run_simple(own: Callable[..., None]) -> Callable[..., object] | None:
    """What a program or a test has put in the place of ``werkzeug.serving.run_simple``, which is our `own`, or None."""
    if not served_as_flask():
        return None
    current: Callable[..., object] = getattr(sys.modules.get("werkzeug.serving"), "run_simple", own)
    return None if current is own else current
