"""HTTP errors: exceptions that are also the response to the request.

The descriptions are part of the behaviour: error pages, and the tests of many applications, contain them literally.
"""

from __future__ import annotations

import datetime as dt
import typing as t
from functools import lru_cache

from markupsafe import escape

from .authentication import WWWAuthenticate
from .dates import dump_retry_after
from .status import HTTP_STATUS_CODES, explain_no_error

if t.TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

Environ: t.TypeAlias = dict[str, t.Any]
Scope: t.TypeAlias = dict[str, t.Any]
ResponseClass: t.TypeAlias = "t.Callable[..., WSGIApplication]"

# Set by `messages`, since errors do not create their responses themselves.
response_class: ResponseClass | None = None


def plug_response_class(cls: ResponseClass) -> None:
    """Set the class of the responses that errors create, by calling `cls(body, status, headers)`."""
    global response_class
    response_class = cls


def _as_html(text: str) -> str:
    """Text with escaped special characters, unless it is markup."""
    return _short_as_html(text) if len(text) <= _SHORT else str(escape(text))


@lru_cache(maxsize=256, typed=True)  # typed, since markup is not escaped
def _short_as_html(text: str) -> str:
    # PERF: missing. Most descriptions come from the classes below.
    return str(escape(text))


_SHORT: t.Final = 256


class HTTPException(Exception):
    """An error that is also a WSGI application, which sends an error page.

    :param description: The text of the page, which is escaped unless it is markup. The default is the class's own.
    :param response: A response to send instead of the page.
    """

    code: int | None = None
    description: str | None = None

    problem: t.Mapping[str, object] | None = None
    """Members for the problem details (RFC 9457 §3) if the client gets those: `type`, extensions or new defaults."""

    def __init__(self, description: str | None = None, response: WSGIApplication | None = None) -> None:
        super().__init__()
        if description is not None:
            self.description = description
        self.response = response

    @property
    def name(self) -> str:
        """The name of the status code."""
        return HTTP_STATUS_CODES.get(self.code or 0, "Unknown Error")

    def get_description(self, environ: Environ | None = None, scope: Scope | None = None) -> str:
        """The description as HTML."""
        text = "" if self.description is None else self.description
        lines = _as_html(text if isinstance(text, str) else str(text)).replace("\n", "<br>")
        return f"<p>{lines}</p>"

    def get_body(self, environ: Environ | None = None, scope: Scope | None = None) -> str:
        """The whole page as HTML."""
        description = self.description
        if type(self).get_description is _GET_DESCRIPTION and type(description) is str and len(description) <= _SHORT:
            return _short_page(self.code, self.name, description)
        return _page(self.code, self.name, self.get_description(environ))

    def get_headers(self, environ: Environ | None = None, scope: Scope | None = None) -> list[tuple[str, str]]:
        """The header fields of the response."""
        return [("Content-Type", "text/html; charset=utf-8")]

    def get_response(self, environ: t.Any = None, scope: Scope | None = None) -> t.Any:
        """The response to send: `response`, or one with the error page.

        :param environ: The environ of the request, or the request itself.
        """
        if self.response is not None:
            return self.response
        if response_class is None:
            raise RuntimeError(
                f"{type(self).__name__} cannot create a response, since no response class is set. "
                "Import costrel, or set one with plug_response_class(cls)."
            )
        environ = getattr(environ, "environ", environ)
        headers = self.get_headers(environ, scope)
        return response_class(self.get_body(environ, scope), self.code, headers)

    def __call__(self, environ: Environ, start_response: StartResponse) -> t.Iterable[bytes]:
        """Send the response as a WSGI application."""
        response: WSGIApplication = self.get_response(environ)
        return response(environ, start_response)

    def __str__(self) -> str:
        code = self.code if self.code is not None else "???"
        return f"{code} {self.name}: {self.description}"

    def __repr__(self) -> str:
        code = self.code if self.code is not None else "???"
        return f"<{type(self).__name__} '{code}: {self.name}'>"


_GET_DESCRIPTION: t.Final = HTTPException.get_description


@lru_cache(maxsize=256)
def _short_page(code: int | None, name: str, description: str) -> str:
    # PERF: missing. Most errors have the description of their class.
    return _page(code, name, HTTPException(description).get_description())


