"""The session cookie: read without parsing other cookies, and set with a check of its size."""

from __future__ import annotations

import re
import typing as t
import warnings
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType

from .. import context
from ..http.cookies import dump_cookie, find_cookie
from ..http.dates import http_date
from ..messages.request import Request
from ..messages.response_head import ResponseHead, add_missing, append
from ..messages.source import hot
from ..support.patterns import LatePattern
from ..support.seams import Seams

if t.TYPE_CHECKING:
    from ..context import AppContract
    from ..messages.response import Response

_NO_SETTINGS: t.Final[Mapping[str, t.Any]] = MappingProxyType({})
_DATE: t.Final = "Expires=@"
_needs_no_quotes = re.compile(r"[A-Za-z0-9_.\-]*").fullmatch

_reading: t.Final = Seams(Request, "cookies", "headers", "_has_unread_cookies")
_setting: t.Final = Seams(ResponseHead, "set_cookie", "delete_cookie")


Attributes: t.TypeAlias = tuple[str | None, str, bool, bool, str | None, bool]
"""A cookie's domain, path, and whether it is secure, HTTP-only, same-site and partitioned."""


def named(attributes: Attributes) -> dict[str, t.Any]:
    """Return the attributes as keyword arguments for `Response.set_cookie` and `dump_cookie`."""
    return dict(zip(("domain", "path", "secure", "httponly", "samesite", "partitioned"), attributes, strict=True))


def is_sent_plainly(request: Request) -> bool:
    """Whether `request.cookies` has not been read or overridden, and the Cookie field can be read directly."""
    return request._has_unread_cookies() and _reading.are_original_in(request.__class__)


def sent(request: Request, name: str) -> str | None:
    """Return the first value of a cookie, without parsing the others unless `request.cookies` has been used."""
    if not is_sent_plainly(request):
        return request.cookies.get(name)
    field = hot(request._source, "HTTP_COOKIE")
    return None if field is None else find_cookie(field, name)


def set_cookie(
    response: Response,
    name: str,
    value: str,
    expires: datetime | None,
    attributes: Attributes,
    is_plain: bool = False,
    settings: Mapping[str, t.Any] = _NO_SETTINGS,
    advise: Callable[[dict[str, t.Any]], str] | None = None,
    data: dict[str, t.Any] | None = None,
) -> None:
    """Set a cookie, and warn if it is longer than ``response.max_cookie_size``.

    If the application's response class overrides `set_cookie`, that method is called.

    :param is_plain: whether the value is known to need no quotes.
    :param advise: returns the end of the warning for `data`.
    :raises ValueError: instead of the warning, if ``SESSION_COOKIE_STRICT_SIZE`` is set.
    """
    if not _setting.are_original(response) or not (is_plain or _needs_no_quotes(value)):
        response.set_cookie(name, value, expires=expires, **named(attributes))
        return
    head, before, after = _field(name, expires is not None, attributes)
    date = "" if expires is None else http_date(expires)
    field = f"{head}{value}{before}{date}{after}"
    limit = response.max_cookie_size
    if limit and len(field) > limit:
        message = _too_large(name, len(value), len(field), limit, advise(data) if advise and data else "")
        if settings.get("SESSION_COOKIE_STRICT_SIZE", False):
            raise ValueError(message)
        warnings.warn(message, stacklevel=3)
    append(response, "Set-Cookie", field)


@lru_cache(maxsize=64)
def _field(name: str, expires: bool, attributes: Attributes) -> tuple[str, str, str]:
    """Return the parts of the field before the value, between the value and the date, and after the date."""
    field = dump_cookie(name, "", expires="@" if expires else None, max_size=0, **named(attributes))
    head, equals, rest = field.partition("=")
    if not expires:
        return head + equals, rest, ""
    before, date, after = rest.partition(_DATE)
    return head + equals, before + date[:-1], after


def _too_large(name: str, value_size: int, size: int, limit: int, advice: str) -> str:
    return (
        f"The {name!r} cookie is too large: the value was {value_size} bytes but the header required"
        f" {size - value_size} extra bytes. The final size was {size} bytes but the limit is {limit} bytes."
        f" Browsers may silently ignore cookies larger than this. {advice}"
    )


def vary_by_cookie(response: Response) -> None:
    """Add ``Cookie`` to ``Vary`` unless it is already there."""
    if add_missing(response, "Vary", "Cookie") not in (None, "Cookie"):
        response.vary.add("Cookie")


def keep_private(response: Response) -> None:
    """Forbid shared caches to store a response that sets one client's cookie (RFC 9111 §5.2.2.7)."""
    if add_missing(response, "Cache-Control", "private") is not None:
        cache_control = response.cache_control
        if not cache_control.no_store:
            cache_control.public = False
            cache_control.private = True


def may_be_secure(app: AppContract) -> bool:
    """Whether the current client would send a Secure cookie back.

    Not all browsers do so over plain HTTP for the loopback addresses that developers use. Any other host may be behind
    a proxy that terminates TLS. In debug mode, only HTTPS counts.
    """
    request_context = context.peek_request()
    if request_context is None:
        return not app.debug
    environ = request_context.request._source
    if environ.get("wsgi.url_scheme") == "https":
        return True
    host = environ.get("HTTP_HOST") or environ.get("SERVER_NAME", "")
    return not names_this_computer(host) and not app.debug


def names_this_computer(host: str) -> bool:
    """Whether a ``Host`` is a loopback address or a name of one (RFC 6761 §6.3)."""
    return (_is_short_loopback(host) if len(host) < _SHORT else _is_loopback(host)) is not None


_SHORT: t.Final = 256
_is_loopback = LatePattern(
    r"(?:(?:[a-z0-9-]+\.){0,9}localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])(?::[0-9]{1,5})?", re.IGNORECASE
).fullmatch
_is_short_loopback = lru_cache(maxsize=64)(_is_loopback)
