"""`OpenAPI`: how an application serves its API documents and their page, which the room `openapi/` makes."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import wraps

from ..guards.marks import OPEN
from ..http.errors import NotFound
from ..support.values import Value
from . import ports

if t.TYPE_CHECKING:
    from ..context import AppContract
    from ..messages.response import Response
    from ..routing import Map, Rule

ENDPOINT: t.Final = "openapi"
DOCS: t.Final = "openapi_docs"
FILE: t.Final = "openapi_file"
PATH: t.Final = "/openapi.json"
DOCS_PATH: t.Final = "/docs"

UI_PACKAGE: t.Final = "costrel_docs_ui"
"""The package with Swagger UI's files, which the extra ``docs-ui`` installs."""

HOW_TO_INSTALL: t.Final = "pip install 'costrel[docs-ui]'"

Guard: t.TypeAlias = Callable[[Callable[[], t.Any]], Callable[..., t.Any]]
Own: t.TypeAlias = "tuple[str, str, Callable[..., t.Any]]"


class Documented(t.Protocol):
    """The parts of an application that serve its documents."""

    url_rule_class: type[Rule]
    view_functions: dict[str, t.Any]

    @property
    def url_map(self) -> Map: ...
    @property
    def blueprints(self) -> Mapping[str, object]: ...

    def add_url_rule(self, rule: str, endpoint: str, view_func: Callable[..., t.Any], /) -> None: ...


class OpenAPI(Value):
    """The document that ``app.openapi = OpenAPI(...)`` serves.

    :param title: the name of the API; by default the application's.
    :param version: the version of the API, not of OpenAPI.
    :param path: the URL of the document. The document of a blueprint with ``api="v1"`` is at ``/openapi/v1.json``
        if this is ``/openapi.json``.
    :param docs: the URL of a page that shows the documents. It needs the extra ``docs-ui``.
    :param guard: a decorator that decides who gets the documents and the page, such as a login check.
    :param description: a text in Markdown.
    :param servers: the URLs below which the API is served; by default the application's own.
    :param untyped: whether views that are not typed appear, with their methods and URL variables.

    Raises ValueError for a path without a slash at its beginning, and TypeError for a guard that is no function.
    """

    title: str | None
    version: str
    path: str
    docs: str | None
    guard: Guard | None
    description: str | None
    servers: tuple[str, ...]
    untyped: bool

    def __init__(
        self,
        title: str | None = None,
        version: str = "0.0.0",
        *,
        path: str = PATH,
        docs: str | None = None,
        guard: Guard | None = None,
        description: str | None = None,
        servers: Sequence[str] = (),
        untyped: bool = False,
    ) -> None:
        for name, value in (("path", path), ("docs", docs)):
            if value is not None and not value.startswith("/"):
                raise ValueError(f"{name}= is {value!r}: it must begin with a slash.")
        if guard is not None and not callable(guard):
            raise TypeError(f"guard= takes a decorator for views, such as login_required, not {guard!r}.")
        self.__dict__.update(
            title=title,
            version=version,
            path=path,
            docs=docs,
            guard=guard,
            description=description,
            servers=tuple(servers),
            untyped=untyped,
        )


def add_rules(app: Documented, options: OpenAPI) -> None:
    """Serve the documents and the page at their paths."""
    for path, endpoint, view in _own(app, options):
        app.add_url_rule(path, endpoint, view)


def add_version(app: Documented, api: str) -> None:
    """Serve the document of a version, if the application serves documents and has not served this one yet."""
    options: object = getattr(app, "openapi", None)
    if isinstance(options, OpenAPI) and endpoint_of(api) not in app.view_functions:
        app.add_url_rule(path_of(options, api), endpoint_of(api), _guarded(options, _document(options, api)))


def add_for_developers(app: Documented) -> None:
    """Serve the documents and the page to this computer, in debug mode, unless the application uses their paths."""
    adapter = app.url_map.bind("localhost")
    used = {rule.rule for rule in app.url_map.iter_rules()}
    for path, endpoint, view in _own(app, FOR_DEVELOPERS):
        if endpoint in app.view_functions or path in used or (endpoint != FILE and adapter.test(path, "GET")):
            continue
        app.url_map.add(app.url_rule_class(path, methods={"GET"}, endpoint=endpoint))
        app.view_functions[endpoint] = view


