"""Flask-DebugToolbar: the toolbar in a page, its panels, its own views, and redirects that it stops at."""

import re

import pytest
from flask import Flask, jsonify, redirect, render_template_string
from flask_debugtoolbar import DebugToolbarExtension
from flask_sqlalchemy import SQLAlchemy

PAGE = "<html><body><h1>{{ title }}</h1></body></html>"


@pytest.fixture
def app():
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY="a key for tests",
        DEBUG=True,
        DEBUG_TB_PROFILER_ENABLED=True,
        SQLALCHEMY_DATABASE_URI="sqlite://",
        SQLALCHEMY_RECORD_QUERIES=True,
    )
    DebugToolbarExtension(app)
    db = SQLAlchemy(app)

    @app.get("/")
    def index():
        app.logger.warning("look here")
        db.session.execute(db.text("SELECT 42"))
        return render_template_string(PAGE, title="Cellar")

    @app.get("/json")
    def json():
        return jsonify(a=1)

    @app.get("/away")
    def away():
        return redirect("/")

    yield app
    with app.app_context():
        db.engine.dispose()


def test_the_toolbar_is_put_into_the_page(app):
    answer = app.test_client().get("/")

    assert "<h1>Cellar</h1>" in answer.text
    assert "flDebugToolbar" in answer.text
    assert "look here" in answer.text
    assert "SQLAlchemy" in answer.text
    assert len(answer.data) == answer.content_length


def test_what_is_no_page_stays_as_it_is(app):
    assert {"a": 1} == app.test_client().get("/json").json


def test_its_files_and_its_views(app):
    client = app.test_client()
    page = client.get("/").text
    path = re.search(r'src="(/_debug_toolbar/static/[^"]+)"', page)[1]

    with client.get(path) as answer:
        assert 200 == answer.status_code


def test_a_redirect_is_stopped_at(app):
    app.config["DEBUG_TB_INTERCEPT_REDIRECTS"] = True

    answer = app.test_client().get("/away")

    assert 200 == answer.status_code
    assert 'href="/"' in answer.text


def test_no_toolbar_without_debug_mode():
    app = Flask(__name__)
    app.config["SECRET_KEY"] = "a key for tests"
    DebugToolbarExtension(app)
    app.add_url_rule("/", "index", lambda: render_template_string(PAGE, title="Cellar"))

    assert "flDebugToolbar" not in app.test_client().get("/").text
