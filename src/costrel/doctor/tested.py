"""The extensions that Costrel is tested with, one line each: `docs/compatibility.md` lists the same."""

from __future__ import annotations

import typing as t

from .versions import canonical


class Tested(t.NamedTuple):
    """An extension: its name, the release that the tests ran with last, and a remark about its use on Costrel."""

    name: str
    version: str
    remark: str = ""


_SOCKETIO: t.Final = (
    "It needs the socket of a WSGI server for its WebSockets: deploy with python -m costrel.as_flask -m gunicorn,"
    " one worker and threads."
)

_ROWS: t.Final = (
    Tested("Flask-Admin", "2.2.1"),
    Tested("Flask-Babel", "4.0.0"),
    Tested("Flask-Caching", "2.5.1"),
    Tested("Flask-Compress", "1.25"),
    Tested("Flask-CORS", "6.0.5"),
    Tested("Flask-DebugToolbar", "0.16.0"),
    Tested("Flask-HTTPAuth", "4.8.1"),
    Tested("Flask-JWT-Extended", "4.7.4"),
    Tested("Flask-Limiter", "4.1.1"),
    Tested("Flask-Login", "0.6.3"),
    Tested("Flask-Mail", "0.10.0"),
    Tested("Flask-Migrate", "4.1.0"),
    Tested("Flask-RESTX", "1.3.2"),
    Tested("Flask-Session", "0.8.0"),
    Tested("Flask-smorest", "0.47.0"),
    Tested("Flask-SocketIO", "5.7.0", _SOCKETIO),
    Tested("Flask-SQLAlchemy", "3.1.1"),
    Tested("Flask-Talisman", "1.1.0"),
    Tested("Flask-WTF", "1.3.0"),
    Tested("opentelemetry-instrumentation-flask", "0.66b1"),
    Tested("pytest-flask", "1.3.0"),
    Tested("sentry-sdk", "2.75.0"),
)

TESTED: t.Final[t.Mapping[str, Tested]] = {canonical(row.name): row for row in _ROWS}
"""The rows by their canonical names."""

ABANDONED: t.Final[t.Mapping[str, str]] = {
    "flask-jwt": "It imports flask._request_ctx_stack, which Flask 2.3 removed. Use Flask-JWT-Extended.",
    "flask-restplus": "It imports names that Werkzeug 1.0 removed. Use Flask-RESTX, which continues it.",
    "flask-script": "It imports flask._compat, which Flask 2.0 removed. Use commands of the application (app.cli).",
    "flask-sockets": "It relies on Werkzeug 0.x. Use @app.websocket.",
    "flask-uploads": "It imports names that Werkzeug 1.0 removed. Use Flask-Reuploaded, which continues it.",
}
"""Extensions that work on no current Flask, and so neither here, with their successors."""
