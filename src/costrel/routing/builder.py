"""Write a rule's URL from values: what can be prepared once per rule, is."""

from __future__ import annotations

import typing as t
from urllib.parse import quote

from ..http.multidict import iter_multi_items
from ..http.urls import encode_query
from .converters import PATH_SAFE

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from .rule import Rule


class Builder:
    """The domain and the path of a rule as finished texts and variables."""

    def __init__(self, rule: Rule) -> None:
        split = rule._trace.index((False, "|"))
        self._domain = Template(rule, rule._trace[:split])
        self._path = Template(rule, rule._trace[split + 1 :])
        self._known = {*rule._converters, *(rule.defaults or ())}
        self._map = rule.map
        #: The domain part where it is the same for all values.
        self.domain = None if self._domain.variables else self._domain.first

    def build(self, values: Mapping[str, t.Any], append_unknown: bool) -> tuple[str, str]:
        """The domain, and the path with, if `append_unknown`, all that is no part of it as the query."""
        query = self._query(values) if append_unknown and not self._known.issuperset(values) else ""
        return self._domain.fill(values), self._path.fill(values) + query

    def build_path(self, values: Mapping[str, t.Any], append_unknown: bool) -> str | None:
        """The path alone; None where a value is missing. For rules without defaults."""
        url = self._path.first
        for name, to_url, text in self._path.variables:
            value = values.get(name)
            if value is None:
                return None
            url += to_url(value) + text
        if append_unknown and len(values) > len(self._known):
            url += self._query(values)
        return url

    def _query(self, values: Mapping[str, t.Any]) -> str:
        """What the path has not, as a query with its question mark."""
        if not self._map.sort_parameters:
            # PERF: most queries are a number or a word, and need no quoting (benchmarks: routing).
            query = ""
            for name, value in values.items():
                if name in self._known or value is None:
                    continue
                if not (_is_plain(name) and (type(value) is int or _is_plain(value))):
                    break
                query += f"&{name}={value}"
            else:
                return query and f"?{query[1:]}"
        pairs: t.Any = {name: value for name, value in values.items() if name not in self._known}
        if self._map.sort_parameters:
            pairs = sorted(iter_multi_items(pairs), key=self._map.sort_key)
        query = encode_query(pairs)
        return query and f"?{query}"


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
        self.first = texts[0]
        #: (name, how its value is written, the text after it)
        self.variables = [(*variable, text) for variable, text in zip(variables, texts[1:], strict=True)]

    def fill(self, values: Mapping[str, t.Any]) -> str:
        """The text with the variables' values."""
        filled = self.first
        for name, to_url, text in self.variables:
            filled += to_url(values[name]) + text
        return filled
