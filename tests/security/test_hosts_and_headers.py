"""Group D: redirects, response headers, hosts and proxies."""

import logging

import pytest

from costrel import make_response, redirect, request, url_for
from costrel.http.grammar import dump_header
from costrel.messages.redirects import append_slash_redirect
from costrel.middleware.proxy_fix import ProxyFix

from .calls import assert_linear, over_asgi, over_wsgi

BREAKS = ["\r\nX: y", "\n", "\r", "\0"]


@pytest.fixture
def app(make):
    """Return the request's URL as the response."""
    app = make()
    app.add_url_rule("/", "index", lambda: request.url)
    app.add_url_rule("/<path:path>", "path", lambda path: request.url)
    return app


@pytest.mark.parametrize(
    "target", ["//evil/x", "/\\evil/x", "/%5cevil/x", "///evil/x", "/%2fevil/x", "/x/%2e%2e//evil/x"]
)
def test_d1_a_redirect_of_the_router_stays_on_the_site(make, send, target):
    app = make()
    app.add_url_rule("/<path:path>/", "folder", lambda path: "folder")
    location = send(app, target).headers.get("location", "http://example.org/")
    assert location.startswith("http://example.org/")
    assert not location.startswith(("http://example.org//", "http://example.org/\\"))


@pytest.mark.parametrize("path", ["//evil", "/\\evil", "/a//evil", "/https:evil"])
def test_d1_a_slash_is_appended_to_the_last_segment_alone(path):
    location = append_slash_redirect({"PATH_INFO": path}).headers["Location"]
    assert location in ("evil/", "%5Cevil/", "./https:evil/")


@pytest.mark.parametrize("control", BREAKS)
def test_d3_a_control_character_goes_into_no_header(make, send, control):
    app = make()
    refused = []

    @app.get("/")
    def index():
        response = make_response("x")
        for attempt in (
            lambda: response.headers.add("X", f"a{control}b"),
            lambda: response.headers.__setitem__("X", f"a{control}b"),
            lambda: response.headers.add(f"X{control}", "a"),
            lambda: response.set_cookie("a", "b", path=f"/{control}"),
            lambda: response.set_cookie(f"a{control}", "b"),
            lambda: setattr(response, "location", f"/a{control}b"),
            lambda: setattr(response, "content_type", f"text/plain{control}"),
            lambda: setattr(response, "mimetype", f"text/plain{control}"),
            lambda: redirect(f"/a{control}b"),
        ):
            with pytest.raises(ValueError):
                attempt()
            refused.append(1)
        return response

    answer = send(app, "/")
    assert (200, 9) == (answer.status, len(refused))
    assert "x" not in answer.headers


@pytest.mark.parametrize("control", BREAKS)
def test_d3_an_application_that_tries_is_alive_afterwards(make, send, control):
    app = make()
    app.add_url_rule("/", "index", lambda: "fine")
    app.add_url_rule("/bad", "bad", lambda: ("x", {"X-Name": f"a{control}b"}))
    answer = send(app, "/bad")
    assert (500, None) == (answer.status, answer.headers.get("x"))
    assert "fine" == send(app, "/").text


@pytest.mark.parametrize("status", ["200 a\r\nX: 1", "200 a\n", "200 \0"])
def test_d4_a_status_line_has_no_line_break(make, send, status):
    app = make()
    app.add_url_rule("/", "index", lambda: ("x", status))
    answer = send(app, "/")
    if status.strip() == "200 a":  # white space around it is left out
        assert 200 == answer.status
    else:
        assert 500 == answer.status
    assert "x" not in answer.headers
    with pytest.raises(ValueError, match="control"):
        app.response_class(status="200 a\r\nX: 1")


def test_d5_a_huge_location_is_refused_at_once(make, send):
    app = make()
    app.add_url_rule("/", "index", lambda: redirect("/" + "ü" * 1_000_000))
    assert 500 == send(app, "/").status
    with pytest.raises(ValueError, match="1,000,001 characters"):
        redirect("/" + "ü" * 1_000_000)


