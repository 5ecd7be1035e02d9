"""The document as a whole: one entry per route, the components that they use, and the title."""

from __future__ import annotations

import inspect
import sys
import typing as t
from collections.abc import Iterable, Mapping

import msgspec

from ..app.api_document import OpenAPI
from ..http.errors import HTTPException
from ..typed.codecs import refuse
from .inputs import Request, items_of, may_be_unknown, path_parameters
from .responses import Responses, result_of
from .routes import Route, routes_of
from .schemas import Schema, Schemas
from .security import Security

if t.TYPE_CHECKING:
    from ..app.application import Costrel

VERSION: t.Final = "3.1.0"


def document_of(
    app: Costrel,
    options: OpenAPI | None = None,
    *,
    untyped: bool | None = None,
    api: str | None = None,
    prefix: str = "",
) -> Schema:
    """The document of an application as a dict, in the same order each time.

    :param options: by default those of ``app.openapi``.
    :param untyped: whether views that are not typed appear; by default as the options say.
    :param api: the version to describe; by default the views of no version.
    :param prefix: the URL below which a server mounted the application, if the options name no servers.
    :raises DocumentError: if two classes, operations or routes need one name.
    :raises SignatureError: if a typed view cannot be planned.
    """
    options = options or app.openapi or OpenAPI()
    encode = app.type_codecs.enc_hook(refuse)
    schemas = Schemas(app.type_codecs, lambda value: msgspec.to_builtins(value, enc_hook=encode, str_keys=True))
    routes = routes_of(app, options.untyped if untyped is None else untyped, api)
    security = Security(app)
    paths = _paths(app, routes, schemas, security)
    document: Schema = {"openapi": VERSION, "info": _info(app, options, api)}
    if servers := _servers(app, options, prefix):
        document["servers"] = servers
    if tags := _tags(app, routes):
        document["tags"] = tags
    document["paths"] = paths
    components = {"schemas": schemas.used(paths), "securitySchemes": dict(sorted(security.schemes.items()))}
    if any(components.values()):
        document["components"] = {name: found for name, found in components.items() if found}
    return document


def dumps(document: Schema) -> str:
    """The document as the text of a file."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def _info(app: Costrel, options: OpenAPI, api: str | None) -> Schema:
    info: Schema = {"title": options.title or app.name, "version": api or options.version}
    if options.description is not None:
        info["description"] = options.description
    return info


def _servers(app: Costrel, options: OpenAPI, prefix: str) -> list[Schema]:
    root: str = prefix or app.config["APPLICATION_ROOT"]
    urls = options.servers or ((root,) if root not in ("", "/") else ())
    return [{"url": url} for url in urls]


def _tags(app: Costrel, routes: Iterable[Route]) -> list[Schema]:
    found: list[Schema] = []
    for name in sorted({route.tag for route in routes if route.tag is not None}):
        description = _text_of_blueprint(app, name)
        found.append({"name": name, "description": description} if description else {"name": name})
    return found


def _text_of_blueprint(app: Costrel, name: str) -> str:
    """The docstring that was set on a blueprint, else the docstring of its module, unless that is the application's."""
    blueprint = app.blueprints[name]
    doc: str | None = vars(blueprint).get("__doc__")
    if doc is None and blueprint.import_name != app.import_name:
        doc = getattr(sys.modules.get(blueprint.import_name), "__doc__", None)
    return inspect.cleandoc(doc or "")


def _paths(app: Costrel, routes: Iterable[Route], schemas: Schemas, security: Security) -> Schema:
    """The operations by path and method."""
    paths: dict[str, Schema] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(app, route, schemas, security)
    return paths


def _operation(app: Costrel, route: Route, schemas: Schemas, security: Security) -> Schema:
    items = [] if route.plan is None else items_of(route.plan)
    request = Request(schemas)
    for item in items:
        request.add(item)
    examples = {name: {"value": schemas.to_builtins(value)} for name, value in route.operation.examples.items()}
    body = request.body({"examples": examples} if examples else {})
    required = security.of(route)
    refusals = {} if required is None else security.refusals(required)
    reads_values = any(item.source.where != "path" for item in items)
    responses = _responses(app, route, request, schemas, reads_values, refusals)
    if body is None and examples:
        _add_examples(responses, examples)
    parameters = [*path_parameters(route.rule, route.variables, items, schemas), *request.parameters]
    made: Schema = {"operationId": route.id, **_texts(route)}
    if route.tag is not None:
        made["tags"] = [route.tag]
    if route.operation.deprecated:
        made["deprecated"] = True
    if parameters:
        made["parameters"] = parameters
    if body is not None:
        made["requestBody"] = body
    made["responses"] = responses
    if required is not None:
        made["security"] = security.written(required)
    return made


def _responses(
    app: Costrel,
    route: Route,
    request: Request,
    schemas: Schemas,
    reads_values: bool,
    refusals: Mapping[type[HTTPException], Schema],
) -> Schema:
    responses = Responses(app, route.endpoint, schemas)
    responses.add_result(result_of(route.plan))
    unknown = may_be_unknown(route.rule, route.variables.values(), route.plan)
    responses.add_request_errors(request, reads_values, unknown)
    for error, headers in refusals.items():
        responses.add_errors([error], headers)
    responses.add_options(route.operation)
    return responses.made()


def _add_examples(responses: Schema, examples: Schema) -> None:
    """Add the examples of a route without a request body to its first result with a content."""
    for response in responses.values():
        for media in response.get("content", {}).values():
            media["examples"] = examples
            return


def _texts(route: Route) -> Schema:
    """The summary and description: the first line of the docstring, or the endpoint in words, and the rest."""
    first, _, rest = inspect.cleandoc(route.function.__doc__ or "").partition("\n")
    name = route.endpoint.rpartition(".")[2].replace("_", " ").strip()
    summary = route.operation.summary or first.strip() or name[:1].upper() + name[1:]
    texts = {"summary": summary, "description": rest.strip()}
    return {name: text for name, text in texts.items() if text}
