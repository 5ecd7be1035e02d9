"""Python's interactive console with top-level `await`."""

from __future__ import annotations

import ast
import asyncio
import code
import inspect
import types
import typing as t
from contextvars import copy_context

if t.TYPE_CHECKING:
    from types import CodeType, TracebackType

    from ..app import typing as ft


class AwaitingConsole(code.InteractiveConsole):
    """A console with top-level `await`. All coroutines run on one event loop, in the console's context variables."""

    def __init__(self, names: ft.Values) -> None:
        super().__init__(names)
        self.compile.compiler.flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        self._runner = asyncio.Runner()

    def __enter__(self) -> t.Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._runner.close()

    def runcode(self, code: CodeType) -> None:
        """Run a statement. Exceptions are printed, except for SystemExit, which ends the console."""
        try:
            result = types.FunctionType(code, self.locals)()
            if inspect.iscoroutine(result):
                self._runner.run(result, context=copy_context())
        except SystemExit:
            raise
        except BaseException:
            self.showtraceback()
