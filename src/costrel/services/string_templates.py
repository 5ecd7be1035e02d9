"""Templates from strings, which are compiled once for each environment and source."""

from __future__ import annotations

import typing as t
from operator import attrgetter
from threading import Lock

from jinja2 import Environment, Template, nodes
from jinja2.filters import FILTERS
from jinja2.tests import TESTS

LIMIT = 256
"""The maximum number of compiled sources that are cached per environment."""

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
    """The cache of an environment, and the settings with which the templates were compiled."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.settings = _settings_of(environment)
        self.tables = tuple(table.copy() for table in _tables_of(environment))
        self.templates: dict[str, Template] = {}

    def is_current(self, environment: Environment) -> bool:
        """Whether sources would still be compiled to the same code."""
        return (
            self.environment is environment  # an overlay inherits the attributes of another environment
            and self.settings == _settings_of(environment)
            and self.tables == _tables_of(environment)
        )

    def keep(self, source: str, template: Template) -> None:
        """Cache a template. If there are too many, it replaces the oldest."""
        with _changing:
            if len(self.templates) >= LIMIT:
                del self.templates[next(iter(self.templates))]
            self.templates[source] = template


def template_of_string(environment: Environment, source: str) -> Template:
    """Compile `source`, or return the cached template if the settings of the environment have not changed."""
    if type(source) is not str or type(environment).from_string is not Environment.from_string:
        return environment.from_string(source)
    # Compiling takes a hundred times as long as rendering a short template.
    compiled: _Compiled | None = environment.__dict__.get(_KEPT)
    if compiled is None or not compiled.is_current(environment):
        # Stored in the environment, since templates refer to it: so the cache does not keep it alive.
        compiled = environment.__dict__[_KEPT] = _Compiled(environment)
    template = compiled.templates.get(source)
    if template is None:
        template = environment.from_string(source)
        if not calls_while_compiling(environment, source):
            compiled.keep(source, template)
    return template


def calls_while_compiling(environment: Environment, source: str) -> bool:
    """Whether compiling `source` calls code of the application, whose result becomes part of the template.

    Jinja evaluates constant expressions when it compiles. In ``{{ 0.5|percentformat }}``, the filter would use the
    locale of the request in which the template is compiled.
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
    """Whether Jinja may treat an expression as a constant. True in case of doubt."""
    return next(expression.find_all(_VARYING), None) is None or next(expression.find_all(_CHOOSING), None) is not None
