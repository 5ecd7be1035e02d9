"""Rate limits of an application, a blueprint or a view, and the response fields that report them.

Each limit has a scope. A limit of the application counts all requests of a client together, a limit of a blueprint the
requests to its endpoints together, and a limit of a view the requests to that view.
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
Identify: t.TypeAlias = Callable[[t.Any], object]
Marked = t.TypeVar("Marked")


class RateLimit:
    """A number of requests per period and client, such as ``"5/minute"`` or ``"100/hour; 1000/day"``.

    `key` returns the identity of the current request's client. Without a key, or if it returns None or "", the client's
    address is used. `methods` are the methods that count; by default, all.

    `principal` counts per principal that authentication has found. It is a function that returns the principal's
    identifier, or True for the principal itself if it is a str, int or UUID, and otherwise its ``id``.

    Raises ValueError for a malformed limit, TypeError for an ``async def`` key or for both `key` and `principal`, and
    RuntimeError if the package `limits` is not installed.
    """

    def __init__(
        self,
        limits: str,
        key: Key | None = None,
        methods: Iterable[str] | None = None,
        principal: Identify | bool = False,
    ) -> None:
        _refuse_async(key)
        _refuse_async(principal)
        if key is not None and principal:
            raise TypeError("A rate limit can have either key= or principal=, not both.")
        self.text = limits
        self.items = _parse(limits)
        self.key = key
        self.identify: Identify | None = _identifier_of if principal is True else principal or None
        self.methods = None if methods is None else frozenset(method.upper() for method in methods)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.text!r})"


RATE_LIMITS: t.Final = Mark[tuple[RateLimit, ...] | None]("_rate_limits")


class ScopedLimit:
    """A limit with its scope: the name under which it is counted, and the kind of scope."""

    def __init__(self, scope: str, kind: str, limit: RateLimit) -> None:
        self.scope = scope
        self.kind = kind
        self.limit = limit


class Split(t.NamedTuple):
    """The limits of one endpoint, by the stage of the request in which they are counted."""

    plain: list[ScopedLimit]
    """Limits without a key, counted before the hooks."""
    keyed: list[ScopedLimit]
    """Limits with a key, counted after the hooks."""
    personal: list[ScopedLimit]
    """Limits per principal, counted after authentication."""


Count: t.TypeAlias = "tuple[str, RateLimitItem, Window]"
"""A limit that a request was counted against: its name in the response, the limit, and what is left of it."""


def rate_limit(
    limits: str | None,
    key: Key | None = None,
    methods: Iterable[str] | None = None,
    principal: Identify | bool = False,
) -> Callable[[Marked], Marked]:
    """Limit requests to the decorated view, view class or blueprint. Takes the arguments of `RateLimit`.

    None exempts it from all limits, including the limits of outer scopes. The decorator may be applied more than once.
    Limits without `key` are checked before the ``before_request`` functions, limits with `key` after them, so that the
    key can depend on the signed-in user. Limits with `principal` are checked after authentication.
    """
    added = None if limits is None else RateLimit(limits, key, methods, principal)

    def decorator(marked: Marked) -> Marked:
        known = RATE_LIMITS.on(marked) or ()
        return RATE_LIMITS.put(None if added is None else (*known, added))(marked)

    return decorator


class Limits:
    """The rate limits of one application."""

    def __init__(self, app: AppContract, default: tuple[RateLimit, ...]) -> None:
        self._app = app
        self._default = default
        self._reports: bool = app.config.get("RATE_LIMIT_HEADERS", True)
        self._counter = _counter_of(app)
        self._by_endpoint = ByEndpoint(app, self._split)
        self._of_no_endpoint = _split(self._of_application())

    @classmethod
    def of(cls, app: AppContract) -> Limits | None:
        """The limits that ``RATE_LIMITS``, blueprints and views configure; None if there are none.

        Raises ValueError for a malformed setting.
        """
        try:
            default = tuple(one if isinstance(one, RateLimit) else RateLimit(one) for one in _setting(app))
        except ValueError as error:
            raise ValueError(f"RATE_LIMITS: {error}") from error
        return cls(app, default) if default or RATE_LIMITS.is_used_in(app) else None

    def _limits_of(self, endpoint: str) -> list[ScopedLimit]:
        """The limits of an endpoint, innermost first. The application's limits do not apply to static files."""
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
        plain, keyed, personal = self._by_endpoint[endpoint]
        return plain + keyed + personal

    def _of_application(self) -> list[ScopedLimit]:
        return [ScopedLimit("application", "application", limit) for limit in self._default]

    def due(self, request: GuardedRequest, keyed: bool) -> list[ScopedLimit]:
        """The limits that apply to a request: if `keyed`, those with a key, otherwise those without."""
        return self._due(request, int(keyed))

    def due_for_principal(self, request: GuardedRequest) -> list[ScopedLimit]:
        """The limits per principal that apply to a request."""
        return self._due(request, 2)

    def _due(self, request: GuardedRequest, part: int) -> list[ScopedLimit]:
        rule = request.url_rule
        found = (self._of_no_endpoint if rule is None else self._by_endpoint[rule.endpoint])[part]
        if not found:
            return found
        method = request.method
        return [one for one in found if one.limit.methods is None or method in one.limit.methods]

    def count(self, ctx: RequestContext, due: list[ScopedLimit], to_thread: Y) -> Generator[Y, object, None]:
        """Count a request against limits, all with a key or all without.

        Raises TooManyRequests if a limit is exceeded. Yields `to_thread` before a call that may block the event loop.
        """
        if ctx.on_loop and (self._counter.blocks or due[0].limit.key is not None):
            yield to_thread
        for one in due:
            self._hit(ctx.request, one, None if one.limit.key is None else one.limit.key())

    def count_principal(self, request: GuardedRequest, due: list[ScopedLimit], principal: object) -> None:
        """Count a request against limits per principal, or per client address if `principal` is None. May block.

        Raises TooManyRequests if a limit is exceeded.
        """
        for one in due:
            found = None if principal is None or one.limit.identify is None else one.limit.identify(principal)
            # The type is part of the key, since users and API clients may have the same ids.
            self._hit(request, one, None if found in (None, "") else f"{type(principal).__name__}:{found}")

    def _hit(self, request: GuardedRequest, scoped: ScopedLimit, identity: object) -> None:
        client = _client(request, identity)
        state: list[Count] = request._source.setdefault(_STATE, [])
        for item in scoped.limit.items:
            within = self._counter.hit(item, self._app.name, scoped.scope, client)
            if within and not self._reports:
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
        """Add the fields that report the limits against which the request was counted."""
        source = ctx.request._source
        state: list[Count] | None = hot(source, _STATE)
        pairs: fields.Pairs = []
        seconds = hot(source, _RETRY_AFTER)
        if seconds is not None:
            pairs.append(("Retry-After", str(seconds)))
        if self._reports and state:
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
    """The names, made unique with a number: clients find the policy of a limit by its name."""
    return [
        name if name not in names[:index] else f"{name}-{names[:index].count(name) + 1}"
        for index, name in enumerate(names)
    ]


