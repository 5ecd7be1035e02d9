"""The environment variables that steer Costrel: ``COSTREL_…``, and Flask's name for each where that is not set."""

from __future__ import annotations

import os

PREFIXES = ("COSTREL", "FLASK")
_NO = frozenset({"0", "false", "no"})


def read_variable(name: str) -> str | None:
    """The value of ``COSTREL_<name>``, else of ``FLASK_<name>``, else None."""
    for prefix in PREFIXES:
        value = os.environ.get(f"{prefix}_{name}")
        if value is not None:
            return value
    return None


def set_variable(name: str, value: str) -> None:
    """Set ``FLASK_<name>``, which code of applications may read too, and ``COSTREL_<name>`` where it would win."""
    os.environ[f"FLASK_{name}"] = value
    if f"COSTREL_{name}" in os.environ:
        os.environ[f"COSTREL_{name}"] = value


def get_debug_flag() -> bool:
    """Whether ``COSTREL_DEBUG`` (or ``FLASK_DEBUG``) asks for debug mode. Off where neither is set."""
    value = read_variable("DEBUG")
    return bool(value and value.lower() not in _NO)


def get_load_dotenv(default: bool = True) -> bool:
    """Whether the default dotenv files are to be read: ``COSTREL_SKIP_DOTENV`` (or ``FLASK_SKIP_DOTENV``) says no."""
    value = read_variable("SKIP_DOTENV")
    if not value:
        return default
    return value.lower() in _NO
