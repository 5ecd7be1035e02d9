"""Records the templates and log lines of an application, for tests that check them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from ..support.signals import template_rendered

if TYPE_CHECKING:
    from jinja2 import Template

    from ..app.application import Costrel


class RenderedTemplate(NamedTuple):
    """A rendered template and its variables, including the variables from context processors."""

    template: Template
    context: dict[str, Any]

    @property
    def name(self) -> str | None:
        """The name of the template; None for a template that is a string."""
        return self.template.name


@contextmanager
def captured_templates(app: Costrel) -> Iterator[list[RenderedTemplate]]:
    """Record the templates that `app` renders within a ``with`` block, in their order."""
    found: list[RenderedTemplate] = []

    def record(sender: object, template: Template, context: dict[str, Any], **more: object) -> None:
        found.append(RenderedTemplate(template, context))

    with template_rendered.connected_to(record, app):
        yield found


class CapturedLogs(logging.Handler):
    """The records of a logger within a ``with`` block."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        self.records.append(record)

    @property
    def messages(self) -> list[str]:
        """The messages with their arguments, in the order in which they were logged."""
        return [record.getMessage() for record in self.records]

    def of_level(self, level: int | str) -> list[str]:
        """The messages of one level, such as ``"WARNING"``. Raises ValueError for an unknown level."""
        number = logging.getLevelNamesMapping().get(level) if isinstance(level, str) else level
        if number is None:
            raise ValueError(f"Unknown level {level!r}. The levels are {', '.join(logging.getLevelNamesMapping())}.")
        return [record.getMessage() for record in self.records if record.levelno == number]


@contextmanager
def captured_logs(app: Costrel, level: int | str = logging.DEBUG) -> Iterator[CapturedLogs]:
    """Record the messages of `app.logger` from `level` on within a ``with`` block, also those that it does not print.

    Raises ValueError for an unknown level.
    """
    logger, captured = app.logger, CapturedLogs()
    before = logger.level
    logger.setLevel(level)
    logger.addHandler(captured)
    try:
        yield captured
    finally:
        logger.removeHandler(captured)
        logger.setLevel(before)
