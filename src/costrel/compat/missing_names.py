"""Says what to write where the name of Flask's class is looked for in `costrel`."""

from __future__ import annotations

import sys
import typing as t

_NO_FLASK = (
    "costrel has no 'Flask': the class is costrel.Costrel (from costrel import Costrel). Under Flask's own names it is"
    " served by costrel.install_as_flask(), called before anything imports flask, or by the option --as-flask"
    " (costrel --as-flask run)."
)


def missing_name(name: str) -> t.NoReturn:
    """Raise the error for a name that `costrel` does not have, as its ``__getattr__``."""
    if name != "Flask":
        raise AttributeError(f"module 'costrel' has no attribute {name!r}")
    # Python swallows an AttributeError where a name is imported, for a message of its own.
    if sys._getframe(1).f_code.co_name == "_handle_fromlist":
        raise ImportError(_NO_FLASK, name="costrel")
    raise AttributeError(_NO_FLASK, name=name, obj=None)  # without the object Python proposes no other name
