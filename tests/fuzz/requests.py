"""Targets: whole requests, as a server hands them on, and whole responses."""

from __future__ import annotations

import io
import json
import typing as t
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote_to_bytes

from costrel import CORSPolicy, Costrel, cors, csrf_exempt, make_response, request, send_file, session
from costrel.app.application import Flask
from costrel.edges.scope import environ_of
from costrel.http.errors import HTTPException
from costrel.messages.request import Request
from costrel.services.json_provider import DefaultJSONProvider
from costrel.services.json_provider import loads as load_json

from .feeding import lines_of

KEY = "k" * 32
HEAD = (
    "args", "full_path", "url", "base_url", "root_url", "host_url", "host", "cookies", "content_type", "content_length",
    "content_encoding", "referrer", "date", "max_forwards", "mimetype", "mimetype_params", "pragma", "accept_mimetypes",
    "accept_charsets", "accept_encodings", "accept_languages", "cache_control", "if_match", "if_none_match",
    "if_modified_since", "if_unmodified_since", "if_range", "range", "user_agent", "authorization", "origin",
    "access_control_request_headers", "access_control_request_method", "is_json", "access_route", "is_secure",
    "remote_addr", "root_path", "path", "query_string", "method", "scheme", "server",
)  # fmt: skip


def scope(data: bytes) -> None:
    """An ASGI scope becomes an environ, and all that can be read of it is read or refused."""
    environ = environ_of(_scope_of(data))
    assert "HTTP_PROXY" not in environ
    text = {key: value for key, value in environ.items() if isinstance(value, str)}
    assert text.keys() >= {"REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "SERVER_NAME"}
    request = Request(environ)
    for name in HEAD:
        with suppress(HTTPException):
            getattr(request, name)
    assert repr(request)
    assert all(isinstance(value, str) for _, value in request.headers)
    assert request.path.startswith("/")


def _scope_of(data: bytes) -> dict[str, t.Any]:
    """The lines: method, path, query, root path; the others are headers."""
    method, raw_path, query, root, *headers = data.split(b"\n") + [b""] * max(0, 4 - data.count(b"\n"))
    mount = root.decode("utf-8", "replace").strip("/")  # which the server's owner sets, not the client
    pairs = [header.partition(b":")[::2] for header in headers]
    return {
        "type": "http",
        "http_version": "1.1",
        "method": method.decode("latin-1") or "GET",
        "path": unquote_to_bytes(raw_path).decode("utf-8", "replace"),
        "raw_path": raw_path,
        "query_string": query,
        "root_path": f"/{mount}" if mount.isprintable() and mount else "",
        "headers": [(name, value.strip()) for name, value in pairs],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
    }


def _made(kind: type[Costrel], **config: t.Any) -> Costrel:
    app = kind("fuzzed", root_path=str(Path(__file__).with_name("site")))
    app.config.update(SECRET_KEY=KEY, TESTING=True, MAX_CONTENT_LENGTH=10_000, **config)

    @app.route("/", methods=["GET", "POST"])
    def index() -> t.Any:
        return {"args": request.args, "form": request.form, "files": [file.filename for file in request.files.values()]}

    @app.post("/json")
    def read_json() -> t.Any:
        return {"type": type(request.get_json()).__name__}

    @app.post("/open")
    @cors("*")
    @csrf_exempt
    def shared() -> str:
        return "shared"

    @app.get("/session/<name>")
    def keep(name: str) -> t.Any:
        if len(session) > 3:
            session.clear()
        session[name[:20]] = name[:20]
        return dict(session)

    @app.route("/<path:rest>/", methods=["GET", "PUT"])
    def rest(rest: str) -> str:
        return f"{rest} {request.url} {request.get_data(as_text=True)}"

    return app


_apps = [
    _made(Costrel, TRUSTED_PROXIES=["127.0.0.0/8"], CORS_POLICY=CORSPolicy(["http://*.a.example"], credentials=True)),
    _made(Flask, SESSION_STORE="memory", TRUSTED_HOSTS=["a", ".example.org"]),
]
_providers = [DefaultJSONProvider(app) for app in _apps]


def application(data: bytes) -> None:
    """No request makes an application fail or reaches a file that is not public. Debug mode is off."""
    head, _, body = data.partition(b"\n\n")
    for app in _apps:
        environ = environ_of(_scope_of(head))
        environ["wsgi.input"] = io.BytesIO(body)
        answers: list[tuple[str, list[tuple[str, str]]]] = []
        chunks = app(environ, lambda status, headers, exc_info=None, answers=answers: answers.append((status, headers)))
        content = b"".join(chunks)
        getattr(chunks, "close", lambda: None)()
        status, headers = answers[-1]
        assert status[:3] != "500"
        assert b"secret\n" != content
        assert all(_is_clean(name) and _is_clean(value) for name, value in headers)


def _is_clean(text: str) -> bool:
    """Whether no character ends a line. What is not in Latin-1 no server writes: it fails there."""
    return all(char == "\t" or (" " <= char < "\x7f") or char >= "\x80" for char in text)


def outgoing(data: bytes) -> None:
    """Whatever an application puts into a response, no line of its head ends early."""
    name, value, more = (line.decode("utf-8", "replace") for line in lines_of(data, 2))
    text = data.decode("latin-1")
    app = _apps[0]
    with app.test_request_context("/"):
        for fill in (
            lambda answer: answer.headers.add(name, value),
            lambda answer: answer.headers.set(name, value, more=more),
            lambda answer: answer.headers.extend({text: more}),
            lambda answer: answer.headers.__setitem__("X-Text", text),
            lambda answer: answer.set_cookie(name, value, path=more),
            lambda answer: answer.set_cookie("a", text, domain=more, samesite="Lax"),
            lambda answer: setattr(answer, "location", text),
            lambda answer: setattr(answer, "status", text),
            lambda answer: answer.vary.add(text),
            lambda answer: answer.set_etag(text),
            lambda answer: answer.headers.update(send_file(io.BytesIO(), "text/plain", True, more).headers),
        ):
            response = make_response("")
            # Of values that no header can carry.
            with suppress(ValueError):
                fill(response)
                _check_head(response, request.environ)


def _check_head(response: t.Any, environ: dict[str, t.Any]) -> None:
    answers: list[tuple[str, list[tuple[str, str]]]] = []
    response(environ, lambda status, headers: answers.append((status, headers)))
    for status, headers in answers:
        assert _is_clean(status)
        for name, value in headers:
            assert _is_clean(name), (name, value)
            assert _is_clean(value), (name, value)


def json_body(data: bytes) -> None:
    """A value as the standard library has it, or a ValueError."""
    outcomes = [_json_outcome(load, data) for load in (load_json, json.loads)]
    assert outcomes[0] == outcomes[1] or "RecursionError" in outcomes[1]
    for provider in _providers:
        with suppress(ValueError):
            text = provider.dumps(provider.loads(data))
            assert text == provider.dumps(provider.loads(text))


def _json_outcome(load: t.Any, data: bytes) -> str:
    try:
        return repr(load(data))
    except RecursionError:
        return "RecursionError"
    except ValueError:
        return "ValueError"
