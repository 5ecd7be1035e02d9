"""Annotations that are not types, as extensions use them: Flask could call such views; typed views refuse them."""

import pytest

from costrel import Costrel, OpenAPI
from costrel.typed.signatures import SignatureError

NO_TYPES = [
    "the name of a user",
    "models.User",
    "Missing",
    "1 / 0",
    "int | 'Later'",
    "kinds['user']",
    "print(",
    "5",
    "",
]


def view_of(annotation, result="str"):
    def view(name):
        return name

    view.__annotations__ = {"name": annotation, "return": result}
    return view


@pytest.mark.parametrize("annotation", NO_TYPES)
@pytest.mark.parametrize("edge", ["wsgi", "asgi"])
def test_a_variable_of_the_url_may_have_any_annotation(annotation, edge):
    app = Costrel("users", static_folder=None)
    app.add_url_rule("/users/<name>", "user", view_of(annotation, result=annotation))

    assert "ada" == app.test_client(edge=edge).get("/users/ada").text


@pytest.mark.parametrize("annotation", NO_TYPES[:4])
def test_a_typed_view_says_which_annotation_is_no_type(annotation):
    app = Costrel("users", static_folder=None, typed=True)
    app.add_url_rule("/users", "users", view_of(annotation))

    with pytest.raises(SignatureError) as caught:
        app.open_for_requests()

    assert str(caught.value).startswith(
        f"The parameter 'name' of 'view' is of the type {annotation!r}, which cannot be evaluated ("
    )


def test_the_api_document_lists_views_with_such_annotations():
    app = Costrel("users", static_folder=None)
    app.openapi = OpenAPI(title="Users", version="1", untyped=True)
    app.add_url_rule("/users/<name>", "user", view_of("the name of a user", result="some text"))

    assert ["/users/{name}"] == list(app.test_client().get("/openapi.json").json["paths"])
