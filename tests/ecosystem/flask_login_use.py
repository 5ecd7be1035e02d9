"""Flask-Login: sign in and out, the redirect to the login page, the cookie that remembers, and the user's session."""

import pytest
from flask import Flask, request, session
from flask_login import (
    LoginManager,
    UserMixin,
    current_user,
    fresh_login_required,
    login_required,
    login_user,
    logout_user,
    user_logged_in,
)

# Flask-Login 0.6.3 asks the clock for naive UTC when it sets the cookie; Python 3.12 deprecates that.
pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")


class User(UserMixin):
    def __init__(self, name):
        self.id = name


@pytest.fixture
def app():
    app = Flask(__name__)
    app.config.update(TESTING=True, SECRET_KEY="a key for tests")
    manager = LoginManager(app)
    manager.login_view = "login"
    manager.refresh_view = "login"
    manager.user_loader(lambda name: User(name) if name == "ada" else None)
    manager.request_loader(lambda request: User("robot") if request.headers.get("X-Key") == "k" else None)

    @app.route("/login", methods=["GET", "POST"])
    def login():
        if request.method == "POST":
            login_user(User(request.form["name"]), remember="remember" in request.form)
            return "welcome"
        return "the login page"

    @app.get("/logout")
    def logout():
        logout_user()
        return "bye"

    @app.get("/")
    @login_required
    def home():
        return f"hello {current_user.id}"

    @app.get("/danger")
    @fresh_login_required
    def danger():
        return "fresh"

    @app.get("/who")
    def who():
        return {"name": current_user.get_id(), "session": sorted(session)}

    return app


def test_a_stranger_is_sent_to_the_login_page(app):
    answer = app.test_client().get("/?a=1")

    assert 302 == answer.status_code
    assert "/login?next=%2F%3Fa%3D1" == answer.location
    assert {"name": None, "session": []} == app.test_client().get("/who").json


def test_sign_in_and_out(app):
    client = app.test_client()

    assert "welcome" == client.post("/login", data={"name": "ada"}).text
    assert "hello ada" == client.get("/").text
    assert {"name": "ada", "session": ["_fresh", "_id", "_user_id"]} == client.get("/who").json
    assert "bye" == client.get("/logout").text
    assert 302 == client.get("/").status_code


def test_the_message_for_the_login_page_is_flashed(app):
    client = app.test_client()

    client.get("/")

    with client.session_transaction() as kept:
        assert [("message", "Please log in to access this page.")] == kept["_flashes"]


def test_the_remember_cookie_outlives_the_session(app):
    client = app.test_client()
    client.post("/login", data={"name": "ada", "remember": "1"})
    remembered = client.get_cookie("remember_token")
    assert remembered is not None
    assert remembered.value.startswith("ada|")
    assert remembered.http_only
    assert remembered.expires is not None

    client.delete_cookie("session")

    assert "hello ada" == client.get("/").text
    assert "/login?next=%2Fdanger" == client.get("/danger").location
    client.get("/logout")
    assert client.get_cookie("remember_token") is None


def test_a_forged_remember_cookie_is_not_believed(app):
    client = app.test_client()
    client.set_cookie("remember_token", "ada|" + "0" * 128)

    assert 302 == client.get("/").status_code


def test_strong_protection_ends_a_stolen_session(app):
    app.login_manager.session_protection = "strong"
    client = app.test_client()
    client.post("/login", data={"name": "ada"})

    assert "hello ada" == client.get("/").text
    assert 302 == client.get("/", headers={"User-Agent": "another browser"}).status_code


def test_a_user_from_a_header_and_an_api_answer(app):
    app.login_manager.login_view = None
    client = app.test_client()

    assert "hello robot" == client.get("/", headers={"X-Key": "k"}).text
    assert 401 == client.get("/").status_code


def test_the_test_client_of_the_package_and_its_signal(app):
    from flask_login import FlaskLoginClient

    heard = []
    app.test_client_class = FlaskLoginClient
    with user_logged_in.connected_to(lambda sender, user: heard.append(user.id), app), app.test_client() as client:
        client.post("/login", data={"name": "ada"})
        assert "ada" == current_user.id
    with app.test_client(user=User("ada")) as client:
        assert "hello ada" == client.get("/").text

    assert ["ada"] == heard
