"""`costrel shell`: an interactive Python shell in the application's context."""

from __future__ import annotations

import os
import sys
import typing as t
from importlib import import_module

import click

from ..app import typing as ft
from ..globals import current_app
from ..services.commands import with_appcontext


@click.command("shell", short_help="Run a Python shell in the application's context.")
@click.option("--plain", is_flag=True, help="Use Python's own shell even if IPython is installed.")
@with_appcontext
def shell_command(plain: bool) -> None:
    """Run an interactive Python shell in the application's context, with IPython if it is installed.

    It defines 'app', 'g', 'client' (a test client) and the names from the application's shell context processors.
    Top-level 'await' works.
    """
    app = current_app
    banner = f"Python {sys.version} on {sys.platform}\nApp: {app.import_name}\nInstance: {app.instance_path}"
    names: ft.Values = {"client": app.test_client()}
    start = None if plain or not is_terminal() else _ipython()
    if start is None:
        _run_startup_file(names)
    names.update(app.make_shell_context())
    if start is None:
        _run_python(names, banner)
    else:
        start(banner, names)


def is_terminal() -> bool:
    """Whether standard input is a terminal."""
    return sys.stdin.isatty()


def _ipython() -> t.Callable[[str, ft.Values], None] | None:
    """A function that runs IPython with a banner and names; None if IPython is not installed."""
    try:
        shell = import_module("IPython.terminal.ipapp").TerminalIPythonApp
    except ImportError:
        return None

    def start(banner: str, names: ft.Values) -> None:
        application = shell.instance(user_ns=names, display_banner=False)
        application.initialize(argv=[])
        application.shell.show_banner(f"{banner}\n")
        application.start()

    return start


def _run_python(names: ft.Values, banner: str) -> None:
    from .console import AwaitingConsole  # only needed here

    _complete_names(names)
    with AwaitingConsole(names) as console:
        console.interact(banner)


def _run_startup_file(names: ft.Values) -> None:
    """Run the user's startup file (PYTHONSTARTUP), as Python's own shell does."""
    startup = os.environ.get("PYTHONSTARTUP")
    if startup and os.path.isfile(startup):
        with open(startup, encoding="utf-8") as stream:
            exec(compile(stream.read(), startup, "exec"), names)  # noqa: S102 - the user's startup file


def _complete_names(names: ft.Values) -> None:
    """Complete the shell's names with the Tab key, using the user's readline settings and history."""
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
