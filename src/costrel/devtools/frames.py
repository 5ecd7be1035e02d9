"""An exception as data: its message and causes, its frames with source and locals, and which frame is the user's."""

from __future__ import annotations

import inspect
import itertools
import os
import sysconfig
import traceback
import typing as t
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import CodeType, FrameType, ModuleType, TracebackType

from .console import Console
from .source import Line, Span, characters, excerpt, file_lines
from .values import Describer

_HERE = str(Path(__file__).parents[1])
_LIBRARIES = tuple(
    os.path.realpath(sysconfig.get_path(name)) + os.sep for name in ("stdlib", "platstdlib", "purelib", "platlib")
)
_SITE = tuple(os.path.realpath(sysconfig.get_path(name)) + os.sep for name in ("purelib", "platlib"))

TEMPLATE = "__jinja_exception__"
"""Among the globals of the frames that Jinja puts in the place of its own, to show a template's source."""

COMPREHENSIONS = frozenset({"<listcomp>", "<dictcomp>", "<setcomp>", "<genexpr>"})
"""Functions that Python makes of expressions: the code around them explains more than their own line."""

T = t.TypeVar("T")

_MAX_CHAIN = 12
_MAX_CHILDREN = 8
_MAX_LOCALS = 40
_MAX_FRAMES = 100

CAUSE = "The error below was the direct cause of this one."
CONTEXT = "This one was raised while the error below was being handled."

_numbers = itertools.count(1)


@dataclass
class Frame:
    """One place that the exception passed through. `scope` is None for a place that has no variables.

    `package` names the library that it lies in; None means that it is the user's own code.
    """

    filename: str
    span: Span
    function: str
    package: str | None
    scope: FrameType | None = None
    code: CodeType | None = None
    id: int = field(default_factory=lambda: next(_numbers))
    is_focus: bool = False

    @property
    def is_user(self) -> bool:
        """Whether this is the user's own code."""
        return self.package is None

    @property
    def lineno(self) -> int:
        """The line, from 1."""
        return self.span.line

    @cached_property
    def short_filename(self) -> str:
        """The file's name as one reads it: from the folder that the program runs in, or from the library's on."""
        real = os.path.realpath(self.filename)
        for folder in (*_SITE, os.path.realpath(os.curdir) + os.sep, *_LIBRARIES):
            if real.startswith(folder):
                return real.removeprefix(folder)
        return self.filename

    @cached_property
    def lines(self) -> list[str]:
        """All lines of the file, as far as it can be read."""
        return file_lines(self.filename, None if self.scope is None else self.scope.f_globals)

    def source(self, before: int = 8, after: int = 5) -> list[Line]:
        """The lines around the place, within its function."""
        first, last = _extent(self.code)
        is_python = self.filename.endswith((".py", ".pyw", ">")) and self.filename != "<template>"
        return excerpt(self.lines, self.span, before, after, first, last, is_python)

    @property
    def line(self) -> str:
        """The line itself, without its indentation."""
        return self.lines[self.lineno - 1].strip() if 1 <= self.lineno <= len(self.lines) else ""

    def variables(self, describer: Describer) -> list[tuple[str, str]]:
        """The names that the code there sees as its own, with their values as text."""
        if self.scope is None:
            return []
        scope = self.scope
        many = scope.f_locals is scope.f_globals or TEMPLATE in scope.f_globals
        shown = []
        for name, value in itertools.islice(list(scope.f_locals.items()), 500):
            if name.startswith("."):  # the iterator of a comprehension
                continue
            if many and (name.startswith("__") or issubclass(type(value), ModuleType) or callable(value)):
                continue
            shown.append((str(name), describer.named(name, value)))
            if len(shown) == _MAX_LOCALS:
                break
        return shown

    @cached_property
    def console(self) -> Console:
        """A console with the variables of the frame."""
        if self.scope is None:
            return Console()
        return Console(self.scope.f_globals, self.scope.f_locals)

    def eval(self, code: str) -> str:
        """Evaluate a line in the console of this frame, and return its result as HTML."""
        return self.console.eval(code)


def _extent(code: CodeType | None) -> tuple[int, int | None]:
    """The first and last line of a function; all of a module, and of the code around a comprehension."""
    if code is None or code.co_name in {"<module>", *COMPREHENSIONS} or not code.co_flags & inspect.CO_NEWLOCALS:
        return 1, None
    return code.co_firstlineno, max((line for _, _, line in code.co_lines() if line), default=None)


@dataclass
class Report:
    """One exception: `earlier` is the exception that led to it, `relation` the sentence about that."""

    kind: str
    message: str
    notes: list[str]
    frames: list[Frame]
    exception: BaseException
    relation: str = ""
    earlier: Report | None = None
    children: list[Report] = field(default_factory=list)
    more_children: int = 0

    @property
    def title(self) -> str:
        """The kind and the message, in one line as far as possible."""
        return f"{self.kind}: {self.message}" if self.message else self.kind

    @cached_property
    def focus(self) -> Frame | None:
        """The frame to look at first: the user's innermost, or the innermost of all."""
        own = [frame for frame in self.frames if frame.is_user]
        return (own or self.frames or [None])[-1]  # type: ignore[list-item]  # None is for no frames at all

    def chain(self) -> Iterator[Report]:
        """This report, then those that led to it."""
        report: Report | None = self
        while report is not None:
            yield report
            report = report.earlier

    def all(self) -> Iterator[Report]:
        """This report and every other in it."""
        for report in self.chain():
            yield report
            for child in report.children:
                yield from child.all()

    def contexts(self, kind: type[T]) -> list[T]:
        """The objects of class `kind` in the variables of the frames, outermost first, each once."""
        found: dict[int, T] = {}
        for frame in self.frames:
            if frame.scope is not None:
                # Not isinstance(), which a proxy forwards to its object, and which fails if it has none.
                for value in list(frame.scope.f_locals.values()):
                    if issubclass(type(value), kind):
                        found.setdefault(id(value), value)
        return list(found.values())


