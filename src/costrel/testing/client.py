"""A client that calls a WSGI application directly, and keeps cookies and follows redirects as a browser does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

from ..http.headers import Headers
from ..messages.request import Request
from ..messages.response import Response
from ..messages.streams import ClosingIterator
from ..support.closing import call_close
from ..support.properties import cached_property
from ..work.held import awaited
from .browser import Browser
from .cookie_jar import Cookie as Cookie
from .environ_builder import EnvironBuilder, origin_of
from .redirects import REDIRECTS, RedirectTrail, redirected
from .redirects import ClientRedirectError as ClientRedirectError

if TYPE_CHECKING:
    from types import TracebackType
    from wsgiref.types import WSGIApplication, WSGIEnvironment

    ExcInfo = tuple[type[BaseException], BaseException, TracebackType]

WSGIResult = tuple[Iterable[bytes], str, Headers]
"""The body, the status line and the headers of a response."""


class TestResponse(Response):
    """A response as the test client returns it: with its request, and the redirects that led to it."""

    __test__ = False  # keeps pytest from taking the name for a test class's

    default_mimetype = None
    request: Request
    """The request of this response, by the environ that the client made."""
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


T = TypeVar("T", bound=TestResponse)


class Client(Browser[TestResponse]):
    """A client for tests of a WSGI application.

    :param application: called for every request.
    :param response_wrapper: a class whose members the responses get in addition to `TestResponse`'s.
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
        super().__init__(use_cookies)
        self.application = application
        self.response_wrapper = response_class_of(TestResponse, response_wrapper)
        self.allow_subdomain_redirects = allow_subdomain_redirects

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.application!r}>"

    def run_wsgi_app(self, environ: WSGIEnvironment, buffered: bool = False) -> WSGIResult:
        """Call the application as `run_wsgi_app` does, with the client's cookies."""
        self._add_cookies_to_wsgi(environ)
        with awaited() as functions:
            result = self._call(environ, buffered)
        if functions:
            result = (_read(result[0]), *result[1:])
        self._update_cookies_from_response(*origin_of(environ), result[2].getlist("Set-Cookie"))
        return result

    def _call(self, environ: WSGIEnvironment, buffered: bool) -> WSGIResult:
        """Call the application; a client for another interface than WSGI overrides this."""
        return run_wsgi_app(self.application, environ, buffered=buffered)

    def open(
        self, *args: object, buffered: bool = False, follow_redirects: bool = False, **kwargs: Any
    ) -> TestResponse:
        """Make a request, and return the response.

        :param buffered: read the whole body, and close the application's iterable, before this returns; off by default.
        :param follow_redirects: return the last response, with the redirects as its `history`; off by default.

        Raises ClientRedirectError for a redirect that was followed already, RuntimeError for one to another host, and
        the application's errors.
        """
        response = self._respond(self._request_of(args, kwargs), buffered)
        trail: RedirectTrail[TestResponse] = RedirectTrail()
        while follow_redirects and response.status_code in REDIRECTS:
            if not buffered:  # run the application's iterable to its end, and the functions that wait for it
                response.make_sequence()
                response.close()
            response.history = trail.responses
            trail.add(response)
            response = self.resolve_redirect(response, buffered=buffered)
        response.history = trail.responses
        return response

    def _request_of(self, args: tuple[object, ...], kwargs: dict[str, Any]) -> Request:
        """Return the request that the arguments of `open` describe."""
        if len(args) == 1 and not kwargs:
            (arg,) = args
            if isinstance(arg, Request):
                return arg
            if isinstance(arg, EnvironBuilder):
                return arg.get_request()
            if isinstance(arg, dict):
                return EnvironBuilder.from_environ(arg).get_request()
        builder = EnvironBuilder(*args, **kwargs)  # type: ignore[arg-type]  # the caller's
        try:
            return builder.get_request()
        finally:
            builder.close()

    def _respond(self, request: Request, buffered: bool) -> TestResponse:
        body, status, headers = self.run_wsgi_app(request.environ, buffered=buffered)
        return self.response_wrapper(body, status, headers, request=request)

    def resolve_redirect(self, response: TestResponse, buffered: bool = False) -> TestResponse:
        """Make the request that a redirecting `response` asks for, and return its response.

        Raises RuntimeError if it leads to another host. The body goes along with 307 and 308 only; the other
        redirects are followed with GET, or HEAD (RFC 9110 §15.4).
        """
        environ = response.request.environ
        builder = redirected(environ, response.status_code, response.location, self.allow_subdomain_redirects)
        return self.open(builder, buffered=buffered)


def _read(body: Iterable[bytes]) -> list[bytes]:
    """All of a body, which is closed: functions wait for that."""
    try:
        return [*body]
    finally:
        call_close(body)


def response_class_of(base: type[T], wrapper: type[Response] | None) -> type[T]:
    """Return `base`, with the members of `wrapper` if that is another class."""
    if wrapper is None or wrapper in base.__mro__:
        return base
    if issubclass(wrapper, base):
        return wrapper
    return type("WrapperTestResponse", (base, wrapper), {"__module__": base.__module__})


def run_wsgi_app(app: WSGIApplication, environ: WSGIEnvironment, buffered: bool = False) -> WSGIResult:
    """Call a WSGI application once; return its body, its status line and its headers.

    The body has been started: an error before its first item is raised here. Close it if it has ``close``. With
    `buffered`, it is a list, and the application's own iterable has been closed. Raises RuntimeError if the
    application does not call ``start_response``.
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
    """One call of a WSGI application, and its response so far."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []
        self._started: tuple[str, Headers] | None = None

    def start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: ExcInfo | tuple[None, None, None] | None = None
    ) -> Callable[[bytes], object]:
        """Take the status and headers; an error that the application reports is raised in the test."""
        if exc_info is not None and exc_info[1] is not None:
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
        """The status and the headers. Raises RuntimeError if the application has not called `start_response`."""
        if self._started is None:
            raise RuntimeError(f"The WSGI application {app!r} returned without calling start_response().")
        return self._started
