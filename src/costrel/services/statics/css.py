"""References in stylesheets to other files: ``url(…)`` and ``@import "…"`` (CSS Syntax 3, §4.3)."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Callable
from urllib.parse import quote, unquote

# Comments and strings are matched too, so that nothing in them counts as a reference. All alternatives are linear.
_TOKEN: t.Final = re.compile(
    r"""
      /\*[\s\S]*?(?:\*/|\Z)
    | (?<![\w-])@import(?:\s|/\*[\s\S]*?\*/)*+(?P<imported>"(?:[^"\\\n]|\\[\s\S])*+"|'(?:[^'\\\n]|\\[\s\S])*+')
    | (?<![\w-])url\(\s*+
      (?P<url>"(?:[^"\\\n]|\\[\s\S])*+"|'(?:[^'\\\n]|\\[\s\S])*+'|(?:[^\s"'()\\]|\\[^\n])++)\s*+\)
    | "(?:[^"\\\n]|\\[\s\S])*+"? | '(?:[^'\\\n]|\\[\s\S])*+'?
    """,
    re.VERBOSE | re.IGNORECASE,
)
_ESCAPE: t.Final = re.compile(r"\\(?:([0-9a-f]{1,6})(?:\r\n|\s)?|(\r\n|[\s\S]))", re.IGNORECASE)
_SCHEME: t.Final = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_PLAIN: t.Final = re.compile(r"[\w.~!$&+,;=@*-]+", re.ASCII)
_SAFE: t.Final = "!$&'()*+,;=@:"


class Reference:
    """A reference to a file by a path relative to the stylesheet, and its position in the text."""

    def __init__(self, start: int, end: int, url: str) -> None:
        self.start = start
        self.end = end
        path, self._suffix = _split(url)
        self._folder, self._slash, self._last = path.rpartition("/")
        self.path = unquote(path)
        """The decoded path, without query and fragment."""

    def renamed(self, name: str) -> str:
        """The quoted text of a reference to a file with another name in the same folder."""
        last = name.rpartition("/")[2]
        written = last if "%" not in self._last and _PLAIN.fullmatch(last) else quote(last, _SAFE)
        url = f"{self._folder}{self._slash}{written}{self._suffix}"
        return '"' + re.sub(r'["\\]', r"\\\g<0>", url) + '"'


class Stylesheet:
    """The text of a stylesheet, and its references by relative paths."""

    def __init__(self, content: bytes) -> None:
        self._text = content.decode("utf-8", "surrogateescape")
        self.references = [] if content.startswith((b"\xff\xfe", b"\xfe\xff")) else list(_found_in(self._text))

    def renamed(self, name_of: Callable[[Reference], str | None]) -> bytes:
        """The stylesheet with references to the names that `name_of` returns. None leaves a reference unchanged."""
        pieces: list[str] = []
        position = 0
        for reference in self.references:
            name = name_of(reference)
            if name is not None:
                pieces += self._text[position : reference.start], reference.renamed(name)
                position = reference.end
        return "".join([*pieces, self._text[position:]]).encode("utf-8", "surrogateescape")


def _found_in(text: str) -> t.Iterator[Reference]:
    for match in _TOKEN.finditer(text):
        group = "url" if match["url"] else "imported"
        written = match[group]
        if written:
            url = _unescaped(written[1:-1] if written[0] in "\"'" else written).strip(" \t\n\r\f")
            if _is_relative(url) and url.isprintable():
                yield Reference(*match.span(group), url)


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(_character, text) if "\\" in text else text


def _character(match: re.Match[str]) -> str:
    if match[1] is None:
        return "" if match[2] in ("\n", "\r\n", "\r", "\f") else match[2]
    number = int(match[1], 16)
    return chr(number) if 0 < number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF else "\ufffd"


def _is_relative(url: str) -> bool:
    return bool(url) and url[0] not in "/#?\\" and _SCHEME.match(url) is None


def _split(url: str) -> tuple[str, str]:
    """The path of a reference, and its query and fragment."""
    position = min((index for index in (url.find("?"), url.find("#")) if index >= 0), default=len(url))
    return url[:position], url[position:]
