"""Errors in the client's format: problem details for programs, pages for browsers, and which of them a client gets."""

import json

import pytest

from costrel import Blueprint, Costrel, abort, jsonify, rate_limit, request
from costrel.app.application import Flask
from costrel.http.authentication import WWWAuthenticate
from costrel.http.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    HTTPException,
    InternalServerError,
    LengthRequired,
    NotFound,
    RequestedRangeNotSatisfiable,
    ServiceUnavailable,
    Unauthorized,
)
from costrel.messages.response import Response

PROBLEM = "application/problem+json"
PAGE = "text/html; charset=utf-8"
CHROMIUM = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,"
    "application/signed-exchange;v=b3;q=0.7"
)


def make(cls=Costrel, **settings):
    app = cls("errors", static_folder=None)
    app.config.from_mapping(SECRET_KEY="k" * 32, **settings)
    return app


def with_views(app, holder):
    """Add a view for each kind of error."""

    @holder.post("/json")
    def read_json():
        return jsonify(request.get_json())

    @holder.post("/small")
    def small():
        request.max_content_length = 4
        return request.get_data()

    @holder.post("/invalid")
    def invalid():
        abort(422, "The colour is unknown.")

    @holder.get("/limited")
    @rate_limit("1/hour")
    def limited():
        return "ok"

    @holder.get("/broken")
    def broken():
        raise RuntimeError("hunter2")

    if holder is not app:
        app.register_blueprint(holder)
    return app


ERRORS = {
    400: ("POST", "/json", {"data": "{", "content_type": "application/json"}),
    404: ("GET", "/none", {}),
    405: ("GET", "/json", {}),
    413: ("POST", "/small", {"data": "a longer body"}),
    415: ("POST", "/json", {"data": "a=1"}),
    422: ("POST", "/invalid", {}),
    429: ("GET", "/limited", {}),
    500: ("GET", "/broken", {}),
    403: ("POST", "/invalid", {"headers": {"Origin": "https://evil.example"}}),
    "CORS": (
        "OPTIONS",
        "/limited",
        {"headers": {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}},
    ),
}

CLIENTS = {
    "html": ({"Accept": "text/html"}, PAGE),
    "json": ({"Accept": "application/json"}, PROBLEM),
    "any": ({"Accept": "*/*"}, PROBLEM),
    "none": ({}, PROBLEM),
    "browser": ({"Accept": CHROMIUM, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "none"}, PAGE),
    "old browser": ({"Accept": CHROMIUM}, PAGE),
}


class TestEachStatus:
    @pytest.mark.parametrize("edge", ["wsgi", "asgi"])
    @pytest.mark.parametrize("client", CLIENTS)
    @pytest.mark.parametrize("kind", ERRORS)
    @pytest.mark.parametrize("place", ["application", "blueprint"])
    def test_is_in_the_clients_format(self, place, kind, client, edge):
        app = make(CORS_POLICY="https://app.example.org")
        prefix = "" if place == "application" else "/api"
        with_views(app, app if place == "application" else Blueprint("api", "x", url_prefix="/api", owns_errors=True))
        method, path, options = ERRORS[kind]
        sent, expected = CLIENTS[client]
        options = {**options, "headers": {**sent, **options.get("headers", {})}}
        if kind == 403:
            options["headers"].pop("Sec-Fetch-Site", None)
        if kind == "CORS" and expected == PAGE:
            expected = "text/plain; charset=utf-8"  # nobody sees the answer to a preflight request
        http = app.test_client(edge=edge)
        http.open(prefix + path, method=method, **options)
        response = http.open(prefix + path, method=method, **options)
        status = 403 if kind == "CORS" else kind
        assert (response.status_code, response.content_type) == (status, expected)
        assert {"Accept", "Sec-Fetch-Mode"} <= {name.strip() for name in response.headers["Vary"].split(",")}
        if expected == PROBLEM:
            assert response.json["status"] == status
            assert "<" not in response.text

    @pytest.mark.parametrize("kind", [kind for kind in ERRORS if kind not in (403, "CORS")])
    @pytest.mark.parametrize("client", CLIENTS)
    def test_is_the_page_in_flasks_profile(self, client, kind):
        app = make(Flask)
        http = with_views(app, app).test_client()
        method, path, options = ERRORS[kind]
        http.open(path, method=method, **options, headers=CLIENTS[client][0])
        response = http.open(path, method=method, **options, headers=CLIENTS[client][0])
        assert (response.status_code, response.content_type, response.headers.get("Vary")) == (kind, PAGE, None)


