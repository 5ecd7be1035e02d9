"""Proxy headers with the addresses of the client and the host."""

import pytest

from costrel.middleware.proxy_fix import ProxyFix
from costrel.testing.environ_builder import EnvironBuilder


def environ_behind(fix_options, **headers):
    environ = {
        "REMOTE_ADDR": "10.0.0.1",
        "wsgi.url_scheme": "http",
        "HTTP_HOST": "internal:8000",
        "SERVER_NAME": "internal",
        "SERVER_PORT": "8000",
        **{f"HTTP_X_FORWARDED_{name.upper()}": value for name, value in headers.items()},
    }
    assert ProxyFix(lambda environ, start_response: [b"x"], **fix_options)(environ, None) == [b"x"]
    return environ


def test_one_proxy_tells_the_address_and_the_scheme():
    environ = environ_behind({}, **{"for": "6.6.6.6, 1.2.3.4", "proto": "https", "host": "evil", "port": "1"})
    assert (environ["REMOTE_ADDR"], environ["wsgi.url_scheme"]) == ("1.2.3.4", "https")
    assert (environ["HTTP_HOST"], environ["SERVER_PORT"]) == ("internal:8000", "8000")
    assert environ["werkzeug.proxy_fix.orig"]["REMOTE_ADDR"] == "10.0.0.1"


def test_fewer_values_than_proxies_are_not_believed():
    assert environ_behind({"x_for": 2}, **{"for": "1.2.3.4"})["REMOTE_ADDR"] == "10.0.0.1"


def test_an_application_below_a_prefix_on_another_host_and_port():
    environ = environ_behind({"x_host": 1, "x_port": 1, "x_prefix": 1}, host="example.org", port="8443", prefix="/app")
    expected = ("example.org:8443", "example.org", "8443", "/app")
    assert tuple(environ[key] for key in ("HTTP_HOST", "SERVER_NAME", "SERVER_PORT", "SCRIPT_NAME")) == expected


def test_the_host_brings_its_port_along_and_addresses_keep_their_colons():
    for host, name, port in [("a:1", "a", "1"), ("[::1]:2", "[::1]", "2"), ("[::1]", "[::1]", "8000")]:
        environ = environ_behind({"x_host": 1}, host=host)
        assert (environ["HTTP_HOST"], environ["SERVER_NAME"], environ["SERVER_PORT"]) == (host, name, port)


@pytest.mark.parametrize(
    ("route", "x_for", "address"),
    [
        ('"', 1, None),
        ('", 1.2.3.4', 1, "1.2.3.4"),
        ("unknown", 1, None),
        ("6.6.6.6,", 1, None),
        ("unknown, 1.2.3.4", 2, "1.2.3.4"),
        ("1.2.3.4:5678", 1, "1.2.3.4"),
        ("[2001:db8::1]:5678", 1, "2001:db8::1"),
    ],
)
def test_what_is_no_address_never_stands_for_the_proxy(route, x_for, address):
    assert address == environ_behind({"x_for": x_for}, **{"for": route}).get("REMOTE_ADDR")


def test_schemes_and_ports_are_checked():
    environ = environ_behind({"x_port": 1}, proto="javascript", port="x")
    assert ("http", "internal:8000", "8000") == (
        environ["wsgi.url_scheme"],
        environ["HTTP_HOST"],
        environ["SERVER_PORT"],
    )


@pytest.mark.parametrize("prefix", ["//evil.example", "/\\evil.example", "evil"])
def test_a_prefix_that_leads_elsewhere_is_refused(prefix):
    started = []
    environ = EnvironBuilder(headers={"X-Forwarded-Prefix": prefix}).get_environ()
    fixed = ProxyFix(lambda environ, start_response: [b"called"], x_prefix=1)
    body = b"".join(fixed(environ, lambda status, headers: started.append(status)))
    assert (["400 BAD REQUEST"], True) == (started, b"X-Forwarded-Prefix" in body)
