"""Flask-WTF: a form with a CSRF token and a file, and the protection of every view that changes something."""

import io
import re

import pytest
from flask import Flask, render_template_string
from flask_wtf import CSRFProtect, FlaskForm
from flask_wtf.csrf import CSRFError, generate_csrf
from flask_wtf.file import FileAllowed, FileField, FileRequired, FileSize
from wtforms import IntegerField, StringField
from wtforms.validators import Email, InputRequired, Length, NumberRange

PAGE = "<form method=post enctype=multipart/form-data>{{ form.csrf_token }}{{ form.name }}{{ form.picture }}</form>"


class Profile(FlaskForm):
    name = StringField("Name", [Length(min=2)])
    age = IntegerField("Age", [NumberRange(min=1)])
    mail = StringField("Mail", [InputRequired(), Email()])
    picture = FileField("Picture", [FileRequired(), FileAllowed(["png"], "only PNG"), FileSize(max_size=1000)])


@pytest.fixture
def app():
    app = Flask(__name__)
    app.config.update(TESTING=True, SECRET_KEY="a key for tests")

    @app.route("/profile", methods=["GET", "POST"])
    def profile():
        form = Profile()
        if form.validate_on_submit():
            sent = form.picture.data
            return {"name": form.name.data, "age": form.age.data, "file": sent.filename, "size": len(sent.read())}
        if form.is_submitted():
            return {"errors": form.errors}, 422
        return render_template_string(PAGE, form=form)

    return app


def token_of(client, path="/profile"):
    return re.search(r'name="csrf_token" type="hidden" value="([^"]+)"', client.get(path).text)[1]


def filled(**changes):
    fields = {
        "name": "Ada",
        "age": "36",
        "mail": "ada@example.org",
        "picture": (io.BytesIO(b"\x89PNG" + b"x" * 16), "ada.png"),
    }
    return {name: value for name, value in {**fields, **changes}.items() if value is not None}


def test_a_form_with_its_token_and_a_file(app):
    client = app.test_client()

    answer = client.post("/profile", data=filled(csrf_token=token_of(client)))

    assert {"name": "Ada", "age": 36, "file": "ada.png", "size": 20} == answer.json


def test_what_is_wrong_with_a_form(app):
    client = app.test_client()
    wrong = {"name": "A", "age": "none", "mail": "ada", "picture": (io.BytesIO(b"x"), "ada.exe")}

    answer = client.post("/profile", data={**wrong, "csrf_token": token_of(client)})

    assert 422 == answer.status_code
    assert {
        "name": ["Field must be at least 2 characters long."],
        "age": ["Not a valid integer value.", "Number must be at least 1."],
        "mail": ["Invalid email address."],
        "picture": ["only PNG"],
    } == answer.json["errors"]


def test_a_form_without_a_file_or_with_one_that_is_too_long(app):
    client = app.test_client()
    token = token_of(client)

    missing = client.post("/profile", data=filled(csrf_token=token, picture=None))
    long = client.post("/profile", data=filled(csrf_token=token, picture=(io.BytesIO(b"x" * 1001), "a.png")))

    assert {"picture": ["This field is required."]} == missing.json["errors"]
    assert {"picture": ["File must be between 0 and 1000 bytes."]} == long.json["errors"]


def test_a_form_without_its_token(app):
    client = app.test_client()

    assert ["The CSRF token is missing."] == client.post("/profile", data=filled()).json["errors"]["csrf_token"]
    stranger = app.test_client().post("/profile", data=filled(csrf_token=token_of(client)))
    assert ["The CSRF tokens do not match."] == stranger.json["errors"]["csrf_token"]
    forged = client.post("/profile", data=filled(csrf_token="forged"))
    assert ["The CSRF token is invalid."] == forged.json["errors"]["csrf_token"]


def test_json_fills_a_form(app):
    client = app.test_client()

    answer = client.post("/profile", json={"name": "Ada", "age": 36, "csrf_token": token_of(client)})

    assert ["mail", "picture"] == sorted(answer.json["errors"])


@pytest.fixture
def protected(app):
    csrf = CSRFProtect(app)

    @app.get("/token")
    def token():
        return generate_csrf()

    @app.post("/change")
    def change():
        return "changed"

    @csrf.exempt
    @app.post("/hook")
    def hook():
        return "heard"

    @app.errorhandler(CSRFError)
    def refuse(error):
        return f"{error.code}: {error.description}", error.code

    return app


def test_every_view_that_changes_something_is_protected(protected):
    client = protected.test_client()

    assert "400: The CSRF token is missing." == client.post("/change").text
    token = client.get("/token").text
    assert "changed" == client.post("/change", headers={"X-CSRFToken": token}).text
    assert "changed" == client.post("/change", data={"csrf_token": token}).text
    assert "heard" == client.post("/hook").text


def test_a_secure_request_says_where_it_comes_from(protected):
    client = protected.test_client()
    secure = {"base_url": "https://localhost", "headers": {"X-CSRFToken": client.get("/token").text}}

    assert "400: The referrer header is missing." == client.post("/change", **secure).text
    secure["headers"]["Referer"] = "https://elsewhere/"
    assert "400: The referrer does not match the host." == client.post("/change", **secure).text
