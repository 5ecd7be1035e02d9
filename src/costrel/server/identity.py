"""Under which name Costrel serves here: its own, or that of Flask."""

from __future__ import annotations

import sys

from ..app.application import Costrel


def served_as_flask() -> bool:
    """Whether ``import flask`` gives Costrel in this process."""
    cls = getattr(sys.modules.get("flask"), "Flask", None)
    return isinstance(cls, type) and issubclass(cls, Costrel)
