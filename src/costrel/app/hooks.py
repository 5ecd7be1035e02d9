"""The functions around a request: put in order once for each endpoint, and again after each change of a registry."""

from __future__ import annotations

import functools
import typing as t
from collections import defaultdict
from collections.abc import Sequence

from ..context import RequestContext
from ..context.contracts import Function, Registry
from ..support.announcing import announced
from .request import scopes_around

REGISTRIES: t.Final = frozenset(
    (
        "after_request_funcs",
        "before_request_funcs",
        "teardown_appcontext_funcs",
        "teardown_request_funcs",
        "url_value_preprocessors",
    )
)
"""The attributes of an application with the functions around a request."""


class Hooks:
    """The functions around the requests of one endpoint, in the order in which they are called."""

    __slots__ = (
        "after", "before", "differ", "endpoint", "ends_app", "is_current", "precedes", "preprocessors", "teardown",
    )  # fmt: skip

    def __init__(
        self,
        endpoint: str | None,
        preprocessors: tuple[Function, ...],
        before: tuple[Function, ...],
        after: tuple[Function, ...],
        teardown: tuple[Function, ...],
        ends_app: bool,
        differ: bool,
    ) -> None:
        self.endpoint = endpoint
        self.preprocessors = preprocessors
        self.before = before
        self.after = after
        self.teardown = teardown
        self.precedes = bool(preprocessors or before)
        """Whether there are functions before the view."""
        self.ends_app = ends_app
        """Whether there are functions at the end of the application context."""
        self.differ = differ
        """Whether other rules may have other functions around them."""
        self.is_current = False
        """Whether no registry was changed since. Never true with a registry whose changes are not seen."""


class HookOrders:
    """The orders of an application's functions, by endpoint, until one of its registries is changed."""

    def __init__(self) -> None:
        self.known: dict[str | None, Hooks] = {}

    def forget(self) -> None:
        """Look at the registries again from the next stage on."""
        known, self.known = self.known, {}  # a thread that is about to add an order has the old dict
        for hooks in known.values():
            hooks.is_current = False

    def look_up(self, ctx: RequestContext) -> Hooks:
        """The functions around the request of `ctx`, as the registries are now."""
        known, app, rule = self.known, ctx.app, ctx.request.url_rule
        preprocessors, before = app.url_value_preprocessors, app.before_request_funcs
        after, teardown = app.after_request_funcs, app.teardown_request_funcs
        are_any = app.outlook.names_blueprints or preprocessors or before or after or teardown
        inside_out, outside_in = scopes_around(ctx) if are_any else ((), ())
        hooks = Hooks(
            ctx.request.endpoint if preprocessors else None,
            in_order(preprocessors, outside_in),
            in_order(before, outside_in),
            in_reverse(after, inside_out),
            in_reverse(teardown, inside_out),
            bool(app.teardown_appcontext_funcs),
            bool(are_any),
        )
        if (
            not app.outlook.names_blueprints
            and self.sees(app.teardown_appcontext_funcs)
            and all(self.sees_all(registry, outside_in) for registry in (preprocessors, before, after, teardown))
        ):
            known[None if rule is None else rule.endpoint] = hooks
            hooks.is_current = known is self.known
        return hooks

    def sees_all(self, registry: Registry, scopes: Sequence[str | None]) -> bool:
        """Whether each change of what `registry` has for `scopes` is announced here."""
        if not isinstance(registry, HookRegistry) or registry.orders is not self:
            return False
        return all(self.sees(registry[scope]) for scope in scopes if scope in registry)

    def sees(self, functions: Sequence[Function]) -> bool:
        """Whether each change of `functions` is announced here."""
        return isinstance(functions, HookList) and functions.orders is self


def in_order(registry: Registry, scopes: Sequence[str | None]) -> tuple[Function, ...]:
    """The functions of `registry` for these scopes, each scope's in the order of their registration."""
    return tuple(function for scope in scopes for function in registry.get(scope) or ())


def in_reverse(registry: Registry, scopes: Sequence[str | None]) -> tuple[Function, ...]:
    """The functions of `registry` for these scopes, each scope's last one first."""
    return tuple(function for scope in scopes for function in reversed(registry.get(scope) or ()))


def _announced(change: t.Any) -> t.Any:
    return announced(change, lambda container: container.orders.forget())


class HookList(list[Function]):
    """The functions of one scope: a list that announces its changes."""

    def __init__(self, orders: HookOrders) -> None:
        super().__init__()
        self.orders = orders

    append, clear, extend, insert = map(_announced, (list.append, list.clear, list.extend, list.insert))
    pop, remove, reverse, sort = map(_announced, (list.pop, list.remove, list.reverse, list.sort))
    __setitem__, __delitem__ = map(_announced, (list.__setitem__, list.__delitem__))
    __iadd__, __imul__ = map(_announced, (list.__iadd__, list.__imul__))

    def __reduce_ex__(self, protocol: t.SupportsIndex) -> tuple[type, tuple[list[Function]]]:
        return list, ([*self],)  # a copy belongs to no application


class HookRegistry(defaultdict[str | None, list[Function]]):
    """The functions of one stage by the name of their blueprint: a dict that announces its changes."""

    def __init__(self, orders: HookOrders) -> None:
        super().__init__(functools.partial(HookList, orders))
        self.orders = orders

    __setitem__, __delitem__, __ior__ = map(_announced, (dict.__setitem__, dict.__delitem__, dict.__ior__))
    clear, pop, popitem = map(_announced, (dict.clear, dict.pop, dict.popitem))
    setdefault, update = map(_announced, (dict.setdefault, dict.update))

    def copy(self) -> t.Any:
        """The same items in a dict that belongs to no application."""
        return defaultdict(list, self)

    __copy__ = copy

    def __reduce__(self) -> tuple[t.Any, ...]:
        return defaultdict, (list,), None, None, iter(self.items())


def add_hook(registry: t.Any, scope: str | None, *functions: Function) -> None:
    """Register functions for a scope. The list for a new one is of the registry's own kind."""
    known: list[Function] = registry[scope] if isinstance(registry, HookRegistry) else registry.setdefault(scope, [])
    known.extend(functions)
