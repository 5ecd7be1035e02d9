"""Source excerpts with syntax highlighting."""

from __future__ import annotations

import builtins
import keyword
import linecache
import re
import typing as t
from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup, escape

_TOKEN = re.compile(
    r"""
      (?P<comment> \#[^\n]* )
    | (?P<string> [rbfuRBFU]{0,2} (?:
          \"{3} .*? (?:\"{3}|\Z) | '{3} .*? (?:'{3}|\Z)
        | " (?:\\.|[^"\\\n])* "? | ' (?:\\.|[^'\\\n])* '?
      ) )
    | (?P<number> \b\d[\w.]* )
    | (?P<decorator> (?<![^\n\s])@[\w.]+ )
    | (?P<word> [^\W\d]\w* )
    """,
    re.VERBOSE | re.DOTALL,
)

_BUILTINS = frozenset(name for name in dir(builtins) if not name.startswith("_"))
_MAX_LINES_BEFORE = 200
_MAX_WIDTH = 400


class Span(t.NamedTuple):
    """The location of an error: lines from 1, columns in characters from 0. Unknown columns are None."""

    line: int
    end_line: int | None = None
    column: int | None = None
    end_column: int | None = None


@dataclass
class Line:
    """A line of source. The error is in the characters from `start` to `end`; both are None if that is unknown."""

    number: int
    text: str
    is_current: bool
    html: Markup
    start: int | None = None
    end: int | None = None

    @property
    def pointer(self) -> str:
        """A line of ``^`` to show below the source line; empty if the error covers the whole line."""
        if self.start is None or self.end is None or self.end <= self.start:
            return ""
        if not self.text[: self.start].strip() and not self.text[self.end :].strip():
            return ""  # the highlighted line is enough
        # Tabs are kept, so that the pointer is aligned with the source.
        indent = "".join("\t" if character == "\t" else " " for character in self.text[: self.start])
        return indent + "^" * (self.end - self.start)


def file_lines(filename: str, module_globals: dict[str, object] | None = None) -> list[str]:
    """The current lines of a source file; an empty list if it cannot be read."""
    try:
        linecache.checkcache(filename)
        return [line.rstrip("\r\n") for line in linecache.getlines(filename, module_globals)]
    except Exception:  # a custom loader may raise anything
        return []


def excerpt(
    lines: list[str],
    span: Span,
    before: int,
    after: int,
    first: int = 1,
    last: int | None = None,
    is_python: bool = True,
) -> list[Line]:
    """The lines around `span`, limited to the function from line `first` to line `last`."""
    if not 1 <= span.line <= len(lines):
        return []
    end = span.end_line or span.line
    start_at = min(span.line, max(first, span.line - before))
    end_at = min(len(lines), min(end, span.line + before) + after)
    if last is not None:
        end_at = max(min(end_at, last), span.line)
    parse_from = max(1, min(first, start_at), start_at - _MAX_LINES_BEFORE)
    cut = [line[:_MAX_WIDTH] for line in lines[parse_from - 1 : end_at]]
    marked = list(_highlight("\n".join(cut))) if is_python else [escape(line) for line in cut]
    shown = []
    for number in range(start_at, end_at + 1):
        text = lines[number - 1][:_MAX_WIDTH]
        line = Line(number, text, number == span.line, marked[number - parse_from])
        if span.column is not None and span.end_column is not None and span.line <= number <= end:
            line.start = span.column if number == span.line else len(text) - len(text.lstrip())
            line.end = min(len(text), span.end_column) if number == end else len(text)
        shown.append(line)
    return shown


def characters(lines: list[str], line: int, column: int) -> int:
    """Convert a column in UTF-8 bytes, as Python counts it, to characters."""
    if not 1 <= line <= len(lines):
        return column
    return len(lines[line - 1].encode()[:column].decode("utf-8", "replace"))


def _highlight(text: str) -> Iterator[Markup]:
    """The lines of `text` as HTML."""
    html, position, previous = [], 0, ""
    for match in _TOKEN.finditer(text):
        html.append(str(escape(text[position : match.start()])))
        html.append(_span(match, previous))
        position, previous = match.end(), match[0]
    html.append(str(escape(text[position:])))
    return (Markup(line) for line in "".join(html).split("\n"))  # noqa: S704 - every piece of it is escaped


def _span(match: re.Match[str], previous: str) -> str:
    token, kind = match[0], match.lastgroup or ""
    if kind == "word":
        if previous in ("def", "class"):
            kind = "definition"
        elif keyword.iskeyword(token):
            kind = "constant" if token in ("None", "True", "False") else "keyword"
        elif token in _BUILTINS:
            kind = "builtin"
        else:
            return str(escape(token))
    # In a multi-line string, the element is closed at the end of each line and opened again.
    return "\n".join(f'<i class="{kind}">{escape(part)}</i>' if part else "" for part in token.split("\n"))
