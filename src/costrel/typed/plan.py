"""A plan: how the values of one view are read from a request, and how its result is written."""

from __future__ import annotations

from functools import update_wrapper

from ..context import RequestContext, requesting
from .inputs import Inputs
from .problems import Problem, failed
from .results import Write
from .signatures import Function, Signature, is_async
from .texts import Values


class Plan:
    """What one view takes and returns, as seen from one endpoint."""

    def __init__(self, signature: Signature, inputs: Inputs, write: Write | None, status: int) -> None:
        self.signature = signature
        self.inputs = inputs
        self.write = write
        self.status = status

    def arguments(self, ctx: RequestContext, view_args: Values) -> Values:
        """The keyword arguments of the view.

        :raises ValidationFailed: with all that is missing or invalid.
        """
        problems: list[Problem] = []
        values = self.inputs.read(ctx.request, view_args, problems)
        if problems:
            raise failed(problems, self.status)
        return {**view_args, **values}

    def run(self, view: Function, args: tuple[object, ...], view_args: Values) -> object:
        """Call a ``def`` view with the values of the current request."""
        ctx = requesting()
        rv = view(*args, **self.arguments(ctx, view_args))
        return rv if self.write is None else self.write(ctx, rv)

    async def run_async(self, view: Function, args: tuple[object, ...], view_args: Values) -> object:
        """The same for an ``async def`` view."""
        ctx = requesting()
        rv = await view(*args, **self.arguments(ctx, view_args))
        return rv if self.write is None else self.write(ctx, rv)

    def wrap(self, view: Function) -> Function:
        """An ordinary view, which the lifecycle calls with the values of the URL alone."""

        def call(*args: object, **view_args: object) -> object:
            return self.run(view, args, view_args)

        async def call_async(*args: object, **view_args: object) -> object:
            return await self.run_async(view, args, view_args)

        return update_wrapper(call_async if is_async(view) else call, view)
