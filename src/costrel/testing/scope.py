"""Makes the ASGI scope of a request from its WSGI environ, as a server makes it from the bytes of the request."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote_to_bytes

from ..edges.scope import ENVIRON

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

    from ..support.asgi_types import Scope

CLIENT_PORT = 50_000
"""The port of the client, unless the environ has a ``REMOTE_PORT``."""

_UNPREFIXED = ("CONTENT_TYPE", "CONTENT_LENGTH")
_SAFE_IN_PATH = "%!$&'()*+,/:;=@~"

_IN_SCOPE = frozenset(
    {
        *("REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "REQUEST_URI", "RAW_URI"),
        *("SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL", "REMOTE_ADDR", "REMOTE_PORT"),
        *("wsgi.version", "wsgi.url_scheme", "wsgi.input", "wsgi.multithread", "wsgi.multiprocess", "wsgi.run_once"),
        "werkzeug.request",  # the client's request, which is not the application's
    }
)
"""Entries of an environ that a scope expresses in its own words, or that the server decides."""


def http_scope(environ: WSGIEnvironment) -> Scope:
    """The ``http`` scope of the request that `environ` describes (ASGI HTTP spec 2.4).

    Entries that no scope has a place for, as `environ_overrides` may have, are in ``scope["costrel.environ"]``.
    """
    root = environ.get("SCRIPT_NAME", "").encode("latin-1")
    path = root + environ.get("PATH_INFO", "").encode("latin-1")
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": environ.get("SERVER_PROTOCOL", "HTTP/1.1").removeprefix("HTTP/"),
        "method": environ["REQUEST_METHOD"],
        "scheme": environ["wsgi.url_scheme"],
        "path": path.decode("utf-8", "replace"),
        "raw_path": _raw_path(environ, root, path),
        "root_path": root.decode("utf-8", "replace"),
        "query_string": environ.get("QUERY_STRING", "").encode("latin-1"),
        "headers": _headers(environ),
        "client": _client(environ),
        "server": (environ["SERVER_NAME"], int(environ["SERVER_PORT"])),
        "state": {},
        "extensions": {},
    }
    rest = {key: value for key, value in environ.items() if not _is_in_scope(key, value)}
    if rest:
        scope[ENVIRON] = rest
    return scope


def _is_in_scope(key: str, value: object) -> bool:
    if key == "wsgi.errors":
        return value is sys.stderr
    return key in _IN_SCOPE or key in _UNPREFIXED or (key.startswith("HTTP_") and isinstance(value, str))


def _headers(environ: WSGIEnvironment) -> list[tuple[bytes, bytes]]:
    """The header fields, ``Host`` first (RFC 9110 §7.2), their names in lower case."""
    fields = {key: value for key, value in environ.items() if key.startswith("HTTP_") and isinstance(value, str)}
    fields |= {key: environ[key] for key in _UNPREFIXED if environ.get(key)}
    names = sorted(fields, key=lambda name: name != "HTTP_HOST")
    return [(_field_name(name), _field_value(fields[name])) for name in names]


def _field_name(key: str) -> bytes:
    return key.removeprefix("HTTP_").replace("_", "-").lower().encode("latin-1")


def _field_value(value: str) -> bytes:
    """Latin-1, as PEP 3333 has it; other text as UTF-8, as HTTP clients send it."""
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode()


def _raw_path(environ: WSGIEnvironment, root: bytes, path: bytes) -> bytes:
    """The path as the test has written it, or, if the environ's path is another one by now, the latter in ASCII."""
    asked = environ.get("RAW_URI", "").partition("?")[0].encode("latin-1")
    raw = quote(root, safe=_SAFE_IN_PATH) + quote(asked, safe=_SAFE_IN_PATH)
    if unquote_to_bytes(raw) != path:
        raw = quote(path, safe=_SAFE_IN_PATH.replace("%", ""))
    return raw.encode("ascii")


def _client(environ: WSGIEnvironment) -> tuple[str, int] | None:
    address = environ.get("REMOTE_ADDR")
    return (address, int(environ.get("REMOTE_PORT") or CLIENT_PORT)) if address else None
