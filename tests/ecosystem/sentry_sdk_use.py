"""sentry-sdk's Flask integration: errors and messages of a request become events, with its data and its user."""

import logging

import pytest
import sentry_sdk
from flask import Flask, abort, jsonify, render_template_string, request, stream_with_context
from flask_login import LoginManager, UserMixin, login_user
from sentry_sdk.integrations.flask import FlaskIntegration
from sentry_sdk.transport import Transport


class Collected(Transport):
    def __init__(self):
        super().__init__()
        self.items = []

    def capture_envelope(self, envelope):
        self.items += [(item.headers["type"], item.payload.json) for item in envelope.items]

    def of(self, kind):
        return [payload for type_, payload in self.items if type_ == kind]


@pytest.fixture
def transport():
    transport = Collected()
    sentry_sdk.init(
        dsn="https://key@sentry.example/1",
        transport=transport,
        integrations=[FlaskIntegration(transaction_style="url")],
        default_integrations=False,
        enable_backpressure_handling=False,  # it starts a thread
        traces_sample_rate=1.0,
        data_collection={"user_info": True},
    )
    yield transport
    sentry_sdk.get_client().close()
    sentry_sdk.init()


@pytest.fixture
def app(transport):
    app = Flask(__name__)
    app.config["SECRET_KEY"] = "a key for tests"
    manager = LoginManager(app)

    class User(UserMixin):
        id = "42"

    manager.user_loader(lambda name: User())

    @app.post("/divide/<int:by>")
    def divide(by):
        return jsonify(1 // by)

    @app.get("/message")
    def message():
        login_user(User())
        sentry_sdk.capture_message("look here")
        return "told"

    @app.get("/handled")
    def handled():
        abort(404)

    @app.get("/page")
    def page():
        return render_template_string("<head>{{ sentry_trace_meta }}</head>")

    @app.get("/stream")
    def stream():
        def chunks():
            yield "a"
            sentry_sdk.capture_message(f"in {request.path}")
            yield "b"

        return app.response_class(stream_with_context(chunks()))

    return app


def test_an_error_becomes_an_event(app, transport):
    answer = app.test_client().post("/divide/0?x=1", json={"a": [1]}, headers={"X-Kept": "yes"})

    assert 500 == answer.status_code
    (event,) = transport.of("event")
    assert "ZeroDivisionError" == event["exception"]["values"][-1]["type"]
    assert {"type": "flask", "handled": False} == event["exception"]["values"][-1]["mechanism"]
    assert "/divide/<int:by>" == event["transaction"]
    asked = event["request"]
    assert ("POST", "http://localhost/divide/0", "x=1") == (asked["method"], asked["url"], asked["query_string"])
    assert {"a": [1]} == asked["data"]
    assert "yes" == asked["headers"]["X-Kept"]


def test_a_form_with_a_file_becomes_data(app, transport):
    import io

    app.test_client().post("/divide/0", data={"name": "ada", "file": (io.BytesIO(b"abc"), "a.txt")})

    (event,) = transport.of("event")
    assert "ada" == event["request"]["data"]["name"]
    assert ["file", "name"] == sorted(event["request"]["data"])


def test_a_request_becomes_a_transaction(app, transport):
    app.test_client().post("/divide/2")

    (transaction,) = transport.of("transaction")
    assert "/divide/<int:by>" == transaction["transaction"]
    assert {"source": "route"} == transaction["transaction_info"]
    assert ("http.server", "ok") == (
        transaction["contexts"]["trace"]["op"],
        transaction["contexts"]["trace"]["status"],
    )


def test_a_message_with_its_user(app, transport):
    app.test_client().get("/message")

    (event,) = transport.of("event")
    assert "look here" == event["message"]
    assert "127.0.0.1" == event["request"]["env"]["REMOTE_ADDR"]
    assert "localhost" == event["request"]["env"]["SERVER_NAME"]


def test_an_error_that_is_an_answer_is_no_event(app, transport):
    assert 404 == app.test_client().get("/handled").status_code
    assert [] == transport.of("event")


def test_the_page_carries_the_trace(app, transport):
    assert '<meta name="sentry-trace" content="' in app.test_client().get("/page").text


def test_a_stream_with_its_request(app, transport):
    assert "ab" == app.test_client().get("/stream").text

    (event,) = transport.of("event")
    assert ("in /stream", "http://localhost/stream") == (event["message"], event["request"]["url"])


def test_a_logged_error_outside_a_request(app, transport):
    with app.app_context():
        logging.getLogger(app.name).error("not captured without its integration")
        sentry_sdk.capture_message("outside")

    (event,) = transport.of("event")
    assert "request" not in event
