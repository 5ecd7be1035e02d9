"""Checks settings against the table: wrong types, values that make requests fail, and misspelt names."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from types import NoneType

from .settings import GROUPS, NAMES, SETTINGS, Setting

Config: t.TypeAlias = Mapping[str, t.Any]

_NUMBERS: t.Final = frozenset({int, float, timedelta, NoneType})
_TEXTS: t.Final = frozenset({str, NoneType})
_KEYS: t.Final = (str, bytes, bytearray)
_NEEDED: t.Final = frozenset({
    "MAX_FORM_BOUNDARY_SIZE", "MAX_FORM_PART_HEADERS", "MAX_FORM_PART_HEADER_SIZE", "PERMANENT_SESSION_LIFETIME",
    "SESSION_COOKIE_NAME",
})  # fmt: skip
"""Settings that must not be None. For all others, None means that there is no value, even if the types exclude it."""

_LEASTS: t.Final = frozenset(setting.name for setting in GROUPS["Limits"]) - {"MAX_COOKIE_SIZE"}
"""Settings that make every request fail if their value is below `least`."""


def problem_of(setting: Setting, value: object) -> str | None:
    """What is wrong with a value, according to the table; None if it is correct."""
    if not isinstance(value, setting.types):
        names = " or ".join("None" if kind is NoneType else kind.__name__ for kind in setting.types)
        return f"it is of type {type(value).__name__}, but must be {names}."
    if setting.values and value is not None and value not in setting.values:
        return f"it is {value!r}, but must be one of {', '.join(map(repr, setting.values))}."
    if setting.least is not None and isinstance(value, (int, float)) and value < setting.least:
        return f"it is {value}, but must be at least {setting.least}."
    return None


def unusable(config: Config) -> Iterator[tuple[str, str]]:
    """The settings whose values make requests fail, with the reason. Wrong types that work are not included."""
    for name, setting in SETTINGS.items():
        if name in config and not _is_usable(setting, config[name]):
            yield name, problem_of(setting, config[name]) or f"it is {config[name]!r}."


def _is_usable(setting: Setting, value: t.Any) -> bool:
    if value is None:
        return setting.name not in _NEEDED
    if setting.values:
        return value in setting.values
    kinds = frozenset(setting.types)
    if kinds <= _NUMBERS:
        return _is_number(setting, value)
    if kinds <= _TEXTS:
        return isinstance(value, str)
    if setting.name == "SECRET_KEY":
        return not value or isinstance(value, _KEYS)
    if setting.name == "SECRET_KEY_FALLBACKS":
        return not value or _are_all(value, _KEYS)
    return setting.types != NAMES or not value or _are_all(value, (str,))


def _is_number(setting: Setting, value: t.Any) -> bool:
    if isinstance(value, timedelta):
        return timedelta in setting.types
    least = setting.least if setting.name in _LEASTS else None
    try:
        return value >= 0 if least is None else bool(value >= least)
    except TypeError:
        return False


def _are_all(values: object, types: tuple[type, ...]) -> bool:
    return isinstance(values, Iterable) and all(isinstance(value, types) for value in values)


OF_EXTENSIONS: t.Final = {
    "CORS_ORIGINS": ("flask_cors", "CORS_POLICY"),
    "CORS_RESOURCES": ("flask_cors", "CORS_POLICY"),
    "CORS_SUPPORTS_CREDENTIALS": ("flask_cors", "CORS_POLICY"),
    "RATELIMIT_DEFAULT": ("flask_limiter", "RATE_LIMITS"),
    "RATELIMIT_HEADERS_ENABLED": ("flask_limiter", "RATE_LIMIT_HEADERS"),
    "RATELIMIT_STORAGE_URI": ("flask_limiter", "RATE_LIMIT_STORAGE"),
    "RATELIMIT_STRATEGY": ("flask_limiter", "RATE_LIMIT_STRATEGY"),
}
"""Settings of extensions → the extension's module, and Costrel's setting for the same purpose."""


def misspelt(config: Config) -> Iterator[tuple[str, str]]:
    """Names that have no effect, each with the setting that was probably meant."""
    unknown = sorted(key for key in config if isinstance(key, str) and key not in SETTINGS and key not in OF_EXTENSIONS)
    if not unknown:
        return
    from difflib import get_close_matches  # slow to import

    known = [(setting, len(setting), frozenset(setting)) for setting in SETTINGS]
    for name in unknown:
        size, letters = len(name), frozenset(name)
        # Since `difflib` is slow, names are filtered first: with a ratio of 0.9, at most a tenth of the letters differ.
        near = [
            setting
            for setting, length, others in known
            if 10 * abs(size - length) <= size + length and 10 * len(letters ^ others) <= size + length
        ]
        close = get_close_matches(name, near, n=1, cutoff=0.9)
        if close:
            yield name, close[0]
