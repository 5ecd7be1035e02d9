"""The application at request time: the WSGI callable, and the stages of a request as methods that can be overridden.

Each method is one to three lines that name the part which does the work. Set-up is in `registration.py`.
"""

from __future__ import annotations

import os
import sys
import typing as t
from collections.abc import Callable, Coroutine, Iterable
from threading import RLock
from types import TracebackType

from .. import context
from ..context import AppContext, RequestContext
from ..guards import Guards
from ..http.errors import HTTPException
from ..routing import MapAdapter, RoutingException
from ..services import templating
from ..sessions.choice import ChosenSessions
from ..sessions.interface import SessionInterface, refuse_async_methods
from ..support.asgi_types import ASGIApplication, Send
from ..support.coroutines import call_sync, run_coroutine, run_steps
from ..support.properties import cached_property
from ..support.seams import Seams
from ..telemetry.switch import switch_tracing, tracing_of
from ..typed.schemes import AuthSchemes
from ..work.background import Background
from . import api_document, files, habits, lifecycle, links, matching, ports, profiles, response_values
from .api_document import OpenAPI
from .debug_errors import FormDataRoutingRedirect
from .error_format import respond
from .hooks import REGISTRIES
from .outlook import look_at
from .registration import App
from .request import Request
from .requirements import Security, check_security
from .response import Response
from .start_checks import check_settings, name_misspelt
from .static_rule import add_static_rule
from .static_urls import STATIC, follow_setting
from .typed_views import TypedViews, coverage_of, make_plans, providers_for
from .view_parameters import check_parameters

if t.TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from ..typed.planning import Plans
    from .authentication import Authentication

_HANDLED: t.Any = object()
_opening = RLock()


