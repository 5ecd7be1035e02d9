"""The development log explains refusals: each reason once, with the setting to change."""

import logging

import pytest

from costrel import CORSPolicy, Costrel, session
from costrel.app.application import Flask
from costrel.middleware.proxy_fix import ProxyFix

PAGE = "http://localhost:5173"
SHOP = "http://shop.lan:5000"


@pytest.fixture
def log(caplog):
    """The texts of the application's log."""
    caplog.set_level(logging.WARNING, "noticed")
    return lambda: [record.getMessage() for record in caplog.records if record.name == "noticed"]


def make(cls=Costrel, debug=True, **settings):
    app = cls("noticed", static_folder=None)
    app.debug = debug
    app.config.from_mapping(SECRET_KEY="k" * 32, **settings)

    @app.get("/")
    def index():
        session["user"] = 1
        return ""

    return app


@pytest.mark.parametrize("cls", [Costrel, Flask])
def test_an_origin_that_no_policy_allows(log, cls):
    client = make(cls).test_client()
    for _ in range(2):
        client.get("/", headers={"Origin": PAGE})

    assert log() == [
        (
            "The browser does not let scripts of 'http://localhost:5173' read the response to GET '/': no CORS policy"
            " allows this origin. If it is yours, set app.config['CORS_POLICY'] = ['http://localhost:5173'], or"
            " decorate the view with @cors(['http://localhost:5173'])."
        )
    ]


def test_a_preflight_request_that_is_refused(log):
    client = make(CORS_POLICY=["https://shop.example"]).test_client()
    refused = client.options("/", headers={"Origin": PAGE, "Access-Control-Request-Method": "GET"})

    assert 403 == refused.status_code
    assert ["The browser does not let scripts of 'http://localhost:5173' read the response to OPTIONS '/'"] == [
        text.partition(": no CORS")[0] for text in log()
    ]


@pytest.mark.parametrize(
    ("headers", "settings"),
    [
        ({"Origin": PAGE}, {"CORS_POLICY": [PAGE]}),
        ({"Origin": PAGE}, {"CORS_POLICY": "*"}),
        ({"Origin": PAGE}, {"CORS_POLICY": CORSPolicy(PAGE, credentials=True)}),
        ({"Origin": "http://localhost"}, {}),
        ({"Origin": PAGE, "Sec-Fetch-Site": "same-origin"}, {}),
        ({"Origin": PAGE, "Sec-Fetch-Mode": "navigate"}, {}),
        ({"Origin": PAGE, "Sec-Fetch-Mode": "no-cors"}, {}),
        ({}, {}),
    ],
)
def test_pages_that_may_read_or_do_not_want_to_are_no_reason(log, headers, settings):
    make(**settings).test_client().get("/", headers=headers)

    assert [] == log()


def test_forwarded_headers_while_no_proxy_is_trusted(log):
    client = make(Flask).test_client()
    for name in ("X-Forwarded-Proto", "X-Forwarded-For"):
        client.get("/", headers={name: "https"})

    assert log() == [
        (
            "The header X-Forwarded-Proto of GET '/' has no effect: no proxy is trusted, so request.remote_addr,"
            " request.host and links describe the connection from '127.0.0.1'. Behind one proxy, set"
            " app.config['TRUSTED_PROXIES'] = 1."
        )
    ]


@pytest.mark.parametrize("settings", [{}, {"TRUSTED_PROXIES": ["10.0.0.0/8"]}])
def test_forwarded_headers_of_a_sender_that_is_not_trusted(log, settings):
    client = make(**settings).test_client()
    for _ in range(2):
        client.get("/", headers={"X-Forwarded-For": "203.0.113.9"})

    assert log() == [
        (
            "The forwarded headers of GET '/' were dropped, because '127.0.0.1' is not a trusted proxy. If it is your"
            " proxy, set app.config['TRUSTED_PROXIES'] = ['127.0.0.1'], or to 1 for any single proxy."
        )
    ]


def test_forwarded_headers_that_count_are_no_reason(log):
    make(TRUSTED_PROXIES=1).test_client().get("/", headers={"X-Forwarded-For": "203.0.113.9"})
    fixed = make(Flask)
    fixed.wsgi_app = ProxyFix(fixed.wsgi_app)
    fixed.test_client().get("/", headers={"X-Forwarded-For": "203.0.113.9"})

    assert [] == log()


@pytest.mark.parametrize("cls", [Costrel, Flask])
def test_a_secure_cookie_over_plain_http(log, cls):
    client = make(cls, SESSION_COOKIE_SECURE=True).test_client()
    for _ in range(2):
        client.get("/", base_url=SHOP)

    assert log() == [
        (
            "The browser does not store the cookie 'session' of the response to GET '/', because it is Secure, and the"
            " request to 'shop.lan:5000' came over plain HTTP. Signing in cannot work. Use http://localhost or HTTPS,"
            " or set app.config['SESSION_COOKIE_SECURE'] = False for development. If a proxy terminates HTTPS, set"
            " app.config['TRUSTED_PROXIES']."
        )
    ]


@pytest.mark.parametrize("url", ["https://shop.lan", "http://localhost:5000", "http://127.0.0.1", "http://[::1]:80"])
def test_a_secure_cookie_that_browsers_store_is_no_reason(log, url):
    make(SESSION_COOKIE_SECURE=True).test_client().get("/", base_url=url)

    assert [] == log()


def test_nothing_is_written_outside_of_debug_mode(log):
    client = make(debug=False, SESSION_COOKIE_SECURE=True).test_client()
    client.get("/", base_url=SHOP, headers={"Origin": PAGE, "X-Forwarded-For": "203.0.113.9"})

    assert [] == log()


def test_clients_cannot_fill_the_log(log):
    client = make().test_client()
    for number in range(60):
        client.get("/\n", headers={"Origin": f"http://{number}.example"})

    assert 50 == len(log())
    assert not any("\n" in text for text in log())


def test_the_asgi_edge_explains_the_same(log):
    make().test_client(edge="asgi").get("/", headers={"Origin": PAGE, "X-Forwarded-For": "203.0.113.9"})

    assert 2 == len(log())
