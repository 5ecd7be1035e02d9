"""What proxies tell about the client and the host."""

from costrel.middleware.proxy_fix import ProxyFix


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
