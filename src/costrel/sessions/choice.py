"""Chooses the session interface by the setting ``SESSION_STORE``.

A store is imported only if it is chosen: importing all of them would take a tenth of Costrel's import time.
"""

from __future__ import annotations

import os
import typing as t
from collections.abc import Callable
from threading import RLock

from ..services.settings import DEFAULTS
from .cookie_sessions import CookieSessions
from .interface import SecureCookieSessionInterface, SessionInterface

if t.TYPE_CHECKING:
    from redis import Redis

    from ..context import AppContract
    from .stores.store import SessionStore


class ChosenSessions:
    """The application's ``session_interface`` unless another one is assigned. It is created when it is first used."""

    def __init__(self) -> None:
        self._default = SecureCookieSessionInterface()
        self._choosing = RLock()  # otherwise two simultaneous first requests would each create a store

    def __get__(self, app: AppContract | None, owner: type | None = None) -> SessionInterface:
        if app is None or (store := app.config.get("SESSION_STORE")) is None:
            return self._default
        with self._choosing:
            chosen: tuple[object, SessionInterface] | None = app.__dict__.get("_chosen_sessions")
            if chosen is None or chosen[0] is not store:
                chosen = app.__dict__["_chosen_sessions"] = (store, interface_for(app, store))
        return chosen[1]


def interface_for(app: AppContract, store: object) -> SessionInterface:
    """Return the interface for a value of ``SESSION_STORE``.

    :raises ValueError: for an unknown name.
    :raises TypeError: for an object that is not a store.
    :raises RuntimeError: if a required package is not installed.
    """
    if isinstance(store, SessionInterface):
        return store
    if isinstance(store, str):
        return _named(app, store)
    from .stores.server import ServerSessions
    from .stores.store import SessionStore

    if isinstance(store, SessionStore):
        return ServerSessions(store)
    if hasattr(store, "register_script"):
        return ServerSessions(_redis(app, t.cast("Redis", store)))
    if all(callable(getattr(store, name, None)) for name in ("get", "set", "delete")):
        from .stores.cache import Cache, CacheStore

        return ServerSessions(CacheStore(t.cast("Cache", store), _prefix(app)))
    raise TypeError(
        f"SESSION_STORE is {store!r}, which is not a session store. It can be {_names()}, a Redis URL, a Redis client,"
        " a SessionStore, or any object with the methods get, set and delete, such as a cache of cachelib."
    )


def _named(app: AppContract, store: str) -> SessionInterface:
    if store.startswith(("redis://", "rediss://", "unix://")):
        return _on_server(_redis(app, store))
    make = _BY_NAME.get(store)
    if make is None:
        raise ValueError(f"SESSION_STORE is {store!r}, which is unknown. It can be {_names()}, or a Redis URL.")
    return make(app)


def _signed(app: AppContract) -> SessionInterface:
    return CookieSessions()


def _encrypted(app: AppContract) -> SessionInterface:
    from .stores.cookies import EncryptedCookieSessions

    return EncryptedCookieSessions()


def _on_server(store: SessionStore) -> SessionInterface:
    from .stores.server import ServerSessions

    return ServerSessions(store)


def _sqlite(app: AppContract) -> SessionInterface:
    from .stores.sqlite import SqliteStore

    path = app.config.get("SESSION_SQLITE") or os.path.join(app.instance_path, "sessions.sqlite")
    return _on_server(SqliteStore(path))


def _memory(app: AppContract) -> SessionInterface:
    from .stores.memory import MemoryStore

    return _on_server(MemoryStore())


def _redis(app: AppContract, client: str | Redis) -> SessionStore:
    from .stores.redis_store import RedisStore

    return RedisStore(client, _prefix(app))


def _redis_of_settings(app: AppContract) -> SessionInterface:
    from .stores.redis_store import URL

    return _on_server(_redis(app, app.config.get("SESSION_REDIS") or URL))


def _prefix(app: AppContract) -> str:
    prefix: str = app.config.get("SESSION_STORE_PREFIX", DEFAULTS["SESSION_STORE_PREFIX"])
    return prefix


_BY_NAME: t.Final[dict[str, Callable[[AppContract], SessionInterface]]] = {
    "cookie": _signed,
    "encrypted": _encrypted,
    "memory": _memory,
    "redis": _redis_of_settings,
    "sqlite": _sqlite,
}


def _names() -> str:
    return ", ".join(repr(name) for name in _BY_NAME)
