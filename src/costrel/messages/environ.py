"""Reading a WSGI environ: the one representation of a request, whichever server made it (PEP 3333)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import lru_cache
from io import BytesIO
from typing import IO, TYPE_CHECKING, Any, NoReturn

from ..http import errors, hosts
from ..http.errors import BadRequest, BadRequestKeyError, RequestEntityTooLarge
from ..http.framing import body_length, parse_content_length
from ..http.headers import Headers
from ..http.immutable import ImmutableHeadersMixin
from .source import hot
from .streams import CountedStream, LimitedStream

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_UNPREFIXED = frozenset({"CONTENT_TYPE", "CONTENT_LENGTH"})
_UNLIMITED = 2**63


def decode(text: str) -> str:
    """Undo PEP 3333's Latin-1 dress of a path: the bytes are UTF-8, what is not becomes U+FFFD."""
    return text if text.isascii() else text.encode("latin1").decode(errors="replace")


def encode(text: str) -> str:
    """Text for an environ: each character of the result stands for one of its bytes in UTF-8 (PEP 3333)."""
    return text if text.isascii() else text.encode().decode("latin1")


class EnvironHeaders(ImmutableHeadersMixin, Headers):  # type: ignore[misc]  # the mixin forbids what headers allow
    """The headers of a request, read from its environ: a live, read-only view.

    The names lost their case and their difference between ``-`` and ``_`` on the way into the environ.
    """

    def __init__(self, environ: WSGIEnvironment) -> None:
        self.environ = environ

    @property
    def _list(self) -> list[tuple[str, str]]:  # type: ignore[override]  # made at each access: the environ may change
        return list(self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, EnvironHeaders):
            return NotImplemented
        return self.environ is other.environ

    __hash__ = None  # as for all headers

    def __getitem__(self, key: str) -> str:  # type: ignore[override]  # they have no positions
        return self._get_key(key)

    def _find(self, key: str) -> str | None:
        value: str | None = self.environ.get(_environ_key(key)) if isinstance(key, str) else None
        return value

    def _get_key(self, key: str) -> str:
        if not isinstance(key, str):
            raise BadRequestKeyError(key)
        value: str = self.environ[_environ_key(key)]
        return value

    def getlist(self, key: str, type: Any = None) -> list[Any]:
        """All values of a name: one at most, since the server joined them."""
        value = self._find(key)
        if value is None:
            return []
        if type is None:
            return [value]
        try:
            return [type(value)]
        except ValueError:
            return []

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        for key, value in self.environ.items():
            if key.startswith("HTTP_") and key[5:] not in _UNPREFIXED:
                yield key[5:].replace("_", "-").title(), value
            elif key in _UNPREFIXED and value:
                yield key.replace("_", "-").title(), value

    def copy(self) -> NoReturn:
        raise TypeError(f"cannot create {type(self).__name__!r} copies")

    def __or__(self, other: Any) -> NoReturn:
        raise TypeError(f"cannot create {type(self).__name__!r} copies")


@lru_cache(maxsize=1024)
def _environ_key(name: str) -> str:
    # PERF: form. The names of headers come from code, so there are few of them.
    key = name.upper().replace("-", "_")
    return key if key in _UNPREFIXED else "HTTP_" + key


def _get_server(environ: WSGIEnvironment) -> tuple[str, int | None] | None:
    """Name and port of the server, the port None for a Unix socket."""
    name = environ.get("SERVER_NAME")
    if name is None:
        return None
    try:
        return name, int(environ["SERVER_PORT"])
    except (KeyError, TypeError, ValueError):
        return name, None


def get_host(environ: WSGIEnvironment, trusted_hosts: Collection[str] | None = None) -> str:
    """The host that the request addresses, with its port unless it is the scheme's own.

    :raises SecurityError: if ``trusted_hosts`` is given and the host is not among them.
    """
    return hosts.get_host(environ["wsgi.url_scheme"], environ.get("HTTP_HOST"), _get_server(environ), trusted_hosts)


