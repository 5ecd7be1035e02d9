"""An application with faults, in development."""

import pytest

from costrel import Costrel, abort, request, url_for
from costrel.devtools import pin
from costrel.devtools.development import DevelopmentApplication


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    """No PIN, editor or reloader of the one who runs the tests; a secret of its own for each test."""
    for name in ("COSTREL_DEBUG_PIN", "WERKZEUG_DEBUG_PIN", "COSTREL_EDITOR", "WERKZEUG_RUN_MAIN", pin.SECRET_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pin, "_secret", None)


@pytest.fixture
def profile():
    """The class of the application, and with it its defaults."""
    return Costrel


@pytest.fixture
def app(profile):
    app = profile("shop", static_folder=None)
    app.debug = True
    app.config["SECRET_KEY"] = "a-very-long-secret-key-of-this-shop"

    @app.get("/")
    def index():
        return "<!doctype html><title>Shop</title><body>Hello</body>"

    @app.get("/fails/<int:number>")
    def fails(number):
        basket = {"apples": number}
        raise ValueError(f"no <script>alert(1)</script> --> {basket}")

    @app.get("/async")
    async def fails_async():
        raise RuntimeError("on the loop")

    @app.get("/gone")
    def gone():
        abort(404)

    @app.post("/form")
    def form():
        return request.form["title"]

    @app.post("/upload")
    def upload():
        return request.files["picture"].filename

    @app.get("/link")
    def link():
        return url_for("fial", number=1)

    @app.get("/stream")
    def stream():
        def chunks():
            yield "<p>begun</p>"
            raise ValueError("half-way")

        return chunks()

    return app


@pytest.fixture
def development(app):
    return DevelopmentApplication(app, app.asgi)
