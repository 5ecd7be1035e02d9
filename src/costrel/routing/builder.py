"""Write a rule's URL from values: the fixed texts are prepared once per rule."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping
from urllib.parse import quote

from ..http.multidict import iter_multi_items
from ..http.urls import encode_query
from .converters import PATH_SAFE, BaseConverter, MapContract, Values

if t.TYPE_CHECKING:
    from .pattern import TracedToken


class Builder:
    """The domain and the path of a rule as finished texts and variables."""

    def __init__(
        self,
        domain: Iterable[TracedToken],
        path: Iterable[TracedToken],
        converters: Mapping[str, BaseConverter],
        defaults: Values,
        map: MapContract,
    ) -> None:
        self._domain = Template(domain, converters, defaults)
        self._path = Template(path, converters, defaults)
        self._known = {*converters, *defaults}
        self._map = map

    def build(self, values: Values, append_unknown: bool) -> tuple[str, str]:
        """The domain, and the path; if `append_unknown`, with all values that are not part of it as the query."""
        domain, path = self._domain.fill(values), self._path.fill(values)
        if values and append_unknown:
            path += self._query(values)
        return domain, path

    def _query(self, values: Values) -> str:
        """All values that are not part of the path as a query with its question mark."""
        unknown = {name: value for name, value in values.items() if name not in self._known}
        if not unknown:
            return ""
        if self._map.sort_parameters:
            query = encode_query(sorted(iter_multi_items(unknown), key=self._map.sort_key))
        elif all(map(_is_plain, unknown.values())) and all(map(_is_plain, unknown)):
            # PERF: routing. Most queries are a number or a word, and need no quoting.
            query = "&".join([f"{name}={value}" for name, value in unknown.items()])
        else:
            query = encode_query(unknown)
        return query and f"?{query}"


def _is_plain(value: object) -> bool:
    return type(value) is int or (type(value) is str and value.isascii() and value.isalnum())


class Template:
    """Texts, and between them the places of variables."""

    def __init__(self, trace: Iterable[TracedToken], converters: Mapping[str, BaseConverter], defaults: Values) -> None:
        texts = [""]
        variables = []
        for is_variable, text in trace:
            if not is_variable:
                texts[-1] += quote(text, safe=PATH_SAFE)
            elif text in defaults:
                texts[-1] += converters[text].to_url(defaults[text])
            else:
                variables.append((text, converters[text]))
                texts.append("")
        self._first = texts[0]
        #: (name, converter, the text after the variable)
        self._variables = [(*variable, text) for variable, text in zip(variables, texts[1:], strict=True)]

    def fill(self, values: Values) -> str:
        """The text with the variables' values."""
        filled = self._first
        for name, converter, text in self._variables:
            filled += converter.to_url(values[name]) + text
        return filled
