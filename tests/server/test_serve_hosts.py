"""The host of a request and the address of its client, as `costrel serve` reports them to an application."""

import socket

import pytest

from ..processes import PATIENCE
from .served import serving

APP = """
from costrel import Costrel, request, url_for

app = Costrel("hosts")
app.config.update(TRUSTED_PROXIES=1, RATE_LIMITS="1000/minute")


@app.get("/")
def index():
    return f"{request.remote_addr} {request.host} {url_for('index', _external=True)}"


@app.get("/later")
async def later():
    return index()
"""


@pytest.fixture(scope="module", params=["asgi", "wsgi"])
def served(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("hosts")
    (folder / "hosts.py").write_text(APP)
    with serving(folder, "--interface", request.param, app="hosts:app", workers=1) as server:
        yield server


def ask(served, head, path="/"):
    """The status and the text of the answer to a request with these lines after its first one."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=PATIENCE) as connection:
        version, *fields = head
        lines = [f"GET {path} {version}", *fields, "Connection: close"]
        connection.sendall("".join(f"{line}\r\n" for line in lines).encode() + b"\r\n")
        received = b""
        while data := connection.recv(65_536):
            received += data
    head, _, body = received.partition(b"\r\n\r\n")
    return int(head.split()[1]), body.decode()


@pytest.mark.parametrize("path", ["/", "/later"])
def test_an_old_client_gets_urls_of_the_server_s_address(served, path):
    here = f"127.0.0.1:{served.port}"
    assert (200, f"127.0.0.1 {here} http://{here}/") == ask(served, ["HTTP/1.0"], path)


def test_http_1_1_needs_a_host(served):
    assert (400, 400) == (ask(served, ["HTTP/1.1"])[0], ask(served, ["HTTP/1.1", "Host:"])[0])


@pytest.mark.parametrize("host", ["my_app:8000", "a:", "GOOD.example", "[::1]:5"])
def test_names_of_services_are_hosts(served, host):
    name = host.removesuffix(":")
    expected = (200, f"127.0.0.1 {name} http://{name.lower()}/")
    assert expected == ask(served, ["HTTP/1.1", f"Host: {host}"])


@pytest.mark.parametrize("route", ['"', "unknown", "6.6.6.6,", '6.6.6.6, "'])
def test_a_client_cannot_take_the_address_of_the_proxy(served, route):
    fields = ["HTTP/1.1", "Host: a", f"X-Forwarded-For: {route}"]
    assert (200, "None a http://a/") == ask(served, fields)
    assert (200, "203.0.113.9 a http://a/") == ask(served, [*fields, "X-Forwarded-For: 203.0.113.9:80"])
