"""flask-smorest: a blueprint with schemas, pages, an ETag, and the OpenAPI document that describes it."""

import marshmallow
import pytest
from flask import Flask
from flask.views import MethodView
from flask_smorest import Api, Blueprint, abort


class PetSchema(marshmallow.Schema):
    id = marshmallow.fields.Int(dump_only=True)
    name = marshmallow.fields.String(required=True, validate=marshmallow.validate.Length(max=10))


class QuerySchema(marshmallow.Schema):
    name = marshmallow.fields.String()


@pytest.fixture
def client():
    app = Flask(__name__)
    app.config.update(
        API_TITLE="Pets",
        API_VERSION="v1",
        OPENAPI_VERSION="3.0.3",
        OPENAPI_URL_PREFIX="/",
        OPENAPI_SWAGGER_UI_PATH="/docs",
        OPENAPI_SWAGGER_UI_URL="https://cdn.example/",
    )
    api = Api(app)
    blueprint = Blueprint("pets", __name__, url_prefix="/pets", description="All pets")
    pets = [{"id": 1, "name": "Rex"}]

    @blueprint.route("/")
    class Pets(MethodView):
        @blueprint.arguments(QuerySchema, location="query")
        @blueprint.response(200, PetSchema(many=True))
        @blueprint.paginate()
        def get(self, query, pagination_parameters):
            """List pets"""
            found = [pet for pet in pets if query.get("name", pet["name"]) == pet["name"]]
            pagination_parameters.item_count = len(found)
            return found[pagination_parameters.first_item : pagination_parameters.last_item + 1]

        @blueprint.arguments(PetSchema)
        @blueprint.response(201, PetSchema)
        def post(self, new):
            """Add a pet"""
            pets.append({"id": len(pets) + 1, **new})
            return pets[-1]

    @blueprint.route("/<int:pet_id>")
    class Pet(MethodView):
        @blueprint.etag
        @blueprint.response(200, PetSchema)
        def get(self, pet_id):
            if pet_id > len(pets):
                abort(404, message=f"no pet {pet_id}", errors={"id": pet_id})
            return pets[pet_id - 1]

        @blueprint.etag
        @blueprint.arguments(PetSchema)
        @blueprint.response(200, PetSchema)
        def put(self, changes, pet_id):
            blueprint.check_etag(pets[pet_id - 1], PetSchema)
            pets[pet_id - 1].update(changes)
            return pets[pet_id - 1]

    api.register_blueprint(blueprint)
    return app.test_client()


def test_read_and_write(client):
    added = client.post("/pets/", json={"name": "Tom"})

    assert (201, {"id": 2, "name": "Tom"}) == (added.status_code, added.json)
    assert [{"id": 2, "name": "Tom"}] == client.get("/pets/?name=Tom").json


def test_pages(client):
    for name in ("A", "B"):
        client.post("/pets/", json={"name": name})

    answer = client.get("/pets/?page=2&page_size=2")

    assert [{"id": 3, "name": "B"}] == answer.json
    assert '"total": 3' in answer.headers["X-Pagination"]


def test_what_does_not_fit_the_schema(client):
    answer = client.post("/pets/", json={"name": "much too long a name"})

    assert 422 == answer.status_code
    assert {"json": {"name": ["Longer than maximum length 10."]}} == answer.json["errors"]
    assert 400 == client.post("/pets/", data="{", content_type="application/json").status_code


def test_errors_are_json(client):
    answer = client.get("/pets/9")

    assert {"code": 404, "status": "Not Found", "message": "no pet 9", "errors": {"id": 9}} == answer.json
    assert {"code": 405, "status": "Method Not Allowed"} == client.delete("/pets/1").json


def test_etags(client):
    etag = client.get("/pets/1").headers["ETag"]

    assert 304 == client.get("/pets/1", headers={"If-None-Match": etag}).status_code
    assert 428 == client.put("/pets/1", json={"name": "Max"}).status_code
    assert 200 == client.put("/pets/1", json={"name": "Max"}, headers={"If-Match": etag}).status_code
    assert 412 == client.put("/pets/1", json={"name": "Rex"}, headers={"If-Match": etag}).status_code


def test_the_openapi_document(client):
    document = client.get("/openapi.json").json

    assert {"title": "Pets", "version": "v1"} == document["info"]
    assert ["/pets/", "/pets/{pet_id}"] == sorted(document["paths"])
    assert "List pets" == document["paths"]["/pets/"]["get"]["summary"]
    parameters = document["paths"]["/pets/{pet_id}"]["parameters"]
    assert [
        {"in": "path", "name": "pet_id", "required": True, "schema": {"type": "integer", "minimum": 0}}
    ] == parameters
    assert "Pet" in document["components"]["schemas"]


def test_the_page_with_the_documentation_and_the_command(client):
    assert "swagger-ui" in client.get("/docs").text
    done = client.application.test_cli_runner().invoke(args=["openapi", "print"])
    assert 0 == done.exit_code
    assert '"openapi": "3.0.3"' in done.output
