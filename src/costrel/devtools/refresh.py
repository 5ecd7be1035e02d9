"""Pages that reload themselves in development: a script in each page, and its event stream."""

from __future__ import annotations

import asyncio
import os
import secrets
import typing as t
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass, field

from ..app.application import Costrel
from ..http.framing import has_no_body, parse_content_length
from . import gates
from .file_events import set_by_changes
from .page import asset

if t.TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

Message = MutableMapping[str, t.Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]

PREFIX: t.Final = "/__costrel__/"
EVENTS: t.Final = PREFIX + "events"
SCRIPT: t.Final = PREFIX + "refresh.js"

POLL_INTERVAL: t.Final = 1.0
"""The interval in seconds for polling the template and static folders while a page is open.

watchfiles reports most changes at once, but none in new folders and on some network drives; and it may be missing.
"""

_MAX_FILES = 5_000
_RETRY_MS = 20
_STYLES = (".css",)


def new_start() -> str:
    """A random identifier for this start of the program."""
    return secrets.token_hex(8)


def script_tag(start: str) -> bytes:
    """The script element for a page."""
    return f'<script src="{SCRIPT}" data-start="{start}"></script>'.encode()


def wants_script(environ: WSGIEnvironment) -> bool:
    """Whether the browser will show the response as a page, according to Fetch Metadata."""
    return environ["REQUEST_METHOD"] == "GET" and environ.get("HTTP_SEC_FETCH_DEST") in ("document", "iframe", "frame")


@dataclass
class HeldPage:
    """Delays the start of a response that can be changed until the first part of its body is known.

    `change` is called with the start and the complete body, and returns the new body. To a streamed page, only `tail`
    is appended. `note` is called with the status of each response.
    """

    pass_on: Send
    change: Callable[[Message, bytes], bytes]
    tail: bytes = b""
    note: Callable[[int], object] = bool
    _start: Message | None = None
    _streaming: bool = False
    started: bool = field(default=False)

    async def send(self, message: Message) -> None:
        """Handle one message of the application."""
        kind = message["type"]
        if kind == "http.response.start":
            self.note(message["status"])
        if kind == "http.response.start" and (_is_html(message) or is_problem(message)):
            self._start = message
        elif kind == "http.response.body" and self._start is not None:
            await self._begin(self._start, message)
        elif kind == "http.response.body" and self._streaming and not message.get("more_body", False):
            await self.pass_on({**message, "body": message.get("body", b"") + self.tail})
        else:
            self.started = True
            await self.pass_on(message)

    async def _begin(self, start: Message, message: Message) -> None:
        self._start, self.started = None, True
        body = message.get("body", b"")
        # A body as long as its Content-Length is complete, even if an empty message follows.
        self._streaming = message.get("more_body", False) and _length(start) != len(body)
        if self._streaming and is_problem(start):
            self._streaming, changed = False, body
        elif self._streaming:
            _lengthen(start, len(self.tail))
            changed = body
        else:
            changed = self.change(start, body)
            _lengthen(start, len(changed) - len(body))
        await self.pass_on(start)
        await self.pass_on({**message, "body": changed})


def insert(body: bytes, tag: bytes) -> bytes:
    """Insert the script at the end of the page's body element."""
    position = body.lower().rfind(b"</body")
    return body + tag if position < 0 else body[:position] + tag + body[position:]


def uncache(start: Message) -> None:
    """Prevent caching of a page that was changed here, to which the application's validators no longer apply."""
    names = (b"etag", b"last-modified", b"cache-control", b"accept-ranges")
    start["headers"] = [(name, value) for name, value in start["headers"] if name.lower() not in names]
    start["headers"].append((b"cache-control", b"no-cache"))


def is_problem(start: Message) -> bool:
    """Whether a response is problem details (RFC 9457) of a 404 or 405."""
    return start["status"] in (404, 405) and _kind(start) == b"application/problem+json"


def _kind(start: Message) -> bytes:
    headers = {name.lower(): value for name, value in start.get("headers", ())}
    kind: bytes = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    return kind


