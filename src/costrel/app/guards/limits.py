"""How many requests a client may make: limits of an application, a blueprint and a view, and the fields that tell.

Each counts where it stands: the application's for all that a client asks of it together, a blueprint's for its
endpoints together, a view's for the view.
"""

from __future__ import annotations

import math
import typing as t
from collections.abc import Callable, Generator, Iterable

from ...http.errors import TooManyRequests
from . import fields
from .marks import ByEndpoint, has_marks, marks_of
from .tally import WHEN_DOWN, Tally, Window, library, open_storage

MARK: t.Final = "_rate_limits"
_STATE: t.Final = "costrel.rate_limits"
_RETRY_AFTER: t.Final = "costrel.retry_after"
_MAX_KEY: t.Final = 64
_STRATEGIES: t.Final = ("fixed-window", "moving-window", "sliding-window-counter")

Key: t.TypeAlias = Callable[[], t.Any]
Marked = t.TypeVar("Marked")


class RateLimit:
    """So many requests in so much time, such as ``"5/minute"`` or ``"100/hour; 1000/day"``, for each client.

    A client is its address unless `key` says, of the current request, who it is; where that is None or "", it is
    the address after all. `methods` are those that count, all unless given.

    Raises ValueError for a text that is no limit, TypeError for a key that is ``async def``, and RuntimeError where
    the package `limits` is missing.
    """

    def __init__(self, limits: str, key: Key | None = None, methods: Iterable[str] | None = None) -> None:
        from inspect import iscoroutinefunction  # slow to load

        if iscoroutinefunction(key):
            raise TypeError(
                f"The key {key.__name__!r} of a rate limit must not be 'async def': it is called in a thread."
            )
        self.text = limits
        self.items = _parse(limits)
        self.key = key
        self.methods = None if methods is None else frozenset(method.upper() for method in methods)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.text!r})"


class Standing:
    """A limit where it stands: what its counts are kept under, and what kind of place that is."""

    def __init__(self, scope: str, kind: str, limit: RateLimit) -> None:
        self.scope = scope
        self.kind = kind
        self.limit = limit


Split: t.TypeAlias = tuple[list[Standing], list[Standing]]
"""The limits of one endpoint: without a key, and with one."""


def rate_limit(
    limits: str | None, key: Key | None = None, methods: Iterable[str] | None = None
) -> Callable[[Marked], Marked]:
    """Limit the decorated view, view class or blueprint, as `RateLimit` says; None: it has no limit, and no outer one.

    May be applied more than once. A limit without `key` is looked at before the functions of `before_request`, one with
    `key` after them, so that the key may be of who has logged in.
    """
    added = None if limits is None else RateLimit(limits, key, methods)

    def decorator(marked: Marked) -> Marked:
        known = getattr(marked, MARK, None) or ()
        setattr(marked, MARK, None if added is None else (*known, added))
        return marked

    return decorator


