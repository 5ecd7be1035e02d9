"""CORS: policies, preflight requests, the headers of responses and errors, and the effect on other guards."""

from datetime import timedelta

import pytest

from costrel import Blueprint, CORSPolicy, Costrel, abort, cors, make_response, request
from costrel.app.application import Flask
from costrel.views import MethodView

SHOP = "https://shop.example"
EVIL = "https://evil.example"


def make(cls=Flask, **settings):
    app = cls("shared", static_folder=None)
    app.config.from_mapping(SECRET_KEY="k" * 32, **settings)
    return app


def shared(answer):
    """The CORS headers, without their common prefix."""
    named = ((name, value) for name, value in answer.headers.items() if name.startswith("Access-Control-"))
    return {name.removeprefix("Access-Control-"): value for name, value in named}


def preflight(client, path, method="GET", origin=SHOP, **headers):
    asked = {"Origin": origin, "Access-Control-Request-Method": method}
    return client.options(path, headers={**asked, **{name.replace("_", "-"): value for name, value in headers.items()}})


class TestUnknownPaths:
    """Without an answer to its preflight request a browser hides the 404 from the script that sent the request."""

    @pytest.mark.parametrize("path", ["/nowhere", "/items/", "/items/1/2", "/%00"])
    def test_a_preflight_request_is_answered(self, path):
        client = make(CORS_POLICY=SHOP).test_client()
        answer = preflight(client, path, "PUT", Access_Control_Request_Headers="content-type")
        assert 204 == answer.status_code
        assert (SHOP, "PUT") == (shared(answer)["Allow-Origin"], shared(answer)["Allow-Methods"])
        missing = client.put(path, headers={"Origin": SHOP})
        assert (404, SHOP) == (missing.status_code, shared(missing)["Allow-Origin"])

    @pytest.mark.parametrize(("origin", "method"), [(EVIL, "PUT"), (SHOP, "PATCH"), (SHOP, "put")])
    def test_of_others_it_is_refused(self, origin, method):
        client = make(CORS_POLICY=CORSPolicy(SHOP, methods=["GET", "PUT"])).test_client()
        answer = preflight(client, "/nowhere", method, origin)
        assert 403 == answer.status_code
        assert "Allow-Methods" not in shared(answer)

    def test_without_a_policy_of_the_application_it_is_a_404(self):
        app = make()
        app.get("/shared")(cors(SHOP)(lambda: ""))
        assert 404 == preflight(app.test_client(), "/nowhere").status_code


