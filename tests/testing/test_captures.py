"""Templates, logs and sessions in tests, with and without the pytest plugin."""

import logging

import pytest

from costrel import Costrel, render_template, render_template_string, session, stream_template
from costrel.testing import ClientSession, captured_logs, captured_templates


@pytest.fixture
def app(tmp_path):
    (tmp_path / "page.html").write_text("{% extends 'base.html' %}{% block a %}{{ name }}{% endblock %}")
    (tmp_path / "base.html").write_text("<p>{% block a %}{% endblock %}")
    app = Costrel("captures", static_folder=None, template_folder=str(tmp_path))
    app.config["SECRET_KEY"] = "k" * 32
    app.context_processor(lambda: {"shop": "Corner"})

    @app.get("/")
    def index():
        app.logger.debug("Opening %s", "page")
        return render_template("page.html", name="Ada")

    @app.get("/stream")
    async def stream():
        return stream_template("page.html", name="Bob")

    @app.get("/text")
    def text():
        app.logger.warning("no template")
        return render_template_string("{{ n }}", n=1)

    @app.get("/count")
    def count():
        session["count"] = session.get("count", 0) + 1
        return str(session["count"])

    return app


@pytest.mark.parametrize("edge", ["wsgi", "asgi"])
def test_templates_are_captured_with_their_variables(app, edge):
    client = app.test_client(edge=edge)
    with captured_templates(app) as templates:
        for path in ("/", "/stream", "/text"):
            assert client.get(path).text  # a stream has rendered its template at its end
    client.get("/")

    assert ["page.html", "page.html", None] == [each.name for each in templates]
    template, variables = templates[0]
    assert ("page.html", "Ada", "Corner") == (template.name, variables["name"], variables["shop"])
    assert {"g", "request"} <= variables.keys()


def test_templates_of_other_applications_are_not_captured(app):
    with captured_templates(Costrel("other", static_folder=None)) as templates:
        app.test_client().get("/")

    assert [] == templates


def test_logs_are_captured_from_the_lowest_level_on(app):
    level = app.logger.level
    with captured_logs(app) as logs:
        app.test_client().get("/")
        app.test_client().get("/text")

    assert ["Opening page", "no template"] == logs.messages
    assert ["no template"] == logs.of_level("WARNING") == logs.of_level(logging.WARNING)
    assert level == app.logger.level
    assert logs not in app.logger.handlers


def test_logs_of_a_level_alone(app):
    with captured_logs(app, "ERROR") as logs:
        app.test_client().get("/text")

    assert [] == logs.messages
    with pytest.raises(ValueError, match=r"Unknown level 'LOUD'. The levels are CRITICAL"):
        logs.of_level("LOUD")


def test_the_session_of_a_client_is_a_dict(app):
    client = app.test_client()
    found = ClientSession(client)
    found["count"] = 4

    assert "5" == client.get("/count").text
    assert {"count": 5} == dict(found)
    del found["count"]
    assert "1" == client.get("/count").text
    found.clear()
    assert ("<ClientSession {}>", 0, None) == (repr(found), len(found), found.get("count"))
