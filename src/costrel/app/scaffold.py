"""The common base of applications and blueprints: routes, hooks, error handlers, template and static folders."""

from __future__ import annotations

import os
import typing as t
from collections import defaultdict
from collections.abc import Callable
from functools import lru_cache, update_wrapper

from ..services.templating import _default_template_ctx_processor
from ..support.coroutines import refuse_async_generator
from ..support.properties import cached_property
from . import error_handlers, files, habits
from . import typing as ft
from .hooks import add_hook
from .packages import get_root_path
from .websocket import WebSocketView

if t.TYPE_CHECKING:
    from jinja2 import BaseLoader

    from ..services.commands import AppGroup
    from ..support.seams import Seams
    from ..typed.providers import Providers
    from .requirements import Security

F = t.TypeVar("F", bound=Callable[..., t.Any])
T = t.TypeVar("T")
T_after_request = t.TypeVar("T_after_request", bound=ft.AfterRequestCallable[t.Any])
T_before_request = t.TypeVar("T_before_request", bound=ft.BeforeRequestCallable)
T_error_handler = t.TypeVar("T_error_handler", bound=ft.ErrorHandlerCallable)
T_teardown = t.TypeVar("T_teardown", bound=ft.TeardownCallable)
T_template_context_processor = t.TypeVar("T_template_context_processor", bound=ft.TemplateContextProcessorCallable)
T_template_filter = t.TypeVar("T_template_filter", bound=ft.TemplateFilterCallable)
T_template_global = t.TypeVar("T_template_global", bound=ft.TemplateGlobalCallable)
T_template_test = t.TypeVar("T_template_test", bound=ft.TemplateTestCallable)
T_url_defaults = t.TypeVar("T_url_defaults", bound=ft.URLDefaultCallable)
T_url_value_preprocessor = t.TypeVar("T_url_value_preprocessor", bound=ft.URLValuePreprocessorCallable)
T_route = t.TypeVar("T_route", bound=ft.RouteCallable)
T_websocket = t.TypeVar("T_websocket", bound=ft.WebSocketCallable)
T_after_websocket = t.TypeVar("T_after_websocket", bound=ft.AfterWebSocketCallable)


def setupmethod(f: F) -> F:
    """A decorator for methods that must not be called after setup, since their effect would be incomplete."""
    name = f.__name__

    def checked(self: Scaffold, *args: object, **kwargs: object) -> object:
        self._check_setup_finished(name)
        return f(self, *args, **kwargs)

    def checked_hook(self: Scaffold, function: Callable[..., object]) -> object:
        refuse_async_generator(f"{name!r}", function)
        return checked(self, function)

    return t.cast(F, update_wrapper(checked_hook if name in _HOOKS_WITHOUT_STREAM else checked, f))


_HOOKS_WITHOUT_STREAM: t.Final = frozenset(
    f"{before}{app}{after}"
    for before, after in (
        ("after_", "request"),
        ("teardown_", "request"),
        ("", "url_value_preprocessor"),
        ("", "url_defaults"),
        ("", "context_processor"),
        ("teardown_", "appcontext"),
        ("", "shell_context_processor"),
    )
    for app in ("", "app_")
)
"""The methods whose functions cannot return a stream: the values of a generator would not be read."""


_join = lru_cache(maxsize=256)(os.path.join)  # PERF: static. An application has few folders.


