"""The setup of an application: its settings, routes, blueprints, template functions and error handlers."""

from __future__ import annotations

import os
import sys
import typing as t
from collections.abc import Callable, Iterable, ValuesView
from datetime import timedelta

from .. import context
from ..guards.redirects import check_location
from ..http.errors import Aborter, BadRequest, BadRequestKeyError
from ..messages.redirects import location_text
from ..messages.redirects import redirect as make_redirect
from ..routing import Map, Rule
from ..services.config import Config, ConfigAttribute, setting_getter
from ..services.environment import get_debug_flag
from ..services.json_provider import DefaultJSONProvider, JSONProvider
from ..support.coroutines import refuse_async_generator
from ..support.properties import cached_property
from ..typed.codecs import Codec, Codecs, Decode, Encode
from . import error_handlers, habits, links, static_urls
from . import typing as ft
from .error_scopes import ErrorOwners
from .frontends import INDEX, Frontend, add_frontend
from .hooks import HookList, HookOrders, HookRegistry, add_hook
from .mounts import Guard, Mount, add_mount, refuse_hidden
from .packages import find_package
from .rare_errors import RARE_ERRORS
from .readiness import TIMEOUT, ReadinessCheck
from .scaffold import (
    Scaffold,
    T,
    T_teardown,
    T_template_filter,
    T_template_global,
    T_template_test,
    _endpoint_from_view_func,
    setupmethod,
    under_name,
)

if t.TYPE_CHECKING:
    import logging

    from ..context import AppContract
    from ..routing import BuildError
    from ..services.jinja import DispatchingJinjaLoader, Environment
    from .blueprint import Blueprint
    from .operations import Operation
    from .response import Response
    from .static_urls import StaticURLs

Once: t.TypeAlias = t.Literal["worker", "server"]
T_serving = t.TypeVar("T_serving", bound=ft.ServingCallable)
T_shell_context_processor = t.TypeVar("T_shell_context_processor", bound=ft.ShellContextProcessorCallable)

_TOO_LATE = (
    "The setup method {name!r} was called too late: the application has already handled a request, and would now"
    " behave differently from one request to the next.\n"
    "Import the modules with views, and finish the setup of the application, before it serves."
)


def _make_timedelta(value: timedelta | int | None) -> timedelta | None:
    if value is None or isinstance(value, timedelta):
        return value
    return timedelta(seconds=value)


class _OwnEnvironment:
    """The default of `jinja_environment`: Costrel's class, imported with Jinja on first use."""

    def __get__(self, app: App | None, owner: type[App]) -> type[Environment]:
        from ..services.jinja import Environment

        return Environment


_DESCRIBING: t.Final = frozenset(
    ("responses", "raises", "deprecated", "sunset", "hidden", "operation_id", "examples", "summary", "security")
)
"""The options of a route for its security and the API document; see `operations.Operation`."""

_ESCAPED: t.Final = (".html", ".htm", ".xml", ".xhtml", ".svg")
"""The extensions of templates in which Flask escapes values."""


