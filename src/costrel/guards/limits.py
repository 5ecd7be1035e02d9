"""Rate limits of an application, a blueprint or a view, and the response fields that report them.

A limit counts per scope: one of the application counts all requests of a client together, one of a blueprint the
requests to its endpoints together, one of a view the requests to that view.
"""

from __future__ import annotations

import math
import typing as t
from collections.abc import Callable, Generator, Iterable
from contextlib import suppress

from ..context import AppContract
from ..http.errors import TooManyRequests
from ..messages.source import hot
from . import fields
from .marks import ByEndpoint, Mark
from .rate_counter import WHEN_DOWN, RateCounter, Window, library, open_storage

if t.TYPE_CHECKING:
    from limits import RateLimitItem

    from ..context import RequestContext
    from ..messages.response import Response
    from .contract import GuardedRequest, Settings

Y = t.TypeVar("Y")

_STATE: t.Final = "costrel.rate_limits"
_RETRY_AFTER: t.Final = "costrel.retry_after"
_MAX_KEY: t.Final = 64
_STRATEGIES: t.Final = ("fixed-window", "moving-window", "sliding-window-counter")

Key: t.TypeAlias = Callable[[], object]
Marked = t.TypeVar("Marked")


class RateLimit:
    """A number of requests per period and client, such as ``"5/minute"`` or ``"100/hour; 1000/day"``.

    `key` returns what identifies the client of the current request. Without a key, and if the key returns None or "",
    the client's address does. `methods` are the methods that count; by default, all.

    Raises ValueError for a malformed limit, TypeError for an ``async def`` key, and RuntimeError if the package
    `limits` is missing.
    """

    def __init__(self, limits: str, key: Key | None = None, methods: Iterable[str] | None = None) -> None:
        from inspect import iscoroutinefunction  # slow to load

        if iscoroutinefunction(key):
            raise TypeError(
                f"The key {key.__name__!r} of a rate limit must not be 'async def', since it is called in a thread."
            )
        self.text = limits
        self.items = _parse(limits)
        self.key = key
        self.methods = None if methods is None else frozenset(method.upper() for method in methods)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.text!r})"


RATE_LIMITS: t.Final = Mark[tuple[RateLimit, ...] | None]("_rate_limits")


class ScopedLimit:
    """A limit with its scope: the key that its counts are stored under, and the kind of scope."""

    def __init__(self, scope: str, kind: str, limit: RateLimit) -> None:
        self.scope = scope
        self.kind = kind
        self.limit = limit


Split: t.TypeAlias = tuple[list[ScopedLimit], list[ScopedLimit]]
"""The limits of one endpoint: those without a key, and those with one."""

Count: t.TypeAlias = "tuple[str, RateLimitItem, Window]"
"""A limit that a request was counted against: its name in the response, the limit, and the rest of it."""


def rate_limit(
    limits: str | None, key: Key | None = None, methods: Iterable[str] | None = None
) -> Callable[[Marked], Marked]:
    """Limit requests to the decorated view, view class or blueprint; the arguments are those of `RateLimit`.

    Pass None to exempt it from all limits, also those of outer scopes. The decorator may be applied more than once.
    Limits without `key` are checked before the functions of `before_request`, limits with `key` after them, so that the
    key can depend on the user who is logged in.
    """
    added = None if limits is None else RateLimit(limits, key, methods)

    def decorator(marked: Marked) -> Marked:
        known = RATE_LIMITS.on(marked) or ()
        return RATE_LIMITS.put(None if added is None else (*known, added))(marked)

    return decorator


