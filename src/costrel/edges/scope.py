"""An ASGI scope as the source of a request, and as a whole WSGI environ (PEP 3333, ASGI HTTP spec 2.4)."""

from __future__ import annotations

import io
import sys
import typing as t
from urllib.parse import unquote_to_bytes

from ..messages.environ import encode
from ..messages.field_layout import FIELD_KEYS, LAYOUTS, FieldLayout, field_key
from ..messages.source import ScopeSource
from ..support.asgi_types import Scope
from ..telemetry.notes import note

ROUTE: t.Final = "costrel.route"
"""The key of the note with the text of the rule that matched, for a server that counts requests."""

ECHO: t.Final = "costrel.echo"
"""The key of a scope under which a server leaves a header, name and value, that the answer is to have as well."""

DIRECT: t.Final = "costrel.direct"
"""The key of a scope for two functions, if the server records the messages of responses: the `send` that it passes on,
and the one for a complete response. The edge then leaves the two messages of such a response under `ANSWERED`. A server
that sets it also sets `ECHO`."""

ANSWERED: t.Final = "costrel.answered"

LAYOUT: t.Final = "costrel.layout"
"""The key of a scope under which a server leaves the layout of its header fields, for an edge that it calls itself."""

ENVIRON: t.Final = "costrel.environ"
"""The key of a scope for entries of the environ that a scope has no place for; the test client sets it."""

_PROTOCOLS: t.Final = {version: f"HTTP/{version}" for version in ("1.0", "1.1", "2", "3")}
SCHEMES: t.Final = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
"""The schemes of scopes, and of the environs for them."""

_same_for: dict[tuple[t.Any, str, str], dict[str, t.Any]] = {}
"""The items that the environs of all requests share which come the same way: server, scheme, version."""
_MAX_WAYS: t.Final = 64

ANNOUNCING: t.Final = frozenset({"1.1", "1.0", None})
"""The HTTP versions whose header fields announce every body; None stands for a scope without a version."""

_NO_SERVER: t.Final = ("localhost", None)


def note_route(scope: Scope, rule: str) -> None:
    """Store the text of the matched rule for the server."""
    note(scope, ROUTE, rule)


def read_scope(scope: Scope) -> tuple[dict[str, t.Any], bool]:
    """The source of a request for an ``http`` scope, as if it had no body; and whether it may have one.

    HTTP/1.1 announces a body (RFC 9112 §6.3), HTTP/2 need not. The source is a whole environ in rare cases: a header
    field that occurs twice, a root path, a path with escapes.
    """
    # PERF: hello. Each line runs for each request.
    pairs, raw = scope["headers"], scope.get("raw_path")
    layout: FieldLayout = scope.pop(LAYOUT) if LAYOUT in scope else LAYOUTS.of(pairs)
    path = "%" if raw is None else raw.decode("latin-1")
    # Looked for in text: `in` on bytes first tries whether b"%" is a number.
    if "%" in path or "?" in path or ENVIRON in scope or layout.repeats or scope.get("root_path"):
        environ = environ_of(scope)
        environ["wsgi.input"] = io.BytesIO()
        is_announced = "CONTENT_LENGTH" in environ or "HTTP_TRANSFER_ENCODING" in environ
        return environ, is_announced or scope.get("http_version") not in ANNOUNCING
    source = ScopeSource(layout.blank)
    source.pairs, source.layout = pairs, layout
    source.made = source.removed = None
    source["asgi.scope"] = scope
    source["REQUEST_METHOD"] = scope["method"]
    source["PATH_INFO"] = path
    query = scope["query_string"]
    if query:
        source["QUERY_STRING"] = query.decode("latin-1")
    for key, place in layout.hot:
        source[key] = pairs[place][1].decode("latin-1")
    return source, layout.has_body or scope.get("http_version") not in ANNOUNCING