def _page(code: int | None, name: str, description: str) -> str:
    title = _as_html(name)
    return f"<!doctype html>\n<html lang=en>\n<title>{code} {title}</title>\n<h1>{title}</h1>\n{description}\n"


class BadRequest(HTTPException):
    """400 (RFC 9110 §15.5.1)."""

    code = 400
    description: str | None = "The browser (or proxy) sent a request that this server could not understand."


class BadRequestKeyError(BadRequest, KeyError):
    """A key is missing in the data from the client: a `KeyError` for Python code, a 400 for the client.

    :param arg: The key.
    """

    # Whether the response names the missing key. Applications set it on the instance in debug mode.
    show_exception = False

    _description = BadRequest.description

    def __init__(self, arg: object | None = None, *args: t.Any, **kwargs: t.Any) -> None:
        super().__init__(*args, **kwargs)
        # As in any KeyError, `args` contains the key, and not the description.
        self.args = () if arg is None else (arg,)

    @property
    def description(self) -> str | None:
        """The description, followed by the key if `show_exception` is set."""
        if self.show_exception:
            return f"{self._description}\n{KeyError.__name__}: {KeyError.__str__(self)}"
        return self._description

    @description.setter
    def description(self, value: str | None) -> None:
        self._description = value


class ClientDisconnected(BadRequest):
    """The client disconnected before the whole request was read."""


class SecurityError(BadRequest):
    """The request is refused for security reasons."""


class BadHost(BadRequest):
    """The host of the request is malformed."""


class Unauthorized(HTTPException):
    """401 (RFC 9110 §15.5.2).

    :param www_authenticate: One or more challenges, each sent as a `WWW-Authenticate` field.
    """

    code = 401
    description = (
        "The server could not verify that you are authorized to access the URL requested. You either supplied the "
        "wrong credentials (e.g. a bad password), or your browser doesn't understand how to supply the credentials "
        "required."
    )

    def __init__(
        self,
        description: str | None = None,
        response: WSGIApplication | None = None,
        www_authenticate: WWWAuthenticate | t.Iterable[WWWAuthenticate] | None = None,
    ) -> None:
        super().__init__(description, response)
        if isinstance(www_authenticate, WWWAuthenticate):
            www_authenticate = (www_authenticate,)
        self.www_authenticate = www_authenticate

    def get_headers(self, environ: Environ | None = None, scope: Scope | None = None) -> list[tuple[str, str]]:
        headers = super().get_headers(environ, scope)
        if self.www_authenticate:
            headers += [("WWW-Authenticate", str(challenge)) for challenge in self.www_authenticate]
        return headers


class Forbidden(HTTPException):
    """403 (RFC 9110 §15.5.4)."""

    code = 403
    description = (
        "You don't have the permission to access the requested resource. It is either read-protected or not readable "
        "by the server."
    )


class NotFound(HTTPException):
    """404 (RFC 9110 §15.5.5)."""

    code = 404
    description = (
        "The requested URL was not found on the server. If you entered the URL manually please check your spelling "
        "and try again."
    )


class MethodNotAllowed(HTTPException):
    """405 (RFC 9110 §15.5.6).

    :param valid_methods: The allowed methods, for the `Allow` field that the RFC requires.
    """

    code = 405
    description = "The method is not allowed for the requested URL."

    def __init__(
        self,
        valid_methods: t.Iterable[str] | None = None,
        description: str | None = None,
        response: WSGIApplication | None = None,
    ) -> None:
        super().__init__(description, response)
        self.valid_methods = valid_methods

    def get_headers(self, environ: Environ | None = None, scope: Scope | None = None) -> list[tuple[str, str]]:
        headers = super().get_headers(environ, scope)
        if self.valid_methods:
            headers.append(("Allow", ", ".join(self.valid_methods)))
        return headers


class NotAcceptable(HTTPException):
    """406 (RFC 9110 §15.5.7)."""

    code = 406
    description = (
        "The resource identified by the request is only capable of generating response entities which have content "
        "characteristics not acceptable according to the accept headers sent in the request."
    )


class RequestTimeout(HTTPException):
    """408 (RFC 9110 §15.5.9)."""

    code = 408
    description = (
        "The server closed the network connection because the browser didn't finish the request within the specified "
        "time."
    )


