"""What stands between a client and the views natively, and with `SECURITY_PROFILE`: tokens, headers, proxies, JSON."""

import asyncio
import re
import threading

import pytest

from costrel import (
    Costrel,
    csp_nonce,
    csrf_exempt,
    csrf_token,
    redirect,
    render_template_string,
    request,
    safe_next,
    session,
)
from costrel.app.application import Flask
from costrel.guards.csp import policy_text
from costrel.guards.headers import SECURITY_HEADERS
from costrel.guards.proxies import Proxies

from ..edges.asgi_call import call


def make(cls=Costrel, **settings):
    app = cls("guarded", static_folder=None)
    app.config.from_mapping(SECRET_KEY="k" * 32, **settings)
    app.add_url_rule("/", "index", lambda: "index", methods=["GET", "POST"])
    return app


def strict():
    return make(Flask, SECURITY_PROFILE="strict")


POLICY = "base-uri 'self'; frame-ancestors 'self'"


class TestHeaders:
    @pytest.mark.parametrize("app", [make(), strict()], ids=["native", "strict"])
    def test_every_response_has_them(self, app):
        client = app.test_client()
        for answer in (client.get("/"), client.get("/missing"), client.options("/")):
            assert {**SECURITY_HEADERS, "Content-Security-Policy": POLICY}.items() <= dict(answer.headers).items()

    def test_flask_has_none(self):
        headers = dict(make(Flask).test_client().get("/").headers)
        assert {"Content-Type", "Content-Length"} == set(headers)

    def test_what_a_session_has_set_stays(self):
        app = make(
            SECURITY_HEADERS={"cache-control": "no-store", "Vary": "Accept", "X-Extra": "yes"},
            CORS_POLICY=["https://a.example"],
        )
        app.add_url_rule("/session", "session", lambda: session.update(a=1) or "")
        headers = app.test_client().get("/session").headers
        expected = ["private"], ["Cookie, Origin"], ["yes"], ["DENY"]
        assert expected == tuple(
            headers.getlist(name) for name in ("Cache-Control", "Vary", "X-Extra", "X-Frame-Options")
        )

    def test_what_a_view_sets_stays(self):
        app = make()
        app.add_url_rule("/own", "own", lambda: ("", {"X-Frame-Options": "SAMEORIGIN", "content-security-policy": "x"}))
        headers = app.test_client().get("/own").headers
        assert (["SAMEORIGIN"], ["x"]) == (
            headers.getlist("X-Frame-Options"),
            headers.getlist("Content-Security-Policy"),
        )

    def test_single_ones_are_changed_or_left_out(self):
        app = make(SECURITY_HEADERS={"Referrer-Policy": "no-referrer", "X-Frame-Options": None})
        headers = app.test_client().get("/").headers
        assert ("no-referrer", None, "nosniff") == tuple(
            headers.get(name) for name in ("Referrer-Policy", "X-Frame-Options", "X-Content-Type-Options")
        )

    def test_hsts_is_said_over_https_alone(self):
        client = make(HSTS_SECONDS=60).test_client()
        assert "Strict-Transport-Security" not in client.get("/").headers
        answer = client.get("/", base_url="https://example.org")
        assert "max-age=60; includeSubDomains" == answer.headers["Strict-Transport-Security"]

    def test_a_nonce_is_the_same_in_header_and_page_and_new_each_time(self):
        app = make(CONTENT_SECURITY_POLICY={"script-src": ["'self'", "'nonce'"], "object-src": "'none'"})
        app.add_url_rule("/page", "page", lambda: render_template_string("{{ csp_nonce() }} {{ csp_nonce() }}"))
        client = app.test_client()
        nonces = set()
        for _ in range(2):
            answer = client.get("/page")
            first, second = answer.text.split()
            assert f"script-src 'self' 'nonce-{first}'; object-src 'none'" == answer.headers["Content-Security-Policy"]
            assert first == second
            nonces.add(first)
        assert 2 == len(nonces)

    def test_a_view_may_ask_for_it(self):
        app = make(CONTENT_SECURITY_POLICY="script-src 'nonce'")
        app.add_url_rule("/page", "page", lambda: csp_nonce())
        answer = app.test_client().get("/page")
        assert f"script-src 'nonce-{answer.text}'" == answer.headers["Content-Security-Policy"]

    def test_a_source_is_one_word(self):
        assert "img-src b c" == policy_text({"img-src": "b c"})
        with pytest.raises(ValueError, match="is not a single source"):
            policy_text({"script-src": ["'self'; object-src *"]})


