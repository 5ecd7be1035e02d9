"""The Set-Cookie field of a session: written once for its settings, and checked for its size."""

from __future__ import annotations

import re
import typing as t
import warnings
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache

from .. import context
from ..http.cookies import dump_cookie
from ..http.dates import http_date
from ..http.headers import Headers
from ..messages.response_head import ResponseHead

_DATE: t.Final = "Expires=@"
_needs_no_quotes = re.compile(r"[A-Za-z0-9_.\-]*").fullmatch
_PLAIN_SET = ResponseHead.set_cookie


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
) -> None:
    """Set the cookie by the response's `set_cookie`.

    Where it is longer than the response's ``max_cookie_size`` a warning says so, with what `advise` has to say; if
    `strict`, it raises that as a ValueError instead.
    """
    overridden = type(response).set_cookie is not _PLAIN_SET or "set_cookie" in response.__dict__
    if overridden or not _needs_no_quotes(value):
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
    _add(response.headers, "Set-Cookie", field)


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
    headers = response.headers
    vary = headers.get("Vary")
    if vary is None:
        _add(headers, "Vary", "Cookie")
    elif vary != "Cookie":
        response.vary.add("Cookie")


def keep_private(response: t.Any) -> None:
    """Say that no shared cache may keep the response, which sets one client's cookie (RFC 9111 §5.2.2.7)."""
    headers = response.headers
    if headers.get("Cache-Control") is None:
        _add(headers, "Cache-Control", "private")  # PERF: session
        return
    cache_control = response.cache_control
    if not cache_control.no_store:
        cache_control.public = False
        cache_control.private = True


def may_be_secure(app: t.Any) -> bool:
    """Whether the current request's client would send a cookie back that is for HTTPS only.

    Over plain HTTP not all browsers do that for this machine's own addresses, where one develops; for any other host
    the answer is yes, since there a proxy may have ended TLS. In debug mode only HTTPS itself counts.
    """
    ctx = context.peek()
    request_context = None if ctx is None else ctx._request_context
    if request_context is None:
        return not app.debug
    environ = request_context.request.environ
    if environ.get("wsgi.url_scheme") == "https":
        return True
    return not app.debug and _is_loopback(environ.get("HTTP_HOST") or environ.get("SERVER_NAME", "")) is None


_is_loopback = re.compile(
    r"(?:(?:[a-z0-9-]+\.){0,9}localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])(?::[0-9]{1,5})?", re.IGNORECASE
).fullmatch


def _add(headers: t.Any, name: str, value: str) -> None:
    if type(headers) is Headers:
        headers._list.append((name, value))  # PERF: session. Both were checked when the cookie was put together.
    else:
        headers.add(name, value)
