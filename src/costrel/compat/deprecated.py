"""Deprecated names of Flask 3.1 and Werkzeug 3.1: the ``__getattr__`` of their modules, which warns."""

from __future__ import annotations

import warnings

from .distributions import VERSIONS

_WERKZEUG = "'{name}' is deprecated and will be removed in Werkzeug 3.2. Use '{instead}' instead."


def flask_attribute(name: str) -> str:
    """``flask.__version__``, with a warning."""
    if name != "__version__":
        raise AttributeError(f"module 'flask' has no attribute {name!r}")
    warnings.warn(
        "The '__version__' attribute is deprecated and will be removed in Flask 3.2. Use feature detection or"
        " 'importlib.metadata.version(\"flask\")' instead.",
        DeprecationWarning,
        stacklevel=2,
    )
    return VERSIONS["flask"]


def datastructures_attribute(name: str) -> type:
    """The two ordered kinds of MultiDict, with a warning."""
    from ..legacy import ordered_multidict as ordered

    found: type
    if name == "OrderedMultiDict":
        found, instead = ordered._OrderedMultiDict, "MultiDict"
    elif name == "ImmutableOrderedMultiDict":
        found, instead = ordered._ImmutableOrderedMultiDict, "ImmutableMultiDict"
    else:
        raise AttributeError(f"module 'werkzeug.datastructures' has no attribute {name!r}")
    warnings.warn(_WERKZEUG.format(name=name, instead=instead), DeprecationWarning, stacklevel=2)
    return found
