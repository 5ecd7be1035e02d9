"""Redirects as a client follows them: the request that one asks for (RFC 9110 §15.4), and the trail of several."""

from __future__ import annotations

from io import SEEK_END
from typing import TYPE_CHECKING, Generic, TypeVar
from urllib.parse import SplitResult, urljoin, urlsplit

from ..http.urls import iri_to_uri
from .environ_builder import EnvironBuilder, origin_of, split_host, url_path

if TYPE_CHECKING:
    from typing import IO
    from wsgiref.types import WSGIEnvironment

    from ..messages.response import Response

    R = TypeVar("R", bound=Response)
else:
    R = TypeVar("R")

REDIRECTS = frozenset({301, 302, 303, 305, 307, 308})
_REDIRECTS_WITH_BODY = frozenset({307, 308})  # RFC 9110 §15.4.8, §15.4.9: the method must not change


class ClientRedirectError(Exception):
    """Raised if a redirect leads back to a URL that the client has been redirected to before."""


class RedirectTrail(Generic[R]):
    """The redirects that one request led to so far."""

    def __init__(self) -> None:
        self._responses: list[R] = []
        self._seen: set[tuple[str | None, int]] = set()

    def add(self, response: R) -> None:
        """Add a redirect that is to be followed. Raises ClientRedirectError if it was followed before."""
        redirect = (response.location, response.status_code)
        if redirect in self._seen:
            raise ClientRedirectError(f"Loop detected: A {redirect[1]} redirect to {redirect[0]} was already made.")
        self._seen.add(redirect)
        self._responses.append(response)

    @property
    def responses(self) -> tuple[R, ...]:
        """The redirects, the first one first."""
        return tuple(self._responses)


def redirected(
    environ: WSGIEnvironment, status_code: int, location: str | None, allow_subdomains: bool
) -> EnvironBuilder:
    """Build the request that a redirect to `location`, the response to the request of `environ`, asks for.

    The body goes along with 307 and 308 only; the other redirects are followed with GET, or HEAD (RFC 9110 §15.4).
    Raises RuntimeError if the redirect leads to another host, or, without `allow_subdomains`, to a subdomain.
    """
    url = _target(environ, location or "")
    _refuse_other_hosts(environ, url, allow_subdomains)
    builder = EnvironBuilder.from_environ(environ, query_string=url.query)
    builder.url_scheme = url.scheme
    builder.host = url.netloc
    builder.path = iri_to_uri(url.path)
    builder.request_uri = f"{url.path}?{url.query}" if url.query else url.path
    _split_off_script_root(builder)
    if status_code in _REDIRECTS_WITH_BODY:
        _rewind(environ)
    else:
        _drop_body(builder)
    return builder


def _target(environ: WSGIEnvironment, location: str) -> SplitResult:
    """Resolve the reference in a ``Location`` header against the URL of the request (RFC 9110 §10.2.2)."""
    here = f"{environ['wsgi.url_scheme']}://{environ['HTTP_HOST']}{url_path(environ)}"
    if query := environ.get("QUERY_STRING"):
        here += f"?{query}"
    return urlsplit(urljoin(here, location))


def _refuse_other_hosts(environ: WSGIEnvironment, url: SplitResult, allow_subdomains: bool) -> None:
    here = origin_of(environ)[0].lower()
    there = split_host(url.netloc)[0].lower()
    if url.scheme not in ("http", "https"):
        raise RuntimeError(f"Following external redirects is not supported. {url.geturl()!r} is no URL of HTTP.")
    if there == here:
        return
    if not there.endswith(f".{here}"):
        raise RuntimeError(f"Following external redirects is not supported. {url.geturl()!r} leaves {here!r}.")
    if not allow_subdomains:
        raise RuntimeError(
            f"Following subdomain redirects is not enabled. {url.geturl()!r} leaves {here!r}."
            " Create a client with 'allow_subdomain_redirects=True'."
        )


def _split_off_script_root(builder: EnvironBuilder) -> None:
    """Keep the application's root out of the path of a redirect; without it, the whole path is the application's."""
    root = builder.script_root
    if builder.path == root or builder.path.startswith(f"{root}/"):
        builder.path = builder.path[len(root) :]
    else:
        builder.script_root = ""


def _rewind(environ: WSGIEnvironment) -> None:
    """Put the body of a request back to its start, to be sent once more."""
    stream: IO[bytes] = environ["wsgi.input"]
    end = stream.seek(0, SEEK_END)
    stream.seek(max(end - int(environ.get("CONTENT_LENGTH") or 0), 0))


def _drop_body(builder: EnvironBuilder) -> None:
    if builder.method != "HEAD":
        builder.method = "GET"
    builder.input_stream = None
    builder.content_type = None
    builder.content_length = None
    builder.headers.pop("Transfer-Encoding", None)