class TestCrossSite:
    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({}, 200),
            ({"Sec-Fetch-Site": "same-origin"}, 200),
            ({"Sec-Fetch-Site": "none"}, 200),
            ({"Sec-Fetch-Site": "same-site"}, 403),
            ({"Sec-Fetch-Site": "cross-site"}, 403),
            ({"Origin": "http://localhost"}, 200),
            ({"Origin": "http://localhost:80"}, 200),
            ({"Origin": "http://localhost:81"}, 403),
            ({"Origin": "http://evil.example"}, 403),
            ({"Origin": "http://localhost.evil.example"}, 403),
            ({"Origin": "null"}, 403),
            ({"Origin": "http://[::1"}, 403),
            ({"Sec-Fetch-Site": "cross-site", "Origin": "https://friend.example"}, 200),
        ],
    )
    def test_the_browser_tells_who_sends(self, headers, status):
        client = make(CSRF_TRUSTED_ORIGINS=["https://friend.example"]).test_client()
        assert status == client.post("/", headers=headers).status_code
        assert 200 == client.get("/", headers=headers).status_code

    def test_flask_checks_nothing(self):
        assert 200 == make(Flask).test_client().post("/", headers={"Sec-Fetch-Site": "cross-site"}).status_code
        assert 403 == strict().test_client().post("/", headers={"Sec-Fetch-Site": "cross-site"}).status_code

    def test_a_view_can_be_exempt(self):
        app = make(CSRF_EXEMPT="hooks")
        app.post("/own")(csrf_exempt(lambda: "own"))
        app.post("/listed", endpoint="hooks")(lambda: "listed")
        for target in ("/own", "/listed"):
            assert 200 == app.test_client().post(target, headers={"Origin": "https://evil"}).status_code

    def test_what_no_route_takes_is_said_first(self):
        client = make().test_client()
        assert 404 == client.post("/missing", headers={"Origin": "https://evil"}).status_code
        assert 405 == client.put("/", headers={"Origin": "https://evil"}).status_code

    @pytest.fixture
    def client(self):
        app = make(CSRF_REQUIRE_TOKEN=True)
        app.add_url_rule("/token", "token", lambda: render_template_string("{{ csrf_token() }}"))
        return app.test_client()

    def test_g16_a_token_is_masked_and_any_mask_will_do(self, client):
        tokens = {client.get("/token").text for _ in range(3)}
        assert 3 == len(tokens)
        for token in tokens:
            assert 200 == client.post("/", data={"csrf_token": token}).status_code
            assert 200 == client.post("/", headers={"X-CSRF-Token": token}).status_code

    @pytest.mark.parametrize("token", ["", "x", "ü", "A" * 43, "A" * 100_000, "%00", "=" * 43])
    def test_a_wrong_token_is_refused(self, client, token):
        client.get("/token")
        assert 403 == client.post("/", data={"csrf_token": token}).status_code

    def test_g17_a_token_in_the_url_counts_for_nothing(self, client):
        token = client.get("/token").text
        assert 403 == client.post(f"/?csrf_token={token}").status_code

    def test_so_does_one_of_another_session(self, client):
        token = client.get("/token").text
        other = client.application.test_client()
        assert 403 == other.post("/", data={"csrf_token": token}).status_code
        other.get("/token")
        assert 403 == other.post("/", data={"csrf_token": token}).status_code

    def test_a_page_with_one_is_not_shared(self, client):
        answer = client.get("/token")
        assert ("Cookie", "private") == (answer.headers["Vary"], answer.headers["Cache-Control"])

    def test_templates_of_flask_do_not_have_it(self):
        app = make(Flask)
        with app.test_request_context():
            assert "False False" == render_template_string("{{ csrf_token is defined }} {{ csp_nonce is defined }}")

    def test_the_profile_reaches_templates_that_were_made_before(self):
        app = strict()
        app.jinja_env.globals["csrf_token"] = str  # as an extension does
        app.add_url_rule("/page", "page", lambda: render_template_string("{{ csp_nonce() }}|{{ csrf_token() }}"))
        assert re.fullmatch(r"[\w-]{22}\|", app.test_client().get("/page").text)

    def test_a_view_may_ask_for_a_token(self):
        with make().test_request_context():
            assert 43 == len(csrf_token())
            assert ["_csrf_secret"] == list(session)


class TestCookies:
    @pytest.mark.parametrize(
        ("url", "debug", "secure"),
        [
            ("https://example.org", False, True),
            ("http://example.org", False, True),
            ("http://localhost:5000", False, False),
            ("http://shop.localhost", False, False),
            ("http://127.0.0.1:5000", False, False),
            ("http://[::1]:5000", False, False),
            ("http://127.0.0.1.evil.example", False, True),
            ("http://localhost.example", False, True),
            ("http://example.org", True, False),
            ("https://localhost", True, True),
        ],
    )
    def test_secure_but_where_one_develops(self, url, debug, secure):
        app = make()
        app.debug = debug
        app.add_url_rule("/in", "log_in", lambda: str(session.setdefault("user", 1)))
        cookie = app.test_client().get("/in", base_url=url).headers["Set-Cookie"]
        assert (secure, True, True) == ("Secure" in cookie, "HttpOnly" in cookie, "SameSite=Lax" in cookie)


