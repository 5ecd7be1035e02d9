"""Commands of an application: click groups whose commands run in the application's context."""

from __future__ import annotations

import functools
import re
import typing as t
from collections.abc import Callable

import click

from .. import context
from ..support.coroutines import refuse_async_generator, running
from .discovery import DEFAULT_FILES, is_application, locate_app, locate_served, not_located, prepare_import
from .environment import get_debug_flag

F = t.TypeVar("F", bound=Callable[..., t.Any])

_BEFORE_NAME = re.compile(r":(?![\\/])")
"""Matches the colon of ``module:name``, but not that of ``C:\\folder``."""


class ScriptInfo:
    """Loads the application for a command. It is the click context object of Costrel's commands.

    `load_dotenv_defaults` is stored for the code that loads the dotenv files.
    """

    def __init__(
        self,
        app_import_path: str | None = None,
        create_app: Callable[..., t.Any] | None = None,
        set_debug_flag: bool = True,
        load_dotenv_defaults: bool = True,
    ) -> None:
        self.app_import_path = app_import_path
        self.create_app = create_app
        self.data: dict[object, t.Any] = {}
        self.set_debug_flag = set_debug_flag
        self.load_dotenv_defaults = load_dotenv_defaults
        self._loaded_app: t.Any = None

    def load_app(self) -> t.Any:
        """Return the application. It is loaded by the first call.

        :raises NoAppException: if there is none.
        """
        if self._loaded_app is not None:
            return self._loaded_app
        app = self._find_app()
        if app is None:
            raise not_located()
        if self.set_debug_flag:
            app.debug = get_debug_flag()
        self._loaded_app = app
        return app

    def load_served(self) -> t.Any:
        """Return the application to serve, which may be any ASGI application.

        :raises NoAppException: if there is none.
        """
        if self.create_app is not None or self._loaded_app is not None:
            return self.load_app()
        app = self._find_app(locate_served)
        if app is None:
            raise not_located()
        if is_application(app):
            if self.set_debug_flag:
                app.debug = get_debug_flag()
            self._loaded_app = app
        return app

    def _find_app(self, locate: Callable[..., t.Any] = locate_app) -> t.Any:
        if self.create_app is not None:
            return self.create_app()
        if self.app_import_path:
            path, *name = _BEFORE_NAME.split(self.app_import_path, maxsplit=1)
            return locate(prepare_import(path), name[0] if name else None)
        for file in DEFAULT_FILES:
            app = locate(prepare_import(file), None, raise_if_not_found=False)
            if app is not None:
                return app
        return None


pass_script_info = click.make_pass_decorator(ScriptInfo, ensure=True)


def with_appcontext(f: F) -> F:
    """Run a click callback in the application's context. It may be ``async def``.

    Commands that are created with ``app.cli.command()`` have the context without this decorator.
    """

    @click.pass_context
    def decorator(ctx: click.Context, /, *args: object, **kwargs: object) -> object:
        if context.peek() is None:
            app = ctx.ensure_object(ScriptInfo).load_app()
            ctx.with_resource(app.app_context())
        return ctx.invoke(run, *args, **kwargs)

    run = _sync(f)
    return t.cast("F", functools.update_wrapper(decorator, f))


def _sync(f: F) -> F:
    """Make an ``async def`` callback synchronous, so that click can call it."""
    refuse_async_generator("a command", f)
    return running(f)


class AppGroup(click.Group):
    """A click group whose commands run in the application's context. Their callbacks may be ``async def``."""

    @t.overload
    def command(self, __func: Callable[..., object]) -> click.Command: ...
    @t.overload
    def command(self, *args: t.Any, **kwargs: t.Any) -> Callable[[Callable[..., object]], click.Command]: ...
    def command(
        self, *args: t.Any, **kwargs: t.Any
    ) -> Callable[[Callable[..., object]], click.Command] | click.Command:
        """Like :meth:`click.Group.command`. ``with_appcontext=False`` runs the command without the context."""
        if args and callable(args[0]):
            register_it: Callable[[Callable[..., object]], click.Command] = self.command(*args[1:], **kwargs)
            return register_it(args[0])
        wrap = kwargs.pop("with_appcontext", True)
        register = super().command(*args, **kwargs)

        def decorator(f: Callable[..., object]) -> click.Command:
            command: click.Command = register(with_appcontext(f) if wrap else f)  # `add_command` wraps it
            return command

        return decorator

    @t.overload
    def group(self, __func: Callable[..., object]) -> click.Group: ...
    @t.overload
    def group(self, *args: t.Any, **kwargs: t.Any) -> Callable[[Callable[..., object]], click.Group]: ...
    def group(self, *args: t.Any, **kwargs: t.Any) -> Callable[[Callable[..., object]], click.Group] | click.Group:
        """Like :meth:`click.Group.group`, for a group of this class."""
        kwargs.setdefault("cls", AppGroup)
        made: Callable[[Callable[..., object]], click.Group] | click.Group = super().group(*args, **kwargs)
        return made

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Like :meth:`click.Group.add_command`."""
        if cmd.callback is not None:
            cmd.callback = _sync(cmd.callback)
        super().add_command(cmd, name)
