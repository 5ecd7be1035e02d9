"""No response goes to a server that could fail on it: the gate stands on both edges."""

import pytest

from costrel import Costrel, Response


@pytest.fixture(params=["wsgi", "asgi"])
def edge(request):
    return request.param


@pytest.fixture
def app():
    app = Costrel("gate", static_folder=None)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    return app


@pytest.mark.parametrize("status", [-1, 0, 99, 1000, 65_535])
def test_a_status_that_no_server_can_send_is_a_500_with_a_reason_in_the_log(app, edge, caplog, status):
    app.add_url_rule("/", "index", lambda: ("x", status))
    assert app.test_client(edge=edge).get("/").status_code == 500
    assert f"The status of the response is {status}. It must be a number from 100 to 999." in caplog.text


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("A b", "c", "cannot be the name of a header"),
        ("A", "b\r\nSet-Cookie: a=b", "has a control character"),
        ("A", "\u20ac", "has characters outside of Latin-1"),
    ],
)
def test_a_field_that_no_server_can_send_is_a_500(app, edge, caplog, name, value, reason):
    @app.route("/")
    def index():
        response = Response("x")
        response.headers._list.append((name, value))
        return response

    assert app.test_client(edge=edge).get("/").status_code == 500
    assert reason in caplog.text


def test_too_many_fields_are_a_500(app, edge, caplog):
    app.add_url_rule("/", "index", lambda: ("x", [(f"X-{number}", "y") for number in range(12_000)]))
    assert app.test_client(edge=edge).get("/").status_code == 500
    assert "at most 10,000 can be sent" in caplog.text


def test_an_error_handler_gets_the_error(app, edge):
    app.add_url_rule("/", "index", lambda: ("x", 1000))
    app.register_error_handler(500, lambda error: (f"{type(error.original_exception).__name__}", 503))
    answered = app.test_client(edge=edge).get("/")
    assert (answered.status_code, answered.text) == (503, "ValueError")


def test_an_error_handler_that_fails_likewise_is_a_plain_500(app, edge):
    app.add_url_rule("/", "index", lambda: 1 / 0)
    app.register_error_handler(500, lambda error: ("x", 42))
    answered = app.test_client(edge=edge).get("/")
    assert answered.status_code == 500
    assert "Internal Server Error" in answered.text


def test_a_response_that_cannot_be_sent_is_closed(app, edge):
    closed = []

    @app.route("/")
    def index():
        response = Response(iter(["x"]), 1000)
        response.call_on_close(lambda: closed.append(True))
        return response

    assert app.test_client(edge=edge).get("/").status_code == 500
    assert closed == [True]


def test_a_wsgi_application_that_a_view_returns_passes_the_gate_too(app, edge):
    def application(environ, start_response):
        start_response("1000 Odd", [])
        return [b"x"]

    app.add_url_rule("/", "index", lambda: application)
    assert app.test_client(edge=edge).get("/").status_code == 500


@pytest.mark.parametrize(
    "status", ["200OK", "2000 x", "99 x", "20 x", "200 a\nb", "2\u00b20 x", "100000000000000000000", ""]
)
def test_a_status_line_that_no_server_can_send_is_a_500(app, edge, status):
    def application(environ, start_response):
        start_response(status, [])
        return [b"x"]

    app.add_url_rule("/", "index", lambda: application)
    assert 500 == app.test_client(edge=edge).get("/").status_code


@pytest.mark.parametrize("status", ["200", "200 ", "299 Mine", "404 Gef\u00e4hrlich"])
def test_other_status_lines_are_sent(app, edge, status):
    def application(environ, start_response):
        start_response(status, [])
        return [b"x"]

    app.add_url_rule("/", "index", lambda: application)
    assert int(status[:3]) == app.test_client(edge=edge).get("/").status_code


@pytest.mark.parametrize("length", ["-1", "+5", "5, 5", "5.0", "", "\u0665", "0x5"])
def test_a_length_that_is_no_number_is_a_500(app, edge, length):
    app.add_url_rule("/", "index", lambda: (iter(["abc"]), {"Content-Length": length}))
    assert 500 == app.test_client(edge=edge).get("/").status_code


def test_fields_are_sent_as_each_response_has_them(app, edge):
    """Responses that share all fields but their type and length, and a length that is not kept, do not mix."""
    types = {"a": "text/plain", "b": "text/html", "c": "application/x-unseen"}

    @app.route("/<name>/<int:size>")
    def sized(name, size):
        return Response("x" * size, mimetype=types[name])

    client = app.test_client(edge=edge)
    asked = [("a", 5), ("b", 5), ("a", 6), ("c", 12_345), ("c", 5), ("a", 12_345), ("a", 5)]
    for name, size in asked * 2:
        answered = client.get(f"/{name}/{size}")
        assert (answered.mimetype, answered.content_length, len(answered.data)) == (types[name], size, size)
        assert answered.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("on_instance", [False, True], ids=["class", "instance"])
def test_a_response_that_changes_its_status_while_it_writes_its_fields_is_sent_with_it(app, edge, on_instance):
    class Changing(Response):
        def get_wsgi_headers(self, environ):
            self.status_code = 203
            return super().get_wsgi_headers(environ)

    @app.route("/")
    def index():
        if not on_instance:
            return Changing("x")
        response = Response("x")

        def change(environ):
            response.status_code = 203
            return Response.get_wsgi_headers(response, environ)

        response.get_wsgi_headers = change
        return response

    assert app.test_client(edge=edge).get("/").status_code == 203
