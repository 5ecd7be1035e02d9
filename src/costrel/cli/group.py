"""The command group `costrel`: built-in commands, commands of the application, and commands of installed packages."""

from __future__ import annotations

import difflib
import os
import traceback
import typing as t
from collections.abc import Callable

import click
from click.core import ParameterSource

from .. import context
from ..app.application import Costrel
from ..devserver.identity import served_as_flask
from ..globals import current_app
from ..services.commands import AppGroup, ScriptInfo
from ..services.discovery import NoAppException
from ..services.environment import get_load_dotenv, set_variable
from .check import check_command
from .doctor import doctor_command
from .new import new_command
from .openapi import openapi_command
from .options import app_option, debug_option, env_file_option, version_option
from .request import request_command
from .routes import routes_command
from .run import run_command
from .serve import serve_command
from .shell import shell_command
from .static import static_group

if t.TYPE_CHECKING:
    from importlib.metadata import EntryPoint

_WITHOUT_APPLICATION: t.Final = (doctor_command, new_command)
"""The commands for which the application is not imported to see whether it overrides them, unless it is the group's."""

_OVERRIDABLE: t.Final = (check_command, openapi_command, request_command, static_group, *_WITHOUT_APPLICATION)
"""The commands that a command of the application or of a package with the same name overrides."""


class FlaskGroup(AppGroup):
    """A group with its own commands, the application's commands, and the commands of installed packages.

    `create_app` returns the application; without it, the option ``--app`` names it. The group has the options
    ``--env-file``, ``--app`` and ``--debug``.
    """

    def __init__(
        self,
        add_default_commands: bool = True,
        create_app: Callable[..., t.Any] | None = None,
        add_version_option: bool = True,
        load_dotenv: bool = True,
        set_debug_flag: bool = True,
        **extra: t.Any,
    ) -> None:
        params = [*(extra.pop("params", None) or ()), env_file_option(), app_option(), debug_option()]
        if add_version_option:
            params.append(version_option)
        super().__init__(params=params, **extra)
        self.create_app = create_app
        self.load_dotenv = load_dotenv
        self.set_debug_flag = set_debug_flag
        self._loaded_plugin_commands = False
        if add_default_commands:
            for command in (run_command, serve_command, routes_command, shell_command, *_OVERRIDABLE):
                self.add_command(command)

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: t.Any
    ) -> click.Context:
        """Create the click context, with a :class:`ScriptInfo` as its object."""
        # Must be set before the application is loaded, so that an `app.run()` in its module does not block the command.
        set_variable("RUN_FROM_CLI", "true")
        if "obj" not in extra and "obj" not in self.context_settings:
            extra["obj"] = ScriptInfo(
                create_app=self.create_app,
                set_debug_flag=self.set_debug_flag,
                load_dotenv_defaults=get_load_dotenv(self.load_dotenv),
            )
        if "auto_envvar_prefix" not in self.context_settings:
            extra.setdefault("auto_envvar_prefix", "FLASK" if served_as_flask() else "COSTREL")
        if os.environ.get("NO_COLOR"):
            extra.setdefault("color", False)  # https://no-color.org
        return super().make_context(info_name, args, parent=parent, **extra)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments. If only the help is shown, the options that affect it are processed first."""
        if (not args and self.no_args_is_help) or (len(args) == 1 and args[0] in self.get_help_option_names(ctx)):
            for param in self.params:
                if param.name in ("env_file", "app"):
                    param.handle_parse_result(ctx, {}, [])
        try:
            return super().parse_args(ctx, args)
        except click.UsageError:
            # Without arguments, click raises the help as an error, which may leave the application's context pushed.
            ctx.close()
            raise

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The group's or the application's command with this name; None if there is none."""
        # `serve` does not load the commands of packages, which would cost 1 MiB of memory in each worker.
        if name != serve_command.name or served_as_flask():
            self._load_plugin_commands()
        command = super().get_command(ctx, name)
        if command is not None and command not in _OVERRIDABLE:
            return command
        info = ctx.ensure_object(ScriptInfo)
        if command in _WITHOUT_APPLICATION and not self._may_import(ctx, command):
            return command
        if command is check_command:
            info.set_debug_flag = False  # checks the application's own settings, as another server would see them
        try:
            app: Costrel = info.load_app()
        except NoAppException as error:
            if command is None:
                click.secho(f"Error: {error.format_message()}\n", err=True, fg="red")
            return command
        except Exception:
            if command is None:
                raise
            return command  # it reports the error when it runs
        # Pushed before the command's parameters are parsed, since their callbacks may need the application.
        current = context.peek()
        if current is None or current.app is not app:
            ctx.with_resource(app.app_context())
        override = app.cli.get_command(ctx, name)
        return command if override is None else override

    def _may_import(self, ctx: click.Context, command: click.Command) -> bool:
        """Whether the application may be imported to see whether it overrides `command`."""
        if self.create_app is not None:
            return True
        explicit = (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT)
        return command is not doctor_command and ctx.get_parameter_source("app") in explicit

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that `args` name. Raises UsageError, with a suggestion if possible, if there is none."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            if not error.message.startswith("No such command"):
                raise
            # get_command has been called by now. If it could load the application, its context is current.
            app_commands = current_app.cli.list_commands(ctx) if context.has_app_context() else ()
            names = {*super().list_commands(ctx), *app_commands}
            close = difflib.get_close_matches(args[0], sorted(names), n=1)
            if not close:
                raise
            raise click.UsageError(f"{error.message} Did you mean {close[0]!r}?", ctx) from None

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands. If the application cannot be loaded, its error is printed instead."""
        self._load_plugin_commands()
        names = set(super().list_commands(ctx))
        try:
            names.update(ctx.ensure_object(ScriptInfo).load_app().cli.list_commands(ctx))
        except NoAppException as error:
            click.secho(f"Error: {error.format_message()}\n", err=True, fg="red")
        except Exception:
            click.secho(f"{traceback.format_exc()}\n", err=True, fg="red")
        return sorted(names)

    def _load_plugin_commands(self) -> None:
        if self._loaded_plugin_commands:
            return
        self._loaded_plugin_commands = True
        from importlib.metadata import entry_points

        # Commands written for Flask import Flask, so they work only if Costrel is installed under that name.
        groups = ("costrel.commands", "flask.commands") if served_as_flask() else ("costrel.commands",)
        for group in groups:
            for entry_point in entry_points(group=group):
                self._add_plugin_command(entry_point)

    def _add_plugin_command(self, entry_point: EntryPoint) -> None:
        try:
            command = entry_point.load()
        except Exception as error:
            click.secho(
                f"Warning: The command {entry_point.name!r} ({entry_point.value}) could not be loaded:"
                f" {type(error).__name__}: {error}",
                err=True,
                fg="yellow",
            )
        else:
            self.add_command(command, entry_point.name)