class TestProxies:
    def told(self, setting, route="6.6.6.6, 10.0.0.2", peer="10.0.0.1", **headers):
        environ = {"REMOTE_ADDR": peer, "wsgi.url_scheme": "http", "HTTP_X_FORWARDED_PROTO": "https", **headers}
        environ["HTTP_X_FORWARDED_FOR"] = route
        proxies = Proxies.of(setting)
        if proxies is not None:
            proxies.apply(environ)
        return environ.get("REMOTE_ADDR"), environ["wsgi.url_scheme"], "HTTP_X_FORWARDED_FOR" in environ

    @pytest.mark.parametrize(
        ("setting", "told"),
        [
            (None, ("10.0.0.1", "http", True)),
            ((), ("10.0.0.1", "http", False)),
            (0, ("10.0.0.1", "http", False)),
            (1, ("10.0.0.2", "https", True)),
            (["10.0.0.1"], ("10.0.0.2", "https", True)),
            ("192.168.0.0/16", ("10.0.0.1", "http", False)),
            ({"hops": 1, "networks": ["10.0.0.0/8"]}, ("10.0.0.2", "https", True)),
            ({"hops": 1, "headers": ["proto"]}, ("10.0.0.1", "https", True)),
        ],
    )
    def test_so_many_or_those_networks(self, setting, told):
        assert told == self.told(setting)

    def test_a_chain_within_the_networks_is_followed(self):
        assert "6.6.6.6" == self.told("10.0.0.0/8", HTTP_X_FORWARDED_PROTO="https, http")[0]
        assert "6.6.6.6" == self.told("10.0.0.0/8", route="1.1.1.1, 6.6.6.6, 10.0.0.2", HTTP_X_FORWARDED_PROTO="a,b")[0]

    @pytest.mark.parametrize(
        ("route", "client"),
        [
            ("198.51.100.1, 10.0.0.7:333", "198.51.100.1"),
            ("198.51.100.1:80, [::ffff:10.0.0.7]:333", "198.51.100.1"),
            ("unknown, 10.0.0.7", "10.0.0.7"),
            ("10.0.0.6, 10.0.0.7", "10.0.0.6"),
            ("1.1.1.1, unknown, 10.0.0.7", "10.0.0.7"),
            ("1.1.1.1, 198.51.100.1, 10.0.0.7", "198.51.100.1"),
        ],
    )
    @pytest.mark.parametrize("peer", ["10.0.0.1", "::ffff:10.0.0.1"])
    @pytest.mark.parametrize("network", ["10.0.0.0/8", "::ffff:10.0.0.0/104"])
    def test_addresses_with_ports_and_mapped_ones_are_in_networks(self, route, client, peer, network):
        assert client == self.told([network], route=route, peer=peer)[0]

    def test_a_route_without_an_address_is_not_that_of_the_proxy(self):
        for setting in (1, 2, ["10.0.0.0/8"], {"hops": 1, "networks": ["10.0.0.0/8"]}):
            for route in ('"', "unknown", "", "6.6.6.6,", "<script>, _hidden"):
                assert (None, True) == self.told(setting, route=route)[::2], (setting, route)

    def test_an_odd_peer_is_not_trusted(self):
        assert "unix:" == self.told("0.0.0.0/0", peer="unix:")[0]

    def test_a_wrong_setting_is_an_error(self):
        with pytest.raises(ValueError, match="has an unknown entry: 'hop'"):
            Proxies.of({"hop": 1})
        with pytest.raises(ValueError, match="not appear to be an IPv4 or IPv6 network"):
            Proxies.of(["localhost"])

    def test_d11_what_is_not_believed_is_not_seen(self):
        app = make()
        app.add_url_rule("/seen", "seen", lambda: str(request.headers.get("X-Forwarded-For")))
        headers = {"X-Forwarded-For": "6.6.6.6"}
        assert "None" == app.test_client().get("/seen", headers=headers).text
        app = make(TRUSTED_PROXIES=1)
        app.add_url_rule("/seen", "seen", lambda: str(request.remote_addr))
        assert "6.6.6.6" == app.test_client().get("/seen", headers=headers).text


