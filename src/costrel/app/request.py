"""The request as an application sees it: with its rule, its blueprint, and the limits of the configuration."""

from __future__ import annotations

import typing as t
from collections.abc import AsyncIterator
from functools import lru_cache

from .. import context
from ..http.errors import BadRequest, HTTPException, RequestEntityTooLarge, UnsupportedMediaType
from ..http.part_head import MAX_BOUNDARY_SIZE, MAX_HEADER_SIZE, MAX_HEADERS
from ..messages.environ import check_transfer_encoding
from ..messages.part_stream import FormLimits, Parts
from ..messages.parts import PartLimits
from ..messages.request import FORM_STEPS
from ..messages.request import Request as MessageRequest
from ..routing import Rule
from ..routing.endpoints import blueprint_path
from ..services import json
from ..support.seams import Seams
from .debug_errors import attach_enctype_error_multidict

CHUNK: t.Final = 64 * 1024
"""Bytes that are read at a time of a body that a WSGI server has."""

PART_CHUNK: t.Final = 1024 * 1024
"""The same for `Request.parts`: fewer and longer writes of a large file."""


def _limit(setting: str, default: int | None) -> t.Any:
    """A property: the limit assigned to a request, or the configured one."""

    def get(request: Request) -> int | None:
        own = request._own_limits
        limit = None if own is None else own.get(setting)
        if limit is not None:
            return limit
        ctx = context.peek()
        if ctx is None:
            return default
        configured: int | None = ctx.app.config.get(setting, default)
        return configured

    def set_(request: Request, value: int | None) -> None:
        request._own_limits = {**(request._own_limits or {}), setting: value}

    return property(get, set_)


