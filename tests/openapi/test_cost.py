"""Making a document grows linearly with the views, and sending it again costs no more than a static file."""

import sys
from functools import partial
from typing import Annotated as A

import pytest
from msgspec import Meta, defstruct

from costrel import Costrel, OpenAPI, Status
from costrel.openapi.document import document_of, dumps


def make(views):
    app = Costrel("shop", static_folder=None)
    for number in range(views):
        line = defstruct(f"Line{number}", [("sku", A[str, Meta(min_length=3)]), ("qty", int, 1)])
        order = defstruct(f"Order{number}", [("customer", str), ("lines", list[line])])

        def view(id, order, dry=False): ...

        view.__annotations__.update({"id": int, "order": order, "dry": bool, "return": A[order, Status(201)]})
        app.add_url_rule(f"/orders{number}/<int:id>", f"view{number}", view, methods=["POST"])
    app.typed_views.seal()
    return app


def describe(app):
    return dumps(document_of(app))


def test_a_document_grows_with_the_number_of_views():
    few, many = (calls(partial(describe, make(views))) for views in (20, 80))
    assert many <= 4.2 * few


@pytest.mark.parametrize("headers", [{}, {"HTTP_IF_NONE_MATCH": '"other"'}])
def test_a_document_that_was_made_costs_no_more_than_a_static_file(tmp_path, headers):
    app = make(5)
    app.openapi = OpenAPI()
    app.static_folder = str(tmp_path)
    app.add_url_rule("/static/<path:filename>", "static", lambda filename: app.send_static_file(filename))
    client = app.test_client()
    (tmp_path / "openapi.json").write_bytes(client.get("/openapi.json").data)
    paths = ("/openapi.json", "/static/openapi.json")
    document, file = (calls(lambda path=path: client.get(path, environ_overrides=headers)) for path in paths)
    assert document <= file


def calls(run):
    """The number of calls of a run, after one that prepares it."""
    run()
    count = 0

    def note(frame, event, argument):
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        run()
    finally:
        sys.setprofile(None)
    return count