def _split(limits: list[ScopedLimit]) -> Split:
    split = Split([], [], [])
    for one in limits:
        limit = one.limit
        (split.personal if limit.identify else split.plain if limit.key is None else split.keyed).append(one)
    return split


def refuse_uncounted(app: AppContract, requires: Callable[[str], bool]) -> None:
    """Raise ValueError for a limit per principal if no view that it covers requires authentication.

    :param requires: returns whether an endpoint requires authentication.
    """
    of_all = any(isinstance(limit, RateLimit) and limit.identify for limit in _setting(app))
    if not of_all and not RATE_LIMITS.is_used_in(app):
        return
    places: dict[str, list[str]] = {}
    for endpoint in app.view_functions:
        if of_all:
            places.setdefault("in the setting RATE_LIMITS", []).append(endpoint)
        for blueprint, limits in RATE_LIMITS.of_endpoint(app, endpoint):
            if any(limit.identify for limit in limits or ()):
                place = f"of the view {endpoint!r}" if blueprint is None else f"of the blueprint {blueprint!r}"
                places.setdefault(place, []).append(endpoint)
    for place, endpoints in places.items():
        if not any(map(requires, endpoints)):
            raise ValueError(
                f"The rate limit {place} counts by principal, but nothing that it covers requires authentication."
                " Name a scheme of app.auth_schemes with security=, or count by key=."
            )


def _setting(app: AppContract) -> Iterable[str | RateLimit]:
    setting: str | RateLimit | Iterable[str | RateLimit] = app.config.get("RATE_LIMITS") or ()
    return (setting,) if isinstance(setting, (str, RateLimit)) else setting


def _refuse_async(function: object) -> None:
    from inspect import iscoroutinefunction  # slow to import

    if iscoroutinefunction(function):
        raise TypeError(
            f"The key function {function.__name__!r} of a rate limit cannot be 'async def': it is called in a thread."
        )


def _identifier_of(principal: object) -> object:
    """The identifier of a principal. Raises TypeError if it has none."""
    from uuid import UUID  # slow to import

    identifier = principal if isinstance(principal, (str, int, UUID)) else getattr(principal, "id", None)
    if identifier is None:
        raise TypeError(
            f"A rate limit cannot count per principal, because the type {type(principal).__name__!r} has no id. Pass"
            " a function that returns its identifier as principal=."
        )
    return identifier


def _counter_of(app: AppContract) -> RateCounter:
    """The counter for the application's settings. It is cached, since tests seal their application at each request."""
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
            f"{text!r} is not a rate limit. Use a number of requests and a period, such as '5/minute' or"
            " '100 per 2 hours'. Separate several limits by semicolons: '10/second; 1000/day'."
        )
    return items


def _client(request: GuardedRequest, identity: object) -> str:
    """The key of a client: its identity or its address. For IPv6, it is the /64 network, which one customer has."""
    if identity is not None and identity != "":
        text = f"={identity}"
    else:
        text = request.remote_addr or "unknown"
        if ":" in text:
            text = _network(text)
    # Clients may control the key, so it is hashed if it is long or contains the store's separator.
    if len(text) <= _MAX_KEY and "/" not in text:
        return text
    import hashlib  # imports OpenSSL, which takes 3 MiB

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
    """The value of a setting, by default the first of `choices`. Raises ValueError if it is not one of them."""
    value = config.get(setting) or choices[0]
    if value not in choices:
        raise ValueError(f"{setting} is {value!r}. It must be one of {', '.join(map(repr, choices))}.")
    return str(value)
