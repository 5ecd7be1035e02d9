"""Responses that send the client elsewhere (RFC 9110 §15.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from markupsafe import escape

from . import response as _response
from .environ import decode

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


_MAX_LOCATION = 16 * 1024


def location_text(location: object) -> str:
    """A URL as text, even if it is an object of a URL class. Raises TypeError for None."""
    if location is None:
        raise TypeError("redirect() takes a URL, not None.")
    return str(location)


def redirect(location: str, code: int = 302, Response: type[_response.Response] | None = None) -> _response.Response:
    """Make a response that redirects to ``location``, a URL or a path relative to the current one.

    :param code: 301, 302, 303, 305, 307 or 308.
    :param Response: the class of the response.
    :raises TypeError: for None.
    :raises ValueError: for a location of more than 16,384 characters, which no browser follows.
    """
    location = location_text(location)
    if len(location) > _MAX_LOCATION:
        raise ValueError(
            f"The location to redirect to has {len(location):,} characters, at most {_MAX_LOCATION:,} are allowed."
        )
    response_class = _response.Response if Response is None else Response
    shown = escape(location)
    page = (
        "<!doctype html>\n"
        "<html lang=en>\n"
        "<title>Redirecting...</title>\n"
        "<h1>Redirecting...</h1>\n"
        "<p>You should be redirected automatically to the target URL: "
        f'<a href="{shown}">{shown}</a>. If not, click the link.\n'
    )
    response = response_class(page, code, mimetype="text/html")
    response.headers["Location"] = location
    return response


# RFC 3986 §3.3: what a segment of a path may contain as it is, and §3.4 for a query that is encoded already.
_SEGMENT_SAFE = "!$&'()*+,;=:@~"
_QUERY_SAFE = _SEGMENT_SAFE + "/?%[]"


def append_slash_redirect(environ: WSGIEnvironment, code: int = 308) -> _response.Response:
    """Redirect to the same path with a slash at its end, relative to it.

    :param code: 308 keeps the method and the body.
    """
    segment = quote(decode(environ["PATH_INFO"]).rpartition("/")[2], safe=_SEGMENT_SAFE)
    # RFC 3986 §4.2: in front of the first slash, a colon would end a scheme.
    path = f"./{segment}/" if ":" in segment else f"{segment}/" if segment else "./"
    query = quote(environ.get("QUERY_STRING", "").encode("latin1"), safe=_QUERY_SAFE)
    return redirect(f"{path}?{query}" if query else path, code)