def test_d5_the_router_redirects_in_linear_time(make):
    app = make()
    app.add_url_rule("/<path:path>/", "folder", lambda path: "folder")
    assert_linear(lambda size: over_wsgi(app, "/" + "%C3%BC" * (size // 6)), 100_000)


@pytest.mark.parametrize("path", ["/%0aX%1b[31m", "/a%0dINFO: fine", "/%e2%80%a8X", "/%00"])
def test_d7_a_path_is_logged_in_one_line(make, send, path, caplog):
    app = make()

    @app.get("/<path:path>")
    def fail(path):
        raise LookupError("broken")

    with caplog.at_level(logging.ERROR):
        assert 500 == send(app, path).status
    assert 1 == len(caplog.records)
    message = caplog.records[0].getMessage()
    assert message.isprintable()


HOSTS = [
    "a/admin?x=",
    "a@b",
    "a b",
    "a\\b",
    "a:x",
    "a:0",
    "a:99999",
    "a:80:80",
    "[::1",
    "[:71]:80",
    "a#b",
    "a?b",
    "\x00",
    "ex\x7f",
]


@pytest.mark.parametrize("host", HOSTS)
def test_d8_a_host_does_not_rewrite_the_url(app, send, host):
    assert 400 == send(app, "/x", headers=[("Host", host)]).status


@pytest.mark.parametrize("host", ["a", "a.example:8000", "[::1]:80", "127.0.0.1", "xn--bcher-kva.example"])
def test_d8_a_good_one_is_taken(app, send, host):
    assert 200 == send(app, "/x", headers=[("Host", host)]).status


def test_d9_two_hosts_are_refused(app):
    assert 400 == over_wsgi(app, "/", headers=[("Host", "a,b")]).status
    assert 400 == over_asgi(app, "/", headers=[("Host", "a"), ("Host", "b")]).status
    assert 400 == over_asgi(app, "/", headers=[("Host", "a"), ("Host", "a")]).status


def test_d10_trusted_hosts_are_no_patterns(app, send):
    app.config["TRUSTED_HOSTS"] = ["example.com", ".example.net"]
    for host, status in (
        ("example.com", 200),
        ("exampleXcom", 400),
        ("a.example.com", 400),
        ("example.com.evil", 400),
        ("a.example.net", 200),
        ("aexample.net", 400),
        ("example.net:8000", 200),
    ):
        assert status == send(app, "/", headers=[("Host", host)]).status


FORWARDED = [
    ("X-Forwarded-Host", "evil.example"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-For", "6.6.6.6"),
    ("X-Forwarded-Prefix", "/evil"),
    ("X-Forwarded-Port", "666"),
    ("Forwarded", "for=6.6.6.6;host=evil.example;proto=https"),
]


def test_d11_what_a_proxy_would_say_is_not_believed_of_a_client(make, send):
    app = make()
    app.add_url_rule("/", "index", lambda: f"{request.url} {url_for('index', _external=True)} {request.remote_addr}")
    answer = send(app, "/", headers=FORWARDED)
    assert "http://example.org/ http://example.org/ 127.0.0.1" == answer.text


def test_d11_only_as_many_proxies_are_believed_as_there_are(make):
    app = make()
    app.add_url_rule("/", "index", lambda: f"{request.remote_addr} {request.url}")
    app.wsgi_app = ProxyFix(app.wsgi_app)
    for send in (over_wsgi, over_asgi):
        headers = [("X-Forwarded-For", "6.6.6.6, 10.0.0.1"), ("X-Forwarded-Host", "evil")]
        assert "10.0.0.1 http://example.org/" == send(app, "/", headers=headers).text


def test_d12_a_name_with_an_underscore_is_dropped(make):
    app = make()
    app.add_url_rule("/", "index", lambda: str(request.headers.get("X-Forwarded-For")))
    assert "None" == over_asgi(app, "/", headers=[("X_Forwarded_For", "6.6.6.6")]).text
    headers = [("X-Forwarded-For", "1.1.1.1"), ("X_Forwarded_For", "6.6.6.6")]
    answer = over_asgi(app, "/", headers=headers)
    assert "6.6.6.6" not in answer.text


def test_d13_a_clients_scheme_is_not_believed(make, send):
    app = make()
    app.add_url_rule("/", "index", lambda: str(request.is_secure))
    headers = [("X-Forwarded-Proto", "https"), ("X-Forwarded-Ssl", "on"), ("Front-End-Https", "on")]
    assert "False" == send(app, "/", headers=headers).text


def test_d13_http_of_a_trusted_proxy_is_not_secure(make):
    app = make()
    app.add_url_rule("/", "index", lambda: str(request.is_secure))
    app.wsgi_app = ProxyFix(app.wsgi_app)
    answer = over_wsgi(app, "/", headers=[("X-Forwarded-Proto", "http")], **{"wsgi.url_scheme": "https"})
    assert "False" == answer.text


def test_d14_a_proxy_header_does_not_become_the_proxy_setting(make):
    app = make()
    app.add_url_rule("/", "index", lambda: str("HTTP_PROXY" in request.environ))
    assert "False" == over_asgi(app, "/", headers=[("Proxy", "http://evil")]).text


def test_d15_no_page_prints_the_environ(make, send, monkeypatch):
    monkeypatch.setenv("DATABASE_PASSWORD", "hunter2")
    app = make()

    @app.get("/")
    def fail():
        request.environ["DATABASE_PASSWORD"] = "hunter2"  # as servers do that mix the process's environment in
        raise LookupError("broken")

    for target in ("/", "/missing"):
        assert "hunter2" not in send(app, target).text


def test_a_list_header_is_quoted():
    assert '"a,b"' == dump_header(["a,b"])


def who_app(make, **settings):
    """Answers with the client's address, the URL of the request and a URL that it builds."""
    app = make()
    app.config.update(settings)
    app.add_url_rule("/", "index", lambda: f"{request.remote_addr} {request.url} {url_for('index')}")
    return app


@pytest.mark.parametrize("route", ['"', 'x"', "unknown", "_hidden", "<script>", "", ",", "6.6.6.6, ", "127.0.0.1x"])
def test_d17_a_client_cannot_become_the_proxy(make, send, route):
    app = who_app(make, TRUSTED_PROXIES=1)
    assert "None http://example.org/ /" == send(app, "/", headers=[("X-Forwarded-For", route)]).text


@pytest.mark.parametrize("route", ['"', '"a', "\\", "6.6.6.6", "unknown", ""])
def test_d17_the_word_of_the_proxy_counts_whatever_stands_before_it(make, send, route):
    app = who_app(make, TRUSTED_PROXIES=1)
    appended = [("X-Forwarded-For", f"{route}, 203.0.113.9")]
    assert send(app, "/", headers=appended).text.startswith("203.0.113.9 ")
    if send is over_asgi:
        apart = [("X-Forwarded-For", route), ("X-Forwarded-For", "203.0.113.9")]
        assert send(app, "/", headers=apart).text.startswith("203.0.113.9 ")


def test_d17_a_port_makes_no_new_client(make, send):
    app = who_app(make, TRUSTED_PROXIES=1, RATE_LIMITS="2/minute")
    for form in ("203.0.113.{}:{}", "[2001:db8::{}]:{}"):
        forms = [form.format(9, 4000 + number) for number in range(4)]
        seen = [send(app, "/", headers=[("X-Forwarded-For", route)]).status for route in forms]
        assert [200, 200, 429, 429] == seen


def test_d17_clients_without_an_address_share_one_limit(make, send):
    app = who_app(make, TRUSTED_PROXIES=1, RATE_LIMITS="2/minute")
    seen = [send(app, "/", headers=[("X-Forwarded-For", route)]).status for route in ('"', "unknown", "<", "_a")]
    assert [200, 200, 429, 429] == seen
    assert 200 == send(app, "/", headers=[("X-Forwarded-For", "203.0.113.9")]).status


@pytest.mark.parametrize("prefix", ["//evil.example", "/\\evil.example", "evil", "https://evil.example", "/a b"])
def test_d18_a_prefix_leads_to_no_other_site(make, send, prefix):
    app = who_app(make, TRUSTED_PROXIES={"hops": 1, "headers": ["prefix"]})
    answer = send(app, "/", headers=[("X-Forwarded-Prefix", prefix)])
    assert (400, True) == (answer.status, "X-Forwarded-Prefix" in answer.text)
    assert "127.0.0.1 http://example.org/shop/ /shop/" == send(app, "/", headers=[("X-Forwarded-Prefix", "/shop")]).text


def test_d18_the_400_is_the_application_s(make, send):
    app = who_app(make, TRUSTED_PROXIES={"hops": 1, "headers": ["prefix"]})
    app.register_error_handler(400, lambda error: ("my page", 400))
    answer = send(app, "/", headers=[("X-Forwarded-Prefix", "//evil.example")])
    assert (400, "my page") == (answer.status, answer.text)


@pytest.mark.parametrize(
    ("proto", "scheme"), [("https", "https"), ("HTTPS", "https"), ("wss", "https"), ("data", "http")]
)
def test_d18_schemes_are_those_of_http(make, send, proto, scheme):
    app = who_app(make, TRUSTED_PROXIES=1)
    answer = send(app, "/", headers=[("X-Forwarded-Proto", proto)])
    assert f"127.0.0.1 {scheme}://example.org/ /" == answer.text


@pytest.mark.parametrize("host", ["my_app", "my_app:8000", "_dmarc.example", "a:", "[::1]:"])
def test_d19_names_of_services_and_empty_ports_are_hosts(app, send, host):
    answer = send(app, "/x", headers=[("Host", host)])
    assert (200, f"http://{host.removesuffix(':')}/x") == (answer.status, answer.text)


def test_d19_hosts_have_no_case(app, send):
    app.config["TRUSTED_HOSTS"] = ["Good.example", ".Wild.example", "[2001:DB8::1]"]
    hosts = ["good.example", "GOOD.EXAMPLE:80", "a.wild.example", "A.WILD.Example", "[2001:db8::1]", "my_good.example"]
    assert [200] * 5 + [400] == [send(app, "/", headers=[("Host", host)]).status for host in hosts]


def test_d20_over_http_2_host_and_authority_agree(app):
    """As servers report `:authority` and a Host field."""
    for version, second, status in (
        ("2", "good.example", 200),
        ("2", "evil.example", 400),
        ("1.1", "good.example", 400),
    ):
        headers = [("Host", "good.example"), ("Host", second)]
        assert status == over_asgi(app, "/", headers=headers, body=b"", http_version=version).status


@pytest.mark.parametrize(("version", "expected"), [("1.0", 200), ("1", 200), ("1.1", 400), ("2", 400)])
def test_d21_only_http_1_0_needs_no_host(make, version, expected):
    """As Granian reports a missing Host."""
    app = who_app(make)
    answer = over_asgi(app, "/", headers=[("Host", "")], body=b"", http_version=version)
    if expected == 400 and make.native:
        assert 400 == answer.status
    else:
        assert (200, "127.0.0.1 http://127.0.0.1:8000/ /") == (answer.status, answer.text)
    app.config["TRUSTED_HOSTS"] = ["example.org"]
    assert 400 == over_asgi(app, "/", headers=[("Host", "")], body=b"", http_version=version).status


def test_d21_an_environ_without_a_host_has_that_of_its_server(make):
    app = who_app(make)

    def without_host(environ, start_response):
        del environ["HTTP_HOST"]
        return app(environ, start_response)

    answer = over_wsgi(without_host, "/", SERVER_NAME="10.0.0.1", SERVER_PORT="81")
    assert "127.0.0.1 http://10.0.0.1:81/ /" == answer.text