class BodyTimeout(RequestTimeout, ClientDisconnected):
    """The client took too long to send the body. The connection is closed after the response."""

    description = RequestTimeout.description


class Conflict(HTTPException):
    """409 (RFC 9110 §15.5.10)."""

    code = 409
    description = (
        "A conflict happened while processing the request. The resource might have been modified while the request "
        "was being processed."
    )


class Gone(HTTPException):
    """410 (RFC 9110 §15.5.11)."""

    code = 410
    description = (
        "The requested URL is no longer available on this server and there is no forwarding address. If you followed "
        "a link from a foreign page, please contact the author of this page."
    )


class LengthRequired(HTTPException):
    """411 (RFC 9110 §15.5.12)."""

    code = 411
    description = "A request with this method requires a valid <code>Content-Length</code> header."


class PreconditionFailed(HTTPException):
    """412 (RFC 9110 §15.5.13)."""

    code = 412
    description = "The precondition on the request for the URL failed positive evaluation."


class RequestEntityTooLarge(HTTPException):
    """413 (RFC 9110 §15.5.14)."""

    code = 413
    description = "The data value transmitted exceeds the capacity limit."


class RequestURITooLarge(HTTPException):
    """414 (RFC 9110 §15.5.15)."""

    code = 414
    description = (
        "The length of the requested URL exceeds the capacity limit for this server. The request cannot be processed."
    )


class UnsupportedMediaType(HTTPException):
    """415 (RFC 9110 §15.5.16)."""

    code = 415
    description = "The server does not support the media type transmitted in the request."


class RequestedRangeNotSatisfiable(HTTPException):
    """416 (RFC 9110 §15.5.17).

    :param length: The length of the whole resource in `units`, for the `Content-Range` field.
    """

    code = 416
    description = "The server cannot provide the requested range."

    def __init__(
        self,
        length: int | None = None,
        units: str = "bytes",
        description: str | None = None,
        response: WSGIApplication | None = None,
    ) -> None:
        super().__init__(description, response)
        self.length = length
        self.units = units

    def get_headers(self, environ: Environ | None = None, scope: Scope | None = None) -> list[tuple[str, str]]:
        headers = super().get_headers(environ, scope)
        if self.length is not None:
            headers.append(("Content-Range", f"{self.units} */{self.length}"))
        return headers


class ExpectationFailed(HTTPException):
    """417 (RFC 9110 §15.5.18)."""

    code = 417
    description = "The server could not meet the requirements of the Expect header"


class ImATeapot(HTTPException):
    """418 (RFC 2324 §2.3.2)."""

    code = 418
    description = "This server is a teapot, not a coffee machine"


class MisdirectedRequest(HTTPException):
    """421 (RFC 9110 §15.5.20)."""

    code = 421
    description = "The server is not able to produce a response."


class UnprocessableEntity(HTTPException):
    """422 (RFC 9110 §15.5.21)."""

    code = 422
    description = "The request was well-formed but was unable to be followed due to semantic errors."


class Locked(HTTPException):
    """423 (RFC 4918 §11.3)."""

    code = 423
    description = "The resource that is being accessed is locked."


class FailedDependency(HTTPException):
    """424 (RFC 4918 §11.4)."""

    code = 424
    description = (
        "The method could not be performed on the resource because the requested action depended on another action "
        "and that action failed."
    )


class PreconditionRequired(HTTPException):
    """428 (RFC 6585 §3)."""

    code = 428
    description = 'This request is required to be conditional; try using "If-Match" or "If-Unmodified-Since".'


class _RetryAfter(HTTPException):
    """An error with an optional `Retry-After` field (RFC 9110 §10.2.3).

    :param retry_after: A number of seconds, a timedelta or a time.
    """

    def __init__(
        self,
        description: str | None = None,
        response: WSGIApplication | None = None,
        retry_after: dt.date | dt.timedelta | float | None = None,
    ) -> None:
        super().__init__(description, response)
        self.retry_after = retry_after

    def get_headers(self, environ: Environ | None = None, scope: Scope | None = None) -> list[tuple[str, str]]:
        headers = super().get_headers(environ, scope)
        when = self.retry_after
        if when:
            headers.append(("Retry-After", dump_retry_after(when)))
        return headers


