"""The requests whose instructions are counted, with the headers that a browser sends; they belong to no framework."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

CHROMIUM = (
    ("host", "shop.example.com"),
    ("connection", "keep-alive"),
    ("cache-control", "max-age=0"),
    ("sec-ch-ua", '"Chromium";v="140", "Not=A?Brand";v="24", "Google Chrome";v="140"'),
    ("sec-ch-ua-mobile", "?0"),
    ("sec-ch-ua-platform", '"Linux"'),
    ("upgrade-insecure-requests", "1"),
    (
        "user-agent",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
    ),
    (
        "accept",
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8",
    ),
    ("sec-fetch-site", "same-origin"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-user", "?1"),
    ("sec-fetch-dest", "document"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
    ("accept-language", "en-GB,en;q=0.9"),
)
"""A navigation of Chromium's; the cookies are its sixteenth header."""

FETCH = (
    *CHROMIUM[:2],
    *CHROMIUM[3:6],
    CHROMIUM[7],
    ("accept", "*/*"),
    ("origin", "http://shop.example.com"),
    ("sec-fetch-site", "same-origin"),
    ("sec-fetch-mode", "cors"),
    ("sec-fetch-dest", "empty"),
    ("referer", "http://shop.example.com/orders"),
    *CHROMIUM[13:],
)
"""A call of `fetch` in a page of the same site."""

PRIORITY = ("priority", "u=0, i")
"""Its seventeenth, over HTTP/2."""

COOKIES = "theme=dark; _ga=GA1.2.1894513920.1730000000; consent=analytics-yes.ads-no"

BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
UPLOAD = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="title"\r\n\r\nA title\r\n'
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n'
    f"Content-Type: text/plain\r\n\r\n{'x' * 200}\r\n--{BOUNDARY}--\r\n"
).encode()


@dataclass(frozen=True)
class Scenario:
    """One request. `status` and `contains` are checked before its instructions are counted.

    :param before: the path of an earlier request whose session cookie is sent along.
    :param revisits: whether the client has the resource already, and asks whether its tag is still the same.
    :param sends: additional request headers.
    :param statuses: other statuses with which a framework may answer.
    """

    name: str
    path: str = "/"
    method: str = "GET"
    query: str = ""
    body: bytes = b""
    content_type: str = ""
    cookies: str = ""
    before: str = ""
    revisits: bool = False
    status: int = 200
    contains: bytes = b""
    sends: tuple[tuple[str, str], ...] = CHROMIUM
    statuses: tuple[int, ...] = ()

    def headers(self, more: tuple[tuple[str, str], ...] = ()) -> list[tuple[str, str]]:
        """The names and values that are sent, `more` among them."""
        found = [*self.sends, *more]
        if self.body:
            found += [("content-type", self.content_type), ("content-length", str(len(self.body)))]
        return found

    def environ(self, headers: list[tuple[str, str]]) -> dict[str, Any]:
        """A WSGI environ as a server makes it, without the body."""
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": self.path,
            "QUERY_STRING": self.query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "8000",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }
        for name, value in headers:
            key = name.upper().replace("-", "_")
            environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
        return environ

    def scope(self, headers: list[tuple[str, str]]) -> dict[str, Any]:
        """The same request as an ASGI scope."""
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
            "headers": [(name.encode(), value.encode()) for name, value in (*headers, PRIORITY)],
            "client": ("127.0.0.1", 54321),
            "server": ("127.0.0.1", 8000),
        }


def page(name: str, **changes: Any) -> Scenario:
    """A page whose view reads one query value and one cookie."""
    values = {"path": "/page", "query": "page=7", "cookies": COOKIES, "contains": b"page 7 dark"}
    return Scenario(name, **{**values, **changes})


FORM = Scenario(
    "form", "/form", "POST", body=b"name=ada&city=london", content_type="application/x-www-form-urlencoded",
    cookies=COOKIES, contains=b"ada london",
)  # fmt: skip
POSTJSON = Scenario(
    "postjson", "/postjson", "POST", body=b'{"name": "ada", "age": 36}', content_type="application/json",
    cookies=COOKIES, contains=b'"ada"',
)  # fmt: skip


WSGI = [
    Scenario("hello", contains=b"Hello"),
    page("page"),
    Scenario("item", "/item/42", contains=b'"id"'),
    page("override"),
    page("override_request"),
    page("trusted_hosts"),
    page("hooks", path="/shop/page"),
    page("session_cookie", before="/login"),
    Scenario("session_read", "/session/read", cookies=COOKIES, before="/login", contains=b"user 42"),
    Scenario("session_write", "/session/write", cookies=COOKIES, before="/login", contains=b"visits 1"),
    Scenario("not_modified", "/tagged", cookies=COOKIES, revisits=True, status=304),
    Scenario("missing", "/nowhere", cookies=COOKIES, status=404),
    Scenario("abort", "/abort", cookies=COOKIES, status=418, contains=b"teapot"),
    Scenario("static", "/static/10k.txt", cookies=COOKIES, contains=b"0123456789"),
    Scenario(
        "upload", "/upload", "POST", body=UPLOAD, content_type=f"multipart/form-data; boundary={BOUNDARY}",
        cookies=COOKIES, contains=b"A title 200",
    ),
    FORM,
    POSTJSON,
    Scenario("template", "/template", cookies=COOKIES, contains=b"<li>row 19</li>"),
]  # fmt: skip

ASGI = [
    Scenario("hello", cookies=COOKIES, contains=b"Hello"),
    Scenario("json", "/json", cookies=COOKIES, contains=b'"message"'),
    Scenario("params", "/user/42/post/hello-world", query="page=7", cookies=COOKIES, contains=b"42 hello-world 7"),
    FORM,
    POSTJSON,
    page("page"),
    page("hooks", path="/shop/page"),
    page("mixed_hooks", path="/shop/page"),
    Scenario("session_read", "/session/read", cookies=COOKIES, before="/login", contains=b"user 42"),
]

ORDER = (
    b'{"customer": "ada", "lines": [{"sku": "AB-1", "qty": 2}, {"sku": "AB-2", "qty": 1}, {"sku": "AB-3", "qty": 7}]}'
)
INVALID = b'{"customer": 5, "lines": [{"sku": "A", "qty": 0}, {"sku": "AB-2", "qty": "many"}]}'
"""Four of the six mistakes; the others are in the query and in a header."""


def call(name: str, path: str, **changes: Any) -> Scenario:
    """A call of a JSON API by the script of a page."""
    return Scenario(name, path, **{"sends": FETCH, "cookies": COOKIES, "content_type": "application/json", **changes})


TYPED = [
    call("untyped", "/untyped", query="page=7", contains=b"page 7 dark"),
    call("four_values", "/search", query="q=lamp&limit=50&page=3&archived=true", contains=b"lamp 50 3 True"),
    call("body", "/orders", method="POST", body=ORDER, status=201, contains=b"AB-3"),
    call("fifty_objects", "/rows", contains=b"row 49"),
    call(
        "six_errors", "/traced-orders", method="POST", query="dry=perhaps", body=INVALID, status=422, statuses=(400,),
        sends=(*FETCH, ("x-trace", "none")),
    ),
]  # fmt: skip
"""Requests to views that declare their inputs and results, and to views that do the same by hand."""

OVER = {"wsgi": WSGI, "asgi": ASGI, "typed": TYPED}
