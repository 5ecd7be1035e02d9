"""`typed`: the parameters of the function below it are read from the request, below all other decorators."""

from __future__ import annotations

import typing as t
from collections.abc import Callable
from functools import update_wrapper

from .. import context
from .candidates import TYPED

F = t.TypeVar("F", bound=Callable[..., t.Any])

_VAR: t.Final = 0x04 | 0x08
"""The flags of code that takes ``*args`` or ``**kwargs``."""


def typed(view: F) -> F:
    """Make a view typed. It stands directly above ``def``: a login check above it runs before the validation.

    Raises TypeError above another decorator, whose result has no parameters of its own.
    """
    code = getattr(view, "__code__", None)
    takes_any = code is not None and code.co_flags & _VAR and not code.co_argcount and not code.co_kwonlyargcount
    if hasattr(view, "__wrapped__") or takes_any or not callable(view):
        raise TypeError(
            f"@typed stands above another decorator of {getattr(view, '__name__', view)!r}: write it directly above"
            " 'def', so that it finds the parameters, and so that the other decorators run first."
        )

    def call(*args: object, **view_args: object) -> object:
        ctx = context.requesting()
        return ctx.app.plans.of_function(ctx.request.endpoint, view, len(args)).run(view, args, view_args)

    async def call_async(*args: object, **view_args: object) -> object:
        ctx = context.requesting()
        return await ctx.app.plans.of_function(ctx.request.endpoint, view, len(args)).run_async(view, args, view_args)

    is_async = code is not None and code.co_flags & 0x80  # CO_COROUTINE
    made = update_wrapper(call_async if is_async else call, view)
    del made.__wrapped__
    setattr(made, TYPED, view)
    return t.cast("F", made)
