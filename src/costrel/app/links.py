"""`url_for`: URLs of an application's endpoints, relative to the current request and to its blueprint."""

from __future__ import annotations

import sys
import typing as t
from urllib.parse import quote

from .. import context
from ..routing import BuildError
from ..routing.endpoints import blueprint_path
from ..support.coroutines import Adapter, call_sync
from .matching import settle_host

if t.TYPE_CHECKING:
    from ..messages.request import Request
    from ..routing import MapAdapter
    from . import typing as ft

_ANCHOR_SAFE = "%!#$&'()*+,/:;=?@"

_NO_HOST = (
    "The host of this URL is unknown outside of a request: set 'SERVER_NAME' to it, and if they are not '/' and 'http',"
    " set 'APPLICATION_ROOT' and 'PREFERRED_URL_SCHEME'."
)


class URLHooks(Adapter, t.Protocol):
    """The functions of an application that take part in building URLs."""

    @property
    def url_default_functions(self) -> ft.Registry[ft.URLDefaultCallable]: ...
    @property
    def url_build_error_handlers(self) -> list[ft.URLBuildErrorCallable]: ...


class LinkingApp(context.AppContract, t.Protocol):
    """An application whose methods take part in building URLs."""

    def inject_url_defaults(self, endpoint: str, values: ft.Values) -> None: ...
    def handle_url_build_error(self, error: BuildError, endpoint: str, values: ft.Values) -> str: ...


def url_for(
    app: LinkingApp,
    endpoint: str,
    values: ft.Values,
    *,
    anchor: str | None = None,
    method: str | None = None,
    scheme: str | None = None,
    external: bool | None = None,
) -> str:
    """The URL of `endpoint`. `external` defaults to False within a request, and to True outside of one.

    Within a request ``.name`` is relative to the blueprint of the request. `values` is modified. Raises RuntimeError if
    the host is unknown, ValueError for a scheme in a URL without host, and BuildError if no rule fits and no handler in
    ``url_build_error_handlers`` returns a URL.
    """
    request_ctx = context.peek_request()
    if request_ctx is not None:
        adapter = request_ctx.url_adapter
        if endpoint[:1] == ".":
            blueprint = request_ctx.request.blueprint
            endpoint = endpoint[1:] if blueprint is None else f"{blueprint}{endpoint}"
        if external is None:
            external = scheme is not None
    else:
        ctx = context.peek()
        adapter = app.create_url_adapter(None) if ctx is None else ctx.url_adapter
        if external is None:
            external = True
    if adapter is None:
        if request_ctx is not None and request_ctx.request.routing_exception is not None:
            raise request_ctx.request.routing_exception  # the client's Host is none that URLs can be made of
        raise RuntimeError(_NO_HOST)
    if scheme is not None and not external:
        raise ValueError("'_scheme' requires an external URL: leave '_external=False' out.")
    app.inject_url_defaults(endpoint, values)
    return _build(app, adapter, endpoint, values, anchor, method, scheme, external)


def _build(
    app: LinkingApp,
    adapter: MapAdapter,
    endpoint: str,
    values: ft.Values,
    anchor: str | None,
    method: str | None,
    scheme: str | None,
    external: bool,
) -> str:
    try:
        url = adapter.build(endpoint, values, method=method, url_scheme=scheme, force_external=external)
    except BuildError as error:
        values.update(_anchor=anchor, _method=method, _scheme=scheme, _external=external)
        return app.handle_url_build_error(error, endpoint, values)
    return url if anchor is None else f"{url}#{quote(anchor, safe=_ANCHOR_SAFE)}"


def create_url_adapter(app: context.AppContract, request: Request | None) -> MapAdapter | None:
    """The URL map bound to a request, or without one to ``SERVER_NAME``; None if that is not set.

    ``SERVER_NAME`` determines the subdomain only if `subdomain_matching` is on, and is ignored with host matching.
    Raises SecurityError if the host of the request is not one of ``TRUSTED_HOSTS``.
    """
    config, url_map = app.config, app.url_map
    server_name = config["SERVER_NAME"]
    if request is None:
        if server_name is None:
            return None
        root, scheme = config["APPLICATION_ROOT"], config["PREFERRED_URL_SCHEME"]
        return url_map.bind(server_name, script_name=root, url_scheme=scheme)
    if config["TRUSTED_HOSTS"] is not None:
        request.trusted_hosts = config["TRUSTED_HOSTS"]
    settle_host(app, request)
    request.check_host()
    subdomain = None
    if url_map.host_matching:
        server_name = None
    elif not app.subdomain_matching:
        subdomain = url_map.default_subdomain or ""
    return url_map.bind_to_environ(request._source, server_name=server_name, subdomain=subdomain)


def inject_url_defaults(app: URLHooks, endpoint: str, values: ft.Values) -> None:
    """Call the URL default functions of the application and then of the endpoint's blueprints."""
    functions = app.url_default_functions
    if not functions:
        return
    scopes: tuple[str | None, ...] = (None,)
    if "." in endpoint:
        scopes = (None, *reversed(blueprint_path(endpoint.rpartition(".")[0])))
    for scope in scopes:
        for function in functions.get(scope, ()):
            call_sync(app, function, endpoint, values)


def rescue(app: URLHooks, error: BuildError, endpoint: str, values: ft.Values) -> str:
    """The URL that a build error handler returns. Raises the last error if none does."""
    for handler in app.url_build_error_handlers:
        try:
            url: str | None = call_sync(app, handler, error, endpoint, values)
        except BuildError as another:
            error = another
        else:
            if url is not None:
                return url
    if error is sys.exc_info()[1]:
        raise  # the caller is handling this error: keep its traceback
    raise error
