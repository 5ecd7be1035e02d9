"""The Set-Cookie field of a session: written once for its settings, and checked for its size."""

from __future__ import annotations

import re
import typing as t
import warnings
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache

from .. import context
from ..http.cookies import dump_cookie, find_cookie
from ..http.dates import http_date
from ..messages.request import Request
from ..messages.response_head import ResponseHead, add_missing, append
from ..support.patterns import LatePattern

_DATE: t.Final = "Expires=@"
_needs_no_quotes = re.compile(r"[A-Za-z0-9_.\-]*").fullmatch
_PLAIN_SET = ResponseHead.set_cookie
_PLAIN_COOKIES = Request.cookies
_PLAIN_STORAGE = Request.dict_storage_class


Attributes: t.TypeAlias = tuple[str | None, str, bool, bool, str | None, bool]
"""A cookie's domain, path, and whether it is secure, HTTP-only, same-site and partitioned."""


def named(attributes: Attributes) -> dict[str, t.Any]:
    """The attributes under the names that `Response.set_cookie` and `dump_cookie` have for them."""
    return dict(zip(("domain", "path", "secure", "httponly", "samesite", "partitioned"), attributes, strict=True))


def set_cookie(
    response: t.Any,
    name: str,
    value: str,
    expires: datetime | None,
    attributes: Attributes,
    advise: Callable[[], str],
    strict: bool = False,
    is_token: bool = False,
) -> None:
    """Set the cookie by the response's `set_cookie`; `is_token` where the value is known to need no quotes.

    Where it is longer than the response's ``max_cookie_size`` a warning says so, with what `advise` has to say; if
    `strict`, it raises that as a ValueError instead.
    """
    overridden = type(response).set_cookie is not _PLAIN_SET or "set_cookie" in response.__dict__
    if overridden or not (is_token or _needs_no_quotes(value)):
        response.set_cookie(name, value, expires=expires, **named(attributes))
        return
    # PERF: session. Nothing in the field but value and date changes from request to request.
    head, before, after = _field(name, expires is not None, *attributes)
    date = "" if expires is None else http_date(expires)
    field = f"{head}{value}{before}{date}{after}"
    limit = response.max_cookie_size
    if limit and len(field) > limit:
        message = _too_large(name, len(value), len(field), limit, advise())
        if strict:
            raise ValueError(message)
        warnings.warn(message, stacklevel=3)
    _add(response, "Set-Cookie", field)


@lru_cache(maxsize=64, typed=True)
def _field(name: str, expires: bool, *attributes: t.Any) -> tuple[str, str, str]:
    """What stands before a cookie's value, between value and date, and after the date."""
    field = dump_cookie(name, "", expires="@" if expires else None, max_size=0, **named(t.cast(Attributes, attributes)))
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


def vary_by_cookie(response: t.Any) -> None:
    """Say in ``Vary`` that the response depends on the request's cookies, unless it says so already."""
    vary = add_missing(response, "Vary", "Cookie")
    if vary is not None and vary != "Cookie":
        response.vary.add("Cookie")


def keep_private(response: t.Any) -> None:
    """Say that no shared cache may keep the response, which sets one client's cookie (RFC 9111 §5.2.2.7)."""
    if add_missing(response, "Cache-Control", "private") is not None:
        cache_control = response.cache_control
        if not cache_control.no_store:
            cache_control.public = False
            cache_control.private = True


def may_be_secure(app: t.Any) -> bool:
    """Whether the current request's client would send a cookie back that is for HTTPS only.

    Over plain HTTP not all browsers do that for this machine's own addresses, where one develops; for any other host
    the answer is yes, since there a proxy may have ended TLS. In debug mode only HTTPS itself counts.
    """
    request_context = context.peek_request()
    if request_context is None:
        return not app.debug
    environ = request_context.request.environ
    if environ.get("wsgi.url_scheme") == "https":
        return True
    host = environ.get("HTTP_HOST") or environ.get("SERVER_NAME", "")
    loopback = _is_short_loopback(host) if len(host) < _SHORT else _is_loopback(host)
    return loopback is None and not app.debug


_SHORT: t.Final = 256
_is_loopback = LatePattern(
    r"(?:(?:[a-z0-9-]+\.){0,9}localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])(?::[0-9]{1,5})?", re.IGNORECASE
).fullmatch
_is_short_loopback = lru_cache(maxsize=64)(_is_loopback)  # PERF: session. An application has few names.


def sent(request: t.Any, name: str) -> str | None:
    """The first value of the request's cookie of this name, read without the others where nobody has asked for them."""
    known = request.__dict__
    if (
        "cookies" in known
        or "headers" in known
        or getattr(type(request), "cookies", None) is not _PLAIN_COOKIES
        or request.dict_storage_class is not _PLAIN_STORAGE
    ):
        return t.cast("str | None", request.cookies.get(name))
    field = request.environ.get("HTTP_COOKIE")
    return None if field is None else find_cookie(field, name)  # PERF: session


def _add(response: t.Any, name: str, value: str) -> None:
    # PERF: session. Name and value were checked when the cookie was put together.
    append(response, name, value)