def for_this_computer(view: Callable[..., Response]) -> Callable[..., Response]:
    """A view that raises NotFound for clients on other computers."""

    @wraps(view)
    def checked(**values: str) -> Response:
        if not ports.is_on_this_computer():
            raise NotFound()
        return view(**values)

    return _without_inputs(checked)


FOR_DEVELOPERS: t.Final = OpenAPI(docs=DOCS_PATH, guard=for_this_computer)
"""The options of an application that sets none, in debug mode."""


def versions_of(app: Documented | AppContract) -> list[str]:
    """The names of the versions that blueprints declare, sorted."""
    found = {getattr(blueprint, "api_version", None) for blueprint in app.blueprints.values()}
    return sorted(api for api in found if isinstance(api, str))


def path_of(options: OpenAPI, api: str | None) -> str:
    """The URL of the document of a version; None is the document without one."""
    return options.path if api is None else f"{options.path.removesuffix('.json').rstrip('/')}/{api}.json"


def endpoint_of(api: str | None) -> str:
    """The endpoint of the document of a version; None is the document without one."""
    # Dots would separate names of blueprints.
    return ENDPOINT if api is None else f"{ENDPOINT}:{api.replace('.', ':')}"


def is_own(endpoint: str) -> bool:
    """Whether an endpoint serves a document, the page or its files."""
    return endpoint in (ENDPOINT, DOCS, FILE) or endpoint.startswith(f"{ENDPOINT}:")


def ui_is_missing(app: AppContract) -> bool:
    """Whether the application has a docs page, but Swagger UI's files are not installed."""
    options: object = getattr(app, "openapi", None)
    if not isinstance(options, OpenAPI) or options.docs is None:
        return False
    from importlib.util import find_spec  # only for this question

    return find_spec(UI_PACKAGE) is None


def warn_of_missing_ui(app: AppContract) -> None:
    """Log how to install the files that the docs page needs, if they are missing."""
    if ui_is_missing(app):
        app.logger.warning("The docs page needs Swagger UI's files: %s", HOW_TO_INSTALL)


def _own(app: Documented, options: OpenAPI) -> Iterator[Own]:
    for api in (None, *versions_of(app)):
        yield path_of(options, api), endpoint_of(api), _guarded(options, _document(options, api))
    if options.docs is None:
        return
    yield options.docs, DOCS, _guarded(options, _page(options))
    # The files are Swagger UI's and ours, the same for all applications: a guard would only prevent their caching.
    files = for_this_computer(_file) if options is FOR_DEVELOPERS else _file
    yield f"{options.docs.rstrip('/')}/files/<content_hash>/<name>", FILE, OPEN.put(True)(files)


def _guarded(options: OpenAPI, view: Callable[[], Response]) -> Callable[..., t.Any]:
    return OPEN.put(True)(view if options.guard is None else options.guard(view))


def _document(options: OpenAPI, api: str | None) -> Callable[[], Response]:
    respond: Callable[[], Response] | None = None

    def openapi() -> Response:
        """The API document."""
        nonlocal respond
        if respond is None:
            respond = ports.openapi_responder(options, api)
        return respond()

    return _without_inputs(openapi)


def _page(options: OpenAPI) -> Callable[[], Response]:
    def openapi_docs() -> Response:
        """The page that shows the API documents."""
        response: Response = ports.openapi_page(options)
        return response

    return _without_inputs(openapi_docs)


def _file(content_hash: str, name: str) -> Response:
    """A file of the docs page. The hash in its URL changes with its content."""
    response: Response = ports.openapi_file(content_hash, name)
    return response


View = t.TypeVar("View", bound=Callable[..., "Response"])


def _without_inputs(view: View) -> View:
    """The view without annotations, so that ``typed=True`` does not list it among the application's typed views."""
    view.__annotations__.clear()
    return view


_without_inputs(_file)