class Scaffold:
    """The setup methods that `App` and `Blueprint` share.

    The registries below are dicts of lists, keyed by the name of a blueprint, or by None for every request. They may be
    changed, and replaced by plain dicts and lists, at any time.

    `import_name` is the module that defines the object, usually ``__name__``. `static_folder` and `template_folder`
    are relative to `root_path`, which defaults to the folder of that module.
    """

    static_seams: t.ClassVar[Seams]
    """The methods that send static files, and which of them are replaced. Set for each class after its definition."""

    name: str
    _static_folder: str | None = None
    _static_url_path: str | None = None
    typed_by_default: bool | None = None
    """Whether every annotated parameter of a view is an input; None: as around this blueprint."""
    default_security: Security | None = None
    """The authentication schemes that views require by default; None: as around this blueprint."""

    def __init__(
        self,
        import_name: str,
        static_folder: str | os.PathLike[str] | None = None,
        static_url_path: str | None = None,
        template_folder: str | os.PathLike[str] | None = None,
        root_path: str | None = None,
    ):
        self.import_name = import_name
        self.static_folder = static_folder
        self.static_url_path = static_url_path
        self.template_folder = template_folder
        self.root_path: str = get_root_path(import_name) if root_path is None else root_path
        self.view_functions: dict[str, ft.RouteCallable] = {}
        """Endpoint → view."""
        self.error_handler_spec: dict[
            ft.AppOrBlueprintKey, dict[int | None, dict[type[Exception], ft.ErrorHandlerCallable]]
        ] = defaultdict(lambda: defaultdict(dict))
        """Blueprint → status code → exception class → handler."""
        self.before_request_funcs: ft.Registry[ft.BeforeRequestCallable] = self._new_registry()
        self.after_request_funcs: ft.Registry[ft.AfterRequestCallable[t.Any]] = self._new_registry()
        self.teardown_request_funcs: ft.Registry[ft.TeardownCallable] = self._new_registry()
        self.before_websocket_funcs: ft.Registry[ft.BeforeRequestCallable] = defaultdict(list)
        self.after_websocket_funcs: ft.Registry[ft.AfterWebSocketCallable] = defaultdict(list)
        self.template_context_processors: ft.Registry[ft.TemplateContextProcessorCallable] = defaultdict(
            list, {None: [_default_template_ctx_processor]}
        )
        self.url_value_preprocessors: ft.Registry[ft.URLValuePreprocessorCallable] = self._new_registry()
        self.url_default_functions: ft.Registry[ft.URLDefaultCallable] = defaultdict(list)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    def _new_registry(self) -> ft.Registry[t.Any]:
        """A registry of functions around requests."""
        return defaultdict(list)

    def _check_setup_finished(self, f_name: str) -> None:
        raise NotImplementedError

    # Folders

    @cached_property
    def cli(self) -> AppGroup:
        """The click group for the commands of this object."""
        from ..services.commands import AppGroup  # click takes 40 ms to load, and only commands need it

        return AppGroup(name=self.name)

    @property
    def static_folder(self) -> str | None:
        """The absolute path of the static folder, or None."""
        if self._static_folder is None:
            return None
        return _join(self.root_path, self._static_folder)

    @static_folder.setter
    def static_folder(self, value: str | os.PathLike[str] | None) -> None:
        self._static_folder = None if value is None else os.fspath(value).rstrip(r"\/")

    @property
    def has_static_folder(self) -> bool:
        """Whether a static folder is set. It need not exist."""
        return self.static_folder is not None

    @property
    def static_url_path(self) -> str | None:
        """The URL prefix of the static files; by default, the name of the folder."""
        if self._static_url_path is not None:
            return self._static_url_path
        folder = self.static_folder
        return None if folder is None else f"/{os.path.basename(folder)}".rstrip("/")

    @static_url_path.setter
    def static_url_path(self, value: str | None) -> None:
        self._static_url_path = None if value is None else value.rstrip("/")

    @cached_property
    def jinja_loader(self) -> BaseLoader | None:
        """The loader for the template folder of this object; None without such a folder."""
        if self.template_folder is None:
            return None
        from jinja2 import FileSystemLoader  # see `services.jinja`

        return FileSystemLoader(os.path.join(self.root_path, self.template_folder))

    def get_send_file_max_age(self, filename: str | None) -> int | None:
        """The seconds for which browsers may cache a file, or None if they must revalidate it each time.

        Override this method to decide by file name.
        """
        return files.default_max_age()

    def open_resource(self, resource: str, mode: str = "rb", encoding: str | None = None) -> t.IO[t.Any]:
        """Open a file below `root_path` for reading. Raises ValueError for any other mode."""
        return files.open_resource(self.root_path, resource, mode, encoding)

    # Routes

    def _method_route(self, method: str, rule: str, options: ft.Values) -> Callable[[T_route], T_route]:
        habits.require_argument(method.lower(), '"/path"', rule)
        if "methods" in options:
            raise TypeError("Use the 'route' decorator to use the 'methods' argument.")
        return self.route(rule, methods=[method], **options)

    @setupmethod
    def get(self, rule: str, **options: t.Any) -> Callable[[T_route], T_route]:
        """`route` for GET requests."""
        return self._method_route("GET", rule, options)

    @setupmethod
    def post(self, rule: str, **options: t.Any) -> Callable[[T_route], T_route]:
        """`route` for POST requests."""
        return self._method_route("POST", rule, options)

    @setupmethod
    def put(self, rule: str, **options: t.Any) -> Callable[[T_route], T_route]:
        """`route` for PUT requests."""
        return self._method_route("PUT", rule, options)

    @setupmethod
    def delete(self, rule: str, **options: t.Any) -> Callable[[T_route], T_route]:
        """`route` for DELETE requests."""
        return self._method_route("DELETE", rule, options)

    @setupmethod
    def patch(self, rule: str, **options: t.Any) -> Callable[[T_route], T_route]:
        """`route` for PATCH requests."""
        return self._method_route("PATCH", rule, options)

    @setupmethod
    def route(self, rule: str, **options: t.Any) -> Callable[[T_route], T_route]:
        """Register the decorated view for requests to `rule`. Takes the options of `add_url_rule`.

        Raises TypeError if it is used without parentheses.
        """
        habits.require_argument("route", '"/path"', rule)

        def decorator(f: T_route) -> T_route:
            endpoint = options.pop("endpoint", None)
            self.add_url_rule(rule, endpoint, f, **options)
            return f

        return decorator

    @setupmethod
    def websocket(self, rule: str, **options: t.Any) -> Callable[[T_websocket], T_websocket]:
        """Register the decorated ``async def`` view for WebSockets at `rule`. Takes the options of `Rule`.

        Raises TypeError if the view is not ``async def``.
        """
        habits.require_argument("websocket", '"/path"', rule)

        def decorator(f: T_websocket) -> T_websocket:
            from inspect import iscoroutinefunction  # slow to load

            if not iscoroutinefunction(f):
                raise TypeError(
                    f"The view {getattr(f, '__name__', f)!r} of the WebSocket {rule!r} must be 'async def': it waits"
                    " for messages on the server's event loop."
                )
            endpoint = options.pop("endpoint", None)
            self.add_url_rule(rule, endpoint, WebSocketView(f), websocket=True, **options)
            return t.cast("T_websocket", f)

        return decorator

    @setupmethod
    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: ft.RouteCallable | None = None,
        provide_automatic_options: bool | None = None,
        **options: t.Any,
    ) -> None:
        """Route requests to `rule` to a view."""
        raise NotImplementedError

    @setupmethod
    def endpoint(self, endpoint: str) -> Callable[[F], F]:
        """Register the decorated function as the view of an endpoint whose rule is added elsewhere.

        Raises TypeError if it is used without parentheses.
        """
        habits.require_argument("endpoint", '"name"', endpoint)

        def decorator(f: F) -> F:
            self.view_functions[endpoint] = f
            return f

        return decorator

    # Hooks

    @setupmethod
    def before_request(self, f: T_before_request) -> T_before_request:
        """Call `f` before each request. If it returns a value other than None, that is the response."""
        add_hook(self.before_request_funcs, None, f)
        return f

    @setupmethod
    def after_request(self, f: T_after_request) -> T_after_request:
        """Call `f` with the response to each request. It returns the response to send."""
        add_hook(self.after_request_funcs, None, f)
        return f

    @setupmethod
    def teardown_request(self, f: T_teardown) -> T_teardown:
        """Call `f` when the context of a request ends, with the unhandled exception or None."""
        add_hook(self.teardown_request_funcs, None, f)
        return f

    @setupmethod
    def before_websocket(self, f: T_before_request) -> T_before_request:
        """Call `f` before the view of each WebSocket. If it returns a value other than None, that response refuses it.

        The functions of `before_request` are not called for WebSockets.
        """
        add_hook(self.before_websocket_funcs, None, f)
        return f

    @setupmethod
    def after_websocket(self, f: T_after_websocket) -> T_after_websocket:
        """Call `f` when a WebSocket has ended, with the response that refuses it, or None if it was accepted.

        It returns the response that refuses the WebSocket, or None.
        """
        add_hook(self.after_websocket_funcs, None, f)
        return f

    @setupmethod
    def context_processor(self, f: T_template_context_processor) -> T_template_context_processor:
        """Add the dict that `f` returns to the variables of templates."""
        self.template_context_processors.setdefault(None, []).append(f)
        return f

    @setupmethod
    def url_value_preprocessor(self, f: T_url_value_preprocessor) -> T_url_value_preprocessor:
        """Call `f` with the endpoint and the URL values of each request. It may change the values for the view."""
        add_hook(self.url_value_preprocessors, None, f)
        return f

    @setupmethod
    def url_defaults(self, f: T_url_defaults) -> T_url_defaults:
        """Call `f` with the endpoint and the values of each URL that is built. It changes the values in place."""
        self.url_default_functions.setdefault(None, []).append(f)
        return f

    # Providers

    @cached_property
    def providers(self) -> Providers:
        """The providers of this object; see `provide`."""
        from ..typed.providers import Providers  # imports inspect, and most applications have none

        return Providers()

    @t.overload
    def provide(self, function: F, *, first: bool = False, until: str = "stream") -> F: ...
    @t.overload
    def provide(self, function: None = None, *, first: bool = False, until: str = "stream") -> Callable[[F], F]: ...
    @setupmethod
    def provide(self, function: F | None = None, *, first: bool = False, until: str = "stream") -> F | Callable[[F], F]:
        """Let a function provide the values of its return type to views, once per request.

        It may be a generator, which resumes after the view: with the view's error thrown in, and at the end of a
        stream unless `until` is ``"view"``. With `first` it runs before the inputs are validated. Raises TypeError if
        the function has no return annotation, or returns scalars or containers.
        """
        from ..typed.providers import Provider

        def add(function: F) -> F:
            self.providers.add(Provider(function, first=first, until=until))
            return function

        return add if function is None else add(function)

    # Error handlers

    @setupmethod
    def errorhandler(self, code_or_exception: type[Exception] | int) -> Callable[[T_error_handler], T_error_handler]:
        """Register the decorated function as the handler for a status code or an exception class.

        Raises TypeError if it is used without parentheses.
        """
        habits.require_argument("errorhandler", "404", code_or_exception, takes_class=True)

        def decorator(f: T_error_handler) -> T_error_handler:
            self.register_error_handler(code_or_exception, f)
            return f

        return decorator

    @setupmethod
    def register_error_handler(self, code_or_exception: type[Exception] | int, f: ft.ErrorHandlerCallable) -> None:
        """`errorhandler` without the decorator."""
        exc_class, code = self._get_exc_class_and_code(code_or_exception)
        self.error_handler_spec[None][code][exc_class] = f

    @staticmethod
    def _get_exc_class_and_code(exc_class_or_code: type[Exception] | int) -> tuple[type[Exception], int | None]:
        return error_handlers.class_and_code(exc_class_or_code)


def _endpoint_from_view_func(view_func: ft.RouteCallable | None) -> str:
    """The default endpoint of a view: its name."""
    if view_func is None:
        raise AssertionError("expected view func if endpoint is not provided.")
    return view_func.__name__


def under_name(name: F | str | None, add: Callable[[F, str | None], None]) -> F | Callable[[F], F]:
    """A decorator that passes its function to `add` with a name. `name` may also be the decorated function itself."""
    if callable(name):
        add(name, None)
        return name

    def decorator(f: F) -> F:
        add(f, name)
        return f

    return decorator
