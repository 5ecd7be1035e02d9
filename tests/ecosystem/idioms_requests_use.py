"""What real applications do to requests, responses and sessions: attributes swapped, own classes and stores."""

import copy
import json
import pickle
from datetime import UTC, datetime, timedelta
from io import BytesIO

import flask
import pytest
from flask import (
    Flask,
    request,
    session,
)
from flask.json.provider import DefaultJSONProvider, JSONProvider
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from werkzeug.datastructures import Headers, ImmutableMultiDict
from werkzeug.formparser import FormDataParser
from werkzeug.test import run_wsgi_app


@pytest.fixture
def app():
    app = Flask(__name__)
    app.config["SECRET_KEY"] = "a key for tests"
    return app


# Requests and responses changed


def test_a_request_changed(app):
    @app.before_request
    def change():
        request.args = ImmutableMultiDict([("a", "changed")])
        request.form = {"b": "form"}
        request.url = "http://changed/"
        request.host = "changed"
        request.path = "/changed"
        request.user = "ada"
        request.view_args = {"name": "given"}
        request.environ["HTTP_X_NEW"] = "new"

    @app.route("/<name>", methods=["GET", "POST"])
    def show(name):
        return {
            "name": name,
            "args": dict(request.args),
            "form": request.form,
            "url": [request.url, request.host, request.path],
            "user": request.user,
            "new": request.headers["X-New"],
        }

    assert {
        "name": "given",
        "args": {"a": "changed"},
        "form": {"b": "form"},
        "url": ["http://changed/", "changed", "/changed"],
        "user": "ada",
        "new": "new",
    } == app.test_client().get("/original?a=b").json


def test_a_response_that_takes_the_attributes_of_another(app):
    class Extended(flask.Response):
        def __init__(self, response):
            self.__dict__ = response.__dict__

        def shout(self):
            self.set_data(self.get_data(as_text=True).upper())

    app.add_url_rule("/", "index", lambda: "index")

    @app.after_request
    def extend(response):
        extended = Extended(response)
        extended.shout()
        extended.headers["X-Extended"] = "yes"
        extended.extra = 1
        assert response.extra == 1
        return extended

    answer = app.test_client().get("/")

    assert ("INDEX", "yes", "5") == (answer.text, answer.headers["X-Extended"], answer.headers["Content-Length"])


def test_a_response_changed(app):
    app.add_url_rule("/", "index", lambda: "index")

    @app.after_request
    def change(response):
        response.headers = Headers([("Content-Type", "text/plain"), ("X-Only", "1")])
        response.response = [b"a", b"b"]
        response.status = "299 Strange"
        response.direct_passthrough = False
        return response

    answer = app.test_client().get("/")

    assert ("299 Strange", b"ab") == (answer.status, answer.data)
    assert [("Content-Type", "text/plain"), ("X-Only", "1")] == [
        item for item in answer.headers if item[0] != "Content-Length"
    ]


# Sessions


def test_the_session_swapped_in_its_context(app):
    class Own(dict, flask.sessions.SessionMixin):
        modified = True
        accessed = True

    @app.get("/swap")
    def swap():
        flask.globals.request_ctx._session = Own(color="blue")
        return session["color"]

    @app.get("/kept")
    def kept():
        return session.get("color", "none")

    client = app.test_client()

    assert ["blue", "blue"] == [client.get("/swap").text, client.get("/kept").text]


def test_a_session_interface_of_ones_own(app):
    store = {}

    class Stored(SecureCookieSession):
        pass

    class Interface(SecureCookieSessionInterface):
        session_class = Stored

        def open_session(self, app, request):
            key = request.cookies.get("key")
            return self.session_class(store.get(key, {}))

        def save_session(self, app, session, response):
            if session.modified:
                store["1"] = dict(session)
                response.set_cookie("key", "1", httponly=True, secure=self.get_cookie_secure(app))

    app.session_interface = Interface()

    @app.get("/count")
    def count():
        session["count"] = session.get("count", 0) + 1
        return str(session["count"])

    client = app.test_client()

    assert ["1", "2"] == [client.get("/count").text for _ in range(2)]
    assert {"1": {"count": 2}} == store


def test_a_session_saved_into_a_bare_response(app):
    with app.test_request_context("/"):
        session["user"] = "ada"
        response = app.response_class()
        app.session_interface.save_session(app, session, response)

    cookie = response.headers["Set-Cookie"]
    assert cookie.startswith("session=")
    client = app.test_client()
    client.set_cookie("session", cookie.partition("=")[2].partition(";")[0])
    with client.session_transaction() as kept:
        assert "ada" == kept["user"]


