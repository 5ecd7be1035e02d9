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
        "SESSION_COOKIE_SECURE": "auto",
        "MAX_CONTENT_LENGTH": 16 * 1024 * 1024,
        "MAX_FORM_FILES": 100,
        "MAX_QUERY_PARAMS": 1_000,
        "METHOD_CASE_SENSITIVE": True,
        "STATIC_DOTFILES": False,
        "STATIC_FOLLOW_SYMLINKS": False,
        "WEBSOCKET_ALLOWED_ORIGINS": (),
        "CONTENT_SECURITY_POLICY": "base-uri 'self'; frame-ancestors 'self'",
        "CSRF_PROTECTION": True,
        "JSON_ALLOW_NAN": False,
        "JSON_MAX_DEPTH": 200,
        "REDIRECT_SCHEMES": ("http", "https"),
        "SECURITY_HEADERS": True,
        "TRUSTED_PROXIES": (),
        "SECRET_KEY_MIN_BYTES": 32,
        "SESSION_CACHE_PRIVATE": True,
        "SESSION_COOKIE_STRICT_SIZE": True,
        "SESSION_STORE": "cookie",
    }
)


def apply_chosen(config: dict[str, t.Any]) -> None:
    """Where ``SECURITY_PROFILE`` is "strict", give each setting that is still as Flask has it Costrel's own default.

    Raises ValueError for any other profile but None.
    """
    chosen = config.get("SECURITY_PROFILE")
    if chosen is None:
        return
    if chosen != "strict":
        raise ValueError(f'SECURITY_PROFILE is {chosen!r}: there is "strict", and None for the settings as they are.')
    for name, value in NATIVE.items():
        if name not in config or (name in FLASK and config[name] == FLASK[name]):
            config[name] = value
