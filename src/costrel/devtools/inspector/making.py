"""Makes a record without secrets from the recording of a request."""

from __future__ import annotations

import io
import json
import os
import typing as t
from collections.abc import Mapping
from contextlib import suppress

from ...context import RequestContext
from ...http.errors import HTTPException
from ...messages.request import Request
from ...support.asgi_types import Message, Scope
from ..page import Tables
from ..values import Describer, clean_text, is_secret, secrets_of
from .hiding import JSON, REPLACED, Hider, Pairs
from .recording import MAX_BODY, Recording
from .records import Record, Upload

if t.TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_MAX_ROWS: t.Final = 200
_SHOWN_JSON: t.Final = 20_000
_KEPT_ENCODINGS: t.Final = ("", "identity")


class _Body(t.NamedTuple):
    """A body without its secrets."""

    content: bytes | None = b""
    note: str = ""
    fields: Pairs = []
    files: list[Upload] = []
    json: str = ""
    text: str = ""


def make_record(
    recording: Recording,
    environ: WSGIEnvironment,
    scope: Scope,
    response: Message | None,
    size: int,
    known: tuple[str, ...],
) -> Record:
    """The record of a request that has ended.

    :param response: the ASGI message that started the response; None without a response.
    :param size: the size of the response's body in bytes.
    :param known: the secrets of the settings and the environment.
    """
    hider = Hider(known)
    request = Request(environ, populate_request=False)
    ctx = recording.ctx
    ended = recording.now()
    # Data with names comes first, since the texts that follow may contain the same values.
    headers = hider.headers(request.headers.items())
    query = hider.query(environ.get("QUERY_STRING", ""))
    args = hider.pairs(request.args.items(multi=True))
    inside = [] if ctx is None else _inside(ctx, hider)
    body = _body(recording, environ, request, hider)
    start: Message = response or {}
    sent = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in start.get("headers", ())]
    response_headers = hider.headers(sent)
    rule = None if ctx is None else getattr(ctx.request, "url_rule", None)

    def clean(pairs: Pairs) -> Pairs:
        return [(hider.text(name), value if value == REPLACED else hider.text(value)) for name, value in pairs]

    groups = [("query", args), ("form", body.fields), ("files", [_row(upload) for upload in body.files]), *inside]
    shown = [(name, [("", text)]) for name, text in (("JSON", body.json), ("body", body.text)) if text]
    return Record(
        at=recording.at,
        method=request.method,
        path=hider.text(_raw_path(scope)),
        query=hider.text(query),
        base=f"{request.scheme}://{request.host}",
        headers=_clean_headers(headers, hider),
        body=body.content,
        body_note=body.note,
        fields=clean(body.fields),
        files=body.files,
        is_json=bool(body.json),
        groups=shown + [(name, clean(rows)[:_MAX_ROWS]) for name, rows in groups if rows],
        rule="" if rule is None else str(rule.rule),
        endpoint="" if rule is None else str(rule.endpoint),
        stages=[(each.name, each.depth, each.begin, each.length) for each in recording.stages],
        templates=recording.templates,
        sql=[(hider.text(sql), hider.text(hider.describer().value(given)), ms) for sql, given, ms in recording.sql],
        logs=[(level, logger, hider.text(message)) for level, logger, message in recording.logs],
        left_out=recording.left_out,
        error="" if recording.error is None else hider.text(_name_of(recording.error)),
        status=start.get("status", 0),
        response_headers=_clean_headers(response_headers, hider),
        response_size=size,
        ms=ended,
    )


def known_secrets(config: Mapping[str, object]) -> tuple[str, ...]:
    """The secrets of the settings and of the environment."""
    return secrets_of(os.environ, config)


def _clean_headers(headers: Pairs, hider: Hider) -> Pairs:
    # Values that were replaced are skipped, since "session=[hidden]" looks like a secret again.
    return [(name, value if REPLACED in value else hider.text(value)) for name, value in headers]


def _row(upload: Upload) -> tuple[str, str]:
    return upload.field, f"{upload.filename}, {upload.content_type}, {len(upload.content):,} bytes"


def _raw_path(scope: Scope) -> str:
    raw: bytes = scope.get("raw_path") or str(scope["path"]).encode()
    return raw.decode("latin-1").partition("?")[0]