def environ_of(scope: Scope) -> dict[str, t.Any]:
    """The environ for an ``http`` or ``websocket`` scope, still without ``wsgi.input``."""
    # PERF: hello. Each line runs for each request, so values that are nearly always the same are kept.
    get = scope.get
    root, raw, client = get("root_path", ""), get("raw_path"), get("client")
    environ = _shared_items(scope).copy()
    environ["REQUEST_METHOD"] = get("method", "GET")
    if root:
        environ["SCRIPT_NAME"] = encode(root)
    path = "%" if raw is None else raw.decode("latin-1")
    # Asked of a text: bytes would take ten times as long, since they first try whether b"%" is a number.
    plain = not root and "%" not in path and "?" not in path
    environ["PATH_INFO"] = path if plain else _path_of(scope, environ["SCRIPT_NAME"])
    query = get("query_string")
    if query:
        environ["QUERY_STRING"] = query = query.decode("latin-1")
        target = path if "?" in path else f"{path}?{query}"
    else:
        target = path
    if raw is not None:  # not in PEP 3333, but in Werkzeug's server: the target of the request, as it was written
        environ["REQUEST_URI"] = environ["RAW_URI"] = target
    environ["wsgi.errors"] = sys.stderr
    environ["asgi.scope"] = scope
    if client:
        environ["REMOTE_ADDR"] = client[0]
        environ["REMOTE_PORT"] = str(client[1])
    repeated: list[tuple[str, str]] | None = None
    for name, value in scope["headers"]:
        key = FIELD_KEYS.get(name) or field_key(name.lower())
        if key is None:
            continue
        if key not in environ:
            environ[key] = value.decode("latin-1")
        elif repeated is None:
            repeated = [(key, value.decode("latin-1"))]
        else:
            repeated.append((key, value.decode("latin-1")))
    if repeated is not None:
        _join(environ, repeated)
    if ENVIRON in scope:
        environ.update(scope[ENVIRON])
    return environ


def _shared_items(scope: Scope) -> dict[str, t.Any]:
    """The items of the environ that depend on the server, the scheme and the version of HTTP alone."""
    get = scope.get
    way = get("server") or _NO_SERVER, get("scheme", "http"), get("http_version", "1.1")
    try:
        return _same_for[way]
    except (KeyError, TypeError):  # a server may give its address as a list
        return _keep_what_is_same(*way)


def _keep_what_is_same(server: t.Any, scheme: str, version: str) -> dict[str, t.Any]:
    scheme_below = SCHEMES.get(scheme, scheme)
    same: dict[str, t.Any] = {
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1] or (443 if scheme_below == "https" else 80)),
        "SERVER_PROTOCOL": _PROTOCOLS.get(version) or f"HTTP/{version}",
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scheme_below,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
    }
    if len(_same_for) < _MAX_WAYS and server.__class__ is tuple:
        _same_for[server, scheme, version] = same
    return same


def _path_of(scope: Scope, root: str) -> str:
    """The path below the root, as bytes in latin-1; from the raw path, if the decoded one may have lost bytes."""
    raw: bytes | None = scope.get("raw_path")
    if raw is None:
        path: str = scope["path"].encode("utf-8", "surrogateescape").decode("latin-1")
    else:
        if b"?" in raw:
            raw = raw.partition(b"?")[0]
        path = (unquote_to_bytes(raw) if b"%" in raw else raw).decode("latin-1")
    if root and (path == root or path.startswith(root + "/")):
        return path[len(root) :]
    return path


def _join(environ: dict[str, t.Any], repeated: t.Iterable[tuple[str, str]]) -> None:
    """Add the values of headers that came more than once."""
    values: dict[str, list[str]] = {}
    for key, value in repeated:
        values.setdefault(key, [environ[key]]).append(value)
    for key, all_values in values.items():
        # RFC 9110 §5.3: the values of a repeated field make one list; RFC 9113 §8.2.3: cookies may be split.
        environ[key] = ("; " if key == "HTTP_COOKIE" else ",").join(all_values)
        # RFC 9113 §8.3.1: a Host beside `:authority`, which servers report as another Host, must not differ from it.
        if key == "HTTP_HOST" and len(set(all_values)) == 1 and environ["SERVER_PROTOCOL"] >= "HTTP/2":
            environ[key] = all_values[0]


ScopeSource.make_environ = staticmethod(environ_of)
ScopeSource.shared_items = staticmethod(_shared_items)
