"""The events of a multipart body: what a decoder finds in it, and what an encoder writes."""

from __future__ import annotations

import typing as t

from ..support.values import Value

if t.TYPE_CHECKING:
    from .headers import Headers


class Event(Value):
    """What a decoder finds in a body, and what an encoder writes."""


class Preamble(Event):
    """What stands before the first part, which nobody reads."""

    data: bytes

    def __init__(self, data: bytes) -> None:
        self.__dict__["data"] = data


class Field(Event):
    """The head of a part that is a form field."""

    name: str
    headers: Headers

    def __init__(self, name: str, headers: Headers) -> None:
        attributes = self.__dict__
        attributes["name"] = name
        attributes["headers"] = headers


class File(Event):
    """The head of a part that is a file."""

    name: str
    filename: str
    headers: Headers

    def __init__(self, name: str, filename: str, headers: Headers) -> None:
        attributes = self.__dict__
        attributes["name"] = name
        attributes["filename"] = filename
        attributes["headers"] = headers


class Data(Event):
    """A piece of a part's content; the last one has `more_data` False."""

    data: bytes
    more_data: bool

    def __init__(self, data: bytes, more_data: bool) -> None:
        attributes = self.__dict__
        attributes["data"] = data
        attributes["more_data"] = more_data


class Epilogue(Event):
    """What stands after the last part, which nobody reads."""

    data: bytes

    def __init__(self, data: bytes) -> None:
        self.__dict__["data"] = data