class TestOrigins:
    @pytest.mark.parametrize(
        ("named", "origin", "allowed"),
        [
            (SHOP, SHOP, True),
            ("HTTPS://Shop.Example:443", SHOP, True),
            (SHOP, "https://shop.example:443", False),
            (SHOP, "https://shop.example:8443", False),
            (SHOP, "http://shop.example", False),
            (SHOP, "https://shopXexample", False),
            (SHOP, "https://shop.example.evil", False),
            (SHOP, "https://eu.shop.example", False),
            (SHOP, "null", False),
            (SHOP, "", False),
            ("http://localhost:5173", "http://localhost:5173", True),
            ("http://[::1]:80", "http://[::1]", True),
            ("https://bücher.example", "https://xn--bcher-kva.example", True),
            ("app://shop", "app://shop", True),
            ("null", "null", True),
            ("*", "null", True),
            ("*", EVIL, True),
            ("https://*.shop.example", "https://eu.shop.example", True),
            ("https://*.shop.example", "https://a.eu.shop.example", True),
            ("https://*.shop.example", SHOP, False),
            ("https://*.shop.example", "https://evilshop.example", False),
            ("https://*.shop.example", "http://eu.shop.example", False),
            ("https://*.shop.example", "https://eu.shop.example:1", False),
            ("https://*.shop.example", "https://evil.example/.shop.example", False),
            ("https://*.shop.example", "https://evil.example?.shop.example", False),
            ("https://*.shop.example", "https://a@b.shop.example", False),
            ("https://*.shop.example", "https://.shop.example", False),
            ("https://*.shop.example:8443", "https://eu.shop.example:8443", True),
            ("http://*.localhost", "http://shop.localhost", True),
        ],
    )
    def test_they_are_compared_literally(self, named, origin, allowed):
        assert allowed == CORSPolicy(named).allows(origin)

    @pytest.mark.parametrize(
        "named",
        ["shop.example", "https://shop.example/", "https://a@b", "https://", "https://a:x", "https://a?b", "//a"],
    )
    def test_what_is_none_is_an_error(self, named):
        with pytest.raises(ValueError, match=r"An origin is a scheme, a host and an optional port"):
            CORSPolicy([SHOP, named])

    @pytest.mark.parametrize(
        "named", ["https://*", "https://*.example", "https://sh*p.example", "*.shop.example", "https://*.*.example.org"]
    )
    def test_neither_is_a_pattern(self, named):
        with pytest.raises(ValueError, match="A wildcard can stand for subdomains"):
            CORSPolicy(named)

    @pytest.mark.parametrize("named", ["*", "null"])
    def test_credentials_are_for_those_that_are_named(self, named):
        with pytest.raises(ValueError, match="could read everything that a signed-in visitor can"):
            CORSPolicy([SHOP, named], credentials=True)

    def test_other_mistakes(self):
        with pytest.raises(ValueError, match="in the headers of a CORS policy is not a valid name"):
            CORSPolicy(SHOP, headers="X One")
        with pytest.raises(ValueError, match="in the methods of a CORS policy"):
            CORSPolicy(SHOP, methods=["GET, PUT"])
        with pytest.raises(ValueError, match="'expose' does not support"):
            CORSPolicy(SHOP, expose="*", credentials=True)
        with pytest.raises(ValueError, match=r"has no argument .origin.\. The arguments are origins, methods"):
            CORSPolicy.of({"origin": SHOP})
        with pytest.raises(ValueError, match=r"requires .origins."):
            CORSPolicy.of({})

    def test_a_wrong_setting_says_which(self):
        with pytest.raises(ValueError, match=r"^CORS_POLICY: 'shop.example' in a CORS policy is not an origin"):
            make(CORS_POLICY="shop.example", TESTING=True).test_client().get("/")

    def test_it_shows_itself(self):
        assert "CORSPolicy(['https://shop.example'], credentials=True)" == repr(CORSPolicy(SHOP, credentials=True))


