"""The recording of one request: its stages with their times, templates, SQL and log lines.

The recording of a request is current in its context variables, so threads and tasks of the request add to it too.
"""

from __future__ import annotations

import logging
import typing as t
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import wraps
from time import perf_counter, time
from types import CoroutineType, coroutine
from weakref import WeakSet

from ...app.application import Costrel
from ...app.lifecycle import Steps, is_async
from ...context import Context, RequestContext
from ...support.signals import before_render_template, template_rendered
from .sql import SQLListener

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from jinja2 import Template

MAX_BODY: t.Final = 1_000_000
"""The maximum size of a recorded body in bytes."""

MAX_NOTES: t.Final = 200
"""The maximum number of SQL statements, and of log lines, that are recorded per request."""

MAX_TEXT: t.Final = 4_000
"""The maximum number of characters of a statement or a log line."""

_NAMES: t.Final = {
    "full_dispatch_request": "dispatch",
    "preprocess_request": "before_request",
    "view": "view",
    "handle_user_exception": "error handler",
    "handle_http_exception": "HTTP error handler",
    "handle_exception": "unhandled exception",
    "process_response": "after_request, session",
    "finalize_request": "response",
    "do_teardown_request": "teardown_request",
    "do_teardown_appcontext": "teardown_appcontext",
}
"""Stages of the lifecycle → their names on the page."""


@dataclass
class Stage:
    """A stage of a request: its name, its nesting depth, and its start and duration in milliseconds."""

    name: str
    depth: int
    begin: float
    length: float = 0.0


@dataclass
class Recording:
    """The recording of a request in progress. It still contains secrets."""

    at: float = field(default_factory=time)
    start: float = field(default_factory=perf_counter)
    stages: list[Stage] = field(default_factory=list)
    templates: list[tuple[str, float]] = field(default_factory=list)
    """Names of rendered templates, and the durations in milliseconds."""
    sql: list[tuple[str, object, float]] = field(default_factory=list)
    """Statements, their parameters, and their durations in milliseconds."""
    logs: list[tuple[str, str, str]] = field(default_factory=list)
    """The level, the logger and the message of each line."""
    left_out: int = 0
    """The number of statements and log lines beyond `MAX_NOTES`."""
    ctx: RequestContext | None = None
    body: bytearray = field(default_factory=bytearray)
    is_body_whole: bool = False
    error: BaseException | None = None
    _depth: int = 0

    def now(self) -> float:
        """The milliseconds since the request arrived."""
        return (perf_counter() - self.start) * 1000

    def begin(self, name: str) -> Stage:
        """Start a stage inside the current ones."""
        stage = Stage(_NAMES.get(name, name), self._depth, self.now())
        self._depth += 1
        self.stages.append(stage)
        return stage

    def end(self, stage: Stage) -> None:
        """End a stage."""
        self._depth = stage.depth
        stage.length = self.now() - stage.begin

    def note_sql(self, statement: str, parameters: object, ms: float) -> None:
        """Record an SQL statement."""
        if self._has_room(self.sql):
            self.sql.append((statement[:MAX_TEXT], parameters, ms))

    def note_log(self, record: logging.LogRecord) -> None:
        """Record a log line."""
        if not self._has_room(self.logs):
            return
        try:
            message = record.getMessage()
        except Exception as error:  # the logging handlers report it
            message = f"{record.msg!r} (its arguments raised {type(error).__name__})"
        if record.exc_info and record.exc_info[0] is not None:
            message += f" ({record.exc_info[0].__name__}: {record.exc_info[1]})"
        self.logs.append((record.levelname, record.name, message[:MAX_TEXT]))

    def _has_room(self, notes: t.Sized) -> bool:
        if len(notes) < MAX_NOTES:
            return True
        self.left_out += 1
        return False


CURRENT: t.Final[ContextVar[Recording | None]] = ContextVar("costrel_recording", default=None)
"""The recording of the current request."""


class Inspection:
    """Adds to the recording of each request: the lifecycle has it measure the stages, and signals report the rest."""

    def __init__(self, app: Costrel) -> None:
        app._inspection = self
        before_render_template.connect(self._begin_template, app)
        template_rendered.connect(self._end_template, app)
        self._rendering: dict[int, float] = {}
        self._sql = SQLListener(_note_sql)
        _watch_logs()

    def connect_sql(self) -> None:
        """Listen to SQLAlchemy if it has been imported by now."""
        self._sql.connect()

    def around(self, ctx: Context, name: str, steps: Steps[t.Any]) -> Steps[t.Any]:
        """Wrap the steps of a stage to measure their time."""
        recording = CURRENT.get()
        if recording is None:
            return steps
        if isinstance(ctx, RequestContext):
            recording.ctx = ctx
        return _timed(recording, name, steps)

    def timed_view(self, view: Callable[..., t.Any]) -> Callable[..., t.Any]:
        """Wrap a view to measure its time."""
        recording = CURRENT.get()
        return view if recording is None else _timed_view(recording, view)

    def _begin_template(self, app: Costrel, template: Template, context: Mapping[str, object], **_: object) -> None:
        self._rendering[id(context)] = perf_counter()

    def _end_template(self, app: Costrel, template: Template, context: Mapping[str, object], **_: object) -> None:
        started = self._rendering.pop(id(context), None)
        recording = CURRENT.get()
        if recording is not None and started is not None and len(recording.templates) < MAX_NOTES:
            recording.templates.append((template.name or "<string>", (perf_counter() - started) * 1000))


@coroutine
def _timed(recording: Recording, name: str, steps: Steps[t.Any]) -> Steps[t.Any]:
    stage = recording.begin(name)
    try:
        return (yield from steps)
    finally:
        recording.end(stage)


def _timed_view(recording: Recording, view: Callable[..., t.Any]) -> Callable[..., t.Any]:
    if is_async(view):

        @wraps(view)
        async def timed_async(**values: object) -> object:
            return await _timed_coroutine(recording, recording.begin("view"), view(**values))

        return timed_async

    @wraps(view)
    def timed(**values: object) -> object:
        stage = recording.begin("view")
        try:
            rv = view(**values)
        except BaseException:
            recording.end(stage)
            raise
        if rv.__class__ is CoroutineType:
            return _timed_coroutine(recording, stage, rv)
        recording.end(stage)
        return rv

    return timed


async def _timed_coroutine(recording: Recording, stage: Stage, rv: Coroutine[object, object, object]) -> object:
    try:
        return await rv
    finally:
        recording.end(stage)


def _note_sql(statement: str, parameters: object, ms: float) -> None:
    recording = CURRENT.get()
    if recording is not None:
        recording.note_sql(statement, parameters, ms)


_watching: t.Final[WeakSet[Callable[..., logging.LogRecord]]] = WeakSet()


def _watch_logs() -> None:
    """Record each log record when it is created, by means of the record factory.

    A handler would change the logging of the application: if there is one, `basicConfig` does nothing, and Flask does
    not add its default handler.
    """
    make = logging.getLogRecordFactory()
    if make in _watching:
        return

    def make_and_note(*args: t.Any, **kwargs: t.Any) -> logging.LogRecord:
        record = make(*args, **kwargs)
        recording = CURRENT.get()
        if recording is not None:
            recording.note_log(record)
        return record

    _watching.add(make_and_note)
    logging.setLogRecordFactory(make_and_note)
