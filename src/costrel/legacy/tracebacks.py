"""Tracebacks with the classes of `werkzeug.debug.tbtools`."""

from __future__ import annotations

import itertools
import os
import sys
import traceback
import typing as t
from collections.abc import Iterator
from types import CodeType, FrameType, TracebackType

from markupsafe import escape

from ..devtools.console import Console
from ..devtools.frames import package_of, report_of
from ..devtools.page import ErrorPage, render_console_page
from ..devtools.source import Span, excerpt, file_lines
from ..support.properties import cached_property

_SOURCE_LINES = 5

CHAINED_BY_CAUSE = "The above exception was the direct cause of the following exception"
CHAINED_BY_CONTEXT = "During handling of the above exception, another exception occurred"


class DebugFrameSummary(traceback.FrameSummary):
    """A `traceback.FrameSummary` that can evaluate code with the variables of its frame."""

    # The base class has slots; these attributes are in the dict of the instance.
    def __init__(self, *, locals: dict[str, object], globals: dict[str, object], **kwargs: t.Any) -> None:
        super().__init__(locals=None, **kwargs)
        self.local_ns = locals
        self.global_ns = globals

    @cached_property
    def info(self) -> str | None:
        """The value of the variable ``__traceback_info__`` in the frame."""
        return t.cast("str | None", self.local_ns.get("__traceback_info__"))

    @cached_property
    def is_library(self) -> bool:
        """Whether the code is in a folder for installed packages."""
        return any(
            self.filename.startswith(os.path.realpath(path))
            for path in {sys.prefix, sys.base_prefix} | set(_lib_paths())
        )

    @cached_property
    def console(self) -> Console:
        """A console with the variables of the frame."""
        return Console(self.global_ns, self.local_ns)

    def eval(self, code: str) -> str:
        """Evaluate code in the frame's console, and return the output as HTML."""
        return self.console.eval(code)

    def render_html(self, mark_library: bool) -> str:
        """The frame and the source around it as HTML."""
        library = " library" if mark_library and self.is_library else ""
        return (
            f'<div class="frame" id="frame-{id(self)}">\n'
            f'  <h4>File <cite class="filename">"{escape(self.filename)}"</cite>,\n'
            f'      line <em class="line">{self.lineno}</em>,\n'
            f'      in <code class="function">{escape(self.name)}</code></h4>\n'
            f'  <div class="source{library or " "}">{chr(10).join(self._source())}</div>\n'
            "</div>\n"
        )

    def _source(self) -> Iterator[str]:
        current = self.lineno or 0
        for line in excerpt(file_lines(self.filename, self.global_ns), Span(current), _SOURCE_LINES, _SOURCE_LINES):
            place = "current" if line.is_current else "before" if line.number < current else "after"
            code = line.text.lstrip()
            indent = line.text[: len(line.text) - len(code)]
            yield f'<pre class="line {place}"><span class="ws">{escape(indent)}</span>{escape(code) or " "}</pre>'


def _lib_paths() -> list[str]:
    return [path for path in sys.path if "site-packages" in path or "dist-packages" in path]


