"""`costrel shell`: Python with the application at hand."""

from __future__ import annotations

import os
import sys
import typing as t

import click

from .. import context
from ..services.commands import with_appcontext


@click.command("shell", short_help="Run a Python shell with the application.")
@with_appcontext
def shell_command() -> None:
    """Run an interactive Python shell in the application's context.

    It starts with the names that the application's shell context processors give, 'app' and 'g' among them.
    """
    import code  # here: in production nobody needs it in memory

    app = context.current().app
    banner = f"Python {sys.version} on {sys.platform}\nApp: {app.import_name}\nInstance: {app.instance_path}"
    names: dict[str, t.Any] = {}
    _run_startup_file(names)
    names.update(app.make_shell_context())
    _complete_names(names)
    code.interact(banner=banner, local=names)


def _run_startup_file(names: dict[str, t.Any]) -> None:
    """Run the file that Python runs for its own shell."""
    startup = os.environ.get("PYTHONSTARTUP")
    if startup and os.path.isfile(startup):
        with open(startup, encoding="utf-8") as stream:
            exec(compile(stream.read(), startup, "exec"), names)  # noqa: S102 - the user's own start-up file


def _complete_names(names: dict[str, t.Any]) -> None:
    """Have the Tab key complete the names of this shell, with the user's own settings where there are some."""
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
