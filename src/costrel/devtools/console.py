"""The console: evaluates code with the variables of a frame, and returns its output as HTML."""

from __future__ import annotations

import ast
import codeop
import inspect
import itertools
import linecache
import sys
import threading
import traceback
import typing as t
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import CodeType

from markupsafe import escape

from ..support.coroutines import run_coroutine
from .html_repr import debug_repr, dump, helper

_DISPLAY = "__costrel_display__"
_FLAGS = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT

_numbers = itertools.count(1)


class HTMLStringO:
    """A text stream that escapes its text as HTML."""

    def __init__(self) -> None:
        self._buffer: list[str] = []

    def isatty(self) -> bool:
        """Return False."""
        return False

    def close(self) -> None:
        """Does nothing."""

    def flush(self) -> None:
        """Does nothing."""

    def seek(self, n: int, mode: int = 0) -> None:
        """Does nothing."""

    def readline(self) -> str:
        """Remove and return the first text in the buffer; an empty string if there is none."""
        return self._buffer.pop(0) if self._buffer else ""

    def reset(self) -> str:
        """Remove and return all text in the buffer."""
        value = "".join(self._buffer)
        self._buffer.clear()
        return value

    def _write(self, x: str) -> None:
        self._buffer.append(x)

    def write(self, x: str) -> None:
        """Write text."""
        self._write(str(escape(x)))

    def writelines(self, x: t.Iterable[str]) -> None:
        """Write several texts."""
        self._write(str(escape("".join(x))))


_stream: ContextVar[HTMLStringO | None] = ContextVar("costrel.devtools.console", default=None)


class ThreadedStream:
    """Replaces ``sys.stdout`` while a console runs, and collects only the output of the console's code."""

    _lock = threading.Lock()
    _users = 0
    _original: t.TextIO | None = None

    @staticmethod
    def push() -> None:
        """Start collecting the output of this context."""
        with ThreadedStream._lock:
            if not isinstance(sys.stdout, ThreadedStream):
                ThreadedStream._original = sys.stdout
                sys.stdout = t.cast("t.TextIO", ThreadedStream())
            ThreadedStream._users += 1
        _stream.set(HTMLStringO())

    @staticmethod
    def fetch() -> str:
        """Stop collecting, and return the output since :meth:`push` as HTML."""
        stream = _stream.get()
        _stream.set(None)
        with ThreadedStream._lock:
            if ThreadedStream._users:
                ThreadedStream._users -= 1
            if not ThreadedStream._users and isinstance(sys.stdout, ThreadedStream):
                sys.stdout = ThreadedStream._original
        return "" if stream is None else stream.reset()

    @staticmethod
    def displayhook(obj: object) -> None:
        """Write a value as HTML. Outside of a console, use Python's display hook."""
        stream = _stream.get()
        if stream is None:
            sys.__displayhook__(obj)
        elif obj is not None:
            stream._write(debug_repr(obj))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r} to set")

    def __dir__(self) -> list[str]:
        return dir(sys.__stdout__)

    def __getattribute__(self, name: str) -> t.Any:
        return getattr(_stream.get() or ThreadedStream._original or sys.__stdout__, name)

    def __repr__(self) -> str:
        return repr(ThreadedStream._original)


