"""An application for Flask, without a typed view: its document is made of its rules."""

from flask import Blueprint, Flask, jsonify
from flask.views import MethodView, View


def make() -> Flask:
    app = Flask(__name__)

    @app.route("/")
    def index():
        """The start page.

        With the *newest* entries.
        """
        return "Hello"

    @app.route("/user/<name>")
    @app.route("/user/<name>/<int(min=1, max=99):page>")
    def user(name, page=1):
        return jsonify(name=name, page=page)

    app.add_url_rule("/path/<path:rest>", "rest", lambda rest: rest, methods=["GET", "POST", "DELETE"])
    app.add_url_rule("/number/<float(signed=True):x>", "number", lambda x: str(x))
    app.add_url_rule("/id/<uuid:id>", "by_id", lambda id: str(id), methods=["PUT"])
    app.add_url_rule("/colour/<any(red, 'dark blue'):colour>", "colour", lambda colour: colour)
    app.add_url_rule("/length/<string(length=2):code>", "code", lambda code: code)

    class Items(MethodView):
        def get(self):
            """All items."""
            return "[]"

        def post(self):
            return "", 201

    class Page(View):
        methods = ["GET", "POST"]

        def dispatch_request(self):
            return ""

    admin = Blueprint("admin", __name__, url_prefix="/admin")
    admin.add_url_rule("/items", view_func=Items.as_view("items"))
    admin.add_url_rule("/page", view_func=Page.as_view("page"))
    app.register_blueprint(admin)
    return app
