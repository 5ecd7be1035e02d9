"""The lines that a server prints when it starts."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import suppress

import click

from ..app.application import Costrel
from ..server import terminal
from .identity import served_as_flask

NOT_FOR_PRODUCTION = (
    "WARNING: This is a development server. In production, use costrel serve, or any WSGI or ASGI server."
)


def is_running_from_reloader() -> bool:
    """Whether this is the process that the reloader restarts, and not the reloader itself."""
    return os.environ.get("WERKZEUG_RUN_MAIN") == "true"


def show_server_banner(debug: bool | None, app_import_path: str | None) -> None:
    """Print the application's name and whether it is in debug mode, unless the reloader has printed them."""
    if is_running_from_reloader():
        return
    if app_import_path is not None:
        click.echo(f" * Serving {'Flask' if served_as_flask() else 'Costrel'} app '{app_import_path}'")
    if debug is not None:
        click.echo(f" * Debug mode: {'on' if debug else 'off'}")


def server_logger() -> logging.Logger:
    """The logger for requests: ``werkzeug`` under Flask's name, otherwise ``costrel.server``."""
    return terminal.ready_logger("werkzeug" if served_as_flask() else "costrel.server")


def input_lines(app: Costrel) -> Iterator[str]:
    """A line for each typed view, with its inputs. Raises TypeError or ValueError for an invalid signature."""
    for endpoint, inputs in app.typed_views.inputs().items():
        yield f"{endpoint} reads {', '.join(map(str, inputs)) or 'nothing'}"


def show_inputs(app: Costrel) -> None:
    """Log the inputs of each typed view. Invalid signatures are skipped: the application's start reports them."""
    with suppress(TypeError, ValueError):
        for line in input_lines(app):
            server_logger().info(" * %s", line)


def announce(urls: str) -> None:
    """Log the server's URLs, and how to stop it."""
    logger = server_logger()
    paint = terminal.painter(sys.stderr)
    logger.info("%s", paint(NOT_FOR_PRODUCTION, "bold", "red"))
    logger.info("%s", urls)
    logger.info("%s", paint("Press CTRL+C to quit", "yellow"))
