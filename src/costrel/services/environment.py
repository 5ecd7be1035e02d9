"""The environment variables of Costrel: ``COSTREL_…``, or else ``FLASK_…``."""

from __future__ import annotations

import os

PREFIXES = ("COSTREL", "FLASK")
_NO = frozenset({"0", "false", "no"})


def read_variable(name: str) -> str | None:
    """Return the value of ``COSTREL_<name>``, or else of ``FLASK_<name>``, or else None."""
    for prefix in PREFIXES:
        value = os.environ.get(f"{prefix}_{name}")
        if value is not None:
            return value
    return None


def set_variable(name: str, value: str) -> None:
    """Set ``FLASK_<name>``, which applications may also read, and ``COSTREL_<name>`` if it exists."""
    os.environ[f"FLASK_{name}"] = value
    if f"COSTREL_{name}" in os.environ:
        os.environ[f"COSTREL_{name}"] = value


def get_debug_flag() -> bool:
    """Whether ``COSTREL_DEBUG`` (or ``FLASK_DEBUG``) turns debug mode on. It is off if both are unset."""
    value = read_variable("DEBUG")
    return bool(value and value.lower() not in _NO)


def get_load_dotenv(default: bool = True) -> bool:
    """Whether to read the default dotenv files, unless ``COSTREL_SKIP_DOTENV`` (or ``FLASK_SKIP_DOTENV``) is set."""
    value = read_variable("SKIP_DOTENV")
    if not value:
        return default
    return value.lower() in _NO