def _name_of(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _inside(ctx: RequestContext, hider: Hider) -> list[tuple[str, Pairs]]:
    """Values inside the application: view arguments, session and `g`."""
    args = getattr(ctx.request, "view_args", None) or {}
    opened, namespace = vars(ctx).get("_opened"), vars(ctx).get("_g")
    groups: list[tuple[str, Mapping[object, object]]] = [("view arguments", args)]
    if isinstance(opened, Mapping):
        groups.append(("session", opened))
    if namespace is not None:
        groups.append(("g", vars(namespace)))
    for _, values in groups:
        for name, value in values.items():
            if is_secret(name):
                hider.note(value if isinstance(value, str) else str(value))
    describer = hider.describer()
    return [(title, _rows(values, describer)) for title, values in groups if values]


def _rows(values: Mapping[object, object], describer: Describer) -> Pairs:
    named = list(values.items())[:_MAX_ROWS]
    return [(str(name), REPLACED if is_secret(name) else describer.value(value)) for name, value in named]


# -- the body


def _body(recording: Recording, environ: WSGIEnvironment, request: Request, hider: Hider) -> _Body:
    raw = bytes(recording.body)
    announced = environ.get("CONTENT_LENGTH") not in (None, "", "0") or "HTTP_TRANSFER_ENCODING" in environ
    if not raw and not announced:
        return _Body()
    if len(raw) > MAX_BODY:
        return _Body(None, f"The body is longer than {MAX_BODY:,} bytes.")
    if not recording.is_body_whole:
        return _Body(None, "The application did not read the whole body.")
    if environ.get("HTTP_CONTENT_ENCODING", "").lower() not in _KEPT_ENCODINGS:
        return _Body(None, "The body is compressed.")
    if request.mimetype in ("application/x-www-form-urlencoded", "multipart/form-data"):
        return _form(raw, environ, hider)
    return _text(raw, hider)


def _form(raw: bytes, environ: WSGIEnvironment, hider: Hider) -> _Body:
    """Parse a form with the parser of requests."""
    own = {**environ, "wsgi.input": io.BytesIO(raw), "CONTENT_LENGTH": str(len(raw))}
    own.pop("HTTP_TRANSFER_ENCODING", None)
    request = Request(own, populate_request=False)
    request.max_form_memory_size = request.max_content_length = MAX_BODY
    try:
        fields = hider.pairs(request.form.items(multi=True))
        files = [
            Upload(name, file.filename or "", file.content_type or "", b"" if is_secret(name) else file.read())
            for name, file in request.files.items(multi=True)
        ]
    except HTTPException as error:
        return _Body(None, f"The form cannot be parsed: {error.description}")
    finally:
        request.close()
    return _Body(None, "", fields, files)


def _text(raw: bytes, hider: Hider) -> _Body:
    """A body that is JSON, regardless of its media type, or other text."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return _Body(None, f"The body is binary ({len(raw):,} bytes).")
    with suppress(ValueError, RecursionError):
        value: JSON = json.loads(text)
        if isinstance(value, (dict, list)):
            hidden = hider.texts(hider.json(value))
            shown = json.dumps(hidden, ensure_ascii=False, indent=2)[:_SHOWN_JSON]
            return _Body(json.dumps(hidden, ensure_ascii=False).encode(), json=shown)
    text = hider.text(text)
    return _Body(text.encode(), text=text[:_SHOWN_JSON])


def activity_of(recording: Recording, describer: Describer) -> Tables:
    """Stages, templates, SQL and log lines of a request before its error, as tables without secrets."""

    def clean(text: str) -> str:
        return describer.clean(clean_text(text))

    tables: Tables = [
        ("Timing", [(each.name, f"{each.begin:.1f} ms + {each.length:.1f} ms") for each in recording.stages]),
        ("Templates", [(name, f"{ms:.1f} ms") for name, ms in recording.templates]),
        ("SQL", [(f"{ms:.1f} ms", clean(f"{sql} {describer.value(given)}")) for sql, given, ms in recording.sql]),
        ("Log", [(f"{level} {name}", clean(message)) for level, name, message in recording.logs]),
    ]
    return [(title, rows) for title, rows in tables if rows]