def get_current_url(
    environ: WSGIEnvironment,
    root_only: bool = False,
    strip_querystring: bool = False,
    host_only: bool = False,
    trusted_hosts: Collection[str] | None = None,
) -> str:
    """The URL of the request as an IRI, or the part of it that the flags leave."""
    parts: dict[str, Any] = {
        "scheme": environ["wsgi.url_scheme"],
        "host": get_host(environ, trusted_hosts),
    }
    if not host_only:
        parts["root_path"] = environ.get("SCRIPT_NAME", "")
        if not root_only:
            parts["path"] = environ.get("PATH_INFO", "")
            if not strip_querystring:
                parts["query_string"] = environ.get("QUERY_STRING", "").encode("latin1")
    return hosts.get_current_url(**parts)


def get_path_info(environ: WSGIEnvironment) -> str:
    """The decoded path below the application's root."""
    return decode(environ.get("PATH_INFO", ""))


def get_content_length(environ: WSGIEnvironment) -> int | None:
    """Length of the body in bytes: None if unknown or sent in chunks, 0 if the header is malformed."""
    return body_length(hot(environ, "CONTENT_LENGTH"), hot(environ, "HTTP_TRANSFER_ENCODING"))


def get_input_stream(
    environ: WSGIEnvironment,
    safe_fallback: bool = True,
    max_content_length: int | None = None,
) -> IO[bytes]:
    """The body as a stream that neither runs past the body's end nor hides that the body was cut off.

    :param safe_fallback: return an empty stream if neither the client nor the server marks the body's end;
        otherwise the server's stream as it is, which may block for ever.
    :param max_content_length: bytes; a longer body raises :exc:`RequestEntityTooLarge`.
    :raises BadRequest: if the Content-Length is not a number, so that the body's end is unknown.
    :raises NotImplemented: if the body has another transfer coding than chunks.
    """
    return framed_stream(environ, get_content_length(environ), max_content_length, safe_fallback)


def framed_stream(
    environ: WSGIEnvironment, length: int | None, max_content_length: int | None, safe_fallback: bool = True
) -> IO[bytes]:
    """The same, for a body whose length is known (:func:`get_content_length`)."""
    if hot(environ, "HTTP_TRANSFER_ENCODING"):
        check_transfer_encoding(environ)
    stream: IO[bytes] = environ["wsgi.input"]
    if length is not None:
        if length == 0:
            _check_length_is_number(environ["CONTENT_LENGTH"])
        if max_content_length is not None and length > max_content_length:
            raise RequestEntityTooLarge(
                f"The request's body has {length:,} bytes, MAX_CONTENT_LENGTH allows {max_content_length:,}."
            )
        if type(stream) is not BytesIO and hasattr(stream, "take_whole"):
            stream = _taken_whole(environ, stream, length)
        if type(stream) is BytesIO and len(stream.getvalue()) - stream.tell() == length:
            return stream  # it lies whole in memory: there is nothing to count
    terminated = environ.get("wsgi.input_terminated", False)
    if length is not None and not terminated:
        return LimitedStream(stream, length)  # type: ignore[return-value]  # reads like an IO[bytes]
    if safe_fallback and not terminated:
        return BytesIO()
    if length is None and max_content_length is None:
        return stream
    limit = _UNLIMITED if max_content_length is None else max_content_length
    return CountedStream(stream, limit, length or 0)  # type: ignore[return-value]  # likewise


def _taken_whole(environ: WSGIEnvironment, stream: Any, length: int) -> IO[bytes]:
    """The stream in memory that a stream of the ASGI edge becomes, if the whole body has arrived; else the stream."""
    body: bytes | None = stream.take_whole(length)
    if body is not None:
        stream = environ["wsgi.input"] = BytesIO(body)
    taken: IO[bytes] = stream
    return taken


def check_transfer_encoding(environ: WSGIEnvironment) -> None:
    """Raise NotImplemented for a body that is still encoded: servers decode only ``chunked`` (RFC 9112 §6.1)."""
    encoding = environ.get("HTTP_TRANSFER_ENCODING")
    if encoding and encoding.strip().lower() != "chunked":
        coding = encoding[:40]
        raise errors.NotImplemented(f"The body's Transfer-Encoding is {coding!r}; only 'chunked' is understood here.")


def _check_length_is_number(length: str) -> None:
    length = length.strip()
    if length and parse_content_length(length) is None:
        raise BadRequest(f"The request's Content-Length is {length[:40]!r}; it must be a plain number of bytes.")
