"""Flask-RESTX: resources with models and parsers, errors as JSON, and swagger.json."""

import pytest
from flask import Blueprint, Flask
from flask_restx import Api, Namespace, Resource, fields, reqparse

# Flask-RESTX 1.3 still validates through jsonschema.RefResolver.
pytestmark = pytest.mark.filterwarnings("ignore:jsonschema.RefResolver is deprecated:DeprecationWarning")


class OutOfStock(Exception):
    pass


def build(target):
    api = Api(target, title="Shop", version="1.2", doc="/docs")
    shop = Namespace("things", description="What is sold")
    thing = shop.model("Thing", {"id": fields.Integer(readonly=True), "name": fields.String(required=True)})
    parser = reqparse.RequestParser()
    parser.add_argument("limit", type=int, default=10, help="how many", location="args")
    parser.add_argument("tag", action="append", location="args")
    things = [{"id": 1, "name": "pen", "secret": "x"}]

    @shop.route("/")
    class Things(Resource):
        @shop.expect(parser)
        @shop.marshal_list_with(thing)
        def get(self):
            arguments = parser.parse_args()
            return [*things, *({"id": 0, "name": tag} for tag in arguments["tag"] or ())][: arguments["limit"]]

        @shop.expect(thing, validate=True)
        @shop.marshal_with(thing, code=201)
        def post(self):
            things.append({"id": len(things) + 1, **api.payload})
            return things[-1], 201, {"X-Thing": str(len(things))}

    @shop.route("/<int:thing_id>", endpoint="thing")
    class Thing(Resource):
        @shop.marshal_with(thing)
        def get(self, thing_id):
            if thing_id == 13:
                raise OutOfStock("none left")
            if thing_id > len(things):
                shop.abort(404, f"no thing {thing_id}", hint="buy one")
            return things[thing_id - 1]

    @shop.errorhandler(OutOfStock)
    def out_of_stock(error):
        return {"message": str(error)}, 409

    api.add_namespace(shop)
    return api


@pytest.fixture
def app():
    app = Flask(__name__)
    build(app)
    return app


def test_read_and_write(app):
    client = app.test_client()

    added = client.post("/things/", json={"name": "ink"})

    assert (201, {"id": 2, "name": "ink"}, "2") == (added.status_code, added.json, added.headers["X-Thing"])
    assert [{"id": 1, "name": "pen"}] == client.get("/things/?limit=1&tag=a").json
    assert ["pen", "ink", "a", "b"] == [thing["name"] for thing in client.get("/things/?tag=a&tag=b").json]


def test_what_does_not_fit(app):
    client = app.test_client()

    answer = client.post("/things/", json={"name": 5})
    assert (400, "Input payload validation failed") == (answer.status_code, answer.json["message"])
    assert {"name": "5 is not of type 'string'"} == answer.json["errors"]
    answer = client.get("/things/?limit=many")
    assert (400, ["limit"]) == (answer.status_code, list(answer.json["errors"]))


def test_errors_are_json(app):
    client = app.test_client()

    answer = client.get("/things/7")
    assert (404, "buy one") == (answer.status_code, answer.json["hint"])
    assert answer.json["message"].startswith("no thing 7")
    answer = client.get("/things/13")
    assert (409, {"message": "none left"}) == (answer.status_code, answer.json)
    answer = client.delete("/things/1")
    assert (405, {"message": "The method is not allowed for the requested URL."}) == (answer.status_code, answer.json)
    assert {"GET", "HEAD", "OPTIONS"} == set(answer.allow)


def test_an_error_that_nobody_expected(app):
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.view_functions["thing"] = lambda thing_id: 1 / 0

    answer = app.test_client().get("/things/1")

    assert (500, {"message": "Internal Server Error"}) == (answer.status_code, answer.json)


def test_swagger_json(app):
    document = app.test_client().get("/swagger.json").json

    assert {"title": "Shop", "version": "1.2"} == document["info"]
    assert ["/things/", "/things/{thing_id}"] == sorted(document["paths"])
    assert ["limit", "tag", "X-Fields"] == [
        p["name"] for p in document["paths"]["/things/"]["get"]["parameters"] if "name" in p
    ]
    assert {"required": ["name"], "properties": document["definitions"]["Thing"]["properties"], "type": "object"} == (
        document["definitions"]["Thing"]
    )


def test_the_page_with_the_documentation_and_its_files(app):
    client = app.test_client()

    assert "/swagger.json" in client.get("/docs").text
    with client.get("/swaggerui/swagger-ui.css") as answer:
        assert (200, "text/css") == (answer.status_code, answer.mimetype)


def test_an_api_on_a_blueprint():
    app = Flask(__name__)
    blueprint = Blueprint("api", __name__, url_prefix="/api/v1")
    build(blueprint)
    app.register_blueprint(blueprint)
    client = app.test_client()

    assert {"id": 1, "name": "pen"} == client.get("/api/v1/things/1").json
    assert "/api/v1" == client.get("/api/v1/swagger.json").json["basePath"]
    assert "application/json" == client.get("/api/v1/things/9").mimetype
    assert "text/html" == client.get("/elsewhere").mimetype
