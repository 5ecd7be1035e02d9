"""Connects the upper rooms to the ports of the application, so that no room imports from a later one."""

from __future__ import annotations

import typing as t

from . import context
from .app import ports
from .app.application import Costrel
from .edges import wsgi
from .messages.request import Request
from .services import kinds

if t.TYPE_CHECKING:
    from .app.api_document import OpenAPI
    from .edges.asgi import AsgiApplication
    from .messages.response import Response
    from .testing import app_client
    from .testing.environ_builder import EnvironBuilder


def asgi_application(app: Costrel) -> AsgiApplication:
    """The ASGI edge. It imports asyncio, which a WSGI application does not need."""
    from .edges.asgi import AsgiApplication

    limit = app.config.get("REQUEST_TIMEOUT")
    if limit is None:
        return AsgiApplication(app)
    from .edges.deadline import TimedAsgiApplication

    return TimedAsgiApplication(app, limit)


def asgi_without_middleware(app: Costrel) -> AsgiApplication:
    """The ASGI edge that the application's own ASGI middleware calls."""
    edge: AsgiApplication = app.asgi  # type: ignore[assignment]  # the port above makes it
    return edge.unwrapped


def test_client(app: Costrel, use_cookies: bool, options: dict[str, t.Any]) -> t.Any:
    """The test client; the test room is imported with it."""
    from .testing.app_client import make_client

    return make_client(app, use_cookies, options)


def async_test_client_class() -> type:
    from .testing.async_client import AsyncTestClient

    return AsyncTestClient


def test_cli_runner_class() -> type[app_client.FlaskCliRunner]:
    from .testing.app_client import FlaskCliRunner

    return FlaskCliRunner


def environ_builder_class() -> type[app_client.EnvironBuilder]:
    from .testing.app_client import EnvironBuilder

    return EnvironBuilder


def environ_builder(*args: t.Any, **kwargs: t.Any) -> EnvironBuilder:
    """The builder behind ``Request.from_values``."""
    from .testing.environ_builder import EnvironBuilder

    return EnvironBuilder(*args, **kwargs)


def event_stream(events: t.Any, encode: t.Callable[[object], str]) -> t.Any:
    """Server-sent events. It imports asyncio."""
    from .sse import event_stream

    return event_stream(events, dumps=encode)


def openapi_responder(options: OpenAPI, api: str | None) -> t.Callable[[], Response]:
    """The view that sends the API document. Its generator is imported with the first request for it."""
    from .openapi.serving import ServedDocument

    return ServedDocument(options, api).respond


def openapi_page(options: OpenAPI) -> Response:
    from .openapi.docs_page import respond_page

    return respond_page(options)


def openapi_file(content_hash: str, name: str) -> Response:
    from .openapi.docs_page import respond_file

    return respond_file(content_hash, name)


def is_on_this_computer() -> bool:
    from .devtools.gates import is_local
    from .guards.proxies import REMOVED
    from .middleware.proxy_fix import ORIGINAL

    environ = context.requesting().request.environ
    return ORIGINAL not in environ and REMOVED not in environ and is_local(environ)


def run_server(
    app: Costrel, host: str | None, port: int | None, debug: bool | None, *, load_dotenv: bool, **options: t.Any
) -> None:
    """The development server. It imports Granian."""
    from .devserver.development import run_development

    run_development(app, host, port, debug, load_dotenv=load_dotenv, **options)


kinds.application_class = Costrel
ports.serve_wsgi = wsgi.serve
ports.asgi_application = asgi_application
ports.asgi_without_middleware = asgi_without_middleware
ports.test_client = test_client
ports.async_test_client_class = async_test_client_class
ports.test_cli_runner_class = test_cli_runner_class
ports.environ_builder_class = environ_builder_class
ports.event_stream = event_stream
ports.openapi_responder = openapi_responder
ports.openapi_page = openapi_page
ports.openapi_file = openapi_file
ports.is_on_this_computer = is_on_this_computer
ports.run_server = run_server
Request.environ_builder = staticmethod(environ_builder)
