"""The test client of an application knows its configuration, contexts, sessions and commands."""

import importlib.metadata

import click
import pytest

from costrel.app.application import Costrel, Flask
from costrel.context import current_app, g, has_request_context, request, session
from costrel.messages.request import Request
from costrel.sessions.interface import SessionInterface
from costrel.testing.app_client import EnvironBuilder, FlaskClient, FlaskCliRunner
from costrel.testing.environ_builder import EnvironBuilder as PlainBuilder
from costrel.version import __version__


@pytest.fixture
def app():
    """An application that counts visits in the session, and describes the request."""
    app = Costrel(__name__)
    app.secret_key = "a key of thirty-two bytes, as asked for"
    app.config["TESTING"] = True
    app.torn_down = []

    @app.teardown_request
    def tell(error):
        app.torn_down.append(request.path)

    @app.route("/visit")
    def visit():
        g.visited = True
        session["visits"] = session.get("visits", 0) + 1
        return str(session["visits"])

    @app.route("/environ")
    def environ():
        return {name: str(value) for name, value in request.environ.items()}

    @app.route("/fail")
    def fail():
        raise KeyError("failed")

    @app.route("/from/<int:number>")
    def chain(number):
        return app.redirect(f"/from/{number - 1}") if number else "arrived"

    return app


def test_the_application_makes_its_client(app):
    client = app.test_client()
    assert type(client) is FlaskClient
    assert client.get("/visit").text == "1"
    assert client.get("/visit").text == "2"
    assert app.test_client().get("/visit").text == "1"


def test_a_client_class_of_ones_own(app):
    class Mine(FlaskClient):
        def __init__(self, *args, name=None, **kwargs):
            self.name = name
            super().__init__(*args, **kwargs)

    app.test_client_class = Mine
    assert app.test_client(name="ada").name == "ada"


def test_every_request_says_who_asks(app):
    client = app.test_client()
    seen = client.get("/environ").json
    assert (seen["REMOTE_ADDR"], seen["HTTP_USER_AGENT"]) == ("127.0.0.1", f"Costrel/{__version__}")
    client.environ_base["REMOTE_ADDR"] = "10.0.0.1"
    assert client.get("/environ").json["REMOTE_ADDR"] == "10.0.0.1"
    assert client.get("/environ", environ_base={"REMOTE_ADDR": "10.0.0.2"}).json["REMOTE_ADDR"] == "10.0.0.2"


def test_under_the_name_of_flask_the_client_is_werkzeugs():
    agent = Flask(__name__).test_client().environ_base["HTTP_USER_AGENT"]
    assert agent == f"Werkzeug/{importlib.metadata.version('werkzeug')}"


def test_a_request_is_opened_in_several_forms(app):
    client = app.test_client()
    client.environ_base["REMOTE_ADDR"] = "10.0.0.1"
    assert client.open("/environ").json["REMOTE_ADDR"] == "10.0.0.1"
    builder = PlainBuilder("/environ", environ_base={"HTTP_X_TAG": "1"})
    seen = client.open(builder).json
    assert (seen["REMOTE_ADDR"], seen["HTTP_X_TAG"]) == ("10.0.0.1", "1")
    assert (builder.environ_base, builder.closed) == ({"HTTP_X_TAG": "1"}, False)
    assert client.open(PlainBuilder("/environ").get_environ()).json["REMOTE_ADDR"] == "10.0.0.1"
    asked = PlainBuilder("/environ").get_request()
    assert client.open(asked).json["REMOTE_ADDR"] == "10.0.0.1"
    assert "REMOTE_ADDR" not in asked.environ
    assert isinstance(client.get("/environ").request, Request)


@pytest.mark.parametrize(
    ("path", "arguments", "url"),
    [
        ("/x?y=1", {}, "https://example.com:8443/app/x?y=1"),
        ("/x", {"subdomain": "api"}, "https://api.example.com:8443/app/x"),
        ("/x", {"url_scheme": "http"}, "http://example.com:8443/app/x"),
        ("/x", {"base_url": "http://other/"}, "http://other/x"),
        ("http://other/x?y=1", {}, "http://other/app/x?y=1"),
        ("//other/x", {}, "https://other/app/x"),
    ],
)
def test_the_url_comes_from_the_configuration(app, path, arguments, url):
    app.config.update(SERVER_NAME="example.com:8443", APPLICATION_ROOT="/app", PREFERRED_URL_SCHEME="https")
    assert EnvironBuilder(app, path, **arguments).get_request().url == url