class Console:
    """An interactive console. It starts with the variables of `globals` and `locals`, and assigns only to its own."""

    def __init__(self, globals: dict[str, object] | None = None, locals: dict[str, object] | None = None) -> None:
        # A single namespace, since functions that are defined in the console look up names only in their globals.
        self.namespace: dict[str, object] = {**(globals or {}), **(locals or {})}
        # `dump()` shows the variables of the frame and those assigned in the console.
        self._hidden = set(globals or ()) - set(locals or ())
        self._pending: list[str] = []
        self._lock = threading.Lock()

    @property
    def more(self) -> bool:
        """Whether the code so far is incomplete, as after ``for x in y:``."""
        return bool(self._pending)

    def add(self, **names: object) -> None:
        """Add variables whose names are not in use. `dump()` does not show them."""
        for name, value in names.items():
            if name not in self.namespace:
                self.namespace[name] = value
                self._hidden.add(name)

    def eval(self, code: str) -> str:
        """Evaluate one or more lines of code. Returns the prompt, the code and the output as HTML."""
        code = code.replace("\r\n", "\n")
        with self._lock:
            prompt = "... " if self._pending else ">>> "
            source = "\n".join([*self._pending, code])
            with _collected() as output:
                self._pending = [] if self._run(source, bool(self._pending)) else [*self._pending, code]
        return f"{prompt}{escape(code)}\n{''.join(output)}"

    def _run(self, source: str, continued: bool) -> bool:
        """Run the source if it is complete. Returns whether it is."""
        name = f"<console {next(_numbers)}>"
        try:
            if _is_incomplete(source, continued):
                return False
            compiled = _compile(source, name)
        except (SyntaxError, ValueError, OverflowError) as error:
            _stream_write(_error_html(traceback.format_exception_only(error), "syntaxerror"))
            return True
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        self._execute(compiled)
        return True

    def _execute(self, compiled: CodeType) -> None:
        self.namespace |= {_DISPLAY: self._display, "__builtins__": __builtins__}
        self.namespace.setdefault("dump", self._dump)
        self.namespace.setdefault("help", helper)
        try:
            value = eval(compiled, self.namespace)  # noqa: S307 - this is a console
            if inspect.iscoroutine(value):
                run_coroutine(value)
        except BaseException as error:  # an error of the code must not escape from the console
            _stream_write(_error_html(_format(error), "error"))
        finally:
            self.namespace.pop(_DISPLAY, None)

    def _display(self, value: object) -> object:
        if value is not None:
            self.namespace["_"] = value
            _stream_write(debug_repr(value))
            _stream_write("\n")
        return value

    def _dump(self, *args: object) -> None:
        """Show the attributes of an object; without an argument, the variables of the frame."""
        if args:
            dump(*args)
        else:
            from .html_repr import DebugReprGenerator

            hidden = {"dump", "help", "__builtins__", _DISPLAY, "_"} | self._hidden
            _stream_write(
                DebugReprGenerator().dump_locals({k: v for k, v in self.namespace.items() if k not in hidden})
            )


@contextmanager
def _collected() -> Iterator[list[str]]:
    output: list[str] = []
    ThreadedStream.push()
    try:
        yield output
    finally:
        output.append(ThreadedStream.fetch())


def _stream_write(html: str) -> None:
    stream = _stream.get()
    if stream is not None:
        stream._write(html)


def _is_incomplete(source: str, continued: bool) -> bool:
    """Whether more lines have to follow, because a block has not been ended by an empty line."""
    if continued and source.endswith("\n") and not source.strip():
        return False
    several = source.rstrip("\n").count("\n") and not continued
    try:
        return codeop.compile_command(source, "<console>", "exec" if several else "single") is None
    except SyntaxError:
        return False  # several statements, or an error that is reported when the code is compiled


def _compile(source: str, name: str) -> CodeType:
    tree = ast.parse(source, name, type_comments=False)
    body = [_DisplayEach().visit(node) for node in tree.body]
    module = ast.fix_missing_locations(ast.Module(body, []))
    return t.cast("CodeType", compile(module, name, "exec", flags=_FLAGS, dont_inherit=True))


class _DisplayEach(ast.NodeTransformer):
    """Displays the value of each expression statement, like Python's prompt."""

    def visit_Expr(self, node: ast.Expr) -> ast.Expr:
        name = ast.copy_location(ast.Name(_DISPLAY, ast.Load()), node)
        return ast.copy_location(ast.Expr(ast.copy_location(ast.Call(name, [node.value], []), node)), node)

    def _leave(self, node: ast.AST) -> ast.AST:
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = visit_Lambda = _leave


def _format(error: BaseException) -> Iterable[str]:
    tb = error.__traceback__
    while tb is not None and not tb.tb_frame.f_code.co_filename.startswith("<console"):
        tb = tb.tb_next
    return traceback.format_exception(type(error), error, tb)


def _error_html(lines: Iterable[str], kind: str) -> str:
    return f'<span class="traceback {kind}">{escape("".join(lines))}</span>'
