"""`costrel request`: sends a request to the application with the test client."""

from __future__ import annotations

import sys
import typing as t
from pathlib import Path

import click

from .. import context
from ..services.commands import with_appcontext

if t.TYPE_CHECKING:
    from ..app.application import Costrel
    from ..testing.client import TestResponse

_FORM: t.Final = "application/x-www-form-urlencoded"
_JSON: t.Final = "application/json"


@click.command("request", short_help="Send a request to the application without a server.")
@click.argument("method")
@click.argument("target", metavar="PATH")
@click.argument("body", metavar="[DATA]", required=False)
@click.option("--header", "-H", "headers", multiple=True, metavar="'NAME: VALUE'", help="Send this header.")
@click.option(
    "--data", "-d", multiple=True, help="Send this data as a form. @FILE reads it from a file, @- from standard input."
)
@click.option("--json", "is_json", is_flag=True, help="Send the data as JSON, and request JSON.")
@with_appcontext
def request_command(
    method: str, target: str, body: str | None, headers: tuple[str, ...], data: tuple[str, ...], is_json: bool
) -> None:
    """Send a request with METHOD to PATH, which may be a URL, and print the response.

    The status and headers are written to standard error, the body to standard output. Exits with 1 if the status is
    400 or higher.
    """
    from ..http.headers import Headers
    from .matching import request_line

    app = t.cast("Costrel", context.current().app)
    request = request_line(app, method, target)
    sent = Headers([_header(text) for text in headers])
    content = _content(data if body is None else (*data, body))
    if is_json:
        sent.setdefault("Accept", _JSON)
    if content is not None:
        sent.setdefault("Content-Type", _JSON if is_json else _FORM)
    client = app.test_client()
    response: TestResponse = client.open(
        request.path, method=request.method, base_url=request.base_url, headers=sent, data=content
    )
    with response:
        _print(response)
    if response.status_code >= 400:
        raise click.exceptions.Exit(1)


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise click.BadParameter(f"{text!r} is not a header, such as 'Accept: text/html'.", param_hint="--header")
    return name.strip(), value.strip()


def _content(data: tuple[str, ...]) -> bytes | None:
    """The body: all data, joined with ``&`` like the fields of a form."""
    return b"&".join(_read(each) for each in data) if data else None


def _read(text: str) -> bytes:
    if text == "@-":
        return sys.stdin.buffer.read()
    if not text.startswith("@"):
        return text.encode()
    try:
        return Path(text[1:]).read_bytes()
    except OSError as error:
        raise click.BadParameter(f"{text[1:]!r} cannot be read: {error.strerror}.", param_hint="--data") from None


def _print(response: TestResponse) -> None:
    colour = "red" if response.status_code >= 400 else "green"
    click.secho(response.status, fg=colour, err=True)
    for name, value in response.headers:
        click.echo(f"{click.style(name, bold=True)}: {value}", err=True)
    click.echo(err=True)
    stream = sys.stdout.buffer
    last = b"\n"
    for piece in response.iter_encoded():
        stream.write(piece)
        stream.flush()
        last = piece[-1:] or last
    if last != b"\n" and sys.stdout.isatty():
        click.echo()
