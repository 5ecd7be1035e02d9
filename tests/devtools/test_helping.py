"""The same hints for 404 and 405 on a WSGI server, only for clients that may see them."""

import pytest

from costrel import Costrel
from costrel.devtools.helping import HelpingApplication
from costrel.testing.client import Client


@pytest.fixture
def app():
    app = Costrel("shop")
    app.debug = True

    @app.route("/items/<int:number>")
    def item(number):
        return str(number)

    @app.route("/own")
    def own():
        return "not this one", 404, {"Content-Type": "text/html"}

    return app


def ask(app, path, method="GET", accept="text/html", host="localhost", peer="127.0.0.1"):
    client = Client(HelpingApplication(app))
    return client.open(
        path, method=method, headers={"Accept": accept, "Host": host}, environ_base={"REMOTE_ADDR": peer}
    )


def test_a_404_shows_what_is_near(app):
    answer = ask(app, "/items/x")

    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert "/items/&lt;int:number&gt;" in answer.text
    assert answer.content_length == len(answer.data)
    assert len(answer.headers.getlist("Content-Type")) == 1


def test_a_405_says_which_methods_there_are(app):
    answer = ask(app, "/items/3", "DELETE")

    assert answer.status_code == 405
    assert "/items/&lt;int:number&gt;" in answer.text
    assert sorted(answer.headers["Allow"].split(", ")) == ["GET", "HEAD", "OPTIONS"]


@pytest.mark.parametrize(
    "asked",
    [{"accept": "*/*"}, {"host": "evil.example"}, {"peer": "10.0.0.9"}, {"method": "HEAD"}],
    ids=["a program", "another host", "another computer", "no body"],
)
def test_others_get_what_the_application_says(app, asked):
    answer = ask(app, "/items/x", **asked)

    assert answer.status_code == 404
    assert "items" not in answer.text


def test_without_debug_mode_it_is_the_plain_page(app):
    app.debug = False

    assert "items" not in ask(app, "/items/x").text


def test_pages_of_its_own_are_left_alone(app):
    assert ask(app, "/own").text == "not this one"
    assert ask(app, "/items/3").text == "3"


def test_streams_and_errors_pass(app):
    @app.route("/stream")
    def stream():
        return app.response_class(iter(["a", "b"]), 404, mimetype="text/html")

    @app.route("/fails")
    def fails():
        raise LookupError("the one")

    assert ask(app, "/stream").text == "ab"
    failed = ask(app, "/fails")
    assert failed.status_code == 500
    assert "LookupError" in failed.text


def test_an_application_without_routes_is_welcomed():
    shop = Costrel("shop")
    shop.debug = True

    answer = ask(shop, "/anything")

    assert answer.status_code == 404
    assert "<code>shop</code> has no routes yet" in answer.text
    assert "@app.get(&#34;/&#34;)" in answer.text or '@app.get("/")' in answer.text


def test_the_welcome_names_the_file_and_the_variable(monkeypatch):
    shop = Costrel(__name__, static_folder=None)
    shop.debug = True
    monkeypatch.setitem(globals(), "shop", shop)

    text = ask(shop, "/").text

    assert "test_helping.py" in text
    assert "@shop.get(" in text


def test_it_is_gone_with_the_first_route():
    shop = Costrel("shop")
    shop.debug = True
    shop.add_url_rule("/items", "items", lambda: "")

    assert "no routes yet" not in ask(shop, "/").text


@pytest.mark.parametrize("options", [{"accept": "application/json"}, {"peer": "192.0.2.1"}, {"host": "evil.example"}])
def test_nobody_else_sees_the_welcome(options):
    shop = Costrel("shop")
    shop.debug = True

    assert "no routes yet" not in ask(shop, "/", **options).text


def test_there_is_no_welcome_outside_of_debug_mode():
    assert "no routes yet" not in ask(Costrel("shop"), "/").text
