"""Counts requests in a store of the package `limits`, with a fallback while the store is down."""

from __future__ import annotations

import time
import typing as t
from threading import Lock

from ..http.errors import ServiceUnavailable

if t.TYPE_CHECKING:
    from collections.abc import Callable
    from logging import Logger
    from types import ModuleType

    from limits import RateLimitItem
    from limits.storage import Storage
    from limits.strategies import RateLimiter

R = t.TypeVar("R")

PAUSE: t.Final = 2.0
"""The seconds before an unreachable store is tried again. Meanwhile, requests do not wait for it."""

WHEN_DOWN: t.Final = ("memory", "allow", "refuse")

MISSING: t.Final = (
    "Rate limits require the package limits: pip install 'costrel[limits]'. To count in Redis, also install"
    " 'costrel[redis]'."
)


class Window:
    """What is left of a limit for one client: the remaining requests, and the seconds until the limit is reset."""

    def __init__(self, remaining: int, seconds: float) -> None:
        self.remaining = remaining
        self.seconds = seconds


class RateCounter:
    """Counts requests in a store.

    `when_down` is the behaviour while the store is down: each process counts for itself ("memory"), nothing is limited
    ("allow"), or limited requests are answered with 503 ("refuse").
    """

    def __init__(self, storage: Storage, strategy: str, when_down: str, logger: Callable[[], Logger]) -> None:
        limits = library()
        self._strategy = strategy
        self._store = self._counting_in(storage)
        self.blocks = not isinstance(storage, limits.storage.MemoryStorage)
        """Whether counting may block, because the store is in another process."""
        base = storage.base_exceptions
        self._errors = (limits.errors.StorageError, OSError, *(base if isinstance(base, tuple) else (base,)))
        self._when_down = when_down
        self._fallback: RateLimiter | None = None
        self._logger = logger
        self._lock = Lock()
        self._down_until: float | None = None

    def hit(self, item: RateLimitItem, *client: str) -> bool:
        """Count a request. Returns whether it was within the limit."""
        return self._ask(lambda store: store.hit(item, *client), otherwise=True)

    def window(self, item: RateLimitItem, *client: str) -> Window:
        """What is left of a limit. If the store is down and nothing is limited, that is all of it."""
        stats = self._ask(lambda store: store.get_window_stats(item, *client), otherwise=None)
        if stats is None:
            return Window(item.amount, item.get_expiry())
        return Window(stats.remaining, max(0.0, stats.reset_time - time.time()))

    def _ask(self, question: Callable[[RateLimiter], R], otherwise: R) -> R:
        """Query the store or its fallback. `otherwise` is the result if nothing is limited while the store is down."""
        if self._is_up():
            try:
                answer = question(self._store)
            except self._errors as error:
                self._note_down(error)
            else:
                self._note_up()
                return answer
        if self._when_down == "refuse":
            raise ServiceUnavailable("Requests cannot be counted at the moment.", retry_after=int(PAUSE))
        return otherwise if self._when_down == "allow" else question(self._get_fallback())

    def _is_up(self) -> bool:
        """Whether to query the store: not within `PAUSE` after a failure. After that, one request tries it again."""
        if self._down_until is None:
            return True
        with self._lock:
            now = time.monotonic()
            if self._down_until is not None and now < self._down_until:
                return False
            self._down_until = now + PAUSE
            return True

    def _note_down(self, error: Exception) -> None:
        with self._lock:
            was_up, self._down_until = self._fallback is None, time.monotonic() + PAUSE
            self._get_fallback()
        if was_up:
            action = {"memory": "each process counts by itself", "allow": "nothing is limited"}
            self._logger().error(
                "RATE_LIMIT_STORAGE cannot be reached. Until it can, %s. (%s)",
                action.get(self._when_down, "limited requests are answered with 503"),
                error,
            )

    def _note_up(self) -> None:
        if self._down_until is not None:
            with self._lock:
                self._down_until = self._fallback = None
            self._logger().warning("RATE_LIMIT_STORAGE can be reached again.")

    def _get_fallback(self) -> RateLimiter:
        fallback = self._fallback
        if fallback is None:
            fallback = self._fallback = self._counting_in(library().storage.MemoryStorage())
        return fallback

    def _counting_in(self, storage: Storage) -> RateLimiter:
        limiter: RateLimiter = library().strategies.STRATEGIES[self._strategy](storage)
        return limiter


def library() -> ModuleType:
    """The package `limits`, which takes 0.1 s to import. Raises RuntimeError if it is not installed."""
    try:
        import limits
        import limits.storage
        import limits.strategies
    except ImportError:
        raise RuntimeError(MISSING) from None
    return limits


def open_storage(setting: object) -> Storage:
    """The store for ``RATE_LIMIT_STORAGE``, which is a URL or a store object of the package `limits`.

    Raises ValueError for an unknown URL, and TypeError for any other object.
    """
    limits = library()
    storage: Storage
    if isinstance(setting, limits.storage.Storage):
        storage = setting
        return storage
    if not isinstance(setting, str):
        raise TypeError(
            f"RATE_LIMIT_STORAGE is {setting!r}. It must be a URL such as 'memory://' or 'redis://127.0.0.1:6379/1', or"
            " a store of the package limits."
        )
    options = {}
    if setting.startswith(("redis://", "rediss://", "redis+unix://")):
        from ..stores import redis  # few applications count in Redis

        options = redis.options(MISSING)
    try:
        storage = limits.storage.storage_from_string(setting, wrap_exceptions=True, **options)
    except limits.errors.ConfigurationError as error:
        raise ValueError(f"RATE_LIMIT_STORAGE: {error}") from error
    return storage
