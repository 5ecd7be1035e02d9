"""A client that calls a WSGI application directly, and keeps cookies and follows redirects as a browser does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from io import SEEK_END
from itertools import chain
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from ..http.cookies import dump_cookie
from ..http.headers import Headers
from ..http.urls import iri_to_uri
from ..messages.request import Request
from ..messages.response import Response
from ..messages.streams import ClosingIterator
from ..support.properties import cached_property
from .cookie_jar import Cookie
from .environ_builder import EnvironBuilder, split_host

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication, WSGIEnvironment

    WSGIResult = tuple[Iterable[bytes], str, Headers]

_REDIRECTS = frozenset({301, 302, 303, 305, 307, 308})
_REDIRECTS_WITH_BODY = frozenset({307, 308})  # RFC 9110 §15.4.8, §15.4.9: the method must not change
_COOKIES_DISABLED = "Cookies are disabled. Create a client with 'use_cookies=True'."


class ClientRedirectError(Exception):
    """A redirect leads back to where the client has been."""


class Client:
    """A client for tests of a WSGI application.

    :param application: called for every request.
    :param response_wrapper: a class whose members the responses have beside those of `TestResponse`.
    :param use_cookies: keep the cookies that responses set, and send them with later requests.
    :param allow_subdomain_redirects: follow redirects to subdomains of the host that sent them.

    The methods for requests take the arguments of `EnvironBuilder`, or one builder, environ or request.
    """

    def __init__(
        self,
        application: WSGIApplication,
        response_wrapper: type[Response] | None = None,
        use_cookies: bool = True,
        allow_subdomain_redirects: bool = False,
    ) -> None:
        self.application = application
        self.response_wrapper = _test_response_class(response_wrapper)
        self._cookies: dict[tuple[str, str, str], Cookie] | None = {} if use_cookies else None
        self.allow_subdomain_redirects = allow_subdomain_redirects

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.application!r}>"

    # -- cookies --------------------------------------------------------------------------------------------------

    def _jar(self) -> dict[tuple[str, str, str], Cookie]:
        if self._cookies is None:
            raise TypeError(_COOKIES_DISABLED)
        return self._cookies

    def get_cookie(self, key: str, domain: str = "localhost", path: str = "/") -> Cookie | None:
        """Return the cookie `key` that was set for exactly `domain` and `path`, or None."""
        return self._jar().get((domain, path, key))

    def set_cookie(
        self,
        key: str,
        value: str = "",
        *,
        domain: str = "localhost",
        origin_only: bool = True,
        path: str = "/",
        **kwargs: Any,
    ) -> None:
        """Set a cookie, as if a response of `domain` had; `kwargs` go to `dump_cookie`.

        With `origin_only`, it is not sent to subdomains of `domain`.
        """
        jar = self._jar()
        cookie = Cookie._from_response_header(domain, "/", dump_cookie(key, value, domain=domain, path=path, **kwargs))
        if cookie is None:
            raise ValueError(f"{key!r} cannot be the name of a cookie.")
        cookie.origin_only = origin_only
        _keep(jar, cookie)

    def delete_cookie(self, key: str, *, domain: str = "localhost", path: str = "/") -> None:
        """Forget the cookie `key` of exactly `domain` and `path`, if there is one."""
        self._jar().pop((domain, path, key), None)

    def _add_cookies_to_wsgi(self, environ: WSGIEnvironment) -> None:
        """Put the cookies that match the request into it, in place of any that are there."""
        if self._cookies is None:
            return
        host, path = _origin(environ)
        header = "; ".join(
            cookie._to_request_header() for cookie in self._cookies.values() if cookie._matches_request(host, path)
        )
        if header:
            environ["HTTP_COOKIE"] = header
        else:
            environ.pop("HTTP_COOKIE", None)

    def _update_cookies_from_response(self, server_name: str, path: str, headers: list[str]) -> None:
        """Keep the cookies of ``Set-Cookie`` headers that a response to `server_name` and `path` had."""
        if self._cookies is None:
            return
        for header in headers:
            cookie = Cookie._from_response_header(server_name, path, header)
            if cookie is not None:
                _keep(self._cookies, cookie)

    # -- requests -------------------------------------------------------------------------------------------------

    def run_wsgi_app(self, environ: WSGIEnvironment, buffered: bool = False) -> WSGIResult:
        """Call the application as `run_wsgi_app` does, with the client's cookies."""
        self._add_cookies_to_wsgi(environ)
        result = run_wsgi_app(self.application, environ, buffered=buffered)
        self._update_cookies_from_response(*_origin(environ), result[2].getlist("Set-Cookie"))
        return result

    def open(self, *args: Any, buffered: bool = False, follow_redirects: bool = False, **kwargs: Any) -> TestResponse:
        """Make a request, and return the response.

        With `buffered`, the whole body is read, and the application's iterable closed, before this returns. With
        `follow_redirects`, the response is the last one, and those before it are its `history`; a redirect that was
        followed already raises ClientRedirectError.
        """
        request = self._request_of(args, kwargs)
        response = self._respond(request, buffered)
        history: list[TestResponse] = []
        seen: set[tuple[str | None, int]] = set()
        while follow_redirects and response.status_code in _REDIRECTS:
            if not buffered:  # run the application's iterable to its end, so that what waits for that happens
                response.make_sequence()
                response.close()
            redirect = (response.location, response.status_code)
            if redirect in seen:
                raise ClientRedirectError(f"Loop detected: A {redirect[1]} redirect to {redirect[0]} was already made.")
            seen.add(redirect)
            response.history = tuple(history)
            history.append(response)
            response = self.resolve_redirect(response, buffered=buffered)
        response.history = tuple(history)
        return response

    def _request_of(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Request:
        """Return the request that the arguments of `open` describe."""
        if len(args) == 1 and not kwargs:
            (arg,) = args
            if isinstance(arg, Request):
                return arg
            if isinstance(arg, EnvironBuilder):
                return arg.get_request()
            if isinstance(arg, dict):
                return EnvironBuilder.from_environ(arg).get_request()
        builder = EnvironBuilder(*args, **kwargs)
        try:
            return builder.get_request()
        finally:
            builder.close()

    def _respond(self, request: Request, buffered: bool) -> TestResponse:
        body, status, headers = self.run_wsgi_app(request.environ, buffered=buffered)
        return self.response_wrapper(body, status, headers, request=request)

    def get(self, *args: Any, **kw: Any) -> TestResponse:
        """Call `open` with the method GET."""
        return self.open(*args, **kw | {"method": "GET"})

    def post(self, *args: Any, **kw: Any) -> TestResponse:
        """Call `open` with the method POST."""
        return self.open(*args, **kw | {"method": "POST"})

    def put(self, *args: Any, **kw: Any) -> TestResponse:
        """Call `open` with the method PUT."""
        return self.open(*args, **kw | {"method": "PUT"})

    def delete(self, *args: Any, **kw: Any) -> TestResponse:
        """Call `open` with the method DELETE."""
        return self.open(*args, **kw | {"method": "DELETE"})

    def patch(self, *args: Any, **kw: Any) -> TestResponse:
        """Call `open` with the method PATCH."""
        return self.open(*args, **kw | {"method": "PATCH"})

    def options(self, *args: Any, **kw: Any) -> TestResponse:
        """Call `open` with the method OPTIONS."""
        return self.open(*args, **kw | {"method": "OPTIONS"})

    def head(self, *args: Any, **kw: Any) -> TestResponse:
        """Call `open` with the method HEAD."""
        return self.open(*args, **kw | {"method": "HEAD"})

    def trace(self, *args: Any, **kw: Any) -> TestResponse:
        """Call `open` with the method TRACE."""
        return self.open(*args, **kw | {"method": "TRACE"})

    # -- redirects ------------------------------------------------------------------------------------------------

    def resolve_redirect(self, response: TestResponse, buffered: bool = False) -> TestResponse:
        """Make the request that a redirecting `response` asks for, and return its response.

        Raises RuntimeError where it leads to another host. The body goes along with 307 and 308 only; the other
        redirects are followed with GET, or HEAD (RFC 9110 §15.4).
        """
        request = response.request
        url = _redirect_target(request.environ, response.location or "")
        self._refuse_other_hosts(request.environ, url)
        builder = EnvironBuilder.from_environ(request.environ, query_string=url.query)
        builder.url_scheme = url.scheme
        builder.host = url.netloc
        builder.path = iri_to_uri(url.path)
        builder.request_uri = f"{url.path}?{url.query}" if url.query else url.path
        _split_off_script_root(builder)
        if response.status_code in _REDIRECTS_WITH_BODY:
            _rewind(request.environ)
        else:
            _drop_body(builder)
        return self.open(builder, buffered=buffered)

    def _refuse_other_hosts(self, environ: WSGIEnvironment, url: SplitResult) -> None:
        here = _origin(environ)[0].lower()
        there = split_host(url.netloc)[0].lower()
        if url.scheme not in ("http", "https"):
            raise RuntimeError(f"Following external redirects is not supported. {url.geturl()!r} is no URL of HTTP.")
        if there == here:
            return
        if not there.endswith(f".{here}"):
            raise RuntimeError(f"Following external redirects is not supported. {url.geturl()!r} leaves {here!r}.")
        if not self.allow_subdomain_redirects:
            raise RuntimeError(
                f"Following subdomain redirects is not enabled. {url.geturl()!r} leaves {here!r}."
                " Create a client with 'allow_subdomain_redirects=True'."
            )


def _test_response_class(wrapper: type[Response] | None) -> type[TestResponse]:
    """Return `TestResponse`, with the members of `wrapper` where that is another class."""
    if wrapper is None or wrapper in TestResponse.__mro__:
        return TestResponse
    if issubclass(wrapper, TestResponse):
        return wrapper
    return type("WrapperTestResponse", (TestResponse, wrapper), {"__module__": TestResponse.__module__})


def _keep(jar: dict[tuple[str, str, str], Cookie], cookie: Cookie) -> None:
    if cookie._should_delete:
        jar.pop(cookie._storage_key, None)
    else:
        jar[cookie._storage_key] = cookie


def _url_path(environ: WSGIEnvironment) -> str:
    path = environ.get("SCRIPT_NAME", "").rstrip("/") + "/" + environ.get("PATH_INFO", "").lstrip("/")
    return quote(path.encode("latin-1"), safe="%!$&'()*+,/:;=@")


def _origin(environ: WSGIEnvironment) -> tuple[str, str]:
    """Return the host, without a port, and the path of a request, as cookies are matched to them."""
    host = environ.get("HTTP_HOST") or environ.get("SERVER_NAME") or "localhost"
    return split_host(host)[0], _url_path(environ)


def _redirect_target(environ: WSGIEnvironment, location: str) -> SplitResult:
    """Resolve the reference in a ``Location`` header against the URL of the request (RFC 9110 §10.2.2)."""
    here = f"{environ['wsgi.url_scheme']}://{environ['HTTP_HOST']}{_url_path(environ)}"
    if query := environ.get("QUERY_STRING"):
        here += f"?{query}"
    return urlsplit(urljoin(here, location))


def _split_off_script_root(builder: EnvironBuilder) -> None:
    """Divide the path of a redirect: what the application is mounted at, and what it sees; or all is the latter."""
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


class TestResponse(Response):
    """A response as the test client returns it: with the request, and the redirects that led to it."""

    __test__ = False  # keeps pytest from taking the name for a test class's

    default_mimetype = None
    request: Request
    """The request that was answered, by its environ as the application got it."""
    history: tuple[TestResponse, ...]
    """The redirects that were followed, the first one first."""

    def __init__(
        self,
        response: Iterable[bytes],
        status: str,
        headers: Headers,
        request: Request,
        history: tuple[TestResponse, ...] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(response, status, headers, **kwargs)
        self.request = request
        self.history = history

    @cached_property
    def text(self) -> str:
        """The body as text, decoded once."""
        return self.get_data(as_text=True)


def run_wsgi_app(app: WSGIApplication, environ: WSGIEnvironment, buffered: bool = False) -> WSGIResult:
    """Call a WSGI application once; return its body, its status line and its headers.

    The body has been started: an error in front of its first item is raised here. Close it if it has ``close``. With
    `buffered`, it is a list, and the application's own iterable has been closed.
    """
    call = _Call()
    result = app(dict(getattr(environ, "environ", environ)), call.start_response)
    close: Callable[[], None] = getattr(result, "close", _do_nothing)
    chunks = iter(result)
    try:
        call.read(chunks, to_the_end=buffered)
        status, headers = call.started(app)
    except BaseException:
        close()
        raise
    if buffered:
        close()
        return call.chunks, status, headers
    body = chain(call.chunks, chunks)
    return (body if close is _do_nothing else ClosingIterator(body, close)), status, headers


def _do_nothing() -> None:
    pass


class _Call:
    """One call of a WSGI application: what it has answered so far."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []
        self._started: tuple[str, Headers] | None = None

    def start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], object]:
        """Take the status and headers; an application that reports an error has that error raised in the test."""
        if exc_info is not None:
            try:
                raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None  # a cycle with the traceback
        self._started = status, Headers(headers)
        return self.chunks.append

    def read(self, chunks: Iterator[bytes], to_the_end: bool) -> None:
        """Read the body, at least until the application has started its response: it may do so with a first chunk."""
        for chunk in chunks:
            self.chunks.append(chunk)
            if self._started is not None and not to_the_end:
                return

    def started(self, app: WSGIApplication) -> tuple[str, Headers]:
        if self._started is None:
            raise RuntimeError(f"The WSGI application {app!r} returned without calling start_response().")
        return self._started