class Limits:
    """The rate limits of one application."""

    def __init__(self, app: t.Any, default: tuple[RateLimit, ...]) -> None:
        config = app.config
        self._app = app
        self._default = default
        self._tell = config.get("RATE_LIMIT_HEADERS", True)
        self._tally = _tally_of(app)
        self._standing = ByEndpoint(app, self._split)
        self._of_no_endpoint = _split(self._of_application())

    @classmethod
    def of(cls, app: t.Any) -> Limits | None:
        """The limits as setting, blueprints and views have them; None where none has any.

        Raises ValueError for a setting that is no limit.
        """
        setting = app.config.get("RATE_LIMITS") or ()
        given = (setting,) if isinstance(setting, (str, RateLimit)) else setting
        try:
            default = tuple(one if isinstance(one, RateLimit) else RateLimit(one) for one in given)
        except ValueError as error:
            raise ValueError(f"RATE_LIMITS: {error}") from error
        return cls(app, default) if default or has_marks(app, MARK) else None

    def _limits_of(self, endpoint: str) -> list[Standing]:
        """The limits that an endpoint has, the nearest first. Static files have only those that were put on them."""
        found: list[Standing] = []
        for blueprint, marked in marks_of(self._app, endpoint, MARK):
            if marked is None:
                return found
            kind, name = ("view", endpoint) if blueprint is None else ("blueprint", blueprint)
            found += (Standing(f"{kind} {name}", kind, limit) for limit in marked)
        if endpoint.rpartition(".")[2] == "static":
            return found
        return found + self._of_application()

    def _split(self, endpoint: str) -> Split:
        return _split(self._limits_of(endpoint))

    def of_endpoint(self, endpoint: str) -> list[Standing]:
        """The limits that hold for an endpoint."""
        without, with_key = self._standing[endpoint]
        return without + with_key

    def _of_application(self) -> list[Standing]:
        return [Standing("application", "application", limit) for limit in self._default]

    def due(self, request: t.Any, keyed: bool) -> list[Standing]:
        """The limits that concern a request: those without a key, or those with one. PERF: profiles."""
        rule = request.url_rule
        found = (self._of_no_endpoint if rule is None else self._standing[rule.endpoint])[keyed]
        if not found:
            return found
        method = request.method
        return [one for one in found if one.limit.methods is None or method in one.limit.methods]

    def count(self, ctx: t.Any, due: list[Standing], to_thread: object) -> Generator[t.Any, t.Any, None]:
        """Count a request against limits that are all of one kind. Raises TooManyRequests beyond one.

        Yields `to_thread` before it may block a loop.
        """
        if ctx.on_loop and (self._tally.blocks or due[0].limit.key is not None):
            yield to_thread
        for one in due:
            self._hit(ctx.request, one)

    def _hit(self, request: t.Any, standing: Standing) -> None:
        client = _client(request, standing.limit.key)
        state = request.environ.setdefault(_STATE, [])
        for item in standing.limit.items:
            within = self._tally.hit(item, self._app.name, standing.scope, client)
            if within and not self._tell:
                continue
            window = self._tally.window(item, self._app.name, standing.scope, client)
            state.append((f"{standing.kind}-{item.get_expiry()}s", item, window))
            if not within:
                seconds = request.environ[_RETRY_AFTER] = max(1, math.ceil(window.seconds))
                raise TooManyRequests(
                    f"Not more than {item.amount} requests in {item.get_expiry()} seconds: try again in {seconds}.",
                    retry_after=seconds,
                )

    def finish(self, ctx: t.Any, response: t.Any) -> None:
        """Add the fields that tell of the limits that the request was counted against."""
        environ = ctx.request.environ
        state: list[tuple[str, t.Any, Window]] | None = environ.get(_STATE)
        pairs: fields.Pairs = []
        if _RETRY_AFTER in environ:
            pairs.append(("Retry-After", str(environ[_RETRY_AFTER])))
        if self._tell and state:
            # draft-ietf-httpapi-ratelimit-headers-10, §3 and §4: lists of strings with parameters (RFC 9651).
            policies = [f'"{name}";q={item.amount};w={item.get_expiry()}' for name, item, _ in state]
            windows = [f'"{name}";r={left.remaining};t={math.ceil(left.seconds)}' for name, _, left in state]
            pairs += (("RateLimit-Policy", ", ".join(policies)), ("RateLimit", ", ".join(windows)))
        if pairs:
            fields.add(response, pairs)


def _split(limits: list[Standing]) -> Split:
    return [one for one in limits if one.limit.key is None], [one for one in limits if one.limit.key is not None]


def _tally_of(app: t.Any) -> Tally:
    """What the settings count in; kept, so that tests, which seal their application at each request, can count."""
    config = app.config
    storage = config.get("RATE_LIMIT_STORAGE") or "memory://"
    strategy = _one_of("RATE_LIMIT_STRATEGY", config, _STRATEGIES)
    when_down = _one_of("RATE_LIMIT_STORE_DOWN", config, WHEN_DOWN)
    known: tuple[t.Any, Tally] | None = app.__dict__.get("_rate_tally")
    if known is None or known[0] != (storage, strategy, when_down):
        tally = Tally(open_storage(storage), strategy, when_down, lambda: app.logger)
        known = app.__dict__["_rate_tally"] = ((storage, strategy, when_down), tally)
    return known[1]


def _parse(text: str) -> list[t.Any]:
    try:
        items = library().parse_many(text)
    except (TypeError, ValueError):
        items = []
    if not items or not all(item.amount > 0 for item in items):
        raise ValueError(
            f"{text!r} is no rate limit. One is a number of requests and a time: '5/minute', '100 per 2 hours',"
            " several as '10/second; 1000/day'."
        )
    return list(items)


def _client(request: t.Any, key: Key | None) -> str:
    """Who is counted: as the key says, else the address; of an IPv6 one the network, which is one customer's."""
    said = None if key is None else key()
    if said is not None and said != "":
        text = f"={said}"
    else:
        text = request.remote_addr or "unknown"
        if ":" in text:
            text = _network(text)
    # A key of a client's making must be neither long nor look like part of another one.
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


def _one_of(setting: str, config: t.Any, choices: tuple[str, ...]) -> str:
    """A setting that is one of several words, the first unless set. Raises ValueError for any other."""
    value = config.get(setting) or choices[0]
    if value not in choices:
        raise ValueError(f"{setting} is {value!r}: there is {', '.join(map(repr, choices))}.")
    return str(value)