def _is_html(start: Message) -> bool:
    headers = {name.lower(): value for name, value in start.get("headers", ())}
    status: int = start["status"]
    return (
        _kind(start) == b"text/html"
        and b"content-encoding" not in headers
        and status != 206
        and not has_no_body(status)
    )


def _length(start: Message) -> int | None:
    lengths = [value for name, value in start["headers"] if name.lower() == b"content-length"]
    return parse_content_length(lengths[0].decode("latin-1")) if lengths else None


def _lengthen(start: Message, by: int) -> None:
    start["headers"] = [
        (name, b"%d" % (int(value) + by)) if name.lower() == b"content-length" and value.isdigit() else (name, value)
        for name, value in start["headers"]
    ]


class Refresher:
    """Serves the script and the event stream, which reports changes in the folders of `app`."""

    def __init__(self, app: Costrel, start: str) -> None:
        self.app = app
        self.start = start
        self._waiting: set[asyncio.Task[None]] = set()

    def close(self) -> None:
        """End the event streams of open pages. Call it on the server's event loop before the server stops."""
        for task in list(self._waiting):
            task.cancel()

    async def answer(self, path: str, environ: WSGIEnvironment, receive: Receive, send: Send) -> None:
        """Handle a request whose path starts with PREFIX."""
        if path == SCRIPT:
            await _send_text(send, 200, "text/javascript", asset("refresh.js"))
        elif path == EVENTS and gates.is_same_origin(environ):
            await self._send_events(receive, send)
        else:
            await _send_text(send, 404, "text/plain", "Not Found")

    async def _send_events(self, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        first = f"retry: {_RETRY_MS}\nevent: start\ndata: {self.start}\n\n"
        await send({"type": "http.response.body", "body": first.encode(), "more_body": True})
        watching = asyncio.ensure_future(self._watch(send))
        leaving = asyncio.ensure_future(_disconnect(receive))
        self._waiting.add(watching)
        try:
            await asyncio.wait([watching, leaving], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._waiting.discard(watching)
            for task in (watching, leaving):
                task.cancel()
            await asyncio.gather(watching, leaving, return_exceptions=True)
        await send({"type": "http.response.body", "body": b""})

    async def _watch(self, send: Send) -> None:
        folders = folders_of(self.app)
        before = await asyncio.to_thread(snapshot, folders)
        with set_by_changes(_with_inner(folders, before)) as changed:
            while True:
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(changed.wait(), POLL_INTERVAL)
                changed.clear()
                now = await asyncio.to_thread(snapshot, folders)
                await _send_change({path for path, _ in before.items() ^ now.items()}, send)
                before = now


async def _send_change(changed: set[str], send: Send) -> None:
    if changed:
        kind = "style" if all(path.endswith(_STYLES) for path in changed) else "change"
        event = f"event: {kind}\ndata: {len(changed)}\n\n"
        await send({"type": "http.response.body", "body": event.encode(), "more_body": True})


def _with_inner(folders: Iterable[str], files: Iterable[str]) -> set[str]:
    """The folders of `files`, and the existing folders in `folders`."""
    return {os.path.dirname(path) for path in files} | {path for path in folders if os.path.isdir(path)}


def folders_of(app: Costrel) -> tuple[str, ...]:
    """The template and static folders of an application and its blueprints."""
    found: list[str] = []
    for owner in (app, *app.iter_blueprints()):
        found += [os.fspath(path) for path in getattr(owner.jinja_loader, "searchpath", ())]
        if owner.static_folder is not None:
            found.append(os.fspath(owner.static_folder))
    return tuple(dict.fromkeys(found))


def snapshot(folders: Iterable[str]) -> dict[str, float]:
    """The files in these folders with their modification times."""
    found: dict[str, float] = {}
    waiting = list(folders)
    while waiting and len(found) < _MAX_FILES:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    elif not entry.name.startswith(".") and not entry.name.endswith(("~", ".swp", ".tmp")):
                        found[entry.path] = entry.stat().st_mtime
        except OSError:  # deleted in the meantime
            continue
    return found


async def _send_text(send: Send, status: int, kind: str, text: str) -> None:
    headers = [(b"content-type", f"{kind}; charset=utf-8".encode()), (b"cache-control", b"no-cache")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
