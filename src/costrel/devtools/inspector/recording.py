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
"""The largest body that is kept, in bytes."""

MAX_NOTES: t.Final = 200
"""The greatest number of SQL statements, and of log lines, that are kept of a request."""

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
"""The stages of the lifecycle → their names on the page."""


@dataclass
class Stage:
    """One stage of a request: its name, its depth in others, and its begin and length in milliseconds."""

    name: str
    depth: int
    begin: float
    length: float = 0.0


@dataclass
class Recording:
    """The request that runs right now. `hide` has not been applied to anything here."""

    at: float = field(default_factory=time)
    start: float = field(default_factory=perf_counter)
    stages: list[Stage] = field(default_factory=list)
    templates: list[tuple[str, float]] = field(default_factory=list)
    """Names of templates, with the milliseconds of their rendering."""
    sql: list[tuple[str, object, float]] = field(default_factory=list)
    """Statements, their parameters, and their milliseconds."""
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
        """The milliseconds since the request has arrived."""
        return (perf_counter() - self.start) * 1000

    def begin(self, name: str) -> Stage:
        """Begin a stage inside those that have not ended."""
        stage = Stage(_NAMES.get(name, name), self._depth, self.now())
        self._depth += 1
        self.stages.append(stage)
        return stage

    def end(self, stage: Stage) -> None:
        """End a stage."""
        self._depth = stage.depth
        stage.length = self.now() - stage.begin

    def note_sql(self, statement: str, parameters: object, ms: float) -> None:
        """Add a statement of SQL."""
        if self._has_room(self.sql):
            self.sql.append((statement[:MAX_TEXT], parameters, ms))

    def note_log(self, record: logging.LogRecord) -> None:
        """Add a log line."""
        if not self._has_room(self.logs):
            return
        try:
            message = record.getMessage()
        except Exception as error:  # its handlers report that
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
"""The recording of the request that runs in these context variables."""


class Inspection:
    """Makes the requests of an application add to their recordings. The lifecycle hands it each stage to time."""

    def __init__(self, app: Costrel) -> None:
        app._inspection = self
        before_render_template.connect(self._begin_template, app)
        template_rendered.connect(self._end_template, app)
        self._rendering: dict[int, float] = {}
        self._sql = SQLListener(_note_sql)
        _watch_logs()

    def look_for_sql(self) -> None:
        """Listen to SQLAlchemy if it has been imported by now."""
        self._sql.look()

    def around(self, ctx: Context, name: str, steps: Steps[t.Any]) -> Steps[t.Any]:
        """The steps of a stage, with their time noted."""
        recording = CURRENT.get()
        if recording is None:
            return steps
        if isinstance(ctx, RequestContext):
            recording.ctx = ctx
        return _timed(recording, name, steps)

    def timed_view(self, view: Callable[..., t.Any]) -> Callable[..., t.Any]:
        """The view, with its time noted."""
        recording = CURRENT.get()
        return view if recording is None else _timed_view(recording, view)

    def _begin_template(self, app: Costrel, template: Template, context: Mapping[str, object], **_: object) -> None:
        self._rendering[id(context)] = perf_counter()

    def _end_template(self, app: Costrel, template: Template, context: Mapping[str, object], **_: object) -> None:
        begun = self._rendering.pop(id(context), None)
        recording = CURRENT.get()
        if recording is not None and begun is not None and len(recording.templates) < MAX_NOTES:
            recording.templates.append((template.name or "<string>", (perf_counter() - begun) * 1000))


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
    """Note each log record as it is made.

    A handler would change logging itself: `basicConfig` does nothing if there is one, and neither does Flask's default
    handler.
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
