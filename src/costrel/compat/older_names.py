"""Functions of Werkzeug that are methods of types here, and two context variables of Flask."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping
from datetime import datetime

from .. import context
from ..http import conditional, cookies, framing
from ..http.header_set import HeaderSet
from ..http.multidict import MultiDict

_NOTHING: t.Final = object()

C = t.TypeVar("C", bound=context.Context)


def parse_set_header(value: str | None, on_update: Callable[[HeaderSet], None] | None = None) -> HeaderSet:
    """`HeaderSet.from_header`."""
    return HeaderSet.from_header(value, on_update)


def parse_cookie(
    header: Mapping[str, t.Any] | str | None, cls: type[MultiDict[str, str]] | None = None
) -> MultiDict[str, str]:
    """Parse the cookies of a WSGI environ, or of a header as in an environ: UTF-8 bytes decoded as Latin-1.

    Raises UnicodeError if the bytes are not UTF-8.
    """
    field: str | None = header.get("HTTP_COOKIE") if isinstance(header, Mapping) else header
    if field:
        field = field.encode("latin-1").decode()
    return t.cast("MultiDict[str, str]", cookies.parse_cookie(field, cls))


def is_resource_modified(
    environ: Mapping[str, t.Any],
    etag: str | None = None,
    data: bytes | None = None,
    last_modified: datetime | str | None = None,
    ignore_if_range: bool = True,
) -> bool:
    """Whether the resource must be sent, according to the conditions in a WSGI environ (RFC 9110 §13.2.2)."""
    return conditional.is_resource_modified(
        http_range=environ.get("HTTP_RANGE"),
        http_if_range=environ.get("HTTP_IF_RANGE"),
        http_if_modified_since=environ.get("HTTP_IF_MODIFIED_SINCE"),
        http_if_none_match=environ.get("HTTP_IF_NONE_MATCH"),
        http_if_match=environ.get("HTTP_IF_MATCH"),
        etag=etag,
        data=data,
        last_modified=last_modified,
        ignore_if_range=ignore_if_range,
    )


def get_content_length(http_content_length: str | None = None, http_transfer_encoding: str | None = None) -> int | None:
    """The length of a body in bytes, from the two header fields (RFC 9112 §6.3); None if it is unknown."""
    return framing.body_length(http_content_length, http_transfer_encoding)


class ContextReader(t.Generic[C]):
    """A read-only view of one of Flask's two context variables, which are a single one in Costrel."""

    def __init__(self, name: str, read: Callable[[], C | None]) -> None:
        self.name = name
        self._read = read

    def get(self, default: object = _NOTHING) -> object:
        """The current context, else `default`. Raises LookupError if there is neither."""
        found = self._read()
        if found is not None:
            return found
        if default is _NOTHING:
            raise LookupError(self)
        return default

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name!r}>"


def _request_context() -> context.RequestContext | None:
    return context.requesting() if context.has_request_context() else None


def _application_context() -> context.Context | None:
    return context.current() if context.has_app_context() else None


current_app_context = ContextReader("flask.app_ctx", _application_context)
current_request_context = ContextReader("flask.request_ctx", _request_context)
