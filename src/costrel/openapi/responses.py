"""The responses of an operation: declared results, validation errors, and the responses that the route lists."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Iterator
from http import HTTPStatus

from ..app.error_format import CONTENT_TYPE, TITLES
from ..app.error_handlers import find_handler
from ..app.operations import Operation
from ..app.typed_views import scopes_of
from ..http.errors import BadRequest, HTTPException, NotFound, UnsupportedMediaType
from ..typed.expressions import NoneType, TypeExpr, Unresolved, class_of, marker_of, members
from ..typed.markers import Download
from ..typed.plan import Plan
from ..typed.problems import MAX_PROBLEMS, BadValues, ValidationFailed
from ..typed.results import is_flasks, item_of_stream, of_tuple, stream_type, variants_of
from ..typed.shapes import reaches_model
from ..typed.signatures import MISSING
from .inputs import Request
from .schemas import BINARY, Schema, Schemas

if t.TYPE_CHECKING:
    from ..app.application import Costrel

CODES: t.Final = (
    "missing",
    "unknown",
    "type",
    "range",
    "length",
    "pattern",
    "multiple",
    "enum",
    "format",
    "value",
    "union",
)

_PROBLEM: t.Final[Schema] = {
    "type": "object",
    "description": "Problem details (RFC 9457).",
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
    "required": ["type", "title", "status"],
}

_INVALID: t.Final[Schema] = {
    "type": "object",
    "description": "One value that is missing or invalid. The value itself is not sent.",
    "properties": {
        "in": {"type": "string", "enum": ["body", "query", "header", "cookie", "form", "file"]},
        "pointer": {"type": "string", "description": "The place in the body, as a JSON pointer (RFC 6901)."},
        "name": {"type": "string", "description": "The name of any other value."},
        "code": {"type": "string", "enum": [*CODES]},
        "detail": {"type": "string"},
    },
    "required": ["in", "code", "detail"],
}


class Responses:
    """The responses of one operation, by status."""

    def __init__(self, app: Costrel, endpoint: str, schemas: Schemas) -> None:
        self.app = app
        self.endpoint = endpoint
        self.schemas = schemas
        self._content: dict[int, dict[str, list[Schema]]] = {}
        self._descriptions: dict[int, str] = {}
        self._headers: Schema = {}
        self._headers_of: dict[int, Schema] = {}

    def add(self, status: int, media_type: str | None = None, schema: Schema | None = None) -> None:
        """Add one kind of content to a status, or a status without a body."""
        content = self._content.setdefault(status, {})
        if media_type is not None:
            content.setdefault(media_type, []).append(schema or {})

    def add_result(self, expr: TypeExpr) -> None:
        """Add the results that a return annotation declares."""
        if expr is MISSING or isinstance(expr, Unresolved):
            self.add(200)
        elif expr is NoneType:
            self.add(204)
        elif (media_type := stream_type(expr)) is not None:
            item = self.schemas.of(item_of_stream(expr))
            self.add(200, media_type, {"schema": {"type": "string"}, "x-item-schema": item})
        else:
            variants = variants_of(expr)
            for variant in variants:
                if len(variants) > 1 and variant.status is None and is_flasks(variant.expr):
                    continue  # a response passes unchanged: its status is not known
                self._add_variant(of_tuple(variant.expr), variant.status or 200)

    def add_errors(self, errors: Iterable[type[HTTPException]], headers: Schema | None = None) -> None:
        """Add HTTP errors as they are sent, with header fields. The response of a handler is not known."""
        scopes = [name for name in scopes_of(self.endpoint) if name is not None]
        for error in errors:
            status = t.cast("int", error.code)
            self.add(status)
            if find_handler(self.app.error_handler_spec, error, scopes) is None:
                self._headers_of.setdefault(status, {}).update(headers or {})
                for media_type, schema in self._error_content(error):
                    self.add(status, media_type, schema)

    def add_options(self, operation: Operation) -> None:
        """Add the options ``responses=`` and ``raises=`` of a route."""
        self.add_errors(operation.raises)
        for status, declared in operation.responses.items():
            if isinstance(declared, str):
                self._descriptions[status] = declared
                self.add(status)
            elif declared is None or declared is NoneType:
                self.add(status)
            elif isinstance(declared, type) and issubclass(declared, HTTPException):
                self.add_errors([declared])
            else:
                self._add_variant(declared, status)
        for name, _ in operation.headers:
            self._headers[name] = {"schema": {"type": "string"}}

    def add_request_errors(self, request: Request, reads_values: bool, may_be_unknown: bool) -> None:
        """Add the errors with which invalid requests are answered before the view is called."""
        if reads_values:
            is_bad_request = self.app.config.get("VALIDATION_STATUS", 422) == 400
            self.add_errors([BadValues if is_bad_request else ValidationFailed])
        if request.reads_json or request.is_multipart:
            self.add_errors([BadRequest])
        if request.reads_json:
            self.add_errors([UnsupportedMediaType])
        if may_be_unknown:
            self.add_errors([NotFound])

    def made(self) -> Schema:
        """The responses, sorted by status."""
        return {str(status): self._response(status) for status in sorted(self._content)}

    def _response(self, status: int) -> Schema:
        response: Schema = {"description": self._descriptions.get(status) or title_of(status)}
        headers = {**self._headers, **self._headers_of.get(status, {})}
        if headers:
            response["headers"] = headers
        content = self._content[status]
        if content:
            response["content"] = {name: self._media(schemas) for name, schemas in sorted(content.items())}
        return response

    def _media(self, schemas: list[Schema]) -> Schema:
        streamed = next((schema for schema in schemas if "x-item-schema" in schema), None)
        if streamed is not None:
            return streamed
        schema = self.schemas.any_of(schemas)
        return {"schema": schema} if schema else {}

    def _add_variant(self, expr: TypeExpr, status: int) -> None:
        download = marker_of(expr, Download)
        if download is not None:
            self.add(status, download.media_type, dict(BINARY))
        elif expr is NoneType or is_flasks(expr):
            self.add(status)
        elif reaches_model(expr):
            self.add(status, "application/json", self.schemas.of(expr))
        else:
            for member in members(expr):
                self._add_plain(member, status)

    def _add_plain(self, expr: TypeExpr, status: int) -> None:
        """Add a result that is the same as in Flask."""
        cls = class_of(expr)
        if cls is str:
            self.add(status, "text/html", {"type": "string"})
        elif cls in (dict, list):
            self.add(status, "application/json", self.schemas.of(expr))
        else:
            self.add(status)

    def _error_content(self, error: type[HTTPException]) -> Iterator[tuple[str, Schema]]:
        chosen = self._error_format()
        if chosen == "html" and issubclass(error, ValidationFailed):
            chosen = "accept"
        if chosen != "html":
            yield CONTENT_TYPE, self._problem(issubclass(error, ValidationFailed))
        if chosen != "problem":
            yield "text/html", {"type": "string"}

    def _error_format(self) -> str:
        for name in scopes_of(self.endpoint):
            chosen: str | None = None if name is None else self.app.blueprints[name].error_format
            if chosen is not None:
                return chosen
        return str(self.app.config.get("ERROR_FORMAT") or "html")

    def _problem(self, of_values: bool) -> Schema:
        if not of_values:
            return self.schemas.own("ProblemDetails", _PROBLEM)
        items = self.schemas.own("InvalidValue", _INVALID)
        errors = {"type": "array", "items": items, "minItems": 1, "maxItems": MAX_PROBLEMS}
        schema = {
            "type": "object",
            "description": "Problem details (RFC 9457) with all values that are missing or invalid.",
            "properties": {**_PROBLEM["properties"], "errors": errors},
            "required": [*_PROBLEM["required"], "detail", "errors"],
        }
        return self.schemas.own("ValidationProblem", schema)


def title_of(status: int) -> str:
    """The name of a status."""
    try:
        return TITLES.get(status) or HTTPStatus(status).phrase
    except ValueError:
        return f"Status {status}"


def result_of(plan: Plan | None) -> TypeExpr:
    """The return annotation of a typed view."""
    return MISSING if plan is None else plan.signature.result