class TestWhoGetsWhat:
    @pytest.mark.parametrize(
        ("headers", "expected"),
        [
            ({"Accept": "application/problem+json"}, PROBLEM),
            ({"Accept": "application/vnd.api+json"}, PROBLEM),
            ({"Accept": "application/json, text/plain, */*"}, PROBLEM),  # axios
            ({"Accept": "application/json, text/javascript, */*; q=0.01"}, PROBLEM),  # jQuery
            ({"Accept": "text/html, */*; q=0.01"}, PAGE),  # jQuery's load
            ({"Accept": "text/html, */*"}, PAGE),
            ({"Accept": "*/*", "Sec-Fetch-Mode": "cors"}, PROBLEM),
            ({"Accept": "*/*", "Sec-Fetch-Mode": "navigate"}, PAGE),
            ({"Accept": "application/json", "Sec-Fetch-Mode": "navigate"}, PROBLEM),
            ({"Accept": "text/html;q=0.5, application/json"}, PROBLEM),
            ({"Accept": "text/html, application/json;q=0.5"}, PAGE),
            ({"Accept": "text/html;q=0, */*"}, PROBLEM),
            ({"Accept": "application/json;q=0, */*"}, PAGE),
            ({"Accept": "application/json;q=0, text/html"}, PAGE),
            ({"Accept": "application/*"}, PROBLEM),
            ({"Accept": "text/*"}, PAGE),
            ({"Accept": "application/xhtml+xml"}, PAGE),
            ({"Accept": "Text/HTML;charset=utf-8"}, PAGE),
            ({"Accept": "text/event-stream"}, PROBLEM),
            ({"Accept": ""}, PROBLEM),
            ({"Accept": ",;q=x, /"}, PROBLEM),
        ],
    )
    @pytest.mark.parametrize("edge", ["wsgi", "asgi"])
    def test_by_the_request(self, headers, expected, edge):
        assert make().test_client(edge=edge).get("/none", headers=headers).content_type == expected

    @pytest.mark.parametrize(("chosen", "expected"), [("html", PAGE), ("problem", PROBLEM)])
    @pytest.mark.parametrize("accept", ["text/html", "application/json"])
    def test_a_fixed_format_does_not_vary(self, chosen, expected, accept):
        response = make(ERROR_FORMAT=chosen).test_client().get("/none", headers={"Accept": accept})
        assert (response.content_type, response.headers.get("Vary")) == (expected, None)

    def test_head_has_the_fields_of_get(self):
        response = make().test_client().head("/none")
        assert (response.status_code, response.content_type, response.data) == (404, PROBLEM, b"")

    def test_an_unknown_format_of_a_blueprint_is_an_error(self):
        with pytest.raises(ValueError, match=r"^error_format is 'json': it must be one of 'html', 'accept', 'problem'"):
            Blueprint("api", "x", error_format="json")

    def test_vary_names_the_cookie_too(self):
        app = make()

        @app.before_request
        def sign_in():
            from costrel import session

            session["user"] = 1

        response = app.test_client().get("/none")
        assert response.headers.getlist("Vary") == ["Accept, Sec-Fetch-Mode, Cookie"]

    def test_vary_names_the_origin_too(self):
        app = make(CORS_POLICY="https://app.example.org")
        response = app.test_client().get("/none", headers={"Origin": "https://app.example.org"})
        assert response.headers.getlist("Vary") == ["Accept, Sec-Fetch-Mode, Origin"]