class App(Scaffold):
    """The part of an application that is configured before it handles requests.

    `import_name` is the module that defines the application, usually ``__name__``. `static_host` requires
    `host_matching`. `instance_path` is an absolute path, which defaults to a folder next to the package.
    """

    aborter_class = Aborter
    jinja_environment = t.cast("type[Environment]", _OwnEnvironment())
    app_ctx_globals_class = context.AppCtxGlobals
    config_class = Config
    json_provider_class: type[JSONProvider] = DefaultJSONProvider
    url_rule_class = Rule
    url_map_class = Map
    jinja_options: ft.Values = {}
    test_client_class: type[t.Any] | None = None
    test_cli_runner_class: type[t.Any] | None = None
    default_config: t.Mapping[str, t.Any]
    response_class: type[Response]
    frontends: tuple[Frontend, ...] = ()
    """The front ends of `frontend`, the longest prefix first."""
    static_urls: tuple[StaticURLs, ...] = ()
    """The URLs of the rules whose views send static files."""
    blueprint_prefixes: frozenset[str] = frozenset()
    """The URL prefixes of all registrations of blueprints."""
    types_by_signature: bool = True
    """Whether a view with a parameter that Flask could not fill is typed."""

    testing = ConfigAttribute[bool]("TESTING")
    secret_key = ConfigAttribute[str | bytes | None]("SECRET_KEY")
    permanent_session_lifetime = ConfigAttribute[timedelta](
        "PERMANENT_SESSION_LIFETIME",
        get_converter=_make_timedelta,  # type: ignore[arg-type]  # the result is None only if the setting is None
    )

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
    ) -> None:
        self.hook_orders = HookOrders()
        super().__init__(import_name, static_folder, static_url_path, template_folder, root_path)
        if instance_path is not None and not os.path.isabs(instance_path):
            raise ValueError(f"The instance path must be absolute, and {str(instance_path)!r} is relative.")
        self.instance_path = self.auto_find_instance_path() if instance_path is None else instance_path
        self.config = self.make_config(instance_relative_config)
        self.aborter = self.make_aborter()
        self.json: JSONProvider = self.json_provider_class(self)
        self.url_build_error_handlers: list[ft.URLBuildErrorCallable] = []
        """Called if a URL cannot be built. The first URL that is returned is used."""
        self.teardown_appcontext_funcs: list[ft.TeardownCallable] = HookList(self.hook_orders)
        self.shell_context_processors: list[ft.ShellContextProcessorCallable] = []
        self.before_serving_funcs: list[ft.ServingCallable] = []
        self.after_serving_funcs: list[ft.ServingCallable] = []
        self.while_serving_gens: list[ft.ServingCallable] = []
        self.around_server_gens: list[ft.ServingCallable] = []
        """The generators of `while_serving` that run once for all workers of a server."""
        self.readiness_checks: list[ReadinessCheck] = []
        self.blueprints: dict[str, Blueprint] = {}
        """Registered name → blueprint, in the order of registration. Names of nested blueprints contain dots."""
        self.error_owners = ErrorOwners()
        self.mounts: list[Mount] = []
        """The applications of `mount`, the longest prefix first."""
        self.extensions: ft.Values = {}
        """The state of extensions for this application, by their names."""
        self.url_map = self.url_map_class(host_matching=host_matching)
        self.url_map.strict = bool(self.config.get("STRICT_URLS"))
        self.subdomain_matching = subdomain_matching
        self._got_first_request = False

    def _check_setup_finished(self, f_name: str) -> None:
        if self._got_first_request:
            raise AssertionError(_TOO_LATE.format(name=f_name))

    def ensure_sync(self, func: Callable[..., t.Any]) -> Callable[..., t.Any]:
        """`func` itself, or for ``async def`` a function that runs it to its end."""
        raise NotImplementedError

    # Parts that are created on first use

    @cached_property
    def name(self) -> str:
        """The import name, or for the main script, the name of its file."""
        if self.import_name == "__main__":
            file: str | None = getattr(sys.modules["__main__"], "__file__", None)
            return "__main__" if file is None else os.path.splitext(os.path.basename(file))[0]
        return self.import_name

    @cached_property
    def logger(self) -> logging.Logger:
        """The logger with the name of the application. It gets a handler if no other handler takes its messages."""
        from ..services.logging import create_logger  # loads logging itself, which is slow

        return create_logger(self)

    @cached_property
    def jinja_env(self) -> Environment:
        """The Jinja environment of the application's templates."""
        return self.create_jinja_environment()

    def create_jinja_environment(self) -> Environment:
        """Create `jinja_env` from `jinja_options`, with the globals of every template."""
        from ..services.jinja import create_environment

        environment: Environment = create_environment(self)
        from .vite import template_functions  # only templates need it

        environment.globals.update(template_functions(self))
        return environment

    def create_global_jinja_loader(self) -> DispatchingJinjaLoader:
        """Create the loader that searches the template folders of the application and then of its blueprints."""
        from ..services.jinja import DispatchingJinjaLoader

        return DispatchingJinjaLoader(self)

    def select_jinja_autoescape(self, filename: str | None) -> bool:
        """Whether values are escaped in a template: depends on the file extension; always true without a file.

        With the setting ``TEMPLATES_STRICT_ESCAPE``, ``page.html.j2``, ``page.HTML`` and ``page.xht`` count as well.
        """
        if filename is None:
            return True
        if not self.config.get("TEMPLATES_STRICT_ESCAPE"):
            return filename.endswith(_ESCAPED)
        filename = filename.lower()
        stem, _, extension = filename.rpartition(".")
        if extension in ("j2", "jinja", "jinja2"):
            filename = stem
        return filename.endswith((*_ESCAPED, ".xht"))

    def make_config(self, instance_relative: bool = False) -> Config:
        """Create `config` from the defaults, with DEBUG from the environment variables."""
        root_path = self.instance_path if instance_relative else self.root_path
        return self.config_class(root_path, {**self.default_config, "DEBUG": get_debug_flag()})

    def make_aborter(self) -> Aborter:
        """Create `aborter`, which `abort` calls."""
        aborter = self.aborter_class()
        for code, error in RARE_ERRORS.items():
            aborter.mapping.setdefault(code, error)
        return aborter

    def auto_find_instance_path(self) -> str:
        """The instance folder: next to the package, or below the prefix of an installed package."""
        prefix, package_path = find_package(self.import_name)
        if prefix is None:
            return os.path.join(package_path, "instance")
        return os.path.join(prefix, "var", f"{self.name}-instance")

    @property
    @setting_getter
    def debug(self) -> bool:
        """Whether debug mode is on: the setting ``DEBUG``. Assigning it also sets whether templates are reloaded."""
        debug: bool = self.config["DEBUG"]
        return debug

    @debug.setter
    def debug(self, value: bool) -> None:
        self.config["DEBUG"] = value
        if self.config["TEMPLATES_AUTO_RELOAD"] is None and "jinja_env" in self.__dict__:
            self.jinja_env.auto_reload = value

    # Typed views

    @cached_property
    def type_codecs(self) -> Codecs:
        """How values of types that msgspec does not know are read and written; see `typed_codec`."""
        return Codecs()

    @setupmethod
    def typed_codec(
        self,
        cls: type[T],
        *,
        decode: Callable[[t.Any], T] | None = None,
        encode: Callable[[T], object] | None = None,
        schema: t.Mapping[str, object] | None = None,
    ) -> None:
        """Let typed views take and return values of a type of your own.

        `decode` makes one from a value of JSON or from a text; its ValueError is a problem of the client's. `encode`
        does the reverse, and `schema` is the type's JSON schema.
        """
        self.type_codecs[cls] = Codec(t.cast("Decode | None", decode), t.cast("Encode | None", encode), schema)

    # Routes and links

    @setupmethod
    def register_blueprint(self, blueprint: Blueprint, **options: t.Any) -> None:
        """Apply the recorded setup of a blueprint.

        The options `name`, `url_prefix`, `subdomain`, `url_defaults` and `cli_group` override the blueprint's options.
        """
        blueprint.register(self, options)

    def iter_blueprints(self) -> ValuesView[Blueprint]:
        """The registered blueprints, in the order of registration."""
        return self.blueprints.values()

    @setupmethod
    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: ft.RouteCallable | None = None,
        provide_automatic_options: bool | None = None,
        **options: t.Any,
    ) -> None:
        """Route requests to `rule` to `view_func`. The endpoint defaults to the name of the view.

        `provide_automatic_options` sets whether OPTIONS is answered for the view. It defaults to the view's attribute
        of that name, else to whether OPTIONS is missing in the methods. With `stream_body` an async view can read the
        body while it arrives, by `Request.chunks`. `security` names the authentication schemes that the route requires.
        `responses`, `raises`, `deprecated`, `sunset`, `hidden`, `operation_id`, `examples` and `summary` describe the
        route in the API document. The other options are passed to `Rule`. Raises AssertionError if the endpoint already
        has another view.
        """
        endpoint = _endpoint_from_view_func(view_func) if endpoint is None else endpoint
        declared = options.get("methods")
        methods, automatic = self._methods_of(view_func, options.pop("methods", None), provide_automatic_options)
        stream_body = options.pop("stream_body", False)
        operation = None if _DESCRIBING.isdisjoint(options) else self._operation_of(options)
        try:
            url_rule = self.url_rule_class(rule, methods=methods, endpoint=endpoint, **options)
        except TypeError as error:
            raise habits.unknown_option(error, options, self.url_rule_class, _DESCRIBING) from None
        url_rule.stream_body = stream_body  # type: ignore[attr-defined]  # read by the ASGI edge
        if isinstance(declared, (list, tuple)) and len(declared) > 1:
            url_rule.declared_methods = declared  # type: ignore[attr-defined]  # read by the API document
        if operation is not None:
            url_rule.operation = operation  # type: ignore[attr-defined]  # read by the API document
        url_rule.provide_automatic_options = automatic  # type: ignore[attr-defined]  # read when the request runs
        self.url_map.add(url_rule)
        if static_urls.VARIABLE in url_rule.arguments:
            self.static_urls += static_urls.found_in(t.cast("AppContract", self), url_rule, view_func)
        for mount in self.mounts:
            refuse_hidden(mount, url_rule)
        for frontend in self.frontends:
            frontend.forget_routes()
        if view_func is not None:
            known = self.view_functions.get(endpoint)
            if known is not None and known != view_func:
                raise AssertionError(
                    f"The endpoint {endpoint!r} already has another view function. Name one of them differently by"
                    " 'endpoint='."
                )
            self.view_functions[endpoint] = view_func

    def _new_registry(self) -> ft.Registry[t.Any]:
        return HookRegistry(self.hook_orders)

    def _operation_of(self, options: ft.Values) -> Operation | None:
        """The description of a route for the API document. Its options are removed from `options`."""
        from .operations import announce, taken_from

        operation = taken_from(options, self.url_rule_class, forwards=not self.types_by_signature)
        if operation is not None and operation.headers and announce not in self.after_request_funcs.get(None, ()):
            add_hook(self.after_request_funcs, None, announce)
        self.names_schemes |= operation is not None and operation.security is not None
        return operation

    names_schemes = False
    """Whether a route names authentication schemes."""

    @setupmethod
    def mount(self, prefix: str, application: object, *, guard: Guard | None = None) -> None:
        """Let an ASGI or WSGI application answer the requests below a prefix that no rule matches.

        The application gets the prefix as ``root_path`` or ``SCRIPT_NAME``, its WebSockets and its lifespan. `guard` is
        a decorator for views, such as ``login_required``: requests that it does not let pass get its response. Trusted
        hosts and proxies and ``MAX_CONTENT_LENGTH`` apply; hooks, the session, CSRF protection and rate limits do not.

        Raises ValueError for a prefix that is taken or that a rule matches with all paths below it, and TypeError if
        `application` is neither ASGI nor WSGI.
        """
        if application is self:
            raise ValueError(f"The application cannot be mounted at {prefix!r} of itself.")
        self.mounts = add_mount(self.mounts, Mount(prefix, application, guard), self.url_map.iter_rules())

    @setupmethod
    def frontend(self, folder: str | os.PathLike[str], prefix: str = "/", *, endpoint: str = "frontend") -> None:
        """Serve a built front end below a prefix: its files, and its ``index.html`` when a browser opens a page.

        A path without a file gets the page only from a navigation, and neither below a route or a blueprint's prefix
        nor if its last segment has a dot. Routes and mounts come first. A relative `folder` is relative to `root_path`;
        `endpoint` builds the URLs of the files. Raises ValueError for a prefix that is taken, or that a rule matches
        with all paths below it.
        """
        added = Frontend(os.path.join(self.root_path, folder), prefix, endpoint)
        self.frontends = add_frontend(self.frontends, added, self.url_map.iter_rules())
        view = lambda filename=INDEX: added.send(filename)  # noqa: E731 - without annotations, so that it is not typed
        self.add_url_rule(f"{added.prefix}/", endpoint, view, build_only=True)
        self.add_url_rule(f"{added.prefix}/<path:filename>", endpoint, view, build_only=True)
        added.rule = next(rule for rule in self.url_map.iter_rules(endpoint) if rule.arguments)

    def _methods_of(
        self, view: ft.RouteCallable | None, methods: Iterable[str] | None, automatic: bool | None
    ) -> tuple[set[str], bool]:
        """The methods of a rule, and whether OPTIONS is answered for the view."""
        if methods is None:
            methods = getattr(view, "methods", None) or ("GET",)
        if isinstance(methods, str):
            raise TypeError(
                f"The methods of a route are a list of strings: write methods=[{methods!r}], not methods={methods!r}."
            )
        allowed = {method.upper() for method in methods}
        required = {method.upper() for method in getattr(view, "required_methods", ())}
        if automatic is None:
            automatic = getattr(view, "provide_automatic_options", None)
        if automatic is None:
            automatic = "OPTIONS" not in allowed and self.config["PROVIDE_AUTOMATIC_OPTIONS"]
            if automatic:
                required.add("OPTIONS")
        return allowed | required, t.cast(bool, automatic)

    def inject_url_defaults(self, endpoint: str, values: ft.Values) -> None:
        """Call the functions of `url_defaults`, which may change the values of a URL that is being built."""
        links.inject_url_defaults(self, endpoint, values)

    def handle_url_build_error(self, error: BuildError, endpoint: str, values: ft.Values) -> str:
        """The URL that one of `url_build_error_handlers` returns. Raises the error if there is none."""
        return links.rescue(self, error, endpoint, values)

    def redirect(self, location: str, code: int = 302) -> Response:
        """A response that redirects the client to another URL.

        Raises ValueError if the scheme is not one of ``REDIRECT_SCHEMES``.
        """
        location = location_text(location)
        check_location(location, self.config.get("REDIRECT_SCHEMES"))
        return t.cast("Response", make_redirect(location, code=code, Response=self.response_class))

    # Templates, shell and contexts

    @t.overload
    def template_filter(self, name: T_template_filter) -> T_template_filter: ...
    @t.overload
    def template_filter(self, name: str | None = None) -> Callable[[T_template_filter], T_template_filter]: ...
    @setupmethod
    def template_filter(
        self, name: T_template_filter | str | None = None
    ) -> T_template_filter | Callable[[T_template_filter], T_template_filter]:
        """Register the decorated function as a template filter. `name` defaults to the name of the function.

        Works with and without parentheses.
        """
        return under_name(name, self.add_template_filter)

    @setupmethod
    def add_template_filter(self, f: ft.TemplateFilterCallable, name: str | None = None) -> None:
        """`template_filter` without the decorator."""
        self.jinja_env.filters[name or f.__name__] = self._for_templates(f)

    @t.overload
    def template_test(self, name: T_template_test) -> T_template_test: ...
    @t.overload
    def template_test(self, name: str | None = None) -> Callable[[T_template_test], T_template_test]: ...
    @setupmethod
    def template_test(
        self, name: T_template_test | str | None = None
    ) -> T_template_test | Callable[[T_template_test], T_template_test]:
        """Register the decorated function as a template test. `name` defaults to the name of the function.

        Works with and without parentheses.
        """
        return under_name(name, self.add_template_test)

    @setupmethod
    def add_template_test(self, f: ft.TemplateTestCallable, name: str | None = None) -> None:
        """`template_test` without the decorator."""
        self.jinja_env.tests[name or f.__name__] = self._for_templates(f)

    @t.overload
    def template_global(self, name: T_template_global) -> T_template_global: ...
    @t.overload
    def template_global(self, name: str | None = None) -> Callable[[T_template_global], T_template_global]: ...
    @setupmethod
    def template_global(
        self, name: T_template_global | str | None = None
    ) -> T_template_global | Callable[[T_template_global], T_template_global]:
        """Register the decorated function as a global of all templates. `name` defaults to the name of the function.

        Works with and without parentheses.
        """
        return under_name(name, self.add_template_global)

    @setupmethod
    def add_template_global(self, f: ft.TemplateGlobalCallable, name: str | None = None) -> None:
        """`template_global` without the decorator."""
        self.jinja_env.globals[name or f.__name__] = self._for_templates(f)

    def _for_templates(self, f: Callable[..., t.Any]) -> Callable[..., t.Any]:
        """A function that templates can call. Jinja awaits ``async def`` itself if ``enable_async`` is on."""
        if self.jinja_env.is_async:
            return f
        refuse_async_generator("a function of templates", f)
        return self.ensure_sync(f)

    @setupmethod
    def teardown_appcontext(self, f: T_teardown) -> T_teardown:
        """Call `f` when an application context ends, with the unhandled exception or None."""
        self.teardown_appcontext_funcs.append(f)
        return f

    @setupmethod
    def before_serving(self, f: T_serving) -> T_serving:
        """Call `f` in an application context when a worker of an ASGI server starts, before its first request.

        An error in `f` keeps the worker from starting. Of WSGI servers only ``costrel serve`` calls it.
        """
        self.before_serving_funcs.append(f)
        return f

    @setupmethod
    def after_serving(self, f: T_serving) -> T_serving:
        """Call `f` when a worker stops, after its last request, on the servers of `before_serving`."""
        self.after_serving_funcs.append(f)
        return f

    @t.overload
    def while_serving(self, f: T_serving, /) -> T_serving: ...
    @t.overload
    def while_serving(self, f: None = None, /, *, once: Once = "worker") -> Callable[[T_serving], T_serving]: ...
    @setupmethod
    def while_serving(
        self, f: T_serving | None = None, /, *, once: Once = "worker"
    ) -> T_serving | Callable[[T_serving], T_serving]:
        """Run the generator or async generator `f` up to its single ``yield`` before serving, and the rest after it.

        Works with and without parentheses. With `once` ``"server"``, ``costrel serve`` runs `f` in one process around
        all workers; servers that start one process run it there. Raises ValueError if `once` is another word.
        """
        if once not in ("worker", "server"):
            raise ValueError(f"once is 'worker' or 'server', and not {once!r}.")
        generators = self.around_server_gens if once == "server" else self.while_serving_gens

        def add(function: T_serving) -> T_serving:
            generators.append(function)
            return function

        return add if f is None else add(f)

    @t.overload
    def readiness_check(self, f: T_serving, /) -> T_serving: ...
    @t.overload
    def readiness_check(
        self, f: None = None, /, *, name: str | None = None, timeout: float = TIMEOUT
    ) -> Callable[[T_serving], T_serving]: ...
    @setupmethod
    def readiness_check(
        self, f: T_serving | None = None, /, *, name: str | None = None, timeout: float = TIMEOUT
    ) -> T_serving | Callable[[T_serving], T_serving]:
        """Call `f` for each readiness probe of the server. The worker is not ready if `f` returns False or raises.

        Works with and without parentheses. `f` may be ``async``, and is given `timeout` seconds. Raises ValueError if
        the name is taken. See ``costrel serve --health``.
        """

        def add(function: T_serving) -> T_serving:
            check = ReadinessCheck(name or function.__name__, function, timeout)
            if any(check.name == other.name for other in self.readiness_checks):
                raise ValueError(f"There is already a readiness check {check.name!r}: pass another name=.")
            self.readiness_checks.append(check)
            return function

        return add if f is None else add(f)

    @setupmethod
    def shell_context_processor(self, f: T_shell_context_processor) -> T_shell_context_processor:
        """Add the dict that `f` returns to the names of an interactive shell."""
        self.shell_context_processors.append(f)
        return f

    # Errors

    def _find_error_handler(self, e: Exception, blueprints: list[str]) -> ft.ErrorHandlerCallable | None:
        handler: ft.ErrorHandlerCallable | None = error_handlers.find_handler(
            self.error_handler_spec, type(e), blueprints
        )
        return handler

    def trap_http_exception(self, e: Exception) -> bool:
        """Whether an HTTP error is handled like any other exception, so that it reaches debuggers.

        True for all with ``TRAP_HTTP_EXCEPTIONS``, and for bad requests with ``TRAP_BAD_REQUEST_ERRORS``. If the second
        setting is None, a missing form key is trapped in debug mode.
        """
        if self.config["TRAP_HTTP_EXCEPTIONS"]:
            return True
        trap_bad_request: bool | None = self.config["TRAP_BAD_REQUEST_ERRORS"]
        if trap_bad_request is None and isinstance(e, BadRequestKeyError) and self.debug:
            return True
        return bool(trap_bad_request) and isinstance(e, BadRequest)

    def should_ignore_error(self, error: BaseException | None) -> bool:
        """Whether the teardown functions are called without this error. Override this method to ignore errors."""
        return False
