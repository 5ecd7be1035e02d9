"""Blueprints: parts of an application that are set up separately, and registered with one or more applications."""

from __future__ import annotations

import os
import typing as t
from collections.abc import Callable
from functools import update_wrapper

from ..support.coroutines import refuse_async
from ..support.patterns import LatePattern
from ..support.seams import Seams
from . import api_document, files, habits
from . import typing as ft
from .error_format import check_format
from .hooks import add_hook
from .requirements import check_security
from .scaffold import (
    F,
    Scaffold,
    T,
    T_after_request,
    T_before_request,
    T_error_handler,
    T_teardown,
    T_template_context_processor,
    T_template_filter,
    T_template_global,
    T_template_test,
    T_url_defaults,
    T_url_value_preprocessor,
    _endpoint_from_view_func,
    setupmethod,
    under_name,
)
from .static_urls import STATIC

if t.TYPE_CHECKING:
    from .registration import App
    from .requirements import Security
    from .response import Response

_is_version: t.Final = LatePattern(r"[A-Za-z0-9_-][A-Za-z0-9._-]*").fullmatch

DeferredSetupFunction: t.TypeAlias = Callable[["BlueprintSetupState"], None]

_BLUEPRINT_NAME: t.Any = object()

_TOO_LATE = (
    "The setup method {name!r} was called too late: the blueprint {blueprint!r} has already been registered with an"
    " application, which would not be updated.\n"
    "Import the modules with the blueprint's views, and finish its setup, before 'register_blueprint'."
)


class BlueprintSetupState:
    """One registration of a blueprint with an application: the argument of each recorded function.

    `subdomain`, `url_prefix`, `name` and `url_defaults` come from `options`, or by default from the blueprint.
    """

    def __init__(self, blueprint: Blueprint, app: App, options: ft.Values, first_registration: bool) -> None:
        self.app = app
        self.blueprint = blueprint
        self.options = options
        self.first_registration = first_registration
        self.subdomain: str | None = _first(options.get("subdomain"), blueprint.subdomain)
        self.url_prefix: str | None = _first(options.get("url_prefix"), blueprint.url_prefix)
        self.name: str = options.get("name", blueprint.name)
        self.name_prefix: str = options.get("name_prefix", "")
        self.url_defaults: ft.Values = {**blueprint.url_values_defaults, **(options.get("url_defaults") or {})}

    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: ft.RouteCallable | None = None,
        **options: t.Any,
    ) -> None:
        """Add a rule to the application, with the blueprint's URL prefix, and its name as prefix of the endpoint."""
        if self.url_prefix is not None:
            rule = _join(self.url_prefix, rule) if rule else self.url_prefix
        options.setdefault("subdomain", self.subdomain)
        if endpoint is None:
            endpoint = _endpoint_from_view_func(view_func)
        defaults = self.url_defaults
        if "defaults" in options:
            defaults = {**defaults, **options.pop("defaults")}
        full_endpoint = f"{self.name_prefix}.{self.name}.{endpoint}".lstrip(".")
        self.app.add_url_rule(rule, full_endpoint, view_func, defaults=defaults, **options)


