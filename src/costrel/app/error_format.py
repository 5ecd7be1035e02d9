"""Errors in the client's format: problem details for programs (RFC 9457), a page for browsers.

``ERROR_FORMAT`` chooses for the application, `error_format` for a blueprint. Handlers that return something other than
an HTTP error are not affected.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable
from functools import lru_cache

from markupsafe import Markup

from ..http.accept import MIMEAccept
from ..http.errors import HTTPException, InternalServerError
from ..messages.response_head import add_missing
from ..support.seams import Seams
from ..telemetry.log_fields import request_id_of
from ..typed.problems import ValidationFailed
from .error_scopes import scopes_of

if t.TYPE_CHECKING:
    from ..context import RequestContext
    from ..messages.response import Response

FORMATS: t.Final = ("html", "accept", "problem")
"""The values of ``ERROR_FORMAT``: always the page, the format that the client prefers, always problem details."""

CONTENT_TYPE: t.Final = "application/problem+json"

_FAILED: t.Final = "The server could not answer this request because of an internal error."
_VARY: t.Final = "Accept, Sec-Fetch-Mode"
TITLES: t.Final = {413: "Content Too Large", 416: "Range Not Satisfiable", 422: "Unprocessable Content"}
"""The names of RFC 9110 for statuses whose pages have an older one."""


def respond(ctx: RequestContext, error: HTTPException, page: Callable[[], Response]) -> Response:
    """The response to an HTTP error: problem details, or the result of `page`."""
    chosen = format_for(ctx)
    if chosen == "html" and isinstance(error, ValidationFailed):
        chosen = "accept"  # there are no older clients that expect a page
    if chosen == "html" or not _has_plain_page(error):
        return page()
    if chosen == "problem":
        return _problem(ctx, error)
    response = page() if prefers_page(ctx) else _problem(ctx, error)
    vary = add_missing(response, "Vary", _VARY)
    if vary not in (None, _VARY):
        response.vary.update(_VARY.split(", "))
    return response


def plain_failure(ctx: RequestContext) -> Response:
    """The response to an error whose own response cannot be sent."""
    error = InternalServerError()
    return respond(ctx, error, lambda: ctx.app.response_class(error.get_body(), 500))


def format_for(ctx: RequestContext) -> str:
    """The format for the errors of a request: of its innermost blueprint that has one, else the application's."""
    blueprints = ctx.app.blueprints
    for name in scopes_of(ctx):
        chosen: str | None = getattr(blueprints.get(name), "error_format", None)
        if chosen is not None:
            return chosen
    return str(ctx.app.config.get("ERROR_FORMAT") or "html")


def check_format(name: str, value: object) -> None:
    """Raise ValueError if `value` is not one of `FORMATS`."""
    if value not in FORMATS:
        raise ValueError(f"{name} is {value!r}: it must be one of {', '.join(map(repr, FORMATS))}.")


def prefers_page(ctx: RequestContext) -> bool:
    """Whether the client prefers HTML to JSON (RFC 9110 §12.5.1). Without an ``Accept`` it takes both alike.

    A client that takes both alike gets the page if it names HTML and not JSON, or if a browser navigates.
    """
    source = ctx.request._source
    return _is_page_preferred(source.get("HTTP_ACCEPT") or "*/*", source.get("HTTP_SEC_FETCH_MODE") == "navigate")


@lru_cache(maxsize=64)  # few clients name their types differently
def _is_page_preferred(header: str, navigates: bool) -> bool:
    accept = MIMEAccept.from_header(header)
    html, json = _wish(accept, _is_html, "text/*"), _wish(accept, _is_json, "application/*")
    if html.quality != json.quality:
        return html.quality > json.quality
    if html.quality == 0 or json.is_named:
        return False
    return html.is_named or navigates


class _Wish(t.NamedTuple):
    """How much a client wants a format, and whether it names it."""

    quality: float
    is_named: bool


def _wish(accept: MIMEAccept, is_exact: Callable[[str], bool], family: str) -> _Wish:
    """The quality of the most specific ranges that match a format (RFC 9110 §12.5.1)."""
    best = (0, 0.0)
    for value, quality in accept:
        media_range = value.partition(";")[0].strip().lower()
        rank = 3 if is_exact(media_range) else {family: 2, "*/*": 1}.get(media_range, 0)
        if rank:
            best = max(best, (rank, quality))
    return _Wish(best[1], best[0] == 3)


def _is_html(media_type: str) -> bool:
    return media_type in ("text/html", "application/xhtml+xml")


def _is_json(media_type: str) -> bool:
    return media_type.endswith(("/json", "+json"))


_PAGES: t.Final = Seams(HTTPException, "__call__", "get_response", "get_body")
_DESCRIPTIONS: t.Final = Seams(HTTPException, "get_description", "name")


def _has_plain_page(error: HTTPException) -> bool:
    """Whether the error would be answered by Costrel's page. Otherwise the application has its own response for it."""
    is_error = error.code is not None and error.code >= 400
    return is_error and _PAGES.are_original(error) and getattr(error, "response", None) is None


def _problem(ctx: RequestContext, error: HTTPException) -> Response:
    """The error as problem details, with the other header fields that its page would have."""
    app = ctx.app
    headers = [pair for pair in error.get_headers(ctx.request._source) if pair[0].lower() != "content-type"]
    body = app.json.dumps(problem_details(ctx, error))
    return app.response_class(body, error.code, [("Content-Type", CONTENT_TYPE), *headers])


def problem_details(ctx: RequestContext, error: HTTPException) -> dict[str, object]:
    """The members of the problem details (RFC 9457 §3.1). Members in ``error.problem`` take precedence."""
    code = error.code or 500
    title = error.name if "name" in _DESCRIPTIONS.replaced(error) else TITLES.get(code, error.name)
    members: dict[str, object] = {"type": "about:blank", "title": title, "status": code}
    own = error.problem or {}
    if _is_failure(error):
        members |= _failure_members(ctx)
    elif "detail" not in own and (detail := _detail(ctx, error)):
        members["detail"] = detail
    return {**members, **own}


def _is_failure(error: HTTPException) -> bool:
    """Whether the error is a 500 without a description of the application: nothing about its cause may be told."""
    if error.code != 500:
        return False
    return getattr(error, "original_exception", None) is not None or error.description == type(error).description


def _failure_members(ctx: RequestContext) -> dict[str, str]:
    request_id = request_id_of(ctx.request._source)
    if request_id is None:
        return {"detail": _FAILED}
    return {"detail": f"{_FAILED} The id of the request is {request_id}.", "request_id": request_id}


def _detail(ctx: RequestContext, error: HTTPException) -> str:
    """The description as plain text."""
    description = error.description
    if type(description) is str and "get_description" not in _DESCRIPTIONS.replaced(error):
        return _default_as_text(description) if description == type(error).description else description
    html = error.get_description(ctx.request._source).replace("<br>", " ")
    return Markup(html).striptags()  # noqa: S704 - read as HTML, to take its tags out


def _default_as_text(description: str) -> str:
    """The description of a class without HTML tags, which the description of a 411 contains."""
    return description.replace("<code>", "").replace("</code>", "")