class Limits:
    """The rate limits of one application."""

    def __init__(self, app: AppContract, default: tuple[RateLimit, ...]) -> None:
        self._app = app
        self._default = default
        self._tell: bool = app.config.get("RATE_LIMIT_HEADERS", True)
        self._counter = _counter_of(app)
        self._by_endpoint = ByEndpoint(app, self._split)
        self._of_no_endpoint = _split(self._of_application())

    @classmethod
    def of(cls, app: AppContract) -> Limits | None:
        """The limits of ``RATE_LIMITS``, the blueprints and the views; None if there are none.

        Raises ValueError for a malformed setting.
        """
        setting = app.config.get("RATE_LIMITS") or ()
        given = (setting,) if isinstance(setting, (str, RateLimit)) else setting
        try:
            default = tuple(one if isinstance(one, RateLimit) else RateLimit(one) for one in given)
        except ValueError as error:
            raise ValueError(f"RATE_LIMITS: {error}") from error
        return cls(app, default) if default or RATE_LIMITS.is_used_in(app) else None

    def _limits_of(self, endpoint: str) -> list[ScopedLimit]:
        """The limits of an endpoint, innermost first. Files are not subject to the application's."""
        found: list[ScopedLimit] = []
        for blueprint, marked in RATE_LIMITS.of_endpoint(self._app, endpoint):
            if marked is None:
                return found
            kind, name = ("view", endpoint) if blueprint is None else ("blueprint", blueprint)
            found += (ScopedLimit(f"{kind} {name}", kind, limit) for limit in marked)
        is_frontend = any(frontend.endpoint == endpoint for frontend in self._app.frontends)
        if is_frontend or endpoint.rpartition(".")[2] == "static":
            return found
        return found + self._of_application()

    def _split(self, endpoint: str) -> Split:
        return _split(self._limits_of(endpoint))

    def of_endpoint(self, endpoint: str) -> list[ScopedLimit]:
        """The limits that apply to an endpoint."""
        without, with_key = self._by_endpoint[endpoint]
        return without + with_key

    def _of_application(self) -> list[ScopedLimit]:
        return [ScopedLimit("application", "application", limit) for limit in self._default]

    def due(self, request: GuardedRequest, keyed: bool) -> list[ScopedLimit]:
        """The limits that apply to a request: those with a key if `keyed`, else those without one."""
        rule = request.url_rule
        found = (self._of_no_endpoint if rule is None else self._by_endpoint[rule.endpoint])[keyed]
        if not found:
            return found
        method = request.method
        return [one for one in found if one.limit.methods is None or method in one.limit.methods]

    def count(self, ctx: RequestContext, due: list[ScopedLimit], to_thread: Y) -> Generator[Y, object, None]:
        """Count a request against limits that either all have a key or all have none.

        Raises TooManyRequests if a limit is exceeded. Yields `to_thread` before a call that may block the event loop.
        """
        if ctx.on_loop and (self._counter.blocks or due[0].limit.key is not None):
            yield to_thread
        for one in due:
            self._hit(ctx.request, one)

    def _hit(self, request: GuardedRequest, scoped: ScopedLimit) -> None:
        client = _client(request, scoped.limit.key)
        state: list[Count] = request._source.setdefault(_STATE, [])
        for item in scoped.limit.items:
            within = self._counter.hit(item, self._app.name, scoped.scope, client)
            if within and not self._tell:
                continue
            window = self._counter.window(item, self._app.name, scoped.scope, client)
            state.append((f"{scoped.kind}-{item.get_expiry()}s", item, window))
            if not within:
                seconds = request._source[_RETRY_AFTER] = max(1, math.ceil(window.seconds))
                raise TooManyRequests(
                    f"Not more than {item.amount} requests in {item.get_expiry()} seconds: try again in {seconds}.",
                    retry_after=seconds,
                )

    def finish(self, ctx: RequestContext, response: Response) -> None:
        """Add the fields that report the limits that the request was counted against."""
        source = ctx.request._source
        state: list[Count] | None = hot(source, _STATE)
        pairs: fields.Pairs = []
        seconds = hot(source, _RETRY_AFTER)
        if seconds is not None:
            pairs.append(("Retry-After", str(seconds)))
        if self._tell and state:
            # draft-ietf-httpapi-ratelimit-headers-10, §3 and §4: lists of strings with parameters (RFC 9651).
            names = _distinct([name for name, _, _ in state])
            policies = [
                f'"{name}";q={item.amount};w={item.get_expiry()}'
                for name, (_, item, _) in zip(names, state, strict=True)
            ]
            windows = [
                f'"{name}";r={left.remaining};t={math.ceil(left.seconds)}'
                for name, (_, _, left) in zip(names, state, strict=True)
            ]
            pairs += (("RateLimit-Policy", ", ".join(policies)), ("RateLimit", ", ".join(windows)))
        if pairs:
            fields.add(response, pairs)


def _distinct(names: list[str]) -> list[str]:
    """The names, with a number after each repeated one: a client finds its policy by the name."""
    return [
        name if name not in names[:index] else f"{name}-{names[:index].count(name) + 1}"
        for index, name in enumerate(names)
    ]


def _split(limits: list[ScopedLimit]) -> Split:
    return [one for one in limits if one.limit.key is None], [one for one in limits if one.limit.key is not None]


def _counter_of(app: AppContract) -> RateCounter:
    """The counter for the application's settings. It is kept, since tests seal their application at each request."""
    config = app.config
    storage = config.get("RATE_LIMIT_STORAGE") or "memory://"
    strategy = _one_of("RATE_LIMIT_STRATEGY", config, _STRATEGIES)
    when_down = _one_of("RATE_LIMIT_STORE_DOWN", config, WHEN_DOWN)
    settings: tuple[object, str, str] = (storage, strategy, when_down)
    known: tuple[tuple[object, str, str], RateCounter] | None = app.__dict__.get("_rate_counter")
    if known is None or known[0] != settings:
        counter = RateCounter(open_storage(storage), strategy, when_down, lambda: app.logger)
        known = app.__dict__["_rate_counter"] = (settings, counter)
    return known[1]


def _parse(text: str) -> list[RateLimitItem]:
    items: list[RateLimitItem] = []
    with suppress(TypeError, ValueError):
        items = list(library().parse_many(text))
    if not items or not all(item.amount > 0 for item in items):
        raise ValueError(
            f"{text!r} is no rate limit. Write a number of requests and a period, such as '5/minute' or"
            " '100 per 2 hours', and separate several by semicolons: '10/second; 1000/day'."
        )
    return items


def _client(request: GuardedRequest, key: Key | None) -> str:
    """The identity that is counted: the key's result, else the address; for IPv6, the /64 network of one customer."""
    identity = None if key is None else key()
    if identity is not None and identity != "":
        text = f"={identity}"
    else:
        text = request.remote_addr or "unknown"
        if ":" in text:
            text = _network(text)
    # A client may choose its key: a long one, or one with a separator of the store, is hashed.
    if len(text) <= _MAX_KEY and "/" not in text:
        return text
    import hashlib  # brings OpenSSL: 3 MiB

    return hashlib.blake2b(text.encode(), digest_size=24).hexdigest()


def _network(address: str) -> str:
    import ipaddress

    try:
        parsed = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Address(int(parsed) >> 64 << 64)) + "_64"


def _one_of(setting: str, config: Settings, choices: tuple[str, ...]) -> str:
    """The value of a setting that is one of `choices`, by default the first. Raises ValueError for any other."""
    value = config.get(setting) or choices[0]
    if value not in choices:
        raise ValueError(f"{setting} is {value!r}: it must be one of {', '.join(map(repr, choices))}.")
    return str(value)