class TestBlueprints:
    @pytest.mark.parametrize(
        ("outer", "inner", "expected"),
        [
            ("problem", None, PROBLEM),
            ("problem", "html", PAGE),
            (None, "problem", PROBLEM),
            ("html", "problem", PROBLEM),
            (None, None, PAGE),
        ],
    )
    def test_the_innermost_format_counts(self, outer, inner, expected):
        app = make(ERROR_FORMAT="html")
        api = Blueprint("api", "x", url_prefix="/api", error_format=outer)
        v1 = Blueprint("v1", "x", url_prefix="/v1", error_format=inner)
        v1.add_url_rule("/gone", "gone", lambda: abort(410))
        api.register_blueprint(v1)
        app.register_blueprint(api)
        assert app.test_client().get("/api/v1/gone").content_type == expected

    def test_an_owner_gives_its_format_to_urls_without_a_view(self):
        app = make(ERROR_FORMAT="html")
        app.register_blueprint(Blueprint("api", "x", url_prefix="/api", error_format="problem", owns_errors=True))
        app.register_blueprint(Blueprint("shop", "x", url_prefix="/shop", error_format="problem"))
        client = app.test_client()
        kinds = [client.get(path).content_type for path in ("/api/none", "/shop/none", "/none")]
        assert kinds == [PROBLEM, PAGE, PAGE]


class TestTheBody:
    def problem(self, error, **headers):
        app = make()

        def fail():
            raise error

        app.add_url_rule("/", "fail", fail)
        return app.test_client().get("/", headers=headers)

    def test_has_the_members_of_rfc_9457(self):
        assert self.problem(Conflict("Taken.")).json == {
            "type": "about:blank",
            "title": "Conflict",
            "status": 409,
            "detail": "Taken.",
        }

    @pytest.mark.parametrize(
        ("code", "title"),
        [
            (413, "Content Too Large"),
            (416, "Range Not Satisfiable"),
            (422, "Unprocessable Content"),
            (418, "I'm a teapot"),
        ],
    )
    def test_the_title_is_the_name_of_the_status(self, code, title):
        app = make()
        app.add_url_rule("/", "fail", lambda: abort(code))
        assert app.test_client().get("/").json["title"] == title

    def test_an_error_may_have_members_of_its_own(self):
        class OutOfCredit(Forbidden):
            problem = {"type": "https://example.org/out-of-credit", "balance": 30}

        assert self.problem(OutOfCredit("It costs 50.")).json == {
            "type": "https://example.org/out-of-credit",
            "title": "Forbidden",
            "status": 403,
            "detail": "It costs 50.",
            "balance": 30,
        }

    def test_members_may_be_set_on_the_error_itself(self):
        error = BadRequest("Two values are invalid.")
        error.problem = {"errors": [{"name": "a"}, {"name": "b"}]}
        assert self.problem(error).json["errors"] == [{"name": "a"}, {"name": "b"}]

    def test_a_description_keeps_its_characters(self):
        assert self.problem(BadRequest('1 < 2 & "x"\nçü')).json["detail"] == '1 < 2 & "x"\nçü'

    def test_markup_becomes_text(self):
        from markupsafe import Markup

        assert self.problem(BadRequest(Markup("See <a href=/help>the help</a> &amp; ask."))).json["detail"] == (
            "See the help & ask."
        )

    def test_the_description_of_a_class_has_no_tags(self):
        assert self.problem(LengthRequired()).json["detail"] == (
            "A request with this method requires a valid Content-Length header."
        )

    def test_an_own_description_in_html_becomes_text(self):
        class Own(BadRequest):
            def get_description(self, environ=None, scope=None):
                return "<p>Own <b>text</b><br>here</p>"

        assert self.problem(Own()).json["detail"] == "Own text here"

    def test_an_error_without_a_description_has_no_detail(self):
        class Odd(HTTPException):
            code = 499

        assert self.problem(Odd()).json == {"type": "about:blank", "title": "Unknown Error", "status": 499}

    @pytest.mark.parametrize(
        ("error", "name", "value"),
        [
            (
                Unauthorized(www_authenticate=WWWAuthenticate("basic", {"realm": "x"})),
                "WWW-Authenticate",
                "Basic realm=x",
            ),
            (ServiceUnavailable(retry_after=5), "Retry-After", "5"),
            (RequestedRangeNotSatisfiable(10), "Content-Range", "bytes */10"),
        ],
    )
    def test_the_other_fields_stay(self, error, name, value):
        response = self.problem(error)
        assert (response.content_type, response.headers[name]) == (PROBLEM, value)

    def test_405_lists_the_methods(self):
        app = make()
        app.add_url_rule("/", "index", lambda: "", methods=["POST"])
        response = app.test_client().get("/")
        assert (response.content_type, sorted(response.allow)) == (PROBLEM, ["OPTIONS", "POST"])