class TooManyRequests(_RetryAfter):
    """429 (RFC 6585 §4)."""

    code = 429
    description = "This user has exceeded an allotted request count. Try again later."


class RequestHeaderFieldsTooLarge(HTTPException):
    """431 (RFC 6585 §5)."""

    code = 431
    description = "One or more header fields exceeds the maximum size."


class UnavailableForLegalReasons(HTTPException):
    """451 (RFC 7725 §3)."""

    code = 451
    description = "Unavailable for legal reasons."


class InternalServerError(HTTPException):
    """500 (RFC 9110 §15.6.1).

    :param original_exception: The unhandled exception, if any.
    """

    code = 500
    description = (
        "The server encountered an internal error and was unable to complete your request. Either the server is "
        "overloaded or there is an error in the application."
    )

    def __init__(
        self,
        description: str | None = None,
        response: WSGIApplication | None = None,
        original_exception: BaseException | None = None,
    ) -> None:
        self.original_exception = original_exception
        super().__init__(description, response)


class NotImplemented(HTTPException):
    """501 (RFC 9110 §15.6.2)."""

    code = 501
    description = "The server does not support the action requested by the browser."


class BadGateway(HTTPException):
    """502 (RFC 9110 §15.6.3)."""

    code = 502
    description = "The proxy server received an invalid response from an upstream server."


class ServiceUnavailable(_RetryAfter):
    """503 (RFC 9110 §15.6.4)."""

    code = 503
    description = (
        "The server is temporarily unable to service your request due to maintenance downtime or capacity problems. "
        "Please try again later."
    )


class GatewayTimeout(HTTPException):
    """504 (RFC 9110 §15.6.5)."""

    code = 504
    description = "The connection to an upstream server timed out."


class HTTPVersionNotSupported(HTTPException):
    """505 (RFC 9110 §15.6.6)."""

    code = 505
    description = "The server does not support the HTTP protocol version used in the request."


# Status code → the class that `abort(code)` raises.
default_exceptions: dict[int, type[HTTPException]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    405: MethodNotAllowed,
    406: NotAcceptable,
    408: RequestTimeout,
    409: Conflict,
    410: Gone,
    411: LengthRequired,
    412: PreconditionFailed,
    413: RequestEntityTooLarge,
    414: RequestURITooLarge,
    415: UnsupportedMediaType,
    416: RequestedRangeNotSatisfiable,
    417: ExpectationFailed,
    418: ImATeapot,
    421: MisdirectedRequest,
    422: UnprocessableEntity,
    423: Locked,
    424: FailedDependency,
    428: PreconditionRequired,
    429: TooManyRequests,
    431: RequestHeaderFieldsTooLarge,
    451: UnavailableForLegalReasons,
    500: InternalServerError,
    501: NotImplemented,
    502: BadGateway,
    503: ServiceUnavailable,
    504: GatewayTimeout,
    505: HTTPVersionNotSupported,
}


class Aborter:
    """Raises the error for a status code.

    :param mapping: Error classes by status code; by default, `default_exceptions`.
    :param extra: Additional classes.
    """

    def __init__(
        self,
        mapping: dict[int, type[HTTPException]] | None = None,
        extra: dict[int, type[HTTPException]] | None = None,
    ) -> None:
        self.mapping = dict(default_exceptions if mapping is None else mapping)
        if extra is not None:
            self.mapping.update(extra)

    def __call__(self, code: t.Any, *args: t.Any, **kwargs: t.Any) -> t.NoReturn:
        """Raise the error for a status code. The other arguments are passed to its class.

        `code` can also be a response to send.

        :raises LookupError: There is no error class for the code.
        """
        # Checked by attributes, since the response classes are in a later room.
        if code.__class__ is not int and hasattr(code, "status_code") and hasattr(code, "headers"):
            raise HTTPException(response=code)
        if code not in self.mapping:
            raise LookupError(explain_no_error(code))
        raise self.mapping[code](*args, **kwargs)


_aborter = Aborter()


def abort(status: t.Any, *args: t.Any, **kwargs: t.Any) -> t.NoReturn:
    """Raise the `HTTPException` for a status code or a response.

    :raises LookupError: There is no error class for the code.
    """
    _aborter(status, *args, **kwargs)
