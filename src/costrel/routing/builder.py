"""Write a rule's URL from values: what can be prepared once per rule, is."""

from __future__ import annotations

import typing as t
from urllib.parse import quote

from ..http.multidict import iter_multi_items
from ..http.urls import encode_query
from .converters import PATH_SAFE

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .rule import Rule

Piece = str | tuple[str, "Callable[[t.Any], str]"]  # a finished text; or a variable's name and how it is written


class Builder:
    """The domain and the path of a rule as finished texts and variables."""

    def __init__(self, rule: Rule) -> None:
        split = rule._trace.index((False, "|"))
        self._domain = _pieces(rule, rule._trace[:split])
        self._path = _pieces(rule, rule._trace[split + 1 :])
        self._known = {piece[0] for piece in (*self._domain, *self._path) if not isinstance(piece, str)}
        self._known.update(rule.defaults or ())
        self._map = rule.map

    def build(self, values: Mapping[str, t.Any], append_unknown: bool) -> tuple[str, str]:
        """The domain, and the path with, if `append_unknown`, all that is no part of it as the query."""
        domain, url = _write(self._domain, values), _write(self._path, values)
        if append_unknown and not self._known.issuperset(values):
            query = self.query({name: value for name, value in values.items() if name not in self._known})
            if query:
                url = f"{url}?{query}"
        return domain, url

    def query(self, values: Mapping[str, t.Any]) -> str:
        """The values as a query string, sorted as the map has it."""
        pairs = iter_multi_items(values)
        return encode_query(sorted(pairs, key=self._map.sort_key) if self._map.sort_parameters else pairs)


def _pieces(rule: Rule, trace: list[tuple[bool, str]]) -> list[Piece]:
    """The trace with neighbouring texts joined, among them the variables that the rule's defaults give."""
    defaults = rule.defaults or {}
    pieces: list[Piece] = []
    for variable, text in trace:
        piece: Piece
        if not variable:
            piece = quote(text, safe=PATH_SAFE)
        elif text in defaults:
            piece = rule._converters[text].to_url(defaults[text])
        else:
            piece = text, rule._converters[text].to_url
        if pieces and isinstance(piece, str) and isinstance(pieces[-1], str):
            pieces[-1] += piece
        else:
            pieces.append(piece)
    return pieces


def _write(pieces: list[Piece], values: Mapping[str, t.Any]) -> str:
    return "".join([piece if isinstance(piece, str) else piece[1](values[piece[0]]) for piece in pieces])
