"""A small ASGI client: one request, its response, and whether the response was cut off."""

import asyncio
import contextlib
from dataclasses import dataclass, field


@dataclass
class Got:
    status: int = 0
    headers: dict = field(default_factory=dict)
    body: bytes = b""
    complete: bool = False
    scope: dict = field(default_factory=dict)
    error: BaseException | None = None

    @property
    def text(self) -> str:
        return self.body.decode()


async def ask(application, path="/", *, method="GET", query="", headers=(), body=b"", client=("127.0.0.1", 4000)):
    """The answer of an ASGI application to one request; the host is localhost unless `headers` say another."""
    headers = dict(headers)
    headers.setdefault("host", "localhost:5000")
    got = Got(
        scope={
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
            "client": client,
            "server": ("127.0.0.1", 5000),
            "scheme": "http",
            "http_version": "1.1",
        }
    )
    sent = False

    async def receive():
        nonlocal sent
        if sent:
            await asyncio.sleep(3600)
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        if message["type"] == "http.response.start":
            got.status = message["status"]
            got.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            got.body += message.get("body", b"")
            got.complete = not message.get("more_body", False)

    try:
        await application(got.scope, receive, send)
    except Exception as error:
        got.error = error
    return got


def get(application, path="/", **options):
    """:func:`ask`, on a loop of its own."""
    return asyncio.run(ask(application, path, **options))


@contextlib.contextmanager
def quiet(capsys):
    """What the block writes to the terminal is not shown."""
    yield
    capsys.readouterr()
