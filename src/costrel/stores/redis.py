"""A Redis client with timeouts, whose errors become `StoreError`."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator
from contextlib import contextmanager

from .waiting import StoreError, StuckError, Waits

if t.TYPE_CHECKING:
    from types import ModuleType

    from redis import Redis

TIMEOUT: t.Final = 0.25
"""The timeout in seconds for connecting to Redis, and for each response."""


def connect(url: str, missing: str) -> Redis:
    """Return a client with `TIMEOUT`. It retries once, and only if a pooled connection was closed.

    :param missing: the message of the RuntimeError that is raised if the package redis is not installed.
    """
    client: Redis = library(missing).Redis.from_url(url, **options(missing))
    return client


def options(missing: str) -> dict[str, t.Any]:
    """The options of a client as in `connect`."""
    redis = library(missing)
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    retry = Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,))
    return {"socket_timeout": TIMEOUT, "socket_connect_timeout": TIMEOUT, "retry": retry}


def library(missing: str) -> ModuleType:
    """The package redis.

    :raises RuntimeError: with the message `missing`, if it is not installed.
    """
    try:
        import redis
    except ImportError:
        raise RuntimeError(missing) from None
    return redis


@contextmanager
def reaching(waits: Waits, name: str) -> Iterator[None]:
    """Convert the client's errors in the block to StoreError. After a timeout, only a few threads try at a time.

    :param name: the kind of data in the store, for the message.
    """
    import redis

    try:
        with waits.attempt():
            yield
    except (redis.RedisError, OSError, StuckError) as error:
        if isinstance(error, redis.TimeoutError):
            waits.note_missed()
        raise StoreError(f"The {name} in Redis cannot be reached: {error}") from error
