"""Sorting of mixed keys, and errors that locate the value, which the standard library's JSON encoder both lacks.

This is used only after the encoder has failed.
"""

from __future__ import annotations

import json
import typing as t
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from json.encoder import encode_basestring_ascii
from math import isfinite

from ..support.patterns import LatePattern

_is_name = LatePattern(r"[^\W\d]\w*").fullmatch
_KEYS: t.Final = (str, int, float, bool, type(None))
_MAX_DEPTH: t.Final = 500


class Plain:
    """Rebuilds a value from JSON types. Keys that cannot be sorted are converted to text.

    :param default: converts other values, like the argument of `json.dumps`.
    :param skips_keys: whether keys of unsupported types are left out.
    """

    def __init__(
        self, default: Callable[[t.Any], object], sort_keys: bool, allow_nan: bool, skips_keys: bool = False
    ) -> None:
        self._default = default
        self._sorts = sort_keys
        self._allow_nan = allow_nan
        self._skips = skips_keys
        self._place: list[str] = ["$"]
        self._around: set[int] = set()

    def of(self, value: object) -> object:
        """Convert a value to one that can be encoded. The messages of errors contain the path of the value.

        :raises TypeError: if a value cannot be converted.
        :raises ValueError: if a value contains itself, or is not a finite number.
        :raises RecursionError: if the value is nested too deeply.
        """
        if value is None or isinstance(value, (str, bool, int)):
            return value
        if isinstance(value, float):
            return self._number(value)
        with self._within(value):
            if isinstance(value, dict):
                return self._object(value)
            if isinstance(value, (list, tuple)):
                return [self._item(f"[{index}]", item) for index, item in enumerate(value)]
            return self.of(self._converted(value))

    def _number(self, value: float) -> float:
        if not (self._allow_nan or isfinite(value)):
            raise ValueError(f"Out of range float values are not JSON compliant: {value!r}{self._at()}")
        return value

    def _converted(self, value: object) -> object:
        try:
            return self._default(value)
        except (TypeError, ValueError) as error:
            # The class of the error itself may require other arguments.
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"{error}{self._at()}") from error

    def _object(self, value: dict[object, object]) -> dict[object, object]:
        pairs = [(key, item) for key, item in value.items() if self._accepts(key)]
        if self._sorts and not _can_be_sorted([key for key, _ in pairs]):
            pairs = [(_text(key), item) for key, item in pairs]
        return {key: self._item(_step(key), item) for key, item in pairs}

    def _accepts(self, key: object) -> bool:
        if isinstance(key, _KEYS):
            return not isinstance(key, float) or self._number(key) is key
        if self._skips:
            return False
        raise TypeError(f"keys must be str, int, float, bool or None, not {type(key).__name__}{self._at()}")

    def _item(self, step: str, item: object) -> object:
        self._place.append(step)
        plain = self.of(item)
        self._place.pop()
        return plain

    @contextmanager
    def _within(self, value: object) -> Iterator[None]:
        if id(value) in self._around:
            raise ValueError(f"Circular reference detected{self._at()}")
        if len(self._around) > _MAX_DEPTH:
            raise RecursionError
        self._around.add(id(value))
        yield
        self._around.discard(id(value))

    def _at(self) -> str:
        return f" (at {''.join(self._place)})"


def _can_be_sorted(keys: list[t.Any]) -> bool:
    try:
        sorted(keys)
    except TypeError:
        return False
    return True


def _text(key: object) -> str:
    """The text of a key in JSON."""
    if isinstance(key, str):
        return key
    if key is None or isinstance(key, bool):
        return {None: "null", True: "true", False: "false"}[key]
    return json.dumps(key)  # a number


def _step(key: object) -> str:
    """The segment of a JSONPath for a member of an object (RFC 9535 §2.3)."""
    text = _text(key)
    return f".{text}" if _is_name(text) else f"[{encode_basestring_ascii(text)}]"
