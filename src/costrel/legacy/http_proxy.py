"""Forwards requests for some paths to other HTTP servers, for instance to a bundler in development."""

from __future__ import annotations

import typing as t
from http import client
from urllib.parse import quote, urlsplit

from ..http.conditional import is_hop_by_hop_header
from ..http.errors import BadGateway, HTTPException
from ..http.framing import is_chunked
from ..messages.environ import EnvironHeaders, get_content_length, get_input_stream, get_path_info

if t.TYPE_CHECKING:
    import ssl

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# The characters of a path in addition to letters and digits (RFC 3986 §3.3).
_PATH_SAFE = "!$&'()*+,;=:@/~"
# A query string is forwarded unchanged, except for bytes that are not ASCII.
_QUERY_SAFE = "".join(map(chr, range(0x21, 0x7F)))
_BODY_CHUNK = 64 * 1024


class Target(t.TypedDict):
    """The options of one path prefix."""

    target: str
    remove_prefix: bool
    host: str | None
    headers: dict[str, str]
    ssl_context: ssl.SSLContext | None


class ProxyMiddleware:
    """Forward requests for some paths to other servers, and pass all others to the application.

    :param targets: options by path prefix: `target` (a URL), `remove_prefix` (whether the rest of the path is appended
        to the path of the target, or the whole path is forwarded unchanged), `host` (`"<auto>"` for that of the target,
        None for that of the request, or another name), `headers` (a dict to add) and `ssl_context`.
    :param chunk_size: the number of bytes of a response that are read at a time.
    :param timeout: the timeout for the target in seconds.
    :raises ValueError: a target has no `target`.

    If a target does not send an HTTP response, the response is `502 Bad Gateway`. WebSockets are not forwarded.
    """

    def __init__(
        self,
        app: WSGIApplication,
        targets: t.Mapping[str, dict[str, t.Any]],
        chunk_size: int = 2 << 13,
        timeout: int = 10,
    ) -> None:
        self.app = app
        self.targets = {f"/{prefix.strip('/')}/": _with_defaults(prefix, opts) for prefix, opts in targets.items()}
        self.chunk_size = chunk_size
        self.timeout = timeout

    def proxy_to(self, opts: Target, path: str, prefix: str) -> WSGIApplication:
        """An application that forwards its request to a target."""

        def application(environ: WSGIEnvironment, start_response: StartResponse) -> t.Iterable[bytes]:
            connection = self._connect(opts)
            try:
                _send_request(connection, opts, _remote_url(environ, opts, path, prefix), environ)
                response = connection.getresponse()
            except (OSError, client.HTTPException, HTTPException) as error:
                connection.close()
                answer = error if isinstance(error, HTTPException) else BadGateway()
                return answer(environ, start_response)
            start_response(
                f"{response.status} {response.reason}",
                [(name, value) for name, value in response.getheaders() if not is_hop_by_hop_header(name)],
            )
            return self._read(connection, response)

        return application

    def _connect(self, opts: Target) -> client.HTTPConnection:
        target = urlsplit(opts["target"])
        if target.hostname is None or target.scheme not in ("http", "https"):
            raise RuntimeError(f"Target scheme must be 'http' or 'https', got {target.scheme!r}.")
        if target.scheme == "http":
            return client.HTTPConnection(target.hostname, target.port or 80, timeout=self.timeout)
        return client.HTTPSConnection(
            target.hostname, target.port or 443, timeout=self.timeout, context=opts["ssl_context"]
        )

    def _read(self, connection: client.HTTPConnection, response: client.HTTPResponse) -> t.Iterator[bytes]:
        try:
            while data := response.read(self.chunk_size):
                yield data
        finally:
            # The response holds the socket of the connection, which is not used again.
            response.close()
            connection.close()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> t.Iterable[bytes]:
        path = get_path_info(environ)
        app = self.app
        for prefix, opts in self.targets.items():
            if path.startswith(prefix):
                app = self.proxy_to(opts, path, prefix)
                break
        return app(environ, start_response)


def _with_defaults(prefix: str, opts: dict[str, t.Any]) -> Target:
    if "target" not in opts:
        raise ValueError(f"The options of the prefix {prefix!r} have no 'target', the URL to forward its requests to.")
    return t.cast(Target, {"remove_prefix": False, "host": "<auto>", "headers": {}, "ssl_context": None, **opts})


def _remote_url(environ: WSGIEnvironment, opts: Target, path: str, prefix: str) -> str:
    if opts["remove_prefix"]:
        base = urlsplit(opts["target"]).path.rstrip("/")
        path = f"{base}/{path[len(prefix) :].lstrip('/')}"
    url = quote(path, safe=_PATH_SAFE)
    if query := environ.get("QUERY_STRING"):
        url += "?" + quote(query.encode("latin1"), safe=_QUERY_SAFE)
    return url


def _send_request(connection: client.HTTPConnection, opts: Target, url: str, environ: WSGIEnvironment) -> None:
    length, chunked = get_content_length(environ), is_chunked(environ.get("HTTP_TRANSFER_ENCODING", ""))
    # Raises for an invalid Content-Length, before anything is sent.
    stream = get_input_stream(environ)
    connection.putrequest(
        environ["REQUEST_METHOD"], url, skip_host=True, skip_accept_encoding="HTTP_ACCEPT_ENCODING" in environ
    )
    for name, value in _headers(environ, opts):
        connection.putheader(name, value.encode("latin1"))
    if chunked:
        connection.putheader("Transfer-Encoding", "chunked")
    elif length is not None:
        connection.putheader("Content-Length", length)
    body = iter(lambda: stream.read(_BODY_CHUNK), b"") if length or chunked else None
    connection.endheaders(body, encode_chunked=chunked)


def _headers(environ: WSGIEnvironment, opts: Target) -> list[tuple[str, str]]:
    """The request's headers without the connection headers, and with the length and the host for the target."""
    headers = [
        (name, value)
        for name, value in EnvironHeaders(environ)
        if name.lower() not in ("content-length", "host") and not is_hop_by_hop_header(name)
    ]
    headers.append(("Connection", "close"))
    host = urlsplit(opts["target"]).hostname if opts["host"] == "<auto>" else opts["host"]
    if host is None:
        host = environ.get("HTTP_HOST")
    if host is not None:
        headers.append(("Host", host))
    headers += opts["headers"].items()
    return headers