class TestFailures:
    def failing(self, error, **settings):
        app = make(**settings)

        def fail():
            raise error

        app.add_url_rule("/", "fail", fail)
        return app.test_client()

    def test_nothing_of_the_exception_is_told(self):
        response = self.failing(RuntimeError("hunter2")).get("/")
        assert response.json["detail"] == "The server could not answer this request because of an internal error."
        assert "hunter2" not in response.text

    def test_the_detail_has_the_id_of_the_request(self):
        body = self.failing(RuntimeError()).get("/", headers={"X-Request-ID": "4711-ab"}).json
        assert (body["request_id"], "4711-ab" in body["detail"]) == ("4711-ab", True)

    @pytest.mark.parametrize("sent", ["a b", "x" * 129, "é"])
    def test_an_id_that_is_none_is_left_out(self, sent):
        assert "request_id" not in self.failing(RuntimeError()).get("/", headers={"X-Request-ID": sent}).json

    def test_a_description_of_the_application_is_shown(self):
        assert self.failing(InternalServerError("The report could not be made.")).get("/").json["detail"] == (
            "The report could not be made."
        )

    def test_a_response_that_cannot_be_sent_is_a_problem_too(self):
        app = make()

        def unsendable(error):
            return Response("x", 1000)

        app.register_error_handler(500, unsendable)
        app.add_url_rule("/", "fail", lambda: 1 / 0)
        response = app.test_client().get("/")
        assert (response.status_code, response.content_type) == (500, PROBLEM)


class TestOwnResponses:
    """What an application says itself is never replaced."""

    def ask(self, error, **settings):
        app = make(**settings)

        def fail():
            raise error

        app.add_url_rule("/", "fail", fail)
        return app.test_client().get("/", headers={"Accept": "application/json"})

    def test_a_response_of_the_error(self):
        response = self.ask(BadRequest(response=Response("own", 400, mimetype="text/plain")))
        assert (response.text, response.headers.get("Vary")) == ("own", None)

    def test_get_response(self):
        class Own(BadRequest):
            def get_response(self, environ=None, scope=None):
                return Response("own", 418)

        assert (self.ask(Own()).status_code, self.ask(Own()).text) == (418, "own")

    def test_get_body(self):
        class Own(BadRequest):
            def get_body(self, environ=None, scope=None):
                return json.dumps({"own": True})

            def get_headers(self, environ=None, scope=None):
                return [("Content-Type", "application/json")]

        assert (self.ask(Own()).content_type, self.ask(Own()).json) == ("application/json", {"own": True})

    @pytest.mark.parametrize("kind", [404, NotFound, HTTPException, Exception])
    def test_a_handler(self, kind):
        app = make(ERROR_FORMAT="problem")
        app.register_error_handler(kind, lambda error: ("<p>own</p>", 404))
        response = app.test_client().get("/none", headers={"Accept": "application/json"})
        assert (response.text, response.content_type) == ("<p>own</p>", PAGE)

    def test_a_handler_that_returns_the_error_leaves_the_format_to_the_client(self):
        app = make()
        app.register_error_handler(404, lambda error: error)
        app.register_error_handler(410, lambda error: (error, 404))
        app.add_url_rule("/", "gone", lambda: abort(410))
        client = app.test_client()
        assert [client.get(path).content_type for path in ("/none", "/")] == [PROBLEM, PROBLEM]

    def test_an_error_that_a_view_returns(self):
        app = make()
        app.add_url_rule("/", "index", lambda: NotFound())
        assert app.test_client().get("/").content_type == PROBLEM

    def test_a_redirect(self):
        app = make(ERROR_FORMAT="problem")
        app.add_url_rule("/a/", "a", lambda: "")
        response = app.test_client().get("/a", headers={"Accept": "application/json"})
        assert (response.status_code, response.content_type, response.headers.get("Vary")) == (308, PAGE, None)

    def test_functions_after_the_request_get_the_problem(self):
        app = make()

        @app.after_request
        def sign(response):
            response.headers["X-Kind"] = response.mimetype
            return response

        assert app.test_client().get("/none").headers["X-Kind"] == PROBLEM
