"""Over ASGI, the framework's own features read the scope, and none of them builds a WSGI environ."""

import pytest

from costrel import Costrel, csp_nonce, redirect, render_template_string, request, send_file, session, url_for
from costrel.messages.source import ScopeSource

NONCE = "script-src 'self' 'nonce'"


@pytest.fixture
def environs(monkeypatch):
    """The scopes of which an environ was made."""
    made = []
    make = ScopeSource.make_environ

    def counted(scope):
        made.append(scope)
        return make(scope)

    monkeypatch.setattr(ScopeSource, "make_environ", staticmethod(counted))
    return made


def make_app(folder, **settings):
    app = Costrel("demand", root_path=str(folder))
    app.secret_key = "k" * 32
    app.config.update(settings)
    (folder / "static").mkdir()
    (folder / "static" / "a.css").write_text("p {}")

    @app.route("/link")
    def link():
        return url_for("link", _external=True)

    @app.route("/away")
    def away():
        return redirect(url_for("link"))

    @app.route("/file")
    def file():
        return send_file(folder / "static" / "a.css")

    @app.route("/page")
    def page():
        return render_template_string("{{ csp_nonce() }} {{ request.path }}")

    @app.route("/nonce")
    def nonce():
        return csp_nonce()

    @app.route("/session")
    def visits():
        session["n"] = session.get("n", 0) + 1
        return str(session["n"])

    @app.route("/request")
    def head():
        return f"{request.url} {request.remote_addr} {request.headers['User-Agent']} {request.host}"

    @app.post("/form")
    def form():
        return request.form["a"]

    return app


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/link", 200),
        ("/away", 302),
        ("/file", 200),
        ("/static/a.css", 200),
        ("/page", 200),
        ("/nonce", 200),
        ("/session", 200),
        ("/request", 200),
        ("/nowhere", 404),
        ("/form", 405),
    ],
)
def test_a_get_needs_no_environ(tmp_path, environs, path, status):
    app = make_app(tmp_path, RATE_LIMITS="100/minute", CONTENT_SECURITY_POLICY=NONCE, TRUSTED_HOSTS=["localhost"])
    response = app.test_client(edge="asgi").get(path)
    assert (response.status_code, len(environs)) == (status, 0)


def test_a_form_needs_no_environ(tmp_path, environs):
    app = make_app(tmp_path, RATE_LIMITS="100/minute", CSRF_PROTECTION=False)
    response = app.test_client(edge="asgi").post("/form", data={"a": "b"})
    assert (response.text, len(environs)) == ("b", 0)


def test_a_source_answers_for_each_key_of_its_environ(environs):
    app = Costrel("keys")

    @app.route("/")
    def compare():
        source = request._source
        keys = ["SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL", "REMOTE_ADDR", "HTTP_HOST", "wsgi.multithread"]
        before = {key: (source[key], key in source) for key in keys}
        assert len(environs) == 0
        assert ("wsgi.file_wrapper" in source, source.get("HTTP_X_NONE")) == (False, None)
        assert before == {key: (request.environ[key], True) for key in keys}
        assert len(environs) == 1
        return "same"

    assert app.test_client(edge="asgi").get("/").text == "same"
