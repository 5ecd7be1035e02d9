"""Converts a record to a curl command and to a test."""

from __future__ import annotations

import json
import re
import shlex
import typing as t
from collections.abc import Iterator

from .records import Record

_OF_THE_CLIENT: t.Final = frozenset(
    {
        "accept-encoding", "accept-language", "cache-control", "connection", "content-length", "cookie", "dnt", "host",
        "if-modified-since", "if-none-match", "origin", "pragma", "priority", "referer", "upgrade-insecure-requests",
        "user-agent",
    }
)  # fmt: skip
"""Header fields that clients set automatically, and that tests rarely depend on."""

_OF_CURL: t.Final = frozenset({"accept-encoding", "connection", "content-length", "host"})
"""Header fields that curl sets automatically or cannot handle."""

_SHOWN_CONTENT: t.Final = 200


def as_curl(record: Record) -> str:
    """A curl command that sends the request. Hidden header fields are left out, and a comment names them."""
    parts = ["curl", "--globoff", "--include"]
    if record.method == "HEAD":
        parts.append("--head")
    elif record.method != "GET" or record.body or record.fields:
        parts += ["--request", record.method]
    parts.append(record.base + record.target)
    hidden = record.hidden_headers
    has_files = bool(record.files)
    for name, value in record.headers:
        if name not in hidden and name.lower() not in _OF_CURL and not (name.lower() == "content-type" and has_files):
            parts += ["--header", f"{name}: {value}"]
    for name, value in record.fields:
        parts += ["--form-string" if has_files else "--data-urlencode", f"{name}={value}"]
    for upload in record.files:
        parts += ["--form", f"{upload.field}=@{upload.filename};type={upload.content_type}"]
    if record.body:
        parts += ["--data-binary", record.body.decode("utf-8", "replace")]
    command = shlex.join(parts)
    return f"{command}\n# Left out because they are not recorded: {', '.join(hidden)}" if hidden else command


def as_test(record: Record) -> str:
    """A pytest function that sends the request with the fixture ``client`` and checks the status."""
    name = re.sub(r"\W+", "_", f"{record.method} {record.path}").strip("_").lower()
    lines = [*_arguments(record)]
    head = "".join(f"# {header} is not recorded. Set it in the test, or sign in.\n" for header in record.hidden_headers)
    uses_files = "import io\n\n\n" if record.files else ""
    call = f'client.open({record.target!r}, method="{record.method}"'
    call = f"{call}, {', '.join(lines)})" if lines else f"{call})"
    if len(call) > 100:
        body = "".join(f"        {line},\n" for line in lines)
        call = f'client.open(\n        {record.target!r},\n        method="{record.method}",\n{body}    )'
    test = f"def test_{name}(client):\n    response = {call}\n    assert {record.status} == response.status_code\n"
    return uses_files + head + test


def _arguments(record: Record) -> Iterator[str]:
    has_form = bool(record.fields or record.files)
    dropped = {"content-type"} if has_form or record.is_json else set()
    headers = {
        name: value
        for name, value in record.headers
        if name not in record.hidden_headers
        and name.lower() not in _OF_THE_CLIENT | dropped
        and not name.lower().startswith("sec-")
    }
    if headers:
        yield f"headers={headers!r}"
    if has_form:
        yield f"data={_form(record)}"
    elif record.is_json and record.body:
        yield f"json={json.loads(record.body)!r}"
    elif record.body:
        yield f"data={record.body!r}"


def _form(record: Record) -> str:
    values: dict[str, list[str]] = {}
    for name, value in record.fields:
        values.setdefault(name, []).append(repr(value))
    for upload in record.files:
        content = upload.content if len(upload.content) <= _SHOWN_CONTENT else b"..."
        value = f"(io.BytesIO({content!r}), {upload.filename!r}, {upload.content_type!r})"
        values.setdefault(upload.field, []).append(value)
    items = (f"{name!r}: {one[0] if len(one) == 1 else '[' + ', '.join(one) + ']'}" for name, one in values.items())
    return "{" + ", ".join(items) + "}"