class TestPreflight:
    @pytest.fixture
    def app(self):
        app = make(CORS_POLICY={"origins": [SHOP, "https://*.shop.example"], "credentials": True, "expose": "X-Total"})
        app.add_url_rule("/things", "read", lambda: "read")
        app.add_url_rule("/things", "write", lambda: "write", methods=["PUT", "DELETE"])
        app.add_url_rule("/folder/", "folder", lambda: "folder", methods=["GET", "PUT"])
        app.add_url_rule("/a/b", "nested", lambda: "nested")
        app.add_url_rule("/own", "own", lambda: make_response("own", 299), methods=["OPTIONS"])
        app.add_url_rule("/none", "none", lambda: "none", provide_automatic_options=False)
        return app

    def test_it_is_answered_with_the_methods_that_the_url_has(self, app):
        answer = preflight(app.test_client(), "/things", "PUT")
        assert 204 == answer.status_code
        assert {
            "Allow-Origin": SHOP,
            "Allow-Credentials": "true",
            "Allow-Methods": "DELETE, GET, HEAD, OPTIONS, PUT",
            "Allow-Headers": "Authorization, Content-Type, X-CSRF-Token, X-Requested-With",
            "Max-Age": "600",
        } == shared(answer)
        assert "Origin" == answer.headers["Vary"]

    @pytest.mark.parametrize("path", ["/own", "/none", "/folder", "/folder/", "/a//b"])
    def test_whatever_the_view_does_with_options(self, app, path):
        answer = preflight(app.test_client(), path, "PATCH", "https://eu.shop.example")
        assert (204, "https://eu.shop.example") == (answer.status_code, answer.access_control_allow_origin)
        assert "PATCH" not in answer.access_control_allow_methods

    def test_other_origins_are_refused(self, app):
        answer = preflight(app.test_client(), "/things", origin=EVIL)
        assert (403, {}, "Origin") == (answer.status_code, shared(answer), answer.headers["Vary"])
        assert answer.text.startswith("The CORS policy of this URL does not allow ")

    def test_what_is_no_preflight_request_is_not(self, app):
        client = app.test_client()
        assert 299 == client.options("/own").status_code
        assert 299 == client.options("/own", headers={"Origin": SHOP}).status_code
        assert 299 == client.options("/own", headers={"Access-Control-Request-Method": "GET"}).status_code
        assert "GET" in client.options("/things", headers={"Origin": SHOP}).allow

    def test_an_unknown_url_is_answered_for_its_404(self, app):
        answer = preflight(app.test_client(), "/missing")
        assert (204, SHOP) == (answer.status_code, answer.access_control_allow_origin)

    @pytest.mark.parametrize("method", ["patch", "PU T", "PUT,DELETE", "x" * 10_000])
    def test_an_odd_method_is_left_out(self, app, method):
        answer = preflight(app.test_client(), "/things", method)
        assert (204, {"DELETE", "GET", "HEAD", "OPTIONS", "PUT"}) == (
            answer.status_code,
            set(answer.access_control_allow_methods),
        )

    def test_it_comes_before_the_hooks(self, app):
        @app.before_request
        def refuse():
            abort(401)

        client = app.test_client()
        assert 204 == preflight(client, "/things", "PUT").status_code
        refused = client.get("/things", headers={"Origin": SHOP})
        assert (401, SHOP) == (refused.status_code, refused.access_control_allow_origin)

    def test_and_before_the_check_of_who_sends(self):
        app = make(Costrel, CORS_POLICY=SHOP)
        app.add_url_rule("/", "index", lambda: "index", methods=["POST"])
        answer = preflight(app.test_client(), "/", "POST", Sec_Fetch_Site="cross-site")
        assert (204, "nosniff") == (answer.status_code, answer.headers["X-Content-Type-Options"])

    def test_methods_headers_and_age_can_be_said(self):
        policy = CORSPolicy(SHOP, methods="put", headers=["X-One"], max_age=timedelta(hours=1))
        app = make(CORS_POLICY=policy)
        app.add_url_rule("/", "index", lambda: "index", methods=["GET", "PUT", "DELETE"])
        answer = preflight(app.test_client(), "/", "PUT")
        assert ("PUT", "X-One", "3600") == tuple(
            shared(answer)[name] for name in ("Allow-Methods", "Allow-Headers", "Max-Age")
        )

    def test_any_header_and_no_age(self):
        app = make(CORS_POLICY=CORSPolicy("*", headers="*", max_age=None))
        app.add_url_rule("/", "index", lambda: "index")
        answer = preflight(app.test_client(), "/", Access_Control_Request_Headers="x-one, authorization, x(y), ")
        expected = {"Allow-Origin": "*", "Allow-Methods": "GET, HEAD, OPTIONS", "Allow-Headers": "x-one, authorization"}
        assert expected == shared(answer)

    @pytest.mark.parametrize(("private", "answered"), [(True, "true"), (False, None)])
    def test_a_private_network_is_reached_where_it_is_said(self, private, answered):
        app = make(CORS_POLICY=CORSPolicy(SHOP, private_network=private))
        app.add_url_rule("/", "index", lambda: "index")
        client = app.test_client()
        answer = preflight(client, "/", Access_Control_Request_Private_Network="true")
        assert answered == shared(answer).get("Allow-Private-Network")
        assert "Allow-Private-Network" not in shared(preflight(client, "/"))

    def test_each_method_has_the_policy_of_its_view(self):
        app = make()
        app.add_url_rule("/", "read", cors("*")(lambda: "read"))
        app.add_url_rule("/", "write", lambda: "write", methods=["PUT"])
        app.add_url_rule("/", "change", cors(SHOP)(lambda: "change"), methods=["PATCH"])
        client = app.test_client()
        assert "GET, HEAD, OPTIONS, PATCH" == shared(preflight(client, "/", "GET"))["Allow-Methods"]
        from_evil = preflight(client, "/", "HEAD", EVIL)
        assert ("*", "GET, HEAD, OPTIONS") == (shared(from_evil)["Allow-Origin"], shared(from_evil)["Allow-Methods"])
        assert [403, 403, 204] == [
            preflight(client, "/", method, EVIL).status_code for method in ("PUT", "PATCH", "GET")
        ]

    @pytest.mark.parametrize("policy", [None, CORSPolicy(EVIL), CORSPolicy(SHOP, methods="GET")])
    def test_a_method_that_browsers_let_pass_is_refused_by_the_status(self, policy):
        app = make()
        app.add_url_rule("/", "read", cors(SHOP)(lambda: "read"))
        app.add_url_rule("/", "write", cors(policy)(lambda: "write"), methods=["POST"])
        client = app.test_client()
        assert [204, 403] == [preflight(client, "/", method).status_code for method in ("GET", "POST")]


