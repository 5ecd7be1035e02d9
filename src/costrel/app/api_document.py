"""`OpenAPI`: how an application serves its API document. The document itself is made by the room `openapi/`."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Sequence

from ..http.errors import NotFound
from ..support.values import Value
from . import ports
from .guards.marks import OPEN

if t.TYPE_CHECKING:
    from ..messages.response import Response
    from .registration import App

ENDPOINT: t.Final = "openapi"
PATH: t.Final = "/openapi.json"

Guard: t.TypeAlias = Callable[[Callable[[], t.Any]], Callable[..., t.Any]]


class OpenAPI(Value):
    """The document that ``app.openapi = OpenAPI(...)`` serves.

    :param title: the name of the API; by default the application's.
    :param version: the version of the API, not of OpenAPI.
    :param path: the URL of the document.
    :param docs: the URL of a page with the document. There is no such page yet: only None is accepted.
    :param guard: a decorator that decides who gets the document, such as a login check.
    :param description: a text in Markdown.
    :param servers: the URLs below which the API is served; by default the application's own.
    :param untyped: whether views that are not typed appear, with their methods and URL variables.

    Raises ValueError for a path without a slash at its beginning, or a docs page, and TypeError for a guard that is no
    function.
    """

    title: str | None
    version: str
    path: str
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
        docs: None = None,
        guard: Guard | None = None,
        description: str | None = None,
        servers: Sequence[str] = (),
        untyped: bool = False,
    ) -> None:
        if not path.startswith("/"):
            raise ValueError(f"path= is {path!r}: it must begin with a slash.")
        if docs is not None:
            raise ValueError(f"docs= is {docs!r}: there is no docs page yet, so that it can only be None.")
        if guard is not None and not callable(guard):
            raise TypeError(f"guard= takes a decorator for views, such as login_required, not {guard!r}.")
        self.__dict__.update(
            title=title,
            version=version,
            path=path,
            guard=guard,
            description=description,
            servers=tuple(servers),
            untyped=untyped,
        )


def add_rule(app: App, options: OpenAPI) -> None:
    """Serve the document at its path, as the endpoint ``openapi``."""

    def openapi() -> Response:
        """The API document."""
        response: Response = ports.openapi_response(options)
        return response

    openapi.__annotations__.clear()  # so that typed=True does not list it among the application's typed views
    view = openapi if options.guard is None else options.guard(openapi)
    app.add_url_rule(options.path, ENDPOINT, OPEN.put(True)(view))


def add_for_developers(app: App) -> None:
    """Serve the document to this computer, in debug mode, unless the application has another view at its path."""
    if ENDPOINT in app.view_functions or any(rule.rule == PATH for rule in app.url_map.iter_rules()):
        return
    adapter = app.url_map.bind("localhost")
    if adapter.test(PATH, "GET"):
        return
    rule = app.url_rule_class(PATH, methods={"GET"}, endpoint=ENDPOINT)
    app.url_map.add(rule)
    app.view_functions[ENDPOINT] = for_this_computer


def for_this_computer() -> Response:
    """The API document, if the client is on this computer. Raises NotFound for others."""
    if not ports.is_on_this_computer():
        raise NotFound()
    response: Response = ports.openapi_response(OpenAPI())
    return response


for_this_computer.__annotations__.clear()  # as above
OPEN.put(True)(for_this_computer)