def report_of(error: BaseException, show_hidden_frames: bool = False) -> Report:
    """The report of an exception, with its causes and with the exceptions of a group.

    Frames that have a variable ``__traceback_hide__`` are left out unless `show_hidden_frames`.
    """
    reports: list[Report] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen and len(reports) < _MAX_CHAIN:
        seen.add(id(current))
        reports.append(_single(current, show_hidden_frames))
        following = current.__cause__
        relation = CAUSE
        if following is None and not current.__suppress_context__:
            following, relation = current.__context__, CONTEXT
        if following is not None and id(following) not in seen and len(reports) < _MAX_CHAIN:
            reports[-1].relation = relation
        current = following
    for report, earlier in itertools.pairwise(reports):
        report.earlier = earlier
    return reports[0]


def _single(error: BaseException, show_hidden_frames: bool) -> Report:
    frames = list(itertools.islice(_frames(error.__traceback__, show_hidden_frames), _MAX_FRAMES * 100))
    if len(frames) > _MAX_FRAMES:  # a recursion without end: its first and last rounds tell it all
        frames = frames[: _MAX_FRAMES // 2] + frames[-_MAX_FRAMES // 2 :]
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        frames.append(_place_of_syntax_error(error))
    report = Report(_kind(error), _message(error), [str(note) for note in _notes(error)], frames, error)
    if report.focus is not None:
        report.focus.is_focus = True
    if isinstance(error, BaseExceptionGroup):
        children = error.exceptions
        report.children = [report_of(child, show_hidden_frames) for child in children[:_MAX_CHILDREN]]
        report.more_children = max(0, len(children) - _MAX_CHILDREN)
    return report


def _kind(error: BaseException) -> str:
    cls = type(error)
    if cls.__module__ in ("builtins", "__main__") or cls.__module__.startswith("costrel."):
        return cls.__qualname__
    return f"{cls.__module__}.{cls.__qualname__}"


def _message(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return str(error.msg)
    try:
        return str(error)
    except Exception as failure:
        return f"<its message cannot be had: str() raised {type(failure).__name__}>"


def _notes(error: BaseException) -> list[object]:
    notes = getattr(error, "__notes__", None)
    return notes if isinstance(notes, list) else []


def _frames(tb: TracebackType | None, show_hidden: bool) -> Iterator[Frame]:
    while tb is not None:
        frame = tb.tb_frame
        if show_hidden or not frame.f_locals.get("__traceback_hide__"):
            code = frame.f_code
            yield Frame(
                code.co_filename,
                _span(tb),
                code.co_name if TEMPLATE in frame.f_globals else code.co_qualname,
                package_of(code.co_filename, frame.f_globals.get("__name__")),
                frame,
                code,
            )
        tb = tb.tb_next


def _span(tb: TracebackType) -> Span:
    code = tb.tb_frame.f_code
    positions = next(itertools.islice(code.co_positions(), tb.tb_lasti // 2, None), None) if tb.tb_lasti >= 0 else None
    # The columns of a template's frame are those of other code.
    if positions is None or positions[0] != tb.tb_lineno or TEMPLATE in tb.tb_frame.f_globals:
        return Span(tb.tb_lineno)
    line, end_line, column, end_column = positions
    if column is None or end_column is None or end_line is None:
        return Span(tb.tb_lineno)
    lines = file_lines(code.co_filename, tb.tb_frame.f_globals)
    start, end = characters(lines, line or 1, column), characters(lines, end_line, end_column)
    return Span(tb.tb_lineno, end_line, start, end)


def _place_of_syntax_error(error: SyntaxError) -> Frame:
    filename, line = error.filename or "", error.lineno or 1
    start = max(0, (error.offset or 1) - 1)
    end = error.end_offset - 1 if error.end_offset and error.end_offset > 0 else start + 1
    same_line = error.end_lineno in (None, line)
    span = Span(line, line, start, max(end, start + 1) if same_line else len(error.text or "") or start + 1)
    frame = Frame(filename, span, "", package_of(filename, None))
    if error.text is not None and frame.line != error.text.strip():
        frame.lines = [""] * (line - 1) + [error.text.rstrip("\n")]  # it was never a file, or is another by now
    return frame


def package_of(filename: str, module: str | None) -> str | None:
    """The library that a file belongs to; None for the user's own code."""
    if filename.startswith("<frozen"):
        return filename[8:].partition(".")[0].rstrip(">")
    if filename.startswith("<"):
        return None
    real = os.path.realpath(filename)
    if real.startswith(_HERE + os.sep):
        return "costrel"
    for folder in _SITE:
        if real.startswith(folder):
            return real.removeprefix(folder).partition(os.sep)[0].removesuffix(".py")
    if real.startswith(_LIBRARIES):
        return "Python"
    return None


def format_plainly(error: BaseException) -> str:
    """The traceback as Python prints it."""
    return "".join(traceback.format_exception(error))
