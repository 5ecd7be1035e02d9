"""`costrel serve` with a certificate: HTTP/1.1 and HTTP/2 over TLS, their lines in the log, and idle clients."""

import json
import re
import socket
import ssl
import time

import httpx
import pytest

from costrel.devserver.certificates import make_ssl_devcert

from ..processes import PATIENCE
from .served import serving, started

pytestmark = pytest.mark.ci

APP = """\
import costrel
from costrel import request

app = costrel.Costrel("shop")
app.config["CSRF_PROTECTION"] = False

@app.route("/")
def index():
    return f"{request.scheme} {request.environ['SERVER_PROTOCOL']} {request.host}"

@app.post("/body")
async def body():
    return str(len(request.get_data()))
"""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return make_ssl_devcert(str(tmp_path_factory.mktemp("tls") / "cert"), cn="localhost")


@pytest.fixture
def secured(tmp_path, certificate):
    """Serve with the certificate."""
    (tmp_path / "shop.py").write_text(APP)

    def secured(*arguments):
        return serving(tmp_path, "--cert", certificate[0], "--key", certificate[1], *arguments, workers=1)

    return secured


def client(certificate, http2):
    context = ssl.create_default_context(cafile=certificate[0])
    return httpx.Client(http2=http2, verify=context, timeout=PATIENCE)


@pytest.mark.parametrize(("log_format", "http2"), [("text", True), ("json", True), ("text", False), ("json", False)])
def test_requests_over_tls_and_their_lines(secured, certificate, log_format, http2):
    version = "HTTP/2" if http2 else "HTTP/1.1"
    with secured("--log-format", log_format, "--http2") as served:
        url = f"https://localhost:{served.port}"
        with client(certificate, http2) as http:
            first = http.get(url)
            second = http.post(f"{url}/body", content=b"x" * 300_000)
        assert served.end() == 0

    assert (first.http_version, first.status_code, second.text) == (version, 200, "300000")
    assert first.text == f"https HTTP/{'2' if http2 else '1.1'} localhost:{served.port}"
    if log_format == "json":
        lines = [json.loads(line) for line in served.output]
        found = [(line["method"], line["target"], line["protocol"], line["status"]) for line in lines]
    else:
        found = [re.search(r'"(\S+) (\S+) (\S+)" (\d+)', line).groups() for line in served.output]
        found = [(*rest, int(status)) for *rest, status in found]
    protocol = f"HTTP/{'2' if http2 else '1.1'}"
    assert found == [("GET", "/", protocol, 200), ("POST", "/body", protocol, 200)]


@pytest.mark.parametrize(("option", "number"), [("--cert", 0), ("--key", 1)])
def test_a_certificate_and_its_key_belong_together(tmp_path, certificate, option, number):
    with started(tmp_path, "shop:app", option, certificate[number]) as served:
        assert served.status() == 2

    assert served.lines[-1] == "Error: --cert and --key belong together. Use both or neither."


def test_a_certificate_that_does_not_fit_is_said(tmp_path, certificate):
    (tmp_path / "shop.py").write_text(APP)
    other = make_ssl_devcert(str(tmp_path / "other"), cn="localhost")
    (tmp_path / "empty.pem").touch()
    for cert, key in ((certificate[0], other[1]), ("empty.pem", other[1])):
        with started(tmp_path, "shop:app", "--bind", "127.0.0.1:0", "--cert", cert, "--key", key) as served:
            assert served.status() == 1

        assert served.lines[-1].startswith("Error: The certificate or its key cannot be used: [")


@pytest.mark.parametrize("options", [(), ("--no-http2",)])
def test_without_the_option_there_is_http_1_1_alone(secured, certificate, options):
    with secured(*options) as served, client(certificate, http2=True) as http:
        assert http.get(f"https://localhost:{served.port}").http_version == "HTTP/1.1"


def test_old_versions_of_tls_are_refused(secured):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with secured() as served, socket.create_connection(("127.0.0.1", served.port), PATIENCE) as connection:
        with pytest.raises((ssl.SSLError, ConnectionResetError)):
            context.wrap_socket(connection)


@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["h2", "http/1.1"])
def test_a_client_that_says_nothing_after_the_handshake_is_let_go(secured, protocol):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols([protocol])
    with secured("--http2") as served, socket.create_connection(("127.0.0.1", served.port), PATIENCE) as connection:
        with context.wrap_socket(connection) as secure:
            secure.settimeout(60)
            started = time.monotonic()
            while secure.recv(65_536):  # the settings of HTTP/2 come first
                pass
        assert time.monotonic() - started > 5
