"""The events of a multipart body: a decoder returns them, and an encoder writes them."""

from __future__ import annotations

import typing as t

from ..support.values import Value

if t.TYPE_CHECKING:
    from .headers import Headers


class Event(Value):
    """One piece of a body."""


class Preamble(Event):
    """The bytes before the first part, which readers ignore."""

    data: bytes

    def __init__(self, data: bytes) -> None:
        self.__dict__.update(data=data)


class Field(Event):
    """The head of a part that is a form field."""

    name: str
    headers: Headers

    def __init__(self, name: str, headers: Headers) -> None:
        self.__dict__.update(name=name, headers=headers)


class File(Event):
    """The head of a part that is a file."""

    name: str
    filename: str
    headers: Headers

    def __init__(self, name: str, filename: str, headers: Headers) -> None:
        self.__dict__.update(name=name, filename=filename, headers=headers)


class Data(Event):
    """A piece of a part's content; the last one has `more_data` False."""

    data: bytes
    more_data: bool

    def __init__(self, data: bytes, more_data: bool) -> None:
        self.__dict__.update(data=data, more_data=more_data)


class Epilogue(Event):
    """The bytes after the last part, which readers ignore."""

    data: bytes

    def __init__(self, data: bytes) -> None:
        self.__dict__.update(data=data)
