"""`costrel shell`: an interactive Python shell with the application."""

from __future__ import annotations

import os
import sys

import click

from ..app import typing as ft
from ..globals import current_app
from ..services.commands import with_appcontext


@click.command("shell", short_help="Run a Python shell with the application.")
@with_appcontext
def shell_command() -> None:
    """Run an interactive Python shell in the application's context.

    It defines 'app', 'g' and the names of the application's shell context processors.
    """
    import code  # not needed in production

    app = current_app
    banner = f"Python {sys.version} on {sys.platform}\nApp: {app.import_name}\nInstance: {app.instance_path}"
    names: ft.Values = {}
    _run_startup_file(names)
    names.update(app.make_shell_context())
    _complete_names(names)
    code.interact(banner=banner, local=names)


def _run_startup_file(names: ft.Values) -> None:
    """Run the startup file of Python's own shell."""
    startup = os.environ.get("PYTHONSTARTUP")
    if startup and os.path.isfile(startup):
        with open(startup, encoding="utf-8") as stream:
            exec(compile(stream.read(), startup, "exec"), names)  # noqa: S102 - the user's startup file


def _complete_names(names: ft.Values) -> None:
    """Make the Tab key complete the names of this shell, with the user's readline settings."""
    hook = getattr(sys, "__interactivehook__", None)
    if hook is None:
        return
    try:
        import readline
        from rlcompleter import Completer
    except ImportError:
        pass
    else:
        readline.set_completer(Completer(names).complete)
    hook()
