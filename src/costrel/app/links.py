"""URLs of an application's endpoints: what `url_for` adds to the routing room's builder."""

from __future__ import annotations

import sys
import typing as t
from urllib.parse import quote

from .. import context
from ..routing import BuildError
from .request import blueprint_path

if t.TYPE_CHECKING:
    from ..routing import MapAdapter
    from .registration import App

_ANCHOR_SAFE = "%!#$&'()*+,/:;=?@"

_NO_HOST = (
    "There is no request that would tell the host of this URL: set 'SERVER_NAME' to it, and, where they are not '/'"
    " and 'http', 'APPLICATION_ROOT' and 'PREFERRED_URL_SCHEME'."
)


def url_for(
    app: t.Any,
    endpoint: str,
    values: dict[str, t.Any],
    *,
    anchor: str | None = None,
    method: str | None = None,
    scheme: str | None = None,
    external: bool | None = None,
) -> str:
    """The URL of `endpoint`, a path within a request and a whole URL outside of one, unless `external` says which.

    Inside a request ``.name`` is relative to the request's blueprint. Raises RuntimeError where the application does
    not know its host, ValueError for a scheme without a host, and BuildError where no rule fits and no handler in
    ``url_build_error_handlers`` answers; `values` is changed.
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
        raise RuntimeError(_NO_HOST)
    if scheme is not None and not external:
        raise ValueError("'_scheme' is part of a whole URL: leave '_external=False' out.")
    app.inject_url_defaults(endpoint, values)
    return _build(app, adapter, endpoint, values, anchor, method, scheme, external)


def _build(
    app: t.Any,
    adapter: MapAdapter,
    endpoint: str,
    values: dict[str, t.Any],
    anchor: str | None,
    method: str | None,
    scheme: str | None,
    external: bool,
) -> str:
    try:
        url = adapter.build(endpoint, values, method=method, url_scheme=scheme, force_external=external)
    except BuildError as error:
        values.update(_anchor=anchor, _method=method, _scheme=scheme, _external=external)
        rescued: str = app.handle_url_build_error(error, endpoint, values)
        return rescued
    return url if anchor is None else f"{url}#{quote(anchor, safe=_ANCHOR_SAFE)}"


def create_url_adapter(app: t.Any, request: t.Any) -> MapAdapter | None:
    """The URL map bound to a request, or to ``SERVER_NAME``; None where there is neither.

    ``SERVER_NAME`` decides the subdomain only where `subdomain_matching` is on, and says nothing with host matching.
    Raises SecurityError for a request whose host is not among ``TRUSTED_HOSTS``.
    """
    config, url_map = app.config, app.url_map
    server_name = config["SERVER_NAME"]
    if request is None:
        if server_name is None:
            return None
        root, scheme = config["APPLICATION_ROOT"], config["PREFERRED_URL_SCHEME"]
        return t.cast("MapAdapter", url_map.bind(server_name, script_name=root, url_scheme=scheme))
    if config["TRUSTED_HOSTS"] is not None:
        request.trusted_hosts = config["TRUSTED_HOSTS"]
    request.check_host()
    subdomain = None
    if url_map.host_matching:
        server_name = None
    elif not app.subdomain_matching:
        subdomain = url_map.default_subdomain or ""
    return t.cast("MapAdapter", url_map.bind_to_environ(request.environ, server_name=server_name, subdomain=subdomain))


def inject_url_defaults(app: App, endpoint: str, values: dict[str, t.Any]) -> None:
    """Let the application's functions, then those of the endpoint's blueprints, change the values of a URL."""
    functions = app.url_default_functions
    if not functions:
        return
    scopes: tuple[str | None, ...] = (None,)
    if "." in endpoint:
        scopes = (None, *reversed(blueprint_path(endpoint.rpartition(".")[0])))
    for scope in scopes:
        for function in functions.get(scope, ()):
            function(endpoint, values)


def rescue(app: App, error: BuildError, endpoint: str, values: dict[str, t.Any]) -> str:
    """The URL that a build error handler gives instead. Raises the last error where none gives one."""
    for handler in app.url_build_error_handlers:
        try:
            url = handler(error, endpoint, values)
        except BuildError as another:
            error = another
        else:
            if url is not None:
                return url
    if error is sys.exc_info()[1]:
        raise  # it is being handled by the caller: its traceback stays as it is
    raise error
