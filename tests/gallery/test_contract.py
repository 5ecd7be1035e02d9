"""The gallery conforms to its API document: generated requests get the documented responses."""

import io

from openapi_spec_validator import validate

from ..openapi.generated import send
from .conftest import png


def test_the_document_is_valid(client):
    document = client.get("/api/openapi.json").json
    validate(document)
    assert [*document["paths"]] == ["/api/pictures", "/api/pictures/{picture_id}"]
    assert client.get("/api/docs").status_code == 200


def test_generated_requests_get_documented_answers(app, ada):
    ada.post("/upload", data={"title": "My boat", "picture": (io.BytesIO(png()), "boat.png")})
    assert len(ada.get("/api/pictures").json["pictures"]) == 1
    sent, failures = send(app, 8)
    assert failures == {}
    assert sent == 32