class TestRedirects:
    @pytest.mark.parametrize(
        "location",
        ["javascript:alert(1)", "\tJavaScript:x", "java\tscript:x", "java\nscript:x", "data:text/html,x", "vbscript:x"],
    )
    def test_d6_only_to_web_pages(self, location):
        with make().test_request_context(), pytest.raises(ValueError, match="REDIRECT_SCHEMES"):
            redirect(location)
        with make(Flask).test_request_context():
            if location.isprintable():
                assert location == redirect(location).location

    @pytest.mark.parametrize(
        "location", ["/a:b", "a/b:c", "?x=a:b", "http://a", "HTTPS://a", "//a", "", "../a", "#a:b"]
    )
    def test_these_are(self, location):
        with make().test_request_context():
            assert location == redirect(location).headers["Location"]

    def test_another_scheme_can_be_allowed(self):
        with make(REDIRECT_SCHEMES=("https", "shop-app")).test_request_context():
            assert "shop-app:done" == redirect("shop-app:done").headers["Location"]

    EVIL = [
        "/\\e", "////e", "//e", "https:e", "/\t/e", "\t//e", "http://e", "javascript:x", "", None, "e", "\\\\e", " /e",
        "/e\n", "/a\\b", "/\x00", "https:/e", "?//e",
    ]  # fmt: skip

    @pytest.mark.parametrize("target", EVIL)
    def test_d2_next_leads_nowhere_else(self, target):
        assert "/home" == safe_next(target, "/home")

    @pytest.mark.parametrize("target", ["/", "/a", "/a//b?next=//c#d", "/ü", "/a:b", "/@a"])
    def test_d2_within_the_site_it_leads(self, target):
        assert target == safe_next(target)


class TestJson:
    def test_nesting_is_limited(self):
        app, flask = make(), make(Flask)
        json = app.json
        json.loads("[" * 200 + "]" * 200)
        json.loads('[[],"' + "[" * 500 + '"]')
        for text in ("[" * 201 + "]" * 201, '{"a":' * 201 + "1" + "}" * 201):
            with pytest.raises(ValueError, match="nested more than 200 levels deep"):
                json.loads(text)
            flask.json.loads(text)

    @pytest.mark.parametrize("text", ["NaN", "[Infinity]", '{"a": -Infinity}'])
    def test_what_is_no_number_is_refused(self, text):
        app, flask = make(), make(Flask)
        with pytest.raises(ValueError, match="is not valid JSON"):
            app.json.loads(text)
        flask.json.loads(text)

    def test_nor_is_it_written(self):
        app = make()
        for write in (app.json.dumps, app.json.response):
            with app.app_context(), pytest.raises(ValueError, match="not JSON compliant"):
                write(float("nan"))
        with pytest.raises(ValueError, match="not JSON compliant"):
            app.json.dumps(float("nan"), sort_keys=False)
        assert "NaN" == make(Flask).json.dumps(float("nan"))

    def test_a_client_gets_400(self):
        app = make()
        app.add_url_rule("/read", "read", lambda: str(request.json), methods=["POST"])
        client = app.test_client()
        for body in ("[" * 300 + "]" * 300, "NaN"):
            assert 400 == client.post("/read", data=body, content_type="application/json").status_code


def test_the_strict_profile_keeps_what_was_set():
    app = strict()
    app.config["SESSION_COOKIE_SAMESITE"] = "Strict"
    app.config["MAX_CONTENT_LENGTH"] = 5
    app.test_client().get("/")
    assert ("Strict", 5, 32) == tuple(
        app.config[name] for name in ("SESSION_COOKIE_SAMESITE", "MAX_CONTENT_LENGTH", "SECRET_KEY_MIN_BYTES")
    )


def test_another_profile_is_an_error():
    app = make(Flask, SECURITY_PROFILE="lax", PROPAGATE_EXCEPTIONS=True)
    with pytest.raises(ValueError, match='there is "strict"'):
        app.test_client().get("/")


def test_guards_are_there_for_the_first_of_many_requests_at_once():
    app = make()
    entered = threading.Barrier(8)
    codes = []

    def ask():
        entered.wait(10)
        codes.append(app.test_client().post("/", headers={"Origin": "https://evil"}).status_code)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert [403] * 8 == codes


def test_a_wrong_setting_lets_no_request_through():
    app = make(TRUSTED_PROXIES="nonsense")
    for _ in range(2):
        with pytest.raises(ValueError, match="nonsense"):
            app.test_client().get("/")


@pytest.mark.parametrize("store", ["cookie", "memory"])
def test_a_token_is_looked_at_in_a_thread_where_the_view_is_async(store):
    app = make(CSRF_REQUIRE_TOKEN=True, SESSION_STORE=store, SESSION_COOKIE_SECURE=False)

    @app.get("/token")
    async def token():
        return csrf_token()

    @app.post("/change")
    async def change():
        return "changed"

    async def both():
        given = await call(app.asgi, "/token")
        cookie = given.headers["set-cookie"].partition(";")[0].encode()
        statuses = []
        for text in (given.text, "other"):
            headers = [(b"cookie", cookie), (b"x-csrf-token", text.encode())]
            statuses.append((await call(app.asgi, "/change", "POST", headers=headers)).status)
        return statuses

    assert [200, 403] == asyncio.run(both())
