"""Where requests are counted: a store of the library `limits`, and what stands in for it while it is down."""

from __future__ import annotations

import time
import typing as t
from threading import Lock

from ...http.errors import ServiceUnavailable

TIMEOUT: t.Final = 0.25
"""How many seconds Redis may take to connect, and to answer."""

PAUSE: t.Final = 2.0
"""How many seconds a store that could not be reached is left alone: requests do not wait for it meanwhile."""

WHEN_DOWN: t.Final = ("memory", "allow", "refuse")

MISSING: t.Final = (
    "Rate limits need the package limits, which is not installed: pip install 'costrel[limits]', and besides"
    " 'costrel[redis]' to count in Redis."
)


class Window:
    """How much is left of one limit for one client: requests, and the seconds until there are more."""

    def __init__(self, remaining: int, seconds: float) -> None:
        self.remaining = remaining
        self.seconds = seconds


class Tally:
    """Counts hits. While the store is down, by itself in this process, or not at all, or the answer is 503."""

    def __init__(self, storage: t.Any, strategy: str, when_down: str, logger: t.Callable[[], t.Any]) -> None:
        limits = library()
        self._strategy = strategy
        self._store = self._counting_in(storage)
        self.blocks = not isinstance(storage, limits.storage.MemoryStorage)
        """Whether the store is somewhere else, and may be waited for."""
        base = storage.base_exceptions
        self._errors = (limits.errors.StorageError, OSError, *(base if isinstance(base, tuple) else (base,)))
        self._when_down = when_down
        self._stand_in: t.Any = None
        self._logger = logger
        self._lock = Lock()
        self._down_until: float | None = None

    def hit(self, item: t.Any, *client: str) -> bool:
        """Count one request against a limit; whether it was within it."""
        return bool(self._ask("hit", True, item, *client))

    def window(self, item: t.Any, *client: str) -> Window:
        """What is left of a limit."""
        stats = self._ask("get_window_stats", None, item, *client)
        if stats is None:
            return Window(item.amount, item.get_expiry())
        return Window(stats.remaining, max(0.0, stats.reset_time - time.time()))

    def _ask(self, method: str, otherwise: t.Any, *arguments: t.Any) -> t.Any:
        """Ask the store; or the one that stands in for it."""
        if self._is_up():
            try:
                answer = getattr(self._store, method)(*arguments)
            except self._errors as error:
                self._note_down(error)
            else:
                self._note_up()
                return answer
        if self._when_down == "refuse":
            raise ServiceUnavailable("Requests cannot be counted at the moment.", retry_after=int(PAUSE))
        return otherwise if self._when_down == "allow" else getattr(self._replacement(), method)(*arguments)

    def _is_up(self) -> bool:
        """Whether to ask the store: always, unless it was down just now. Of those that wait, one tries again."""
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
            was_up, self._down_until = self._stand_in is None, time.monotonic() + PAUSE
            self._replacement()
        if was_up:
            action = {"memory": "each process counts by itself", "allow": "nothing is limited"}
            self._logger().error(
                "RATE_LIMIT_STORAGE cannot be reached: until it can, %s. (%s)",
                action.get(self._when_down, "what is limited is answered with 503"),
                error,
            )

    def _note_up(self) -> None:
        if self._down_until is not None:
            with self._lock:
                self._down_until = self._stand_in = None
            self._logger().warning("RATE_LIMIT_STORAGE can be reached again.")

    def _replacement(self) -> t.Any:
        stand_in = self._stand_in
        if stand_in is None:
            stand_in = self._stand_in = self._counting_in(library().storage.MemoryStorage())
        return stand_in

    def _counting_in(self, storage: t.Any) -> t.Any:
        return library().strategies.STRATEGIES[self._strategy](storage)


def library() -> t.Any:
    """The package `limits`, which takes a tenth of a second to load. Raises RuntimeError where it is missing."""
    try:
        import limits
        import limits.storage
        import limits.strategies
    except ImportError:
        raise RuntimeError(MISSING) from None
    return limits


def open_storage(setting: t.Any) -> t.Any:
    """The store that ``RATE_LIMIT_STORAGE`` names: by a URL of the library `limits`, or one of its stores itself.

    Raises ValueError for a URL that it does not know, TypeError for another object.
    """
    limits = library()
    if isinstance(setting, limits.storage.Storage):
        return setting
    if not isinstance(setting, str):
        raise TypeError(
            f"RATE_LIMIT_STORAGE is {setting!r}: it is a URL such as 'memory://' or 'redis://127.0.0.1:6379/1', or a"
            " store of the package limits."
        )
    options = _redis_options() if setting.startswith(("redis://", "rediss://", "redis+unix://")) else {}
    try:
        return limits.storage.storage_from_string(setting, wrap_exceptions=True, **options)
    except limits.errors.ConfigurationError as error:
        raise ValueError(f"RATE_LIMIT_STORAGE: {error}") from error


def _redis_options() -> dict[str, t.Any]:
    """Wait no longer than `TIMEOUT`, and try once more only where a kept connection had ended."""
    try:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry
    except ImportError:
        raise RuntimeError(MISSING) from None
    retry = Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,))
    return {"socket_timeout": TIMEOUT, "socket_connect_timeout": TIMEOUT, "retry": retry}