class TestAnswers:
    def test_errors_have_the_fields_too(self):
        app = make(CORS_POLICY=CORSPolicy(SHOP, expose=["X-Total", "Link"]))
        app.add_url_rule("/fails", "fails", lambda: 1 / 0)
        app.add_url_rule("/aborts", "aborts", lambda: abort(418))
        app.add_url_rule("/folder/", "folder", lambda: "folder")
        app.add_url_rule("/limited", "limited", lambda: request.form["x"], methods=["POST"])
        client = app.test_client()
        expected = {"Allow-Origin": SHOP, "Expose-Headers": "X-Total, Link"}
        for method, path, status in (
            ("GET", "/fails", 500), ("GET", "/aborts", 418), ("GET", "/missing", 404), ("PUT", "/fails", 405),
            ("GET", "/folder", 308), ("POST", "/limited", 400), ("OPTIONS", "/fails", 200),
        ):  # fmt: skip
            answer = client.open(path, method=method, headers={"Origin": SHOP})
            assert (status, expected, "Origin") == (answer.status_code, shared(answer), answer.headers["Vary"]), path
            assert ({}, "Origin") == (shared(client.open(path, method=method)), answer.headers["Vary"])
            assert {} == shared(client.open(path, method=method, headers={"Origin": EVIL}))

    @pytest.mark.parametrize("hook", ["before_request", "after_request", "both"])
    def test_so_have_those_of_hooks(self, hook):
        app = make(Costrel, CORS_POLICY=SHOP)
        app.add_url_rule("/", "index", lambda: "index")

        def fail(response=None):
            raise LookupError("broken")

        for name in ("before_request", "after_request") if hook == "both" else (hook,):
            getattr(app, name)(fail)
        answer = app.test_client().get("/", headers={"Origin": SHOP})
        assert (500, SHOP) == (answer.status_code, answer.access_control_allow_origin)
        assert "nosniff" == answer.headers["X-Content-Type-Options"]

    def test_a_handler_of_the_users_has_them(self):
        app = make(CORS_POLICY=SHOP)
        app.register_error_handler(404, lambda error: ({"error": "none"}, 404))
        assert {"Allow-Origin": SHOP} == shared(app.test_client().get("/", headers={"Origin": SHOP}))

    def test_for_every_origin_the_answer_is_the_same(self):
        app = make(CORS_POLICY="*")
        app.add_url_rule("/", "index", lambda: "index")
        for headers in ({}, {"Origin": EVIL}, {"Origin": "null"}):
            answer = app.test_client().get("/", headers=headers)
            assert ({"Allow-Origin": "*"}, None) == (shared(answer), answer.headers.get("Vary"))

    def test_what_a_view_says_stays(self):
        app = make(CORS_POLICY=SHOP)
        app.add_url_rule("/", "index", lambda: ("", {"Access-Control-Allow-Origin": EVIL, "Vary": "Accept"}))
        answer = app.test_client().get("/", headers={"Origin": SHOP})
        assert ({"Allow-Origin": EVIL}, "Accept") == (shared(answer), answer.headers["Vary"])

    @pytest.mark.parametrize(("vary", "expected"), [("Accept", "Accept, Origin"), ("origin", "origin"), ("*", "*")])
    def test_vary_is_added_to(self, vary, expected):
        app = make(CORS_POLICY=SHOP)
        app.add_url_rule("/", "index", lambda: ("", {"Vary": vary}))
        assert expected == app.test_client().get("/").headers["Vary"]


