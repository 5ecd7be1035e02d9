"""A client of Redis: its timeouts, and its errors as those of a store."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator
from contextlib import contextmanager

from .waiting import StoreError, StuckError, Waits

if t.TYPE_CHECKING:
    from types import ModuleType

    from redis import Redis

TIMEOUT: t.Final = 0.25
"""The timeout for connecting to Redis, and for its answer, in seconds."""


def connect(url: str, missing: str) -> Redis:
    """Return a client with the timeout `TIMEOUT`, which retries once, and only if a kept connection had ended.

    :param missing: the message of the RuntimeError that is raised if the package redis is missing.
    """
    client: Redis = library(missing).Redis.from_url(url, **options(missing))
    return client


def options(missing: str) -> dict[str, t.Any]:
    """The options of such a client."""
    redis = library(missing)
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    retry = Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,))
    return {"socket_timeout": TIMEOUT, "socket_connect_timeout": TIMEOUT, "retry": retry}


def library(missing: str) -> ModuleType:
    """The package redis.

    :raises RuntimeError: with the message `missing`, if it is missing.
    """
    try:
        import redis
    except ImportError:
        raise RuntimeError(missing) from None
    return redis


@contextmanager
def reaching(waits: Waits, name: str) -> Iterator[None]:
    """Wrap a command: errors of the client become StoreError. After a timeout, only a few threads try at a time.

    :param name: the kind of data kept there, for the message.
    """
    import redis

    try:
        with waits.attempt():
            yield
    except (redis.RedisError, OSError, StuckError) as error:
        if isinstance(error, redis.TimeoutError):
            waits.note_missed()
        raise StoreError(f"The {name} in Redis cannot be reached: {error}") from error
