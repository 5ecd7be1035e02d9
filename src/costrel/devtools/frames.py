"""An exception as data: message, causes, and frames with source and variables; and which frames are the user's."""

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
"""A global of the frames with which Jinja replaces its own frames, in order to show the template's source."""

COMPREHENSIONS = frozenset({"<listcomp>", "<dictcomp>", "<setcomp>", "<genexpr>"})
"""The names of functions that Python creates for expressions. The code around them is more helpful than their line."""

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
    """One frame of the traceback. `scope` is None for a location without variables, such as a syntax error.

    `package` is the name of the library; None for the user's own code.
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
        """Whether the frame is in the user's own code."""
        return self.package is None

    @property
    def lineno(self) -> int:
        """The line number, from 1."""
        return self.span.line

    @cached_property
    def short_filename(self) -> str:
        """The path of the file, relative to the working directory or to the folder of the libraries."""
        real = os.path.realpath(self.filename)
        for folder in (*_SITE, os.path.realpath(os.curdir) + os.sep, *_LIBRARIES):
            if real.startswith(folder):
                return real.removeprefix(folder)
        return self.filename

    @cached_property
    def lines(self) -> list[str]:
        """All lines of the file; empty if it cannot be read."""
        return file_lines(self.filename, None if self.scope is None else self.scope.f_globals)

    def source(self, before: int = 8, after: int = 5) -> list[Line]:
        """The lines around the frame's line, limited to its function."""
        first, last = _extent(self.code)
        is_python = self.filename.endswith((".py", ".pyw", ">")) and self.filename != "<template>"
        return excerpt(self.lines, self.span, before, after, first, last, is_python)

    @property
    def line(self) -> str:
        """The text of the line, without indentation."""
        return self.lines[self.lineno - 1].strip() if 1 <= self.lineno <= len(self.lines) else ""

    def variables(self, describer: Describer) -> list[tuple[str, str]]:
        """The names and values (as text) of the frame's variables."""
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
        """Evaluate code in the console of this frame. Returns the output as HTML."""
        return self.console.eval(code)


def _extent(code: CodeType | None) -> tuple[int, int | None]:
    """The first and last line of a function. For modules and comprehensions, the whole file."""
    if code is None or code.co_name in {"<module>", *COMPREHENSIONS} or not code.co_flags & inspect.CO_NEWLOCALS:
        return 1, None
    return code.co_firstlineno, max((line for _, _, line in code.co_lines() if line), default=None)


@dataclass
class Report:
    """An exception. `earlier` is the exception that led to it, and `relation` the sentence that says so."""

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
        """The kind and the message."""
        return f"{self.kind}: {self.message}" if self.message else self.kind

    @cached_property
    def focus(self) -> Frame | None:
        """The most relevant frame: the innermost one in the user's code, or else the innermost of all."""
        own = [frame for frame in self.frames if frame.is_user]
        return (own or self.frames or [None])[-1]  # type: ignore[list-item]  # None is for no frames at all

    def chain(self) -> Iterator[Report]:
        """This report, followed by the reports of its causes."""
        report: Report | None = self
        while report is not None:
            yield report
            report = report.earlier

    def all(self) -> Iterator[Report]:
        """This report and all others that it contains."""
        for report in self.chain():
            yield report
            for child in report.children:
                yield from child.all()

    def contexts(self, kind: type[T]) -> list[T]:
        """The distinct objects of class `kind` among the variables of the frames, outermost first."""
        objects: dict[int, T] = {}
        for frame in self.frames:
            if frame.scope is not None:
                # isinstance() would be forwarded by a proxy, and fail if the proxy is unbound.
                for value in list(frame.scope.f_locals.values()):
                    if issubclass(type(value), kind):
                        objects.setdefault(id(value), value)
        return list(objects.values())


def report_of(error: BaseException, show_hidden_frames: bool = False) -> Report:
    """The report of an exception, including its causes and the exceptions of a group.

    Frames with a variable ``__traceback_hide__`` are left out unless `show_hidden_frames` is true.
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
    if len(frames) > _MAX_FRAMES:  # infinite recursion: its first and last frames are enough
        frames = frames[: _MAX_FRAMES // 2] + frames[-_MAX_FRAMES // 2 :]
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        frames.append(_syntax_error_frame(error))
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
        return f"<no message: str() raised {type(failure).__name__}>"


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
    # The columns of a template's frame belong to the compiled template.
    if positions is None or positions[0] != tb.tb_lineno or TEMPLATE in tb.tb_frame.f_globals:
        return Span(tb.tb_lineno)
    line, end_line, column, end_column = positions
    if column is None or end_column is None or end_line is None:
        return Span(tb.tb_lineno)
    lines = file_lines(code.co_filename, tb.tb_frame.f_globals)
    start, end = characters(lines, line or 1, column), characters(lines, end_line, end_column)
    return Span(tb.tb_lineno, end_line, start, end)


def _syntax_error_frame(error: SyntaxError) -> Frame:
    filename, line = error.filename or "", error.lineno or 1
    start = max(0, (error.offset or 1) - 1)
    end = error.end_offset - 1 if error.end_offset and error.end_offset > 0 else start + 1
    same_line = error.end_lineno in (None, line)
    span = Span(line, line, start, max(end, start + 1) if same_line else len(error.text or "") or start + 1)
    frame = Frame(filename, span, "", package_of(filename, None))
    if error.text is not None and frame.line != error.text.strip():
        frame.lines = [""] * (line - 1) + [error.text.rstrip("\n")]  # there is no file, or it has changed
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
