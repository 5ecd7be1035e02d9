"""Formats access log lines as text and as JSON, from many entries at once, after the requests have ended."""

from __future__ import annotations

import json
import time
import typing as t
from collections.abc import Callable, Iterable
from functools import lru_cache

from . import terminal

RequestKey: t.TypeAlias = tuple[str, bytes | str, bytes, str, int]
"""The part that many entries share: method, path, query, HTTP version and status."""

Entry: t.TypeAlias = tuple[float, float, tuple[str, object] | None, RequestKey, int, bool | None, bytes, str | None]
"""One request: start and end on the performance counter; the client's address; the shared part; the size of the
response in bytes, and whether it is complete, None if there is no response; the request id and the trace id. A plain
tuple, since each request creates one."""

Paint: t.TypeAlias = Callable[..., str]
Lines: t.TypeAlias = Callable[[Iterable[Entry], Paint], list[str]]

CLIENT_LEFT: t.Final = 499
"""The logged status if the client disconnected before the response started, as in nginx."""

K = t.TypeVar("K")


class _Memo(dict[K, str]):
    """A cache of texts, each computed when its key is first used."""

    def __init__(self, make: Callable[[K], str]) -> None:
        self._make = make

    def __missing__(self, key: K) -> str:
        text = self[key] = self._make(key)
        return text


def final_status(status: int, failed: bool) -> int:
    """The status of the response. Without a response: 500 after an error, otherwise CLIENT_LEFT."""
    return status or (500 if failed else CLIENT_LEFT)


def text_lines(entries: Iterable[Entry], paint: Paint) -> list[str]:
    """Lines in the common log format, followed by the duration, and the request id and trace id if there are any."""
    to_epoch = time.time() - time.perf_counter()
    clocks = _Memo(_local_clock)
    requests: _Memo[RequestKey] = _Memo(lambda key: _request_as_text(key, paint))
    lines = []
    for began, ended, client, key, size, complete, request_id, trace in entries:
        host = (client and client[0]) or "-"
        more = f" {request_id.decode('ascii')}" if request_id else ""
        if trace is not None:
            more = f"{more} {trace}"
        if complete is False:
            more = f" cut off{more}"
        duration = _duration(int((ended - began) * 10_000 + 0.5))
        lines.append(f"{host} - - [{clocks[int(ended + to_epoch)]}] {requests[key]} {size} {duration}{more}")
    return lines


def _request_as_text(key: RequestKey, paint: Paint) -> str:
    method, path, query, version, status = key
    request = f'"{method} {terminal.readable(_target(path, query))} HTTP/{version}"'
    if paint is not terminal.unpainted:
        request = paint(request, *terminal.style_of_status(status))
    return f"{request} {status}"


def json_lines(entries: Iterable[Entry], paint: Paint) -> list[str]:
    """Lines that are JSON objects. `size` is in bytes; `trace_id` is present if it is known."""
    to_epoch = time.time() - time.perf_counter()
    clocks, requests, quoted = _Memo(_utc_clock), _Memo(_request_as_json), _Memo(json.dumps)
    lines = []
    for began, ended, client, key, size, complete, request_id, trace in entries:
        milliseconds, microseconds = int((ended + to_epoch) * 1000), int((ended - began) * 1_000_000 + 0.5)
        lines.append(
            f'{{"time": "{clocks[milliseconds // 1000]}.{milliseconds % 1000:03}+00:00", '
            f'"client": {quoted[(client and client[0]) or "-"]}, '
            f"{requests[key]}, "
            f'"size": {size}, "duration_ms": {microseconds // 1000}.{microseconds % 1000:03}, '
            f'"complete": {"true" if complete else "false"}, "request_id": "{request_id.decode("ascii")}"'
            f"{'' if trace is None else _TRACE_ID % trace}}}"
        )
    return lines


_TRACE_ID: t.Final = ', "trace_id": "%s"'


def _request_as_json(key: RequestKey) -> str:
    method, path, query, version, status = key
    members = {"method": method, "target": _target(path, query), "protocol": f"HTTP/{version}", "status": status}
    return json.dumps(members)[1:-1]


LINES: t.Final[dict[str, Lines]] = {"text": text_lines, "json": json_lines}
"""The formats of ``--log-format``."""


@lru_cache(maxsize=1024)
def _duration(tenths: int) -> str:
    """A duration, given in tenths of a millisecond, as text."""
    return f"{tenths // 10}.{tenths % 10}ms" if tenths < 10_000 else f"{tenths / 10_000:.2f}s"


@lru_cache(maxsize=2)
def _local_clock(second: int) -> str:
    return time.strftime("%d/%b/%Y %H:%M:%S", time.localtime(second))


@lru_cache(maxsize=2)
def _utc_clock(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))


def _target(path: bytes | str, query: bytes) -> str:
    """The path and the query of a request. The path is text if the server does not provide the raw path."""
    text = path if isinstance(path, str) else path.decode("latin-1")
    return f"{text}?{query.decode('latin-1')}" if query else text