class Blueprint(Scaffold):
    """Records routes, hooks and templates, and applies them when it is registered.

    `name` becomes the prefix of the endpoints, `url_prefix` the prefix of the rules. A blueprint may be registered more
    than once under different names, and inside other blueprints. `cli_group` is the name of the group for its commands,
    which defaults to the name of the blueprint; with None there is no group. With `typed`, every annotated parameter of
    its views is an input. `security` names the authentication schemes that its views require.

    With `owns_errors` the blueprint's error handlers also answer for URLs below its prefix that no rule matches, as for
    a 404 or 405; blueprints inside it do so below their own prefixes, unless they set False. `error_format` overrides
    the setting ``ERROR_FORMAT`` for the blueprint's requests. Raises ValueError for another format.

    `api` is the name of a version of the API, such as ``"v1"``: the blueprint and those inside it have an API document
    of their own. Raises ValueError for a name that does not fit into a URL.
    """

    _got_registered_once = False

    def __init__(
        self,
        name: str,
        import_name: str,
        static_folder: str | os.PathLike[str] | None = None,
        static_url_path: str | None = None,
        template_folder: str | os.PathLike[str] | None = None,
        url_prefix: str | None = None,
        subdomain: str | None = None,
        url_defaults: ft.Values | None = None,
        root_path: str | None = None,
        cli_group: str | None = _BLUEPRINT_NAME,
        owns_errors: bool | None = None,
        error_format: str | None = None,
        *,
        typed: bool | None = None,
        security: Security | None = None,
        api: str | None = None,
    ) -> None:
        super().__init__(import_name, static_folder, static_url_path, template_folder, root_path)
        if not name:
            raise ValueError("'name' may not be empty.")
        if "." in name:
            raise ValueError("'name' may not contain a dot '.' character.")
        self.name = name
        self.typed_by_default = typed
        if security is not None:
            check_security(f"the blueprint {name!r}", security)
            self.default_security = security
        self.url_prefix = url_prefix
        self.subdomain = subdomain
        self.deferred_functions: list[DeferredSetupFunction] = []
        self.url_values_defaults: ft.Values = {} if url_defaults is None else url_defaults
        self.cli_group = cli_group
        self.owns_errors = owns_errors
        if error_format is not None:
            check_format("error_format", error_format)
        self.error_format = error_format
        if api is not None and not _is_version(api):
            raise ValueError(f"api= is {api!r}: it takes letters, digits, hyphens, dots and underscores, as in 'v1'.")
        self.api_version = api
        self._blueprints: list[tuple[Blueprint, ft.Values]] = []

    def _check_setup_finished(self, f_name: str) -> None:
        if self._got_registered_once:
            raise AssertionError(_TOO_LATE.format(name=f_name, blueprint=self.name))

    # Files

    def send_static_file(self, filename: str) -> Response:
        """The view for the static files of the blueprint. Raises RuntimeError without a static folder."""
        return files.send_static_file(self, filename)

    def open_resource(self, resource: str, mode: str = "rb", encoding: str | None = "utf-8") -> t.IO[t.Any]:
        """Open a file below `root_path` for reading. Raises ValueError for any other mode."""
        return files.open_resource(self.root_path, resource, mode, encoding)

    # Recording

    @setupmethod
    def record(self, func: DeferredSetupFunction) -> None:
        """Call `func` with the `BlueprintSetupState` of each registration. Raises TypeError if it is ``async def``."""
        refuse_async("a function that is recorded", func)
        self.deferred_functions.append(func)

    @setupmethod
    def record_once(self, func: DeferredSetupFunction) -> None:
        """Call `func` only at the first registration with each application. Raises TypeError as `record` does."""
        refuse_async("a function that is recorded", func)

        def at_first(state: BlueprintSetupState) -> None:
            if state.first_registration:
                func(state)

        self.record(update_wrapper(at_first, func))

    @setupmethod
    def register_blueprint(self, blueprint: Blueprint, **options: t.Any) -> None:
        """Register a blueprint inside this one. Takes the options of `App.register_blueprint`."""
        if blueprint is self:
            raise ValueError("Cannot register a blueprint on itself")
        self._blueprints.append((blueprint, options))

    @setupmethod
    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: ft.RouteCallable | None = None,
        provide_automatic_options: bool | None = None,
        **options: t.Any,
    ) -> None:
        """Route requests to `rule`, which is relative to the URL prefix, to a view.

        Raises ValueError for an endpoint with a dot, which separates the names of blueprints from the endpoint.
        """
        if endpoint and "." in endpoint:
            raise ValueError("'endpoint' may not contain a dot '.' character.")
        if view_func and "." in getattr(view_func, "__name__", ""):
            raise ValueError("'view_func' name may not contain a dot '.' character.")
        self.record(
            lambda state: state.add_url_rule(
                rule, endpoint, view_func, provide_automatic_options=provide_automatic_options, **options
            )
        )

    # Registering

    def make_setup_state(self, app: App, options: ft.Values, first_registration: bool = False) -> BlueprintSetupState:
        """Create the argument for the recorded functions. Override this method to pass a subclass."""
        return BlueprintSetupState(self, app, options, first_registration)

    def register(self, app: App, options: ft.Values) -> None:
        """Apply the recorded setup to an application: called by `App.register_blueprint`.

        Raises ValueError if the application has another blueprint with this name.
        """
        name = f"{options.get('name_prefix', '')}.{options.get('name', self.name)}".lstrip(".")
        self._check_name_is_free(app, name, options.get("name", self.name))
        first = all(blueprint is not self for blueprint in app.blueprints.values())
        app.blueprints[name] = self
        self._got_registered_once = True
        state = self.make_setup_state(app, options, first)
        owns_errors = _first(options.get("owns_errors"), self.owns_errors)
        if state.url_prefix:
            app.blueprint_prefixes |= {state.url_prefix.rstrip("/")}
        if owns_errors:
            app.error_owners.add(name, state.url_prefix, state.subdomain)
        if self.has_static_folder:
            state.add_url_rule(f"{self.static_url_path}/<path:filename>", "static", self.send_static_file)
        self._merge_blueprint_funcs(app, name)
        for function in self.deferred_functions:
            function(state)
        if self.api_version is not None:
            api_document.add_version(app, self.api_version)
        self._register_commands(app, name, options.get("cli_group", self.cli_group))
        for child, child_options in self._blueprints:
            inside = _options_inside(state, name, child, child_options)
            inside.setdefault("owns_errors", _first(child.owns_errors, owns_errors))
            child.register(app, inside)

    def _check_name_is_free(self, app: App, name: str, own_name: str) -> None:
        if name not in app.blueprints:
            return
        holder = "this" if app.blueprints[name] is self else "a different"
        at = "" if name == own_name else f" '{name}'"
        raise ValueError(
            f"The name '{own_name}' is already registered for {holder} blueprint{at}."
            " Use 'name=' to provide a unique name."
        )

    def _register_commands(self, app: App, name: str, group: str | None) -> None:
        if "cli" not in self.__dict__ or not self.cli.commands:
            return  # no command was added, so the group was not created
        if group is None:
            app.cli.commands.update(self.cli.commands)
            return
        self.cli.name = name if group is _BLUEPRINT_NAME else group
        app.cli.add_command(self.cli)

    def _merge_blueprint_funcs(self, app: App, name: str) -> None:
        """Add the blueprint's functions to the registries of the application, under the name of the blueprint."""
        _extend(app.before_request_funcs, self.before_request_funcs, name)
        _extend(app.after_request_funcs, self.after_request_funcs, name)
        _extend(app.teardown_request_funcs, self.teardown_request_funcs, name)
        _extend(app.before_websocket_funcs, self.before_websocket_funcs, name)
        _extend(app.after_websocket_funcs, self.after_websocket_funcs, name)
        _extend(app.url_default_functions, self.url_default_functions, name)
        _extend(app.url_value_preprocessors, self.url_value_preprocessors, name)
        _extend(app.template_context_processors, self.template_context_processors, name)
        for scope, by_code in self.error_handler_spec.items():
            merged = app.error_handler_spec.setdefault(_scope_inside(name, scope), {})
            for code, by_class in by_code.items():
                merged.setdefault(code, {}).update(by_class)
        app.view_functions.update(self.view_functions)

    # Registered for the whole application

    @t.overload
    def app_template_filter(self, name: T_template_filter) -> T_template_filter: ...
    @t.overload
    def app_template_filter(self, name: str | None = None) -> Callable[[T_template_filter], T_template_filter]: ...
    @setupmethod
    def app_template_filter(
        self, name: T_template_filter | str | None = None
    ) -> T_template_filter | Callable[[T_template_filter], T_template_filter]:
        """`App.template_filter` of the application."""
        return under_name(name, self.add_app_template_filter)

    @setupmethod
    def add_app_template_filter(self, f: ft.TemplateFilterCallable, name: str | None = None) -> None:
        """`App.add_template_filter` of the application."""
        self.record_once(lambda state: state.app.add_template_filter(f, name))

    @t.overload
    def app_template_test(self, name: T_template_test) -> T_template_test: ...
    @t.overload
    def app_template_test(self, name: str | None = None) -> Callable[[T_template_test], T_template_test]: ...
    @setupmethod
    def app_template_test(
        self, name: T_template_test | str | None = None
    ) -> T_template_test | Callable[[T_template_test], T_template_test]:
        """`App.template_test` of the application."""
        return under_name(name, self.add_app_template_test)

    @setupmethod
    def add_app_template_test(self, f: ft.TemplateTestCallable, name: str | None = None) -> None:
        """`App.add_template_test` of the application."""
        self.record_once(lambda state: state.app.add_template_test(f, name))

    @t.overload
    def app_template_global(self, name: T_template_global) -> T_template_global: ...
    @t.overload
    def app_template_global(self, name: str | None = None) -> Callable[[T_template_global], T_template_global]: ...
    @setupmethod
    def app_template_global(
        self, name: T_template_global | str | None = None
    ) -> T_template_global | Callable[[T_template_global], T_template_global]:
        """`App.template_global` of the application."""
        return under_name(name, self.add_app_template_global)

    @setupmethod
    def add_app_template_global(self, f: ft.TemplateGlobalCallable, name: str | None = None) -> None:
        """`App.add_template_global` of the application."""
        self.record_once(lambda state: state.app.add_template_global(f, name))

    @setupmethod
    def before_app_request(self, f: T_before_request) -> T_before_request:
        """`before_request` for every request of the application."""
        self.record_once(lambda state: add_hook(state.app.before_request_funcs, None, f))
        return f

    @setupmethod
    def after_app_request(self, f: T_after_request) -> T_after_request:
        """`after_request` for every request of the application."""
        self.record_once(lambda state: add_hook(state.app.after_request_funcs, None, f))
        return f

    @setupmethod
    def teardown_app_request(self, f: T_teardown) -> T_teardown:
        """`teardown_request` for every request of the application."""
        self.record_once(lambda state: add_hook(state.app.teardown_request_funcs, None, f))
        return f

    @setupmethod
    def app_context_processor(self, f: T_template_context_processor) -> T_template_context_processor:
        """`context_processor` for every template of the application."""
        self.record_once(lambda state: state.app.template_context_processors.setdefault(None, []).append(f))
        return f

    @setupmethod
    def app_errorhandler(self, code: type[Exception] | int) -> Callable[[T_error_handler], T_error_handler]:
        """`errorhandler` for every request of the application.

        Raises TypeError if it is used without parentheses.
        """
        habits.require_argument("app_errorhandler", "404", code, takes_class=True)

        def decorator(f: T_error_handler) -> T_error_handler:
            def on_application(state: BlueprintSetupState) -> None:
                state.app.errorhandler(code)(f)

            self.record_once(on_application)
            return f

        return decorator

    @setupmethod
    def app_url_value_preprocessor(self, f: T_url_value_preprocessor) -> T_url_value_preprocessor:
        """`url_value_preprocessor` for every request of the application."""
        self.record_once(lambda state: add_hook(state.app.url_value_preprocessors, None, f))
        return f

    @setupmethod
    def app_url_defaults(self, f: T_url_defaults) -> T_url_defaults:
        """`url_defaults` for every URL of the application."""
        self.record_once(lambda state: state.app.url_default_functions.setdefault(None, []).append(f))
        return f


