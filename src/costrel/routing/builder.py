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


class Builder:
    """The domain and the path of a rule as finished texts and variables."""

    def __init__(self, rule: Rule) -> None:
        split = rule._trace.index((False, "|"))
        self._domain = Template(rule, rule._trace[:split])
        self._path = Template(rule, rule._trace[split + 1 :])
        self._known = {*rule._converters, *(rule.defaults or ())}
        self._map = rule.map

    def build(self, values: Mapping[str, t.Any], append_unknown: bool) -> tuple[str, str]:
        """The domain, and the path with, if `append_unknown`, all that is no part of it as the query."""
        domain, url = self._domain.fill(values), self._path.fill(values)
        if append_unknown and not self._known.issuperset(values):
            query = self._query({name: value for name, value in values.items() if name not in self._known})
            if query:
                url = f"{url}?{query}"
        return domain, url

    def _query(self, values: Mapping[str, t.Any]) -> str:
        if self._map.sort_parameters:
            return encode_query(sorted(iter_multi_items(values), key=self._map.sort_key))
        # PERF: most queries are a number or a word, and need no quoting (benchmarks: routing).
        if all(_is_plain(name) and (type(value) is int or _is_plain(value)) for name, value in values.items()):
            return "&".join([f"{name}={value}" for name, value in values.items()])
        return encode_query(values)


def _is_plain(text: object) -> bool:
    return type(text) is str and text.isascii() and text.isalnum()


class Template:
    """Texts, and between them the places of variables."""

    def __init__(self, rule: Rule, trace: list[tuple[bool, str]]) -> None:
        texts = [""]
        variables = []
        for variable, text in trace:
            if not variable:
                texts[-1] += quote(text, safe=PATH_SAFE)
            elif rule.defaults and text in rule.defaults:
                texts[-1] += rule._converters[text].to_url(rule.defaults[text])
            else:
                variables.append((text, rule._converters[text].to_url))
                texts.append("")
        self._first = texts[0]
        #: (name, how its value is written, the text after it)
        self._variables = [(*variable, text) for variable, text in zip(variables, texts[1:], strict=True)]

    def fill(self, values: Mapping[str, t.Any]) -> str:
        """The text with the variables' values."""
        filled = self._first
        for name, to_url, text in self._variables:
            filled += to_url(values[name]) + text
        return filled