def test_a_session_cookie_read_by_hand(app):
    app.config["PERMANENT_SESSION_LIFETIME"] = timedelta(hours=1)
    app.secret_key = "another"

    @app.get("/")
    def index():
        session.permanent = True
        session["user"] = {"id": 1, "when": datetime(2024, 1, 2, tzinfo=UTC)}
        return "x"

    client = app.test_client()
    client.get("/")
    value = client.get_cookie("session").value
    serializer = SecureCookieSessionInterface().get_signing_serializer(app)

    assert {"_permanent": True, "user": {"id": 1, "when": datetime(2024, 1, 2, tzinfo=UTC)}} == serializer.loads(value)
    other = app.test_client()
    other.set_cookie("session", serializer.dumps({"forged": True}))
    app.view_functions["index"] = lambda: str(session.get("forged"))
    assert "True" == other.get("/").text


# Requests


def test_uploads_kept_in_ones_own_way(app):
    class Parser(FormDataParser):
        def parse(self, *args, **kwargs):
            stream, form, files = super().parse(*args, **kwargs)
            return stream, form, files

    class Kept(BytesIO):
        pass

    class Request(flask.Request):
        form_data_parser_class = Parser

        def _get_file_stream(self, total_content_length, content_type, filename=None, content_length=None):
            return Kept()

    app.request_class = Request

    @app.post("/")
    def index():
        sent = request.files["f"]
        return f"{type(sent.stream).__name__} {sent.read().decode()} {request.form['a']} {sent.name}"

    answer = app.test_client().post("/", data={"a": "1", "f": (BytesIO(b"content"), "a.txt")})

    assert "Kept content 1 f" == answer.text


def test_the_body_read_in_different_orders(app):
    @app.post("/raw-first")
    def raw_first():
        raw = request.get_data()
        return [len(raw), request.form.get("a"), len(request.get_data())]

    @app.post("/form-first")
    def form_first():
        return [request.form.get("a"), len(request.get_data())]

    @app.post("/json-twice")
    def json_twice():
        request.get_json()["x"] = 1
        return [request.json, request.data.decode(), request.get_json(cache=False), request.is_json]

    @app.post("/stream")
    def stream():
        return [request.stream.read(2).decode(), request.stream.read().decode(), request.content_length]

    client = app.test_client()
    assert [3, "1", 3] == client.post("/raw-first", data={"a": "1"}).json
    assert ["1", 0] == client.post("/form-first", data={"a": "1"}).json
    assert [{"x": 1}, "{}", {}, True] == client.post("/json-twice", data="{}", content_type="application/json").json
    assert ["ab", "cd", 4] == client.post("/stream", data="abcd").json


def test_an_input_without_a_length(app):
    app.add_url_rule("/", "index", lambda: request.get_data(), methods=["POST"])

    def terminated(environ, start_response):
        environ["wsgi.input_terminated"] = True
        return app(environ, start_response)

    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(b"chunked"),
        "HTTP_TRANSFER_ENCODING": "chunked",
    }
    body, status, _ = run_wsgi_app(terminated, environ, buffered=True)
    assert ("200 OK", b"chunked") == (status, b"".join(body))
    environ["wsgi.input"] = BytesIO(b"chunked")
    body, status, _ = run_wsgi_app(app, environ, buffered=True)
    assert ("200 OK", b"") == (status, b"".join(body))


def test_values_are_copied_and_pickled(app):
    with app.test_request_context("/?a=1&a=2&b=3", headers={"X-A": "1"}):
        args = request.args.copy()
        args["c"] = "4"
        assert ["1", "2"] == copy.deepcopy(args).getlist("a")
        assert args == pickle.loads(pickle.dumps(args))
        assert {"a": "1", "b": "3"} == dict(request.args)
        assert {"a": ["1", "2"], "b": ["3"]} == request.args.to_dict(flat=False)
        assert "1" == dict(request.headers)["X-A"]
        assert ("GET", "/") == (copy.copy(request._get_current_object()).method, request.path)
        assert request.__class__ is flask.Request
        with pytest.raises(TypeError):
            request.args["x"] = "1"


# JSON


def test_json_of_ones_own(app):
    class Provider(DefaultJSONProvider):
        sort_keys = False
        compact = True

        @staticmethod
        def default(o):
            if isinstance(o, datetime):
                return o.isoformat()
            return DefaultJSONProvider.default(o)

    class Whole(JSONProvider):
        def dumps(self, obj, **kwargs):
            return "whole" + json.dumps(obj)

        def loads(self, s, **kwargs):
            return {"loaded": s.decode() if isinstance(s, bytes) else s}

    app.json = Provider(app)
    app.add_url_rule("/", "index", lambda: {"z": datetime(2024, 1, 2, tzinfo=UTC), "a": {1, 2} == {1, 2}})
    app.add_url_rule("/echo", "echo", lambda: flask.jsonify(request.json), methods=["POST"])
    client = app.test_client()

    assert '{"z":"2024-01-02T00:00:00+00:00","a":true}\n' == client.get("/").text
    app.json = Whole(app)
    assert 'whole{"loaded": "x"}' == client.post("/echo", data="x", content_type="application/json").text.strip()
