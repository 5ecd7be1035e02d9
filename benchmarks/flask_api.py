"""The application that is measured for Flask and for Costrel: one source, since they have one API."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
CLASSES = {
    "flask": lambda api: api.Flask,
    "costrel": lambda api: api.Costrel,
    "as_flask": lambda api: importlib.import_module("costrel.app.application").Flask,
}


def build(framework: str, scenario: str) -> Any:
    """The application of a scenario, of ``flask``, ``costrel``, or ``as_flask``: Costrel with Flask's defaults."""
    api = importlib.import_module("flask" if framework == "flask" else "costrel")
    app_class = CLASSES[framework](api)
    app = app_class("benchmark", root_path=str(HERE))
    app.secret_key = "a secret key for the benchmark, long enough"
    request, session = api.request, api.session

    @app.route("/")
    def hello():
        return "Hello"

    @app.route("/json")
    def json():
        return {"message": "Hello", "numbers": [1, 2, 3]}

    @app.route("/user/<int:id>/post/<slug>")
    def params(id, slug):
        return f"{id} {slug} {request.args['page']}"

    @app.post("/form")
    def form():
        return f"{request.form['name']} {request.form['city']}"

    @app.post("/postjson")
    def postjson():
        data = request.get_json()
        return {"name": data["name"], "count": len(data["tags"])}

    @app.post("/upload")
    def upload():
        size = len(request.files["file"].read())
        return f"{request.form['title']} {request.form['tag']} {size}"

    @app.route("/session")
    def count():
        session["visits"] = session.get("visits", 0) + 1
        return f"visits: {session['visits']}"

    @app.route("/template")
    def template():
        return api.render_template("page.html", title="Rows", rows=[f"row {i}" for i in range(20)])

    @app.route("/abort")
    def teapot():
        api.abort(418)

    @app.errorhandler(418)
    def is_a_teapot(error):
        return "teapot", 418

    if scenario == "hooks":  # in the other scenarios there are none, as in most applications
        add_blueprints(app, api)
    return app


def add_blueprints(app: Any, api: Any) -> None:
    """Two blueprints deep, and five functions before and after each request there."""
    outer = api.Blueprint("outer", "benchmark", url_prefix="/outer")
    inner = api.Blueprint("inner", "benchmark", url_prefix="/inner")

    def before():
        return None

    def after(response):
        return response

    for _ in range(3):
        outer.before_request(before)
        outer.after_request(after)
    for _ in range(2):
        inner.before_request(before)
        inner.after_request(after)

    @inner.route("/")
    def index():
        return "hooked"

    outer.register_blueprint(inner)
    app.register_blueprint(outer)