def test_a_base_url_holds_scheme_and_subdomain(app):
    with pytest.raises(AssertionError, match=r'^Cannot pass "subdomain" or "url_scheme" with "base_url"\.$'):
        EnvironBuilder(app, base_url="http://other/", subdomain="api")


def test_json_is_written_as_the_application_would(app):
    app.json.sort_keys = True
    builder = EnvironBuilder(app, json={"b": 1, "a": 2})
    assert builder.input_stream.read() == b'{"a": 2, "b": 1}'
    assert app.test_client().get("/visit").json_module is app.json


@pytest.mark.parametrize("content_type", ["multipart/form-data", "application/x-www-form-urlencoded"])
def test_line_breaks_in_a_form_are_those_of_a_browser(content_type):
    def received_by(app):
        app.add_url_rule("/", "index", lambda: request.form["lines"], methods=["POST"])
        return app.test_client().post("/", data={"lines": "1\n2\r3\r\n4"}, content_type=content_type).text

    assert received_by(Costrel(__name__)) == "1\r\n2\r\n3\r\n4"
    assert received_by(Flask(__name__)) == "1\n2\r3\r\n4"


def test_a_block_keeps_the_last_context(app):
    with app.test_client() as client:
        client.get("/visit")
        assert (request.path, g.visited, session["visits"]) == ("/visit", True, 1)
        client.get("/environ")
        assert request.path == "/environ"
        assert not hasattr(g, "visited")
        with pytest.raises(RuntimeError, match=r"^Cannot nest client invocations$"):
            client.__enter__()
    assert not has_request_context()


def test_a_block_keeps_the_context_at_the_end_of_redirects(app):
    with app.test_client() as client:
        assert client.get("/from/3", follow_redirects=True).text == "arrived"
        assert request.path == "/from/0"
    assert not has_request_context()


def test_a_block_keeps_no_context_of_an_error(app):
    with app.test_client() as client:
        with pytest.raises(KeyError, match="failed"):
            client.get("/fail")
        assert not has_request_context()
        client.get("/visit")
        assert request.path == "/visit"


def test_without_a_block_no_context_is_kept(app):
    app.test_client().get("/visit")
    assert not has_request_context()
    assert app.torn_down == ["/visit"]


def test_the_session_can_be_changed(app):
    client = app.test_client()
    with client.session_transaction() as changed:
        changed["visits"] = 10
    assert client.get("/visit").text == "11"
    with client.session_transaction() as changed:
        assert dict(changed) == {"visits": 11}


def test_a_session_is_not_saved_after_an_error(app):
    client = app.test_client()

    def change():
        with client.session_transaction() as changed:
            changed["visits"] = 10
            raise KeyError("stop")

    with pytest.raises(KeyError, match="stop"):
        change()
    assert client.get("/visit").text == "1"


def test_the_session_of_another_host(app):
    client = app.test_client()
    with client.session_transaction("/", base_url="http://other:8080") as changed:
        changed["visits"] = 5
    assert client.get("/visit").text == "1"
    assert client.get("/visit", base_url="http://other:8080").text == "6"


def test_a_session_that_is_null_is_not_saved(app):
    app.secret_key = None

    class Null(SessionInterface):
        def open_session(self, app, request):
            return self.make_null_session(app)

        def save_session(self, app, session, response):
            raise NotImplementedError

    app.session_interface = Null()
    with app.test_client().session_transaction() as opened:
        assert dict(opened) == {}


def test_a_session_needs_cookies_and_a_key(app):
    with pytest.raises(TypeError) as error, app.test_client(use_cookies=False).session_transaction():
        pass
    assert str(error.value) == "Cookies are disabled. Create a client with 'use_cookies=True'."
    app.secret_key = None
    with pytest.raises(RuntimeError) as error, app.test_client().session_transaction():
        pass
    assert str(error.value) == "Session backend did not open a session. Is SECRET_KEY set?"


def test_commands_run_with_the_application(app):
    @app.cli.command("greet")
    @click.argument("name", default="you")
    def greet(name):
        click.echo(f"{current_app.name} greets {name}")

    runner = app.test_cli_runner()
    assert type(runner) is FlaskCliRunner
    assert runner.invoke(args=["greet", "ada"]).output == f"{__name__} greets ada\n"
    assert runner.invoke(greet).output == f"{__name__} greets you\n"


def test_a_command_without_an_application(app):
    @click.command()
    @click.pass_obj
    def plain(obj):
        click.echo(repr(obj))

    assert app.test_cli_runner().invoke(plain, obj=None).output == "None\n"