class DebugTraceback:
    """The traceback of an exception, without the outermost `skip` frames, and by default without hidden frames."""

    def __init__(
        self,
        exc: BaseException,
        te: traceback.TracebackException | None = None,
        *,
        skip: int = 0,
        hide: bool = True,
    ) -> None:
        self._exc = exc
        self._te = _process_traceback(exc, te, skip=skip, hide=hide)
        self._hide = hide

    def __str__(self) -> str:
        return f"<{type(self).__name__} {self._te}>"

    @cached_property
    def all_tracebacks(self) -> list[tuple[str | None, traceback.TracebackException]]:
        """The exception, then its causes, each with the sentence that connects it to the next."""
        found: list[tuple[str | None, traceback.TracebackException]] = []
        current: traceback.TracebackException | None = self._te
        seen: set[int] = set()
        while current is not None and id(current) not in seen:
            seen.add(id(current))
            earlier, label = current.__cause__, CHAINED_BY_CAUSE
            if earlier is None:
                earlier, label = current.__context__, CHAINED_BY_CONTEXT
                earlier = None if current.__suppress_context__ else earlier
            found.append((label if earlier is not None else None, current))
            current = earlier
        return found

    @cached_property
    def all_frames(self) -> list[DebugFrameSummary]:
        """The frames of all tracebacks."""
        return [t.cast("DebugFrameSummary", frame) for _, te in self.all_tracebacks for frame in te.stack]

    def render_traceback_text(self) -> str:
        """The traceback as Python prints it."""
        return "".join(self._te.format())

    def render_traceback_html(self, include_title: bool = True) -> str:
        """The traceback as HTML, the earliest exception first."""
        library = [frame.is_library for frame in self.all_frames]
        mark_library = 0 < sum(library) < len(library)
        rows: list[str] = []
        for label, te in reversed(self.all_tracebacks):
            if rows and label:
                rows.append(f'<li><div class="exc-divider">{label}:</div>')
            rows += [f"<li>{t.cast('DebugFrameSummary', f).render_html(mark_library)}" for f in te.stack]
        message = escape("".join(self._te.format_exception_only()))
        syntax = self._te.exc_type_str == "SyntaxError" if hasattr(self._te, "exc_type_str") else False
        classes = "traceback" if self.all_frames else "traceback noframe-traceback"
        title = "Syntax Error" if syntax else "Traceback <em>(most recent call last)</em>:"
        body = f"<pre class=syntaxerror>{message}</pre>" if syntax else f"<blockquote>{message}</blockquote>"
        heading = f"<h3>{title}</h3>" if include_title else "<h3></h3>"
        return f'<div class="{classes}">\n  {heading}\n  <ul>{chr(10).join(rows)}</ul>\n  {body}\n</div>\n'

    def render_debugger_html(self, evalex: bool, secret: str, evalex_trusted: bool) -> str:
        """The error page. Its consoles work only in a page of a DebuggedApplication."""
        page = ErrorPage(report_of(self._exc, not self._hide), evalex=evalex, secret=secret, trusted=evalex_trusted)
        return page.html()


def render_console_html(secret: str, evalex_trusted: bool) -> str:
    """The page with only a console."""
    return render_console_page(secret=secret, trusted=evalex_trusted)


def _process_traceback(
    exc: BaseException, te: traceback.TracebackException | None = None, *, skip: int = 0, hide: bool = True
) -> traceback.TracebackException:
    """The TracebackException of `exc` with DebugFrameSummary objects, also for its causes."""
    if te is None:
        te = traceback.TracebackException.from_exception(exc, lookup_lines=False)
    frames = list(_live_frames(exc.__traceback__))[skip:]
    summaries = [_summary(frame, line, position) for frame, line, position in frames if not (hide and _hides(frame))]
    te.stack[:] = summaries
    for name in ("__cause__", "__context__"):
        earlier, summary = getattr(exc, name), getattr(te, name)
        if earlier is not None and summary is not None:
            _process_traceback(earlier, summary, hide=hide)
    return te


def _live_frames(tb: TracebackType | None) -> Iterator[tuple[FrameType, int, int]]:
    while tb is not None:
        yield tb.tb_frame, tb.tb_lineno, tb.tb_lasti
        tb = tb.tb_next


def _hides(frame: FrameType) -> bool:
    return bool(frame.f_locals.get("__traceback_hide__"))


def _summary(frame: FrameType, lineno: int, lasti: int) -> DebugFrameSummary:
    code: CodeType = frame.f_code
    _, end_line, column, end_column = next(itertools.islice(code.co_positions(), lasti // 2, None), (None,) * 4)
    return DebugFrameSummary(
        filename=code.co_filename,
        lineno=lineno,
        name=code.co_name,
        lookup_line=False,
        end_lineno=end_line,
        colno=column,
        end_colno=end_column,
        locals=frame.f_locals,
        globals=frame.f_globals,
    )


__all__ = ["DebugFrameSummary", "DebugTraceback", "package_of", "render_console_html"]
