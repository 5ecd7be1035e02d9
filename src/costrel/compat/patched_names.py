"""Names that programs and tests replace in a module of Flask or Werkzeug, and that must then be replaced in Costrel.

Flask and Werkzeug look these up in the module at each call, so `unittest.mock.patch("flask.templating._render")` has
an effect there.
"""

from __future__ import annotations

import sys
from types import ModuleType

_HOMES: dict[tuple[str, str], str] = {
    ("flask.templating", "_render"): "costrel.services.templating",
    ("flask.templating", "_stream"): "costrel.services.templating",
    ("werkzeug.utils", "send_file"): "costrel.messages.files",
    ("werkzeug.utils", "send_from_directory"): "costrel.messages.files",
}
"""Module and name of the original → the module of Costrel in which the name is looked up at each call."""


class PatchedModule(ModuleType):
    """A module that replaces a name in Costrel too when it is replaced here."""

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value)
        home = _HOMES.get((self.__name__, name))
        if home is not None:
            setattr(sys.modules[home], name, value)


def reach_home(module_name: str) -> None:
    """Make the names in `_HOMES` of a loaded module reach Costrel."""
    sys.modules[module_name].__class__ = PatchedModule
