"""The two tables of defaults: Costrel's own, safe as it comes, and Flask's, to the letter."""

from __future__ import annotations

import typing as t
from datetime import timedelta

from ..http.immutable import ImmutableDict

_FLASK: dict[str, t.Any] = {
    "DEBUG": None,
    "TESTING": False,
    "PROPAGATE_EXCEPTIONS": None,
    "SECRET_KEY": None,
    "SECRET_KEY_FALLBACKS": None,
    "PERMANENT_SESSION_LIFETIME": timedelta(days=31),
    "USE_X_SENDFILE": False,
    "TRUSTED_HOSTS": None,
    "SERVER_NAME": None,
    "APPLICATION_ROOT": "/",
    "SESSION_COOKIE_NAME": "session",
    "SESSION_COOKIE_DOMAIN": None,
    "SESSION_COOKIE_PATH": None,
    "SESSION_COOKIE_HTTPONLY": True,
    "SESSION_COOKIE_SECURE": False,
    "SESSION_COOKIE_PARTITIONED": False,
    "SESSION_COOKIE_SAMESITE": None,
    "SESSION_REFRESH_EACH_REQUEST": True,
    "MAX_CONTENT_LENGTH": None,
    "MAX_FORM_MEMORY_SIZE": 500_000,
    "MAX_FORM_PARTS": 1_000,
    "SEND_FILE_MAX_AGE_DEFAULT": None,
    "TRAP_BAD_REQUEST_ERRORS": None,
    "TRAP_HTTP_EXCEPTIONS": False,
    "EXPLAIN_TEMPLATE_LOADING": False,
    "PREFERRED_URL_SCHEME": "http",
    "TEMPLATES_AUTO_RELOAD": None,
    "MAX_COOKIE_SIZE": 4093,
    "PROVIDE_AUTOMATIC_OPTIONS": True,
}

FLASK: ImmutableDict[str, t.Any] = ImmutableDict(_FLASK)

NATIVE: ImmutableDict[str, t.Any] = ImmutableDict(
    _FLASK
    | {
        "SESSION_COOKIE_SAMESITE": "Lax",
        "MAX_CONTENT_LENGTH": 16 * 1024 * 1024,
        "STATIC_DOTFILES": False,
        "STATIC_FOLLOW_SYMLINKS": False,
        "WEBSOCKET_ALLOWED_ORIGINS": (),
        "SECRET_KEY_MIN_BYTES": 32,
        "SESSION_CACHE_PRIVATE": True,
        "SESSION_COOKIE_STRICT_SIZE": True,
        "SESSION_STORE": "cookie",
    }
)
