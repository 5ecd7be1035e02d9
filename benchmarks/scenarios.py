"""The scenarios: one request each, and the response that every peer must send."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import Any

BOUNDARY = "costrel-benchmark"
UPLOAD = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="title"\r\n\r\nA title\r\n'
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="tag"\r\n\r\nred\r\n'
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n'
    f"Content-Type: text/plain\r\n\r\n{'x' * 1000}\r\n--{BOUNDARY}--\r\n"
).encode()


@dataclass(frozen=True)
class Scenario:
    """One request. `status` and `contains` are checked before anything is timed."""

    name: str
    path: str = "/"
    method: str = "GET"
    query: str = ""
    body: bytes = b""
    content_type: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 200
    contains: bytes = b""

    def environ(self) -> dict[str, object]:
        """A WSGI environ as a server makes it, new for each request."""
        environ: dict[str, object] = {
            "REQUEST_METHOD": self.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": self.path,
            "QUERY_STRING": self.query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "8000",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "127.0.0.1:8000",
            "HTTP_USER_AGENT": "benchmark",
            "HTTP_ACCEPT": "*/*",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(self.body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        if self.content_type:
            environ["CONTENT_TYPE"] = self.content_type
        if self.body:
            environ["CONTENT_LENGTH"] = str(len(self.body))
        for name, value in self.headers.items():
            environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
        return environ

    def scope(self, extra_headers: dict[str, str] | None = None) -> dict[str, Any]:
        """The same request as an ASGI scope, new for each request."""
        headers = {"Host": "127.0.0.1:8000", "User-Agent": "benchmark", "Accept": "*/*"}
        if self.content_type:
            headers["Content-Type"] = self.content_type
        if self.body:
            headers["Content-Length"] = str(len(self.body))
        headers |= self.headers | (extra_headers or {})
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": self.method,
            "scheme": "http",
            "path": self.path,
            "raw_path": self.path.encode(),
            "query_string": self.query.encode(),
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 54321),
            "server": ("127.0.0.1", 8000),
            "state": {},
        }


SCENARIOS = [
    Scenario("hello", contains=b"Hello"),
    Scenario("json", "/json", contains=b'"message"'),
    Scenario("params", "/user/42/post/a-slug", query="page=7", contains=b"42 a-slug 7"),
    Scenario(
        "form", "/form", "POST", body=b"name=ada&city=london&age=36",
        content_type="application/x-www-form-urlencoded", contains=b"ada london",
    ),
    Scenario(
        "postjson", "/postjson", "POST", body=b'{"name": "ada", "tags": ["a", "b"], "n": 36}',
        content_type="application/json", contains=b'"ada"',
    ),
    Scenario(
        "upload", "/upload", "POST", body=UPLOAD,
        content_type=f"multipart/form-data; boundary={BOUNDARY}", contains=b"A title red 1000",
    ),
    Scenario("session", "/session", contains=b"visits"),
    Scenario("template", "/template", contains=b"<li>row 19</li>"),
    Scenario("hooks", "/outer/inner/", contains=b"hooked"),
    Scenario("static", "/static/10k.txt", contains=b"0123456789"),
    Scenario("not_modified", "/static/10k.txt", status=304),
    Scenario("error404", "/nowhere", status=404),
    Scenario("abort", "/abort", status=418, contains=b"teapot"),
]  # fmt: skip
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
