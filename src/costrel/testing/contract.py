"""Contract tests: an application's API document as a schema of schemathesis, which generates requests from it."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator, Mapping

if t.TYPE_CHECKING:
    from schemathesis import Case, HookContext
    from schemathesis.schemas import BaseSchema

    from ..app.application import Costrel
    from ..openapi.schemas import Schema

_FORMS: t.Final = ("application/x-www-form-urlencoded", "multipart/form-data")


def schemathesis_schema(app: Costrel, *, api: str | None = None) -> BaseSchema:
    """The API document of an application as a schema of schemathesis, which calls the application without a server.

    Invalid requests are left out if a query or a form cannot express them: an empty text and ``null`` count as missing.

    :param api: the version to test; by default the views of no version.
    :raises ImportError: if schemathesis is not installed.
    :raises DocumentError: if the application has no valid document.
    """
    import schemathesis

    from ..openapi.document import document_of  # test clients do not need it

    document = document_of(app, api=api)
    document.pop("servers", None)  # the application is called at its own root
    schema = schemathesis.openapi.from_dict(_with_items(document))
    schema.app = app
    schema.hook("filter_case")(_is_distinct)
    schema.hook("map_case")(_without_unsendable)
    schema.hook("map_case")(_uncompressed)
    return schema


def _with_items(value: t.Any) -> t.Any:
    """The document with schemas for the events of streams, as schemathesis reads them (OpenAPI 3.2)."""
    if isinstance(value, Mapping):
        return {
            key: _with_events(each) if key == "text/event-stream" else _with_items(each) for key, each in value.items()
        }
    return [_with_items(each) for each in value] if isinstance(value, list) else value


def _with_events(media: Schema) -> Schema:
    item = media.get("x-item-schema", {})
    data = {"type": "string", "contentMediaType": "application/json", "contentSchema": item}
    return {"itemSchema": {"type": "object", "properties": {"data": data}, "required": ["data"]}}


def _is_distinct(context: HookContext, case: Case[t.Any]) -> bool:
    """Whether the values of an invalid request are invalid as text, too."""
    if case.meta is None or not case.meta.generation.mode.is_negative:
        return True
    texts = [*_texts(case.query)]
    if case.media_type in _FORMS:
        texts += _texts(case.body)
    return not any(text in ("", "null") for text in texts)


def _without_unsendable(context: HookContext, case: Case[t.Any]) -> Case[t.Any]:
    """Leave out the fields of a form that no client can send, since their names contain control characters."""
    if case.media_type in _FORMS and isinstance(case.body, dict):
        for name in [name for name in case.body if not str(name).isprintable()]:
            del case.body[name]
    return case


def _uncompressed(context: HookContext, case: Case[t.Any]) -> Case[t.Any]:
    """Ask for responses without a content coding, which schemathesis does not decode if it calls an application."""
    case.headers.setdefault("Accept-Encoding", "identity")
    return case


def _texts(values: object) -> Iterator[str]:
    for value in values.values() if isinstance(values, Mapping) else ():
        for each in value if isinstance(value, list) else (value,):
            yield "null" if each is None else str(each)
