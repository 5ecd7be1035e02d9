"""Templates that are given as strings, compiled once for each environment and source."""

from __future__ import annotations

import typing as t
from operator import attrgetter
from weakref import WeakKeyDictionary

from jinja2 import Environment, Template

LIMIT = 256
"""How many compiled sources are kept for one environment."""

_settings_of = attrgetter(
    "autoescape",
    "block_start_string",
    "block_end_string",
    "variable_start_string",
    "variable_end_string",
    "comment_start_string",
    "comment_end_string",
    "line_statement_prefix",
    "line_comment_prefix",
    "trim_blocks",
    "lstrip_blocks",
    "newline_sequence",
    "keep_trailing_newline",
    "undefined",
    "optimized",
    "finalize",
    "is_async",
    "sandboxed",
    "template_class",
    "code_generator_class",
)
_tables_of = attrgetter("filters", "tests", "extensions", "policies")


class _Compiled:
    """The compiled strings of one environment, and what they were compiled with."""

    def __init__(self, environment: Environment) -> None:
        self.settings = _settings_of(environment)
        self.tables = tuple(table.copy() for table in _tables_of(environment))
        self.templates: dict[str, Template] = {}

    def is_current(self, environment: Environment) -> bool:
        """Whether a source would still be compiled to the same code."""
        return self.settings == _settings_of(environment) and self.tables == _tables_of(environment)


_compiled: WeakKeyDictionary[Environment, _Compiled] = WeakKeyDictionary()


def template_of_string(environment: t.Any, source: str) -> Template:
    """The template that `source` is; the same one again while nothing changes that it is compiled with."""
    if type(source) is not str or type(environment).from_string is not Environment.from_string:
        made: Template = environment.from_string(source)
        return made
    # PERF: render_string. Compiling takes a hundred times as long as rendering a short template.
    compiled = _compiled.get(environment)
    if compiled is None or not compiled.is_current(environment):
        compiled = _compiled[environment] = _Compiled(environment)
    template = compiled.templates.get(source)
    if template is None:
        template = environment.from_string(source)
        if len(compiled.templates) >= LIMIT:
            compiled.templates.pop(next(iter(compiled.templates)), None)
        compiled.templates[source] = template
    return template