class Costrel(App):
    """A web application: a WSGI callable, and by its `asgi` attribute an ASGI application.

    `import_name` is the module or package that the application is defined in, usually ``__name__``: its folders for
    templates and static files are found from there. With `typed`, every annotated parameter of a view is an input.
    `security` names the schemes of `auth_schemes` that views require, unless their blueprint or route names others. The
    other parameters are the same as in Flask.
    """

    default_config: t.Mapping[str, t.Any] = profiles.NATIVE
    request_class: type[Request] = Request
    response_class: type[Response] = Response
    session_interface: SessionInterface = t.cast(SessionInterface, ChosenSessions())

    def __init__(
        self,
        import_name: str,
        static_url_path: str | None = None,
        static_folder: str | os.PathLike[str] | None = "static",
        static_host: str | None = None,
        host_matching: bool = False,
        subdomain_matching: bool = False,
        template_folder: str | os.PathLike[str] | None = "templates",
        instance_path: str | None = None,
        instance_relative_config: bool = False,
        root_path: str | None = None,
        *,
        typed: bool = False,
        security: Security | None = None,
    ) -> None:
        self.typed_by_default = typed
        if security is not None:
            check_security("the application", security)
            self.default_security = security
        self.known_hosts = matching.KnownHosts()
        self._note_assigned(frozenset())
        super().__init__(
            import_name=import_name,
            static_url_path=static_url_path,
            static_folder=static_folder,
            static_host=static_host,
            host_matching=host_matching,
            subdomain_matching=subdomain_matching,
            template_folder=template_folder,
            instance_path=instance_path,
            instance_relative_config=instance_relative_config,
            root_path=root_path,
        )
        if self.has_static_folder:
            add_static_rule(self, static_host, host_matching, module=_defining_module(type(self)))

    # -- how a server reaches the application ---------------------------------------------------------------------

    def __call__(
        self,
        environ: dict[str, t.Any],
        start_response: Callable[..., t.Any] | None = None,
        send: Send | None = None,
    ) -> Iterable[bytes]:
        """The WSGI application (PEP 3333). Middleware wraps `wsgi_app`, so that this object stays the application.

        An ASGI server calls it with a scope, or with `send` too: this explains that it has to call `asgi`.
        """
        if start_response is None or send is not None:
            refusal: Iterable[bytes] = habits.called_by_asgi(self.import_name, environ, start_response, send)
            return refusal
        return self.wsgi_app(environ, start_response)

    def wsgi_app(self, environ: dict[str, t.Any], start_response: Callable[..., t.Any]) -> Iterable[bytes]:
        """The WSGI application itself, without the middleware that may have been put around it."""
        body: Iterable[bytes] = ports.serve_wsgi(self, environ, start_response)
        return body

    @property
    def asgi(self) -> Callable[..., t.Any]:
        """This application as an ASGI 3 application, for servers that speak ASGI. Middleware wraps `asgi_app`."""
        application: Callable[..., t.Any] | None = self.__dict__.get("_asgi")
        if application is None:
            application = self.__dict__["_asgi"] = ports.asgi_application(self)
        return application

    @asgi.setter
    def asgi(self, value: object) -> t.NoReturn:
        raise AttributeError(
            "'asgi' cannot be set, so that it stays the application with all of its middleware. Set 'asgi_app': "
            "app.asgi_app = Middleware(app.asgi_app).",
            name="asgi",
            obj=self,
        )

    @property
    def asgi_app(self) -> ASGIApplication:
        """The ASGI application itself, without the middleware that may have been put around it.

        ``app.asgi_app = Middleware(app.asgi_app)`` adds ASGI middleware; `asgi` calls it.
        """
        assigned: ASGIApplication | None = self.__dict__.get("_asgi_wrapped")
        return self._asgi_inside if assigned is None else assigned

    @asgi_app.setter
    def asgi_app(self, application: ASGIApplication) -> None:
        self.__dict__["_asgi_wrapped"] = application

    @asgi_app.deleter
    def asgi_app(self) -> None:
        del self.__dict__["_asgi_wrapped"]

    @cached_property
    def _asgi_inside(self) -> ports.AsgiInside:
        return ports.AsgiInside(self)

    def run(
        self,
        host: str | None = None,
        port: int | None = None,
        debug: bool | None = None,
        load_dotenv: bool = True,
        **options: t.Any,
    ) -> None:
        """Serve the application for development, until Ctrl-C: by default at http://127.0.0.1:5000.

        Without `host` and `port`, those of ``SERVER_NAME`` are taken. In production use ``costrel serve`` or any
        WSGI or ASGI server.
        """
        ports.run_server(self, host, port, debug, load_dotenv=load_dotenv, **options)

    # -- contexts, and the clients of tests -----------------------------------------------------------------------

    def app_context(self) -> AppContext:
        """A context with this application and no request, for a ``with`` block."""
        return AppContext(self)

    def request_context(self, environ: dict[str, t.Any]) -> RequestContext:
        """A context with the request that a WSGI environ describes."""
        return RequestContext(self, environ)

    def test_request_context(self, *args: t.Any, **kwargs: t.Any) -> RequestContext:
        """A context with a request made up of the arguments of `testing.EnvironBuilder`."""
        builder = ports.environ_builder_class()(self, *args, **kwargs)
        try:
            return self.request_context(builder.get_environ())
        finally:
            builder.close()

    def test_client(self, use_cookies: bool = True, **kwargs: t.Any) -> t.Any:
        """A client that calls the application without a server, of `test_client_class` or `testing.FlaskClient`.

        :param edge: ``"wsgi"`` (the default), or ``"asgi"`` to send requests through `asgi`, as an ASGI server does.

        Other keyword arguments go to the class. Raises ValueError for another edge, and TypeError for ``"asgi"`` if
        `test_client_class` is no subclass of `testing.FlaskClient`.
        """
        return ports.test_client(self, use_cookies, kwargs)

    def async_test_client(self, use_cookies: bool = True, **kwargs: t.Any) -> t.Any:
        """A client for async tests, which calls `asgi` on the test's event loop: a `testing.AsyncTestClient`."""
        return ports.async_test_client_class()(self, self.response_class, use_cookies=use_cookies, **kwargs)

    def test_cli_runner(self, **kwargs: t.Any) -> t.Any:
        """A runner that invokes the application's commands, of `test_cli_runner_class` or `testing.FlaskCliRunner`."""
        runner_class = self.test_cli_runner_class or ports.test_cli_runner_class()
        return runner_class(self, **kwargs)

    # -- the stages of a request ----------------------------------------------------------------------------------
    # Each method drives a stage of the lifecycle to its end. The lifecycle itself calls only those that are overridden.

    def full_dispatch_request(self) -> Response:
        """Hooks, view and response for the current request; errors go to their handlers."""
        return t.cast(Response, self._drive(lifecycle.respond(context.requesting())))

    def preprocess_request(self) -> t.Any:
        """Run the stages before the view. Any value but None takes the place of the view's result."""
        return self._drive(lifecycle.before(context.requesting()))

    def dispatch_request(self) -> t.Any:
        """Call the view that matched and return its value, or raise the routing error."""
        view, view_args = lifecycle.view_of(context.requesting())
        return self.ensure_sync(view)(**view_args)

    make_response = response_values.make_response

    def finalize_request(self, rv: t.Any, from_error_handler: bool = False) -> Response:
        """Make a response of a view's value and run the stages after the view."""
        return t.cast(Response, self._drive(lifecycle.finalize(context.requesting(), rv, from_error_handler)))

    def process_response(self, response: Response) -> Response:
        """Run the functions after the request, and save the session."""
        return t.cast(Response, self._drive(lifecycle.after(context.requesting(), response)))

    def handle_http_exception(self, e: HTTPException) -> t.Any:
        """The result of the handler for an HTTP error, or the error itself as the response."""
        return self._drive(lifecycle.answer_http_error(context.requesting(), e))

    def handle_user_exception(self, e: Exception) -> t.Any:
        """The result of the handler for an error of the view. Without a handler, the error is raised again."""
        return self._drive(lifecycle.answer_error(context.requesting(), e))

    def handle_exception(self, e: Exception) -> Response:
        """The answer to an error that nothing handled: 500, or the error again in debug mode and tests."""
        return t.cast(Response, self._drive(lifecycle.failure(context.requesting(), e)))

    def do_teardown_request(self, exc: BaseException | None = _HANDLED) -> None:
        """Run the functions that tear a request down, with the exception that is being handled unless one is given."""
        exc = sys.exc_info()[1] if exc is _HANDLED else exc
        self._drive(lifecycle.end_request(context.requesting(), exc))

    def do_teardown_appcontext(self, exc: BaseException | None = _HANDLED) -> None:
        """Run the functions that tear an application context down, likewise."""
        exc = sys.exc_info()[1] if exc is _HANDLED else exc
        self._drive(lifecycle.end_app_context(context.current(), exc))

    def end_context(self, ctx: t.Any, exc: BaseException | None) -> None:
        """Leave a context that was pushed by hand, as `lifecycle.end` does."""
        self._drive(lifecycle.end(ctx, exc))

    def raise_routing_exception(self, request: Request) -> t.NoReturn:
        """Raise the error or redirect of routing; in debug mode, an explanation if a redirect loses a form."""
        error = request.routing_exception
        if error is None:
            raise RuntimeError(f"Routing found a rule for {request.url!r}: there is no error to raise.")
        loses_form = (
            isinstance(error, RoutingException)
            and self.debug
            and getattr(error, "code", None) not in (307, 308)
            and request.method not in ("GET", "HEAD", "OPTIONS")
        )
        if loses_form:
            raise FormDataRoutingRedirect(request)
        raise error

    def log_exception(self, exc_info: tuple[type, BaseException, TracebackType] | tuple[None, None, None]) -> None:
        """Log the error of a request that nothing handled."""
        request = context.requesting().request
        path: str = request.path
        if not path.isprintable():  # a line break would let a client write lines of the log
            path = path.encode("unicode_escape").decode()
        self.logger.error(f"Exception on {path} [{request.method}]", exc_info=exc_info)

    def make_default_options_response(self) -> Response:
        """The answer to OPTIONS if no view gives one: the methods that the URL allows."""
        response = self.response_class()
        adapter = context.requesting().url_adapter
        if adapter is not None:
            response.allow.update(adapter.allowed_methods())
        return response

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """The URL map bound to a request, or, outside of a request, to ``SERVER_NAME``; None if that is not set."""
        return links.create_url_adapter(self, request)

    # -- async ----------------------------------------------------------------------------------------------------

    def ensure_sync(self, func: Callable[..., t.Any]) -> Callable[..., t.Any]:
        """`func` itself, or, if it is ``async def``, a function that runs it to its end."""
        return self.async_to_sync(func) if lifecycle.is_async(func) else func

    def async_to_sync(self, func: Callable[..., Coroutine[t.Any, t.Any, t.Any]]) -> Callable[..., t.Any]:
        """A function that runs the coroutine function `func` on an event loop of the thread."""
        from functools import update_wrapper

        def run(*args: t.Any, **kwargs: t.Any) -> t.Any:
            return run_coroutine(func(*args, **kwargs))

        return update_wrapper(run, func)

    def _drive(self, steps: lifecycle.Steps[lifecycle.T], awaitable: t.Any = None) -> lifecycle.T:
        """Run the steps of a stage to their end in this thread; `awaitable` is the one they yielded last, if any."""
        return run_steps(steps, lambda coroutine: self.async_to_sync(lambda: coroutine)(), awaitable)

    # -- templates, links, files ----------------------------------------------------------------------------------

    def update_template_context(self, context: dict[str, t.Any]) -> None:
        """Add the context processors' values to a template's variables. The caller's variables take precedence."""
        templating.update_context(self, context)

    def url_for(
        self,
        /,
        endpoint: str,
        *,
        _anchor: str | None = None,
        _method: str | None = None,
        _scheme: str | None = None,
        _external: bool | None = None,
        **values: t.Any,
    ) -> str:
        """The URL of `endpoint` with `values` for its variable parts; values that it has no part for become the query.

        Raises BuildError, with the nearest rule, if no URL can be built, unless a function in
        `url_build_error_handlers` has one.
        """
        return links.url_for(
            self,
            endpoint,
            values,
            anchor=_anchor,
            method=_method,
            scheme=_scheme,
            external=_external,
        )

    def send_static_file(self, filename: str) -> Response:
        """The file `filename` of the static folder. Raises NotFound if there is none."""
        return files.send_static_file(self, filename)

    def open_instance_resource(self, resource: str, mode: str = "rb", encoding: str | None = "utf-8") -> t.IO[t.Any]:
        """Open a file of the instance folder, for reading or writing."""
        path = os.path.join(self.instance_path, resource)
        return open(path, mode) if "b" in mode else open(path, mode, encoding=encoding)

    def make_shell_context(self) -> dict[str, t.Any]:
        """The names that ``costrel shell`` starts with."""
        names = {"app": self, "g": context.g}
        for processor in self.shell_context_processors:
            names.update(call_sync(self, processor))
        return names

    if not t.TYPE_CHECKING:  # for type checkers, the application does not have them at all
        add_api_route = habits.Elsewhere('write app.add_url_rule("/path", view_func=view)')
        add_middleware = habits.Elsewhere("wrap `app.wsgi_app`: app.wsgi_app = Middleware(app.wsgi_app)")
        before_first_request = habits.Elsewhere(
            "use @app.before_serving, or call the function in 'with app.app_context():' after the application is made"
        )
        exception_handler = habits.Elsewhere("register the handler by @app.errorhandler(SomeError)")
        include_router = habits.Elsewhere("a group of routes is a Blueprint: app.register_blueprint(blueprint)")
        middleware = habits.Elsewhere("use @app.before_request and @app.after_request, or wrap `app.wsgi_app`")
        on_event = habits.Elsewhere("use @app.before_serving and @app.after_serving")

    # -- for contexts and the lifecycle ---------------------------------------------------------------------------

    _assigned: frozenset[str]
    """The names among `_STAGES`, `_HANDLERS` and `_ENTRANCES` that were assigned to this application itself."""
    _assigned_stages: frozenset[str]
    _assigned_handlers: frozenset[str]
    _assigned_entrances: frozenset[str]
    outlook: context.Outlook
    """The answers that each request needs about the classes of this application, as of their last change."""

    def __setattr__(self, name: str, value: t.Any) -> None:
        if name == "session_interface":
            refuse_async_methods(value)
        is_seen = name in _SEEN and self.__dict__.get(name) is not value
        object.__setattr__(self, name, value)
        if name in _ASSIGNABLE:
            self._note_assigned(self._assigned | {name})
        elif is_seen:
            self.outlook = context.Outlook()
        elif name in REGISTRIES and "hook_orders" in self.__dict__:
            self.hook_orders.forget()

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        self._note_assigned(self._assigned - {name})

    def _note_assigned(self, names: frozenset[str]) -> None:
        self.__dict__.update(
            _assigned=names,
            _assigned_stages=_STAGES.among(names),
            _assigned_handlers=_HANDLERS.among(names),
            _assigned_entrances=_ENTRANCES.among(names),
            outlook=context.Outlook(),
        )

    @property
    def overridden(self) -> frozenset[str]:
        """The stages of a request that a subclass, a patch of the class, or this application itself replaces."""
        return _STAGES.replaced_in(self.__class__, self._assigned_stages)

    def look_again(self) -> context.Outlook:
        """Look up again which members are replaced: a class was changed, or an attribute assigned."""
        self.outlook = outlook = look_at(self)
        self.hook_orders.forget()
        return outlook

    @property
    def overridden_handlers(self) -> frozenset[str]:
        """The same for the stages that follow an error."""
        return _HANDLERS.replaced_in(self.__class__, self._assigned_handlers)

    @property
    def overridden_entrances(self) -> frozenset[str]:
        """The same for the methods through which a request reaches the application; WSGI middleware replaces them."""
        return _ENTRANCES.replaced_in(self.__class__, self._assigned_entrances)

    _tracing: context.TracingContract | None = None
    """How requests are traced, as of the first one; None if ``OPENTELEMETRY`` is off, or no span can be recorded."""
    _inspection: context.InspectionContract | None = None
    """Times the stages of requests for the inspector of a development server."""
    _traces_apart = False
    """Whether the edges run each request in context variables of its own, since a span is current in them."""

    guards: Guards | None = None
    """The guards that the settings put between clients and views at the first request; None for no guards."""

    @cached_property
    def background_work(self) -> Background:
        """The functions that run after responses."""
        return Background(self)

    @cached_property
    def typed_views(self) -> TypedViews:
        """The typed views and methods, as they are planned at the seal."""
        return TypedViews(self)

    authentication: Authentication | None = None
    """The checks of `auth_schemes`, from the seal on; None if no view needs one."""

    @cached_property
    def auth_schemes(self) -> AuthSchemes:
        """The authentication schemes by name: ``app.auth_schemes["bearer"] = Bearer(verify=find_user)``."""
        return AuthSchemes()

    @cached_property
    def plans(self) -> Plans:
        """The plans of the typed views."""
        return make_plans(self)

    @property
    def openapi(self) -> OpenAPI | None:
        """How the API document is served; None serves it in debug mode, to this computer. Set it during setup."""
        return self._openapi

    @openapi.setter
    def openapi(self, options: OpenAPI | None) -> None:
        if isinstance(options, OpenAPI):
            api_document.add_rules(self, options)
        elif options is not None and self.types_by_signature:  # extensions for Flask may use the name
            raise TypeError(f"app.openapi takes an OpenAPI(...), not {options!r}.")
        self._openapi = options

    _openapi: OpenAPI | None = None

    coverage_of = coverage_of
    providers_for = providers_for

    def providing(self, key: object, value: object) -> AbstractContextManager[None]:
        """A block in which `value` replaces the value of a provider, for tests.

        `key` is the type that is provided, or the function that `Use` names. If `value` is a function or a class, its
        results are provided, and its parameters are those of a provider.
        """
        return self.plans.providing(key, value)

    def make_event_stream(self, events: t.Any, encode: Callable[[object], str]) -> Response:
        """The response that sends `events`, each encoded by `encode`; see `costrel.sse.event_stream`."""
        return t.cast(Response, ports.event_stream(events, encode))

    def open_for_requests(self) -> None:
        """End the setup with the first request: resolve the settings and decorators that guard it. In tests, each time.

        Of several first requests at once the others wait. If a setting is wrong, each of them fails: none passes
        without its guards.
        """
        with _opening:
            if not self._got_first_request or self.config["TESTING"]:
                self.typed_views.seal()
                if self.debug and self.types_by_signature and self.typed_views.are_planned:
                    api_document.add_for_developers(self)
                self._set_guards()
                self._got_first_request = True

    def try_settings(self) -> None:
        """Raise the error that a wrong setting would raise at each request. The setup may still change afterwards."""
        with _opening:
            if not self._got_first_request:
                profiles.apply_chosen(self.config)
                name_misspelt(self)
                check_settings(self)
                api_document.warn_of_missing_ui(self)
                self.typed_views.try_all()
                check_parameters(self, self.typed_views.described())
                Guards.of(self, respond)
                tracing_of(self)

    def _set_guards(self) -> None:
        own = self.__dict__
        profiles.apply_chosen(self.config)
        self.url_map.strict = bool(self.config.get("STRICT_URLS"))
        follow_setting(self.static_urls)
        name_misspelt(self)
        own["guards"] = Guards.of(self, respond, switch_tracing(self))
        if "jinja_env" in own:
            from .vite import template_functions  # only templates need it

            for name, function in template_functions(self).items():
                self.jinja_env.globals.setdefault(name, function)
        self.session_interface = self.session_interface  # found sooner in the instance. PERF: page


