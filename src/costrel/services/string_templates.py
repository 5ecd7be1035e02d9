"""Templates that are given as strings, compiled once for each environment and source."""

from __future__ import annotations

import typing as t
from operator import attrgetter
from threading import Lock

from jinja2 import Environment, Template, nodes
from jinja2.filters import FILTERS
from jinja2.tests import TESTS

LIMIT = 256
"""How many compiled sources are kept for one environment."""

_KEPT: t.Final = "_costrel_compiled_strings"

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

_VARYING = (nodes.Name, nodes.Call)
_CHOOSING = (nodes.CondExpr, nodes.And, nodes.Or)

_changing = Lock()


class _Compiled:
    """The compiled strings of one environment, and the settings that they were compiled with."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.settings = _settings_of(environment)
        self.tables = tuple(table.copy() for table in _tables_of(environment))
        self.templates: dict[str, Template] = {}

    def is_current(self, environment: Environment) -> bool:
        """Whether a source would still be compiled to the same code."""
        return (
            self.environment is environment  # an overlay begins with the attributes of another
            and self.settings == _settings_of(environment)
            and self.tables == _tables_of(environment)
        )

    def keep(self, source: str, template: Template) -> None:
        """Keep one more template, in place of the oldest one if there are too many."""
        with _changing:
            if len(self.templates) >= LIMIT:
                del self.templates[next(iter(self.templates))]
            self.templates[source] = template


def template_of_string(environment: Environment, source: str) -> Template:
    """Compile `source`, or return the same template again while the settings of the environment stay the same."""
    if type(source) is not str or type(environment).from_string is not Environment.from_string:
        return environment.from_string(source)
    # Compiling takes a hundred times as long as rendering a short template.
    compiled: _Compiled | None = environment.__dict__.get(_KEPT)
    if compiled is None or not compiled.is_current(environment):
        # Kept by the environment, so that they end with it: templates refer to their environment.
        compiled = environment.__dict__[_KEPT] = _Compiled(environment)
    template = compiled.templates.get(source)
    if template is None:
        template = environment.from_string(source)
        if not calls_while_compiling(environment, source):
            compiled.keep(source, template)
    return template


def calls_while_compiling(environment: Environment, source: str) -> bool:
    """Whether code of the application ran to compile `source`, so that its result is in the compiled code.

    Jinja computes constant expressions when it compiles: in ``{{ 0.5|percentformat }}``, the filter uses the locale of
    the request in which that happens.
    """
    if environment.finalize is not None:
        return True
    if "|" not in source and "is" not in source:
        return False
    tree = environment.parse(source)
    filters, tests = environment.filters, environment.tests
    return any(
        constant(used) and filters.get(used.name) is not FILTERS.get(used.name) for used in tree.find_all(nodes.Filter)
    ) or any(constant(used) and tests.get(used.name) is not TESTS.get(used.name) for used in tree.find_all(nodes.Test))


def constant(expression: nodes.Expr) -> bool:
    """Whether Jinja may take an expression for a constant; in doubt true."""
    return next(expression.find_all(_VARYING), None) is None or next(expression.find_all(_CHOOSING), None) is not None