Blueprint.static_seams = Seams(Blueprint, *STATIC)


def _first(value: T | None, otherwise: T) -> T:
    return otherwise if value is None else value


def _join(prefix: str, rule: str) -> str:
    return f"{prefix.rstrip('/')}/{rule.lstrip('/')}"


def _scope_inside(name: str, scope: str | None) -> str:
    return name if scope is None else f"{name}.{scope}"


def _extend(registry: ft.Registry[F], added: ft.Registry[F], name: str) -> None:
    for scope, functions in added.items():
        add_hook(registry, _scope_inside(name, scope), *functions)


def _options_inside(outer: BlueprintSetupState, outer_name: str, child: Blueprint, options: ft.Values) -> ft.Values:
    """The options of a nested registration: URL prefix and subdomain are relative to the outer blueprint."""
    inside = {**options, "name_prefix": outer_name}
    subdomain = _first(options.get("subdomain"), child.subdomain)
    parts = [part for part in (subdomain, outer.subdomain) if part is not None]
    if parts:
        inside["subdomain"] = ".".join(parts)
    prefix = _first(options.get("url_prefix"), child.url_prefix)
    if outer.url_prefix is not None:
        inside["url_prefix"] = outer.url_prefix if prefix is None else _join(outer.url_prefix, prefix)
    elif prefix is not None:
        inside["url_prefix"] = prefix
    return inside
