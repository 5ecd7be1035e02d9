"""Requests, responses and forms beside Werkzeug's, in one process: ``python -m benchmarks.messages``.

Prints, per case, the microseconds of a call (the best of several rounds) of both and their ratio. The cases of a
request include making it from a prepared environ.
"""

from __future__ import annotations

import io
import random
import time
from collections.abc import Callable
from typing import Any

import werkzeug.wrappers

import costrel.messages.request
import costrel.messages.response

ROUNDS = 7
ENVIRON: dict[str, Any] = {
    "REQUEST_METHOD": "GET",
    "SCRIPT_NAME": "",
    "PATH_INFO": "/p",
    "QUERY_STRING": "page=2&name=hello+world&q=%C3%BC",
    "SERVER_NAME": "srv",
    "SERVER_PORT": "80",
    "REMOTE_ADDR": "1.2.3.4",
    "HTTP_HOST": "ex.org",
    "HTTP_COOKIE": "a=b; session=abc.def",
    "HTTP_ACCEPT": "text/html",
    "HTTP_USER_AGENT": "bench",
    "wsgi.url_scheme": "http",
    "wsgi.input": io.BytesIO(),
}
DISPOSITION = 'Content-Disposition: form-data; name="f{0}"'
TYPE = "Content-Type: application/octet-stream"


def multipart(head: str, content: bytes, number: int) -> bytes:
    parts = [f"--b\r\n{head}\r\n\r\n".format(i).encode() + content + b"\r\n" for i in range(number)]
    return b"".join(parts) + b"--b--\r\n"


FILE = f'{DISPOSITION}; filename="a.bin"\r\n{TYPE}'
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=b"
BODIES: dict[str, tuple[int, str, bytes]] = {
    "form, urlencoded": (5000, FORM, b"a=b&name=hello+world&message=%C3%BCber"),
    "form, multipart, 20 fields": (500, MULTIPART, multipart(DISPOSITION, b"some value", 20)),
    "form, multipart, 10 small files": (500, MULTIPART, multipart(FILE, b"hello", 10)),
    "form, multipart, a file of 10 MB": (3, MULTIPART, multipart(FILE, random.Random(1).randbytes(10**7), 1)),
}


def seconds(call: Callable[[], Any], calls: int) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        for _ in range(calls):
            call()
        best = min(best, (time.process_time() - start) / calls)
    return best


def response_cases(cls: Any) -> dict[str, Callable[[], Any]]:
    ready = cls("Hello")

    def with_header() -> Any:
        response = cls("Hello")
        response.headers["X-Name"] = "value"
        return response.get_wsgi_response(ENVIRON)

    return {
        "response from text": lambda: cls("Hello"),
        "response of a type": lambda: cls("{}", mimetype="application/json"),
        "response with a status": lambda: cls("Hello", 404),
        "response with headers": lambda: cls("Hello", 200, [("X-Name", "value")]),
        "response to WSGI": lambda: ready.get_wsgi_response(ENVIRON),
        "response, one header set, to WSGI": with_header,
    }


def request_cases(cls: Any) -> dict[str, Callable[[], Any]]:
    return {
        "request": lambda: cls(ENVIRON),
        "request.method": lambda: cls(ENVIRON).method,
        "request.path": lambda: cls(ENVIRON).path,
        "request.args": lambda: cls(ENVIRON).args,
        "request.cookies": lambda: cls(ENVIRON).cookies,
        "request.headers.get": lambda: cls(ENVIRON).headers.get("User-Agent"),
        "request.host": lambda: cls(ENVIRON).host,
        "request.url": lambda: cls(ENVIRON).url,
    }


def form(cls: Any, mimetype: str, body: bytes) -> Callable[[], Any]:
    def call() -> None:
        stream = {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": mimetype}
        request = cls({**ENVIRON, **stream, "REQUEST_METHOD": "POST"})
        request.form  # noqa: B018  # reading it parses it
        request.close()

    return call


def cases(request: Any, response: Any) -> dict[str, tuple[int, Callable[[], Any]]]:
    found = {name: (20_000, call) for name, call in {**response_cases(response), **request_cases(request)}.items()}
    forms = {name: (calls, form(request, mimetype, body)) for name, (calls, mimetype, body) in BODIES.items()}
    return {**found, **forms}


def main() -> None:
    theirs = cases(werkzeug.wrappers.Request, werkzeug.wrappers.Response)
    ours = cases(costrel.messages.request.Request, costrel.messages.response.Response)
    print(f"{'µs':<36}{'werkzeug':>12}{'costrel':>12}{'ratio':>10}")
    for name, (calls, call) in ours.items():
        own, other = seconds(call, calls), seconds(theirs[name][1], calls)
        print(f"{name:<36}{other * 1e6:>12.2f}{own * 1e6:>12.2f}{other / own:>10.1f}")


if __name__ == "__main__":
    main()