class TestWhere:
    @pytest.fixture
    def client(self):
        api, inner = Blueprint("api", __name__, url_prefix="/api"), Blueprint("inner", __name__, url_prefix="/inner")
        cors(SHOP)(api)
        for blueprint in (api, inner):
            blueprint.add_url_rule("/", "index", lambda: "index")
            blueprint.add_url_rule("/closed", "closed", cors(None)(lambda: "closed"))
            blueprint.add_url_rule("/aborts", "aborts", lambda: abort(404))
        api.register_blueprint(inner)
        app = make()

        @cors([EVIL], credentials=True)
        class Things(MethodView):
            def get(self):
                return "things"

        class Others(MethodView):
            decorators = [cors("*")]

            def get(self):
                return "others"

        app.register_blueprint(api)
        app.register_blueprint(api, name="again", url_prefix="/again")
        app.add_url_rule("/things", view_func=Things.as_view("things"))
        app.add_url_rule("/others", view_func=Others.as_view("others"))
        app.add_url_rule("/plain", "plain", lambda: "plain")
        return app.test_client()

    @pytest.mark.parametrize(
        ("path", "fields"),
        [
            ("/api/", {"Allow-Origin": SHOP}),
            ("/api", {"Allow-Origin": SHOP}),
            ("/api/inner/", {"Allow-Origin": SHOP}),
            ("/api/inner/aborts", {"Allow-Origin": SHOP}),
            ("/again/", {"Allow-Origin": SHOP}),
            ("/api/closed", {}),
            ("/api/inner/closed", {}),
            ("/api/missing", {}),
            ("/plain", {}),
            ("/things", {}),
            ("/others", {"Allow-Origin": "*"}),
        ],
    )
    def test_the_nearest_policy_counts(self, client, path, fields):
        assert fields == shared(client.get(path, headers={"Origin": SHOP}))

    def test_a_view_class_may_have_one(self, client):
        fields = {"Allow-Origin": EVIL, "Allow-Credentials": "true"}
        assert fields == shared(client.get("/things", headers={"Origin": EVIL}))

    def test_what_has_none_is_untouched(self, client):
        assert {"Content-Type", "Content-Length"} == set(dict(client.get("/plain").headers))
        assert 200 == preflight(client, "/plain").status_code

    def test_a_view_that_is_replaced_late(self, client):
        app = client.application
        app.view_functions["plain"] = cors(SHOP)(lambda: "late")
        assert {"Allow-Origin": SHOP} == shared(client.get("/plain", headers={"Origin": SHOP}))

    def test_an_application_without_any_has_no_guard(self):
        app = make()
        app.test_client().get("/")
        assert app.guards is None


class TestCrossSite:
    """Which unsafe requests of other origins pass the check of who sends them."""

    @pytest.mark.parametrize(
        ("policy", "headers", "status"),
        [
            (CORSPolicy(SHOP, credentials=True), {}, 200),
            (CORSPolicy(SHOP, credentials=True), {"Cookie": "a=b"}, 200),
            (CORSPolicy(SHOP, credentials=True), {"Origin": EVIL}, 403),
            (CORSPolicy(SHOP, credentials=True, methods="PUT"), {}, 403),
            (CORSPolicy(SHOP), {}, 200),
            (CORSPolicy(SHOP), {"Authorization": "Bearer x"}, 200),
            (CORSPolicy(SHOP), {"Cookie": "a=b"}, 403),
            (CORSPolicy(SHOP), {"Authorization": "Basic eDp5"}, 403),
            (CORSPolicy("*"), {"Origin": EVIL}, 200),
            (CORSPolicy("*"), {"Origin": EVIL, "Cookie": "a=b"}, 403),
            (None, {}, 403),
            # The form of a page, which would sign the visitor in as somebody else.
            (CORSPolicy("*"), {"Origin": EVIL, "Sec-Fetch-Mode": "navigate"}, 403),
            (CORSPolicy("*"), {"Origin": EVIL, "Sec-Fetch-Mode": "nested-navigate"}, 403),
            (CORSPolicy(SHOP), {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}, 403),
            (CORSPolicy("*"), {"Origin": EVIL, "Upgrade-Insecure-Requests": "1"}, 403),
            (CORSPolicy("null"), {"Origin": "null", "Sec-Fetch-Mode": "navigate"}, 403),
            (CORSPolicy("*"), {"Origin": EVIL, "Sec-Fetch-Mode": "cors"}, 200),
            (CORSPolicy("*"), {"Origin": EVIL, "Sec-Fetch-Mode": "no-cors"}, 200),
            (CORSPolicy(SHOP, credentials=True), {"Sec-Fetch-Mode": "navigate"}, 200),
        ],
    )
    def test_those_that_a_policy_lets_send(self, policy, headers, status):
        app = make(Costrel, CORS_POLICY=policy)
        app.add_url_rule("/", "index", lambda: "index", methods=["POST"])
        headers = {"Origin": SHOP, "Sec-Fetch-Site": "cross-site", **headers}
        client = app.test_client(use_cookies=False)
        assert status == client.post("/", headers=headers).status_code

    def test_a_refusal_can_be_read(self):
        app = make(Costrel, CORS_POLICY=SHOP)
        app.add_url_rule("/", "index", lambda: "index", methods=["POST"])
        client = app.test_client(use_cookies=False)
        answer = client.post("/", headers={"Origin": SHOP, "Cookie": "a=b"})
        assert (403, SHOP) == (answer.status_code, answer.access_control_allow_origin)
