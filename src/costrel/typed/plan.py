"""A plan: how the values of one view are read from a request, and how its result is written."""

from __future__ import annotations

import typing as t
from collections.abc import AsyncIterable, Callable, Iterable, Iterator, Mapping
from functools import partial, update_wrapper

from ..context import RequestContext, requesting
from ..http.framing import has_no_body
from ..messages.response import Response
from ..streaming import stream_with_context
from ..support.callables import is_async
from ..support.properties import cached_property
from .inputs import Inputs
from .principals import Need
from .problems import Problem, failed
from .providers import Provider
from .results import Write
from .signatures import Function, Signature
from .steps import Opened, Step, Steps, drive, drive_async
from .streams import AsyncStream, Ending, SyncStream, is_stream
from .texts import Values

Resolve: t.TypeAlias = Callable[["ProviderPlan"], "ProviderPlan"]
"""The plan to use for a provider: its own, or the plan of a stand-in in tests."""


class ProviderPlan:
    """A provider as seen from one endpoint: its inputs, and the providers of its own parameters."""

    def __init__(self, provider: Provider, inputs: Inputs, needs: Mapping[str, ProviderPlan]) -> None:
        self.provider = provider
        self.inputs = inputs
        self.needs = needs
        self._parameters = frozenset(parameter.name for parameter in provider.signature.parameters)

    def variables(self, view_args: Values) -> Values:
        """The values of the URL that the provider takes."""
        return {name: value for name, value in view_args.items() if name in self._parameters}


def in_order(needs: Iterable[ProviderPlan], resolve: Resolve) -> list[ProviderPlan]:
    """Providers in the order in which they run: each once, after its own providers, in the order of parameters."""
    found: dict[Function, ProviderPlan] = {}

    def add(each: ProviderPlan) -> None:
        each = resolve(each)
        if each.provider.function not in found:
            for need in each.needs.values():
                add(need)
            found[each.provider.function] = each

    for each in needs:
        add(each)
    return list(found.values())


class Plan:
    """The inputs and the result of one view, as seen from one endpoint."""

    def __init__(
        self,
        signature: Signature,
        inputs: Inputs,
        needs: Mapping[str, ProviderPlan],
        write: Write | None,
        status: int,
        resolve: Resolve,
    ) -> None:
        self.signature = signature
        self.inputs = inputs
        self.needs = needs
        self.write = write
        self.status = status
        self.resolve = resolve

    def arguments(self, ctx: RequestContext, view_args: Values) -> Values:
        """The keyword arguments of a view without providers.

        :raises ValidationFailed: with all that is missing or invalid.
        """
        problems: list[Problem] = []
        values = self.inputs.read(ctx.request, view_args, problems)
        if problems:
            raise failed(problems, self.status)
        return {**view_args, **values} if view_args else values

    def run(self, view: Function, args: tuple[object, ...], view_args: Values) -> object:
        """Call a ``def`` view with the values of the current request."""
        ctx = requesting()
        if self.needs:
            return drive(ctx, self.steps(ctx, partial(view, *args), False, view_args))
        rv = view(*args, **self.arguments(ctx, view_args))
        return rv if self.write is None else self.write(ctx, rv)

    async def run_async(self, view: Function, args: tuple[object, ...], view_args: Values) -> object:
        """The same on an event loop, for an ``async def`` view or one with an async provider."""
        ctx = requesting()
        if self.needs:
            return await drive_async(ctx, self.steps(ctx, partial(view, *args), True, view_args))
        rv = await view(*args, **self.arguments(ctx, view_args))
        return rv if self.write is None else self.write(ctx, rv)

    def wrap(self, view: Function) -> Function:
        """An ordinary view, which the lifecycle calls with the values of the URL alone."""

        def call(*args: object, **view_args: object) -> object:
            return self.run(view, args, view_args)

        async def call_async(*args: object, **view_args: object) -> object:
            return await self.run_async(view, args, view_args)

        on_loop = self._is_async or any(each.provider.is_async for each in self.providers)
        return update_wrapper(call_async if on_loop else call, view)

    @cached_property
    def _is_async(self) -> bool:
        return is_async(self.signature.function)

    @cached_property
    def providers(self) -> list[ProviderPlan]:
        """The providers of the view and of its providers, in the order in which they run."""
        return in_order(self.needs.values(), lambda each: each)

    @property
    def principals(self) -> list[Need]:
        """The parameters of the view and of its providers that take a principal or a credential."""
        return [
            need for inputs in (self.inputs, *(each.inputs for each in self.providers)) for need in inputs.principals
        ]

    # -- with providers -------------------------------------------------------------------------------------------

    def steps(self, ctx: RequestContext, view: Function, on_loop: bool, view_args: Values) -> Steps[object]:
        """Open the providers, validate the inputs, call the view, write its result, and end the providers.

        An error on the way is thrown into the providers that are open. With `on_loop`, async code can read a stream.
        """
        opened = Opened()
        try:
            values = yield from self._prepare(ctx, opened, view_args)
            rv = yield Step(partial(view, **values), self._is_async, is_bound=bool(opened.generators))
            made = rv if self.write is None else self.write(ctx, rv)
            if opened.generators and not isinstance(made, (str, bytes)):  # anything else may be read lazily
                made = ctx.app.make_response(made)
        except GeneratorExit:
            raise
        except BaseException as error:
            if opened.generators:
                ctx.drop_held()  # also if `error` is an answer, such as a redirect: the providers end with an error
            yield from opened.end(error)
            raise
        if not is_stream(made) or has_no_body(made.status_code, ctx.request.method):
            yield from opened.end(None)
            return made
        yield from opened.end(None, only_with_view=True)
        if opened.generators:
            keep_open(ctx, made, opened, on_loop)
        return made

    def _prepare(self, ctx: RequestContext, opened: Opened, view_args: Values) -> Steps[Values]:
        """Run the providers, and return the keyword arguments of the view."""
        order = in_order(self.needs.values(), self.resolve)
        first = in_order((each for each in order if each.provider.first), self.resolve)
        for each in first:
            problems: list[Problem] = []
            inputs = each.inputs.read(ctx.request, view_args, problems)
            if problems:
                raise failed(problems, self.status)
            yield from self._open(each, inputs, opened, view_args)
        rest = [each for each in order if each.provider.function not in opened.values]
        problems = []
        read = [each.inputs.read(ctx.request, view_args, problems) for each in rest]
        values = self.inputs.read(ctx.request, view_args, problems)
        if problems:
            raise failed([*dict.fromkeys(problems)], self.status)
        for each, inputs in zip(rest, read, strict=True):
            yield from self._open(each, inputs, opened, view_args)
        return {**view_args, **values, **dict(self._provided(self.needs, opened))}

    def _open(self, each: ProviderPlan, inputs: Values, opened: Opened, view_args: Values) -> Steps[None]:
        arguments = {**each.variables(view_args), **inputs, **dict(self._provided(each.needs, opened))}
        yield from opened.open(each.provider, arguments)

    def _provided(self, needs: Mapping[str, ProviderPlan], opened: Opened) -> Iterator[tuple[str, object]]:
        for name, need in needs.items():
            yield name, opened.values[self.resolve(need).provider.function]


def keep_open(ctx: RequestContext, response: Response, opened: Opened, on_loop: bool) -> None:
    """End the providers with the stream of a response."""
    ending = Ending(ctx, response, opened)
    pieces = response.response
    if on_loop or isinstance(pieces, AsyncIterable):
        response.response = AsyncStream(pieces, ending)
    else:
        response.response = stream_with_context(SyncStream(pieces, ending))
