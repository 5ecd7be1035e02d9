"""An application as its authors would write it, for mypy --strict and for pyright in strict mode."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, assert_type

from costrel import (
    Blueprint,
    Costrel,
    HTTPException,
    MethodView,
    NotFound,
    Response,
    abort,
    current_app,
    flash,
    g,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    send_file,
    session,
    stream_with_context,
    url_for,
)
from costrel.sse import event_stream
from costrel.testing import AsyncTestClient, AsyncTestResponse, FlaskClient, FlaskCliRunner, TestResponse

shop = Blueprint("shop", __name__, url_prefix="/shop")


@shop.get("/items/<int:number>")
def item(number: int) -> Response:
    if number > 9:
        abort(404)
    return jsonify(number=number, url=url_for("shop.item", number=number))


@shop.post("/items")
def add() -> tuple[Response, int]:
    data = request.get_json()
    assert_type(request.get_json(silent=True), Any | None)
    name: str = data["name"]
    session["last"] = name
    flash(name)
    return jsonify({"name": name}), 201


@shop.before_request
def remember() -> None:
    g.user = request.headers.get("X-User", "")


@shop.after_request
def sign(response: Response) -> Response:
    response.headers["X-Shop"] = current_app.name
    return response


@shop.errorhandler(NotFound)
def missing(error: HTTPException) -> tuple[str, int]:
    return error.name, 404


class Orders(MethodView):
    def get(self) -> str:
        return render_template("orders.html", page=request.args.get("page", 1, type=int))

    def post(self) -> Response:
        return redirect(url_for("orders"))


def create_app(settings: dict[str, Any] | None = None) -> Costrel:
    app = Costrel(__name__)
    app.config.from_mapping(settings or {})
    app.register_blueprint(shop)
    app.add_url_rule("/orders", view_func=Orders.as_view("orders"))

    @app.get("/page")
    async def page() -> str:
        return "page"

    @app.get("/file")
    def file() -> Response:
        response = make_response(send_file("report.pdf"))
        response.set_cookie("seen", "1")
        return response

    @app.get("/lines")
    def lines() -> Response:
        @stream_with_context
        def written() -> Iterator[str]:
            yield request.path

        return Response(written())

    @app.get("/events")
    def events() -> Response:
        return event_stream(iter([{"n": 1}]))

    @app.template_filter("shout")
    def shout(text: str) -> str:
        return text.upper()

    @app.context_processor
    def names() -> dict[str, object]:
        return {"shop": "Corner"}

    @app.cli.command("sync")
    def sync() -> None:
        print(current_app.name)

    return app


def client_of(app: Costrel) -> FlaskClient:
    assert_type(app.test_client(edge="asgi"), FlaskClient)
    return app.test_client()


def runner_of(app: Costrel) -> FlaskCliRunner:
    return app.test_cli_runner()


def test_items(app: Costrel, client: FlaskClient) -> None:
    response = client.get("/shop/items/1", headers={"X-User": "ada"})
    assert_type(response, TestResponse)
    assert_type(response.status_code, int)
    assert_type(response.text, str)
    assert_type(response.request.path, str)
    assert response.get_json()["number"] == 1
    with app.test_request_context("/shop/items/1"):
        assert request.path == "/shop/items/1"
    with client.session_transaction() as stored:
        stored["last"] = "pen"
    assert runner_of(app).invoke(args=["sync"]).output == "shop\n"


async def test_page(app: Costrel) -> None:
    async with app.async_test_client() as client:
        assert_type(client, AsyncTestClient)
        response = await client.get("/page")
        assert_type(response, AsyncTestResponse)
        assert response.text == "page"