class Request(MessageRequest):
    """One request to an application: `costrel.request` is the current one.

    `url_rule` is the rule that matched, `view_args` the values of its variable parts, and `routing_exception` the
    error that dispatch will raise if no rule matched.
    """

    json_module: t.Any = json

    url_rule: Rule | None = None
    view_args: dict[str, t.Any] | None = None
    routing_exception: HTTPException | None = None

    _own_limits: dict[str, int | None] | None = None
    """The limits assigned to this request, by the names of their settings."""

    max_content_length = _limit("MAX_CONTENT_LENGTH", None)
    """How many bytes of body are read at most: this request's own limit, else ``MAX_CONTENT_LENGTH``."""

    max_form_memory_size = _limit("MAX_FORM_MEMORY_SIZE", 500_000)
    """How many bytes the form's fields may take in memory, all together: else ``MAX_FORM_MEMORY_SIZE``."""

    max_form_parts = _limit("MAX_FORM_PARTS", 1_000)
    """How many fields and files a form may have: this request's own limit, else ``MAX_FORM_PARTS``."""

    max_form_files = _limit("MAX_FORM_FILES", None)
    """How many files a form may have: this request's own limit, else ``MAX_FORM_FILES``."""

    max_query_params = _limit("MAX_QUERY_PARAMS", None)
    """How many parameters a query may have: this request's own limit, else ``MAX_QUERY_PARAMS``."""

    def _form_limits(self) -> tuple[int | None, int | None, int | None]:
        ctx = context.peek()
        if ctx is None or self._own_limits is not None:
            return super()._form_limits()
        get = ctx.app.config.get
        return get("MAX_FORM_MEMORY_SIZE", 500_000), get("MAX_CONTENT_LENGTH"), get("MAX_FORM_PARTS", 1_000)

    def _counts_fields(self) -> bool:
        ctx = context.peek()
        return ctx is not None and bool(ctx.app.config.get("LIMIT_URLENCODED_FIELDS"))

    def _part_limits(self) -> PartLimits:
        limits = self._own_part_limits()
        return PartLimits(self.max_form_files, limits.headers, limits.header_size, limits.boundary_size)

    def _own_part_limits(self) -> PartLimits:
        ctx = context.peek()
        if ctx is None:
            return PartLimits(self.max_form_files)
        get = ctx.app.config.get
        return _part_limits(
            get("MAX_FORM_FILES") if self._own_limits is None else self.max_form_files,
            get("MAX_FORM_PART_HEADERS", MAX_HEADERS),
            get("MAX_FORM_PART_HEADER_SIZE", MAX_HEADER_SIZE),
            get("MAX_FORM_BOUNDARY_SIZE", MAX_BOUNDARY_SIZE),
        )

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body piece by piece, as it arrives if the route was registered with ``stream_body=True``.

        Raises ClientDisconnected if it breaks off, and RequestEntityTooLarge above `max_content_length`.
        """
        check_transfer_encoding(self.environ)
        limit, received = self.max_content_length, 0
        if limit is not None and (self.content_length or 0) > limit:
            raise RequestEntityTooLarge()
        source: t.Any = self.environ["wsgi.input"]
        arrives = getattr(source, "arrives_here", False)  # the ASGI edge's
        stream: t.Any = source if arrives else self.stream
        while chunk := (await stream.next_chunk() if arrives else stream.read(CHUNK)):
            received += len(chunk)
            if limit is not None and received > limit:
                raise RequestEntityTooLarge()
            yield chunk

    def parts(self) -> Parts:
        """The parts of a multipart body while it arrives, for ``for`` or ``async for``: nothing of them is stored.

        Each `Part` is iterated in the same way, and yields its content as bytes. An ``async def`` view receives them as
        they arrive if its route was registered with ``stream_body=True``; otherwise the body is spooled to disk first.

        All limits on forms apply. Raises UnsupportedMediaType for another content type, MalformedForm or
        RequestEntityTooLarge while the body is read, ClientDisconnected if it is cut off, and RuntimeError if the form
        was read already.
        """
        if "form" in self.__dict__:
            raise RuntimeError("The form was read already: call 'parts' instead of using 'form' or 'files', not after.")
        if self.mimetype != "multipart/form-data":
            raise UnsupportedMediaType("Send the form as multipart/form-data.")
        boundary = self.mimetype_params.get("boundary", "")
        limits = FormLimits(self.max_form_parts, self.max_form_memory_size, self._part_limits())
        return Parts(boundary, limits, lambda: self.stream.read(PART_CHUNK), self.chunks)

    @property
    def endpoint(self) -> str | None:
        """The endpoint that the request matched, or None."""
        rule = self.url_rule
        return None if rule is None else rule.endpoint

    @property
    def blueprint(self) -> str | None:
        """The name of the blueprint that the endpoint belongs to, or None."""
        endpoint = self.endpoint
        if endpoint is not None and "." in endpoint:
            return endpoint.rpartition(".")[0]
        return None

    @property
    def blueprints(self) -> list[str]:
        """The names of the current blueprint and of those around it, from the inside out."""
        rule = self.url_rule
        return [] if rule is None else [*_blueprints_of(rule.endpoint)]

    def _form_has_no_files(self) -> None:
        ctx = context.peek()
        if ctx is not None and ctx.app.debug and self.mimetype != "multipart/form-data" and not self.files:
            attach_enctype_error_multidict(self)

    def on_json_loading_failed(self, e: ValueError | None) -> t.Any:
        """Raise 400: with the reason in debug mode, without it elsewhere."""
        try:
            return super().on_json_loading_failed(e)
        except BadRequest as error:
            ctx = context.peek()
            if ctx is not None and ctx.app.debug:
                raise
            raise BadRequest() from error


Request._form_steps = Seams(Request, *FORM_STEPS)

_part_limits = lru_cache(maxsize=16)(PartLimits)
"""The limits, which hardly ever change."""


@lru_cache(maxsize=1024)
def _blueprints_of(endpoint: str) -> tuple[str, ...]:
    return tuple(blueprint_path(endpoint.rpartition(".")[0])) if "." in endpoint else ()


BLUEPRINTS: t.Final = Seams(Request, "blueprint", "blueprints", "endpoint")
"""The attributes of a request that name its endpoint and its blueprints."""

_Scopes: t.TypeAlias = tuple[tuple[str | None, ...], tuple[str | None, ...]]


def scopes_around(ctx: context.RequestContext) -> _Scopes:
    """The keys of the functions around a request: its blueprints from the inside out, then None; and the reverse."""
    rule = ctx.request.url_rule
    if ctx.app.outlook.names_blueprints:
        return _in_both_orders(tuple(ctx.request.blueprints))
    return _scopes_of(None if rule is None else rule.endpoint)


@lru_cache(maxsize=1024)
def _scopes_of(endpoint: str | None) -> _Scopes:
    return _in_both_orders(() if endpoint is None else _blueprints_of(endpoint))


def _in_both_orders(blueprints: tuple[str, ...]) -> _Scopes:
    return (*blueprints, None), (None, *reversed(blueprints))