class Flask(Costrel):
    """`Costrel` with exactly Flask's defaults: ``flask.Flask`` under the alias."""

    default_config: t.Mapping[str, t.Any] = profiles.FLASK
    types_by_signature = False


_STAGES: t.Final = Seams(
    Costrel,
    "create_url_adapter",
    "dispatch_request",
    "do_teardown_appcontext",
    "do_teardown_request",
    "ensure_sync",
    "finalize_request",
    "full_dispatch_request",
    "preprocess_request",
    "process_response",
    assigned_only=("_inspection", "_tracing"),
)
"""The stages that the lifecycle calls as methods only if an application overrides them."""

_HANDLERS: t.Final = Seams(Costrel, "handle_exception", "handle_http_exception", "handle_user_exception")
"""The same for the stages that follow an error."""

_ENTRANCES: t.Final = Seams(
    Costrel, "__call__", "wsgi_app", "asgi_app", "request_context", assigned_only=("_traces_apart",)
)
"""The methods through which a request reaches the application; middleware replaces the first three."""

Costrel.static_seams = Seams(Costrel, *STATIC)

_SEEN: t.Final = frozenset({"__class__", "request_class", "session_interface", "subdomain_matching", "url_map"})
"""Other attributes on which an outlook depends."""

_ASSIGNABLE: t.Final = frozenset({*_STAGES, *_HANDLERS, *_ENTRANCES})


if t.TYPE_CHECKING:

    def _as_contract(app: Costrel) -> context.AppContract:
        return app


def _defining_module(cls: type) -> str:
    """The module of the framework's own class among the bases of `cls`."""
    return Flask.__module__ if issubclass(cls, Flask) else Costrel.__module__
