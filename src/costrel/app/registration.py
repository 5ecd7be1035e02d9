"""The set-up side of the application: its settings, routes, blueprints, template functions and error handlers."""

from __future__ import annotations

import os
import sys
import typing as t
from collections.abc import Callable, ValuesView
from datetime import timedelta

from .. import context
from ..http.errors import Aborter, BadRequest, BadRequestKeyError
from ..messages.redirects import redirect as make_redirect
from ..routing import Map, Rule
from ..services.config import Config, ConfigAttribute
from ..services.environment import get_debug_flag
from ..services.json_provider import DefaultJSONProvider, JSONProvider
from ..support.properties import cached_property
from . import error_handlers, links
from . import typing as ft
from .guards import template_names
from .guards.redirects import check_location
from .packages import find_package
from .readiness import TIMEOUT, ReadinessCheck
from .scaffold import (
    Scaffold,
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

    from ..routing import BuildError
    from ..services.jinja import DispatchingJinjaLoader, Environment
    from .blueprint import Blueprint
    from .response import Response

T_serving = t.TypeVar("T_serving", bound=Callable[[], t.Any])
T_shell_context_processor = t.TypeVar("T_shell_context_processor", bound=ft.ShellContextProcessorCallable)

_TOO_LATE = (
    "The setup method {name!r} came too late: the application has answered a request already, and would now behave"
    " differently from one request to the next.\n"
    "Import the modules with views, and call what sets the application up, before it serves."
)


def _make_timedelta(value: timedelta | int | None) -> timedelta | None:
    if value is None or isinstance(value, timedelta):
        return value
    return timedelta(seconds=value)


class _OwnEnvironment:
    """What `jinja_environment` is where nobody sets another: our class, which is imported with Jinja when asked for."""

    def __get__(self, app: App | None, owner: type[App]) -> type[Environment]:
        from ..services.jinja import Environment

        return Environment


class App(Scaffold):
    """What is configured once, before requests come: the part of the application that knows no request.

    `import_name` says where the application lives, usually ``__name__``. `static_host` goes with `host_matching`;
    `instance_path` is an absolute path, found beside the package unless given.
    """

    aborter_class = Aborter
    jinja_environment = t.cast("type[Environment]", _OwnEnvironment())
    app_ctx_globals_class = context.AppCtxGlobals
    config_class = Config
    json_provider_class: type[JSONProvider] = DefaultJSONProvider
    url_rule_class = Rule
    url_map_class = Map
    jinja_options: dict[str, t.Any] = {}
    test_client_class: type[t.Any] | None = None
    test_cli_runner_class: type[t.Any] | None = None
    default_config: t.Mapping[str, t.Any]
    response_class: type[Response]

    testing = ConfigAttribute[bool]("TESTING")
    secret_key = ConfigAttribute[str | bytes | None]("SECRET_KEY")
    permanent_session_lifetime = ConfigAttribute[timedelta](
        "PERMANENT_SESSION_LIFETIME",
        get_converter=_make_timedelta,  # type: ignore[arg-type]  # None only where the setting is None
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
        super().__init__(import_name, static_folder, static_url_path, template_folder, root_path)
        if instance_path is not None and not os.path.isabs(instance_path):
            raise ValueError(f"The instance path must be absolute, and {str(instance_path)!r} is relative.")
        self.instance_path = self.auto_find_instance_path() if instance_path is None else instance_path
        self.config = self.make_config(instance_relative_config)
        self.aborter = self.make_aborter()
        self.json: JSONProvider = self.json_provider_class(self)
        self.url_build_error_handlers: list[Callable[[Exception, str, dict[str, t.Any]], str]] = []
        """Called where no URL can be built; the first that returns one wins."""
        self.teardown_appcontext_funcs: list[ft.TeardownCallable] = []
        self.shell_context_processors: list[ft.ShellContextProcessorCallable] = []
        self.before_serving_funcs: list[Callable[[], t.Any]] = []
        self.after_serving_funcs: list[Callable[[], t.Any]] = []
        self.while_serving_gens: list[Callable[[], t.Any]] = []
        self.readiness_checks: list[ReadinessCheck] = []
        self.blueprints: dict[str, Blueprint] = {}
        """Registered name, with dots where nested → blueprint, in the order of registration."""
        self.extensions: dict[str, t.Any] = {}
        """Where extensions keep what they know of this application, each under its own name."""
        self.url_map = self.url_map_class(host_matching=host_matching)
        self.subdomain_matching = subdomain_matching
        self._got_first_request = False

    def _check_setup_finished(self, f_name: str) -> None:
        if self._got_first_request:
            raise AssertionError(_TOO_LATE.format(name=f_name))

    # Parts, made when they are first asked for

    @cached_property
    def name(self) -> str:
        """The import name, or, for a script that is run, its file's name."""
        if self.import_name == "__main__":
            file: str | None = getattr(sys.modules["__main__"], "__file__", None)
            return "__main__" if file is None else os.path.splitext(os.path.basename(file))[0]
        return self.import_name

    @cached_property
    def logger(self) -> logging.Logger:
        """The logger named like the application; it gets a handler where none would take its messages."""
        from ..services.logging import create_logger  # with logging itself, which is slow to load

        return create_logger(self)

    @cached_property
    def jinja_env(self) -> Environment:
        """The environment that templates are loaded from."""
        return self.create_jinja_environment()

    def create_jinja_environment(self) -> Environment:
        """Make `jinja_env` of `jinja_options`, with the names that every template may use."""
        from ..services.jinja import create_environment

        environment: Environment = create_environment(self)
        environment.globals.update(template_names(self))
        return environment

    def create_global_jinja_loader(self) -> DispatchingJinjaLoader:
        """Make the loader that asks the application, then its blueprints."""
        from ..services.jinja import DispatchingJinjaLoader

        return DispatchingJinjaLoader(self)

    def select_jinja_autoescape(self, filename: str | None) -> bool:
        """Whether values are escaped in a template: by its file's ending; always in one without a file."""
        return filename is None or filename.endswith((".html", ".htm", ".xml", ".xhtml", ".svg"))

    def make_config(self, instance_relative: bool = False) -> Config:
        """Make `config`: the defaults, and DEBUG as the environment variables say."""
        root_path = self.instance_path if instance_relative else self.root_path
        return self.config_class(root_path, {**self.default_config, "DEBUG": get_debug_flag()})

    def make_aborter(self) -> Aborter:
        """Make `aborter`, which `abort` calls."""
        return self.aborter_class()

    def auto_find_instance_path(self) -> str:
        """The instance folder: beside the package, or below the prefix that the package is installed under."""
        prefix, package_path = find_package(self.import_name)
        if prefix is None:
            return os.path.join(package_path, "instance")
        return os.path.join(prefix, "var", f"{self.name}-instance")

    @property
    def debug(self) -> bool:
        """Whether debug mode is on: the setting ``DEBUG``. Setting it also sets whether templates are reloaded."""
        debug: bool = self.config["DEBUG"]
        return debug

    @debug.setter
    def debug(self, value: bool) -> None:
        self.config["DEBUG"] = value
        if self.config["TEMPLATES_AUTO_RELOAD"] is None and "jinja_env" in self.__dict__:
            self.jinja_env.auto_reload = value

    # Routes and links

    @setupmethod
    def register_blueprint(self, blueprint: Blueprint, **options: t.Any) -> None:
        """Add what a blueprint recorded.

        The options override its own: `name`, `url_prefix`, `subdomain`, `url_defaults`, `cli_group`.
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
        """Route requests to `rule` to `view_func`; the endpoint is the view's name unless given.

        `provide_automatic_options` says whether OPTIONS is answered for the view; unless given, the view's attribute
        of that name does, else whether OPTIONS is among the methods. With `stream_body` an async view gets the body as
        it arrives, by `Request.chunks`. The other options are those of `Rule`. Raises AssertionError where the endpoint
        has another view already.
        """
        endpoint = _endpoint_from_view_func(view_func) if endpoint is None else endpoint  # type: ignore[arg-type]
        methods, automatic = self._methods_of(view_func, options.pop("methods", None), provide_automatic_options)
        stream_body = options.pop("stream_body", False)
        url_rule = self.url_rule_class(rule, methods=methods, endpoint=endpoint, **options)
        url_rule.stream_body = stream_body  # type: ignore[attr-defined]  # read by the ASGI edge
        url_rule.provide_automatic_options = automatic  # type: ignore[attr-defined]  # read when the request runs
        self.url_map.add(url_rule)
        if view_func is not None:
            known = self.view_functions.get(endpoint)
            if known is not None and known != view_func:
                raise AssertionError(
                    f"The endpoint {endpoint!r} has another view function already. Give one of them a name of its own"
                    " with 'endpoint='."
                )
            self.view_functions[endpoint] = view_func

    def _methods_of(self, view: t.Any, methods: t.Any, automatic: bool | None) -> tuple[set[str], bool]:
        """The methods that a rule answers, and whether OPTIONS is answered for the view."""
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

    def inject_url_defaults(self, endpoint: str, values: dict[str, t.Any]) -> None:
        """Let the functions of `url_defaults` change the values of a URL that is being built."""
        links.inject_url_defaults(self, endpoint, values)

    def handle_url_build_error(self, error: BuildError, endpoint: str, values: dict[str, t.Any]) -> str:
        """The URL that one of `url_build_error_handlers` gives; raises the error where none does."""
        return links.rescue(self, error, endpoint, values)

    def redirect(self, location: str, code: int = 302) -> Response:
        """A response that sends the client to another URL.

        Raises ValueError for a scheme that is not among ``REDIRECT_SCHEMES``.
        """
        check_location(location, self.config.get("REDIRECT_SCHEMES"))
        return t.cast("Response", make_redirect(location, code=code, Response=self.response_class))

    # Templates, shell and contexts

    @t.overload
    def template_filter(self, name: T_template_filter) -> T_template_filter: ...
    @t.overload
    def template_filter(self, name: str | None = None) -> Callable[[T_template_filter], T_template_filter]: ...
    @setupmethod
    def template_filter(self, name: t.Any = None) -> t.Any:
        """Make the decorated function a template filter, under its own name unless given another.

        Works with and without parentheses.
        """
        return under_name(name, self.add_template_filter)

    @setupmethod
    def add_template_filter(self, f: ft.TemplateFilterCallable, name: str | None = None) -> None:
        """`template_filter` without the decorator."""
        self.jinja_env.filters[name or f.__name__] = f

    @t.overload
    def template_test(self, name: T_template_test) -> T_template_test: ...
    @t.overload
    def template_test(self, name: str | None = None) -> Callable[[T_template_test], T_template_test]: ...
    @setupmethod
    def template_test(self, name: t.Any = None) -> t.Any:
        """Make the decorated function a template test, under its own name unless given another.

        Works with and without parentheses.
        """
        return under_name(name, self.add_template_test)

    @setupmethod
    def add_template_test(self, f: ft.TemplateTestCallable, name: str | None = None) -> None:
        """`template_test` without the decorator."""
        self.jinja_env.tests[name or f.__name__] = f

    @t.overload
    def template_global(self, name: T_template_global) -> T_template_global: ...
    @t.overload
    def template_global(self, name: str | None = None) -> Callable[[T_template_global], T_template_global]: ...
    @setupmethod
    def template_global(self, name: t.Any = None) -> t.Any:
        """Make the decorated function known to all templates, under its own name unless given another.

        Works with and without parentheses.
        """
        return under_name(name, self.add_template_global)

    @setupmethod
    def add_template_global(self, f: ft.TemplateGlobalCallable, name: str | None = None) -> None:
        """`template_global` without the decorator."""
        self.jinja_env.globals[name or f.__name__] = f

    @setupmethod
    def teardown_appcontext(self, f: T_teardown) -> T_teardown:
        """Call `f` when an application context ends, with the error that nothing handled, or None."""
        self.teardown_appcontext_funcs.append(f)
        return f

    @setupmethod
    def before_serving(self, f: T_serving) -> T_serving:
        """Call `f` when a worker of an ASGI server starts, before its first request, within the application's context.

        An error of `f` keeps the worker from starting. Under WSGI it is never called.
        """
        self.before_serving_funcs.append(f)
        return f

    @setupmethod
    def after_serving(self, f: T_serving) -> T_serving:
        """Call `f` when a worker of an ASGI server stops, after its last request."""
        self.after_serving_funcs.append(f)
        return f

    @setupmethod
    def while_serving(self, f: T_serving) -> T_serving:
        """Run the generator, or async generator, `f` to its one ``yield`` before serving, and the rest afterwards."""
        self.while_serving_gens.append(f)
        return f

    @t.overload
    def readiness_check(self, f: T_serving, /) -> T_serving: ...
    @t.overload
    def readiness_check(
        self, f: None = None, /, *, name: str | None = None, timeout: float = TIMEOUT
    ) -> Callable[[T_serving], T_serving]: ...
    @setupmethod
    def readiness_check(self, f: t.Any = None, /, *, name: str | None = None, timeout: float = TIMEOUT) -> t.Any:
        """Call `f` when the server is asked whether it is ready: it is not where `f` returns False or raises.

        Works with and without parentheses. `f` may be ``async``; it is given `timeout` seconds. Raises ValueError for
        a name that is taken. See ``costrel serve --health``.
        """
        if f is None:
            return lambda f: self.readiness_check(f, name=name, timeout=timeout)
        check = ReadinessCheck(name or f.__name__, f, timeout)
        if any(check.name == other.name for other in self.readiness_checks):
            raise ValueError(f"There is a readiness check {check.name!r} already: give this one another name=.")
        self.readiness_checks.append(check)
        return f

    @setupmethod
    def shell_context_processor(self, f: T_shell_context_processor) -> T_shell_context_processor:
        """Add the dict that `f` returns to what an interactive shell knows."""
        self.shell_context_processors.append(f)
        return f

    # Errors

    def _find_error_handler(self, e: Exception, blueprints: list[str]) -> ft.ErrorHandlerCallable | None:
        handler: ft.ErrorHandlerCallable | None = error_handlers.find_handler(
            self.error_handler_spec, type(e), blueprints
        )
        return handler

    def trap_http_exception(self, e: Exception) -> bool:
        """Whether an HTTP error is treated like any other exception, so that debuggers see it.

        ``TRAP_HTTP_EXCEPTIONS`` says so for all of them, ``TRAP_BAD_REQUEST_ERRORS`` for bad requests; in debug mode
        a missing form key is trapped unless that setting says no.
        """
        if self.config["TRAP_HTTP_EXCEPTIONS"]:
            return True
        trap_bad_request: bool | None = self.config["TRAP_BAD_REQUEST_ERRORS"]
        if trap_bad_request is None and isinstance(e, BadRequestKeyError) and self.debug:
            return True
        return bool(trap_bad_request) and isinstance(e, BadRequest)

    def should_ignore_error(self, error: BaseException | None) -> bool:
        """Whether an error is kept from the teardown functions; override it to say so."""
        return False
