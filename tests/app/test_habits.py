"""Mistakes of developers who know Flask, Quart or FastAPI: the error names the right code."""

import os

import pytest

from costrel import Blueprint, Costrel, NotFound, abort, redirect, request, session


@pytest.fixture
def app():
    return Costrel("habits")


def view():
    return "view"


@pytest.mark.parametrize("name", ["route", "get", "post", "put", "delete", "patch", "websocket"])
@pytest.mark.parametrize("make", [lambda: Costrel("a"), lambda: Blueprint("a", "a")], ids=["app", "blueprint"])
def test_a_route_without_parentheses(make, name):
    with pytest.raises(TypeError) as caught:
        getattr(make(), name)(view)
    assert str(caught.value) == (
        f"@{name} needs an argument, but was used without parentheses on 'view': write @{name}(\"/path\")."
    )


def test_an_error_handler_without_parentheses(app):
    with pytest.raises(TypeError) as caught:
        app.errorhandler(view)
    assert str(caught.value) == (
        "@errorhandler needs an argument, but was used without parentheses on 'view': write @errorhandler(404)."
    )


def test_an_error_handler_of_a_blueprint_without_parentheses():
    with pytest.raises(TypeError) as caught:
        Blueprint("shop", "shop").app_errorhandler(view)
    assert str(caught.value) == (
        "@app_errorhandler needs an argument, but was used without parentheses on 'view': write @app_errorhandler(404)."
    )


@pytest.mark.parametrize("make", [lambda: Costrel("a"), lambda: Blueprint("a", "a")], ids=["app", "blueprint"])
def test_an_endpoint_without_parentheses(make):
    with pytest.raises(TypeError) as caught:
        make().endpoint(view)
    assert str(caught.value) == (
        "@endpoint needs an argument, but was used without parentheses on 'view': write @endpoint(\"name\")."
    )


def error_of(app, function):
    app.testing = True
    app.add_url_rule("/", "index", function)
    with pytest.raises((TypeError, LookupError)) as caught:
        app.test_client().get("/")
    return caught.value


async def forgotten():
    return "text"


@pytest.mark.parametrize(
    ("value", "end"),
    [
        (lambda: None, "returned None: it may have come to its end without a return statement."),
        (lambda: 404, "but it was an int. Return str(404) for text, or ('', 404) for a status."),
        (lambda: True, "but it was a bool."),
        (lambda: 1.5, "but it was a float."),
        (lambda: object(), "but it was an object."),
        (lambda: (1, 2, 3, 4), ("returned a tuple of 4 items. The tuple must have the form (body, status), (body,"
         " headers) or (body, status, headers).")),
        (lambda: (forgotten(), 200), ("but it was a coroutine of 'forgotten' that was not awaited. Add the missing"
         " await.")),
    ],
)  # fmt: skip
def test_a_value_that_is_no_response(app, value, end):
    message = str(error_of(app, value))
    assert message.startswith("The view of the endpoint 'index' returned ")
    assert message.endswith(end)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("x", "no exception for 'x': abort() takes the status code of an error, such as 404, or a response."),
        (
            200,
            (
                "no exception for 200: this is not the status of an error. Return a response with it, or pass one to"
                " abort()."
            ),
        ),
        (499, "no exception for 499: there is no class for this status."),
    ],
)
def test_a_status_that_is_no_error(app, code, message):
    assert str(error_of(app, lambda: abort(code))) == message


def test_a_redirect_to_nothing(app):
    assert str(error_of(app, lambda: redirect(None))) == "redirect() takes a URL, not None."


def test_a_redirect_to_an_object_that_is_a_url(app):
    class Url:
        def __str__(self):
            return "/there"

    app.add_url_rule("/", "index", lambda: redirect(Url()))
    assert app.test_client().get("/").location == "/there"


@pytest.mark.parametrize(
    "name",
    [
        "add_api_route",
        "add_middleware",
        "before_first_request",
        "exception_handler",
        "include_router",
        "middleware",
        "on_event",
    ],
)
def test_a_method_of_another_framework(app, name):
    with pytest.raises(AttributeError) as caught:
        getattr(app, name)
    assert str(caught.value).startswith(f"'Costrel' object has no attribute {name!r}: ")


def test_a_misspelled_method_gets_the_hint_of_python(app):
    with pytest.raises(AttributeError, match=r"^'Costrel' object has no attribute 'rout'$") as caught:
        app.rout
    assert (caught.value.name, caught.value.obj, hasattr(app, "rout")) == ("rout", app, False)


@pytest.mark.parametrize("edge", ["wsgi", "asgi"])
def test_awaiting_what_needs_no_await(app, edge):
    async def index():
        return await request.form

    app.add_url_rule("/", "index", index)
    app.config["PROPAGATE_EXCEPTIONS"] = True
    with pytest.raises(TypeError) as caught:
        app.test_client(edge=edge).get("/")
    assert caught.value.__notes__ == [
        (
            "In Costrel, request.form, request.files, request.data, request.get_json(), render_template() and the other"
            " functions of Flask's API need no await, in an async view either."
        )
    ]


@pytest.mark.parametrize("edge", ["wsgi", "asgi"])
def test_a_session_that_cannot_be_saved_is_logged_once(app, caplog, edge):
    app.secret_key = "k" * 32
    errors = []
    app.errorhandler(500)(lambda error: (errors.append(error), ("The session is too large.", 500))[1])

    @app.route("/")
    def index():
        session["everything"] = os.urandom(4000).hex()
        return "index"

    response = app.test_client(edge=edge).get("/")

    assert (response.status_code, response.text, len(errors)) == (500, "The session is too large.", 1)
    assert "Set-Cookie" not in response.headers
    assert [record.getMessage() for record in caplog.records] == ["Exception on / [GET]"]


@pytest.mark.parametrize("code", [402, 407, 425, 426, 506, 507, 508, 510, 511])
def test_every_status_of_an_error_can_be_aborted_with_and_handled(app, code):
    handled = Costrel("handled")
    handled.errorhandler(code)(lambda error: (f"handled {error.code}", error.code))
    for each in (app, handled):
        each.add_url_rule("/", "index", lambda: abort(code, "The reason."))
    response = app.test_client().get("/", headers={"Accept": "text/html"})
    assert (response.status_code, "The reason." in response.text) == (code, True)
    assert handled.test_client().get("/").text == f"handled {code}"


def test_a_handler_is_for_subclasses_with_another_code_too(app):
    class Renamed(NotFound):
        code = 410

    app.errorhandler(NotFound)(lambda error: (f"handled {error.code}", error.code))
    app.add_url_rule("/", "index", lambda: raised(Renamed()))
    response = app.test_client().get("/")
    assert (response.status_code, response.text) == (410, "handled 410")


def raised(error):
    raise error


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (
            "response_model",
            (
                "A route has no option 'response_model': in Costrel, its place is taken by the annotation of the view's"
                " result: def view() -> Item."
            ),
        ),
        (
            "status_code",
            (
                "A route has no option 'status_code': in Costrel, its place is taken by the result: return item, 201,"
                " or the annotation -> Annotated[Item, Status(201)]."
            ),
        ),
        (
            "include_in_schema",
            "A route has no option 'include_in_schema': in Costrel, its place is taken by hidden=True.",
        ),
        (
            "typed",
            (
                "A route has no option 'typed': in Costrel, its place is taken by the decorator @typed directly above"
                " 'def', or typed=True of Costrel() or Blueprint() for all views."
            ),
        ),
        ("name", "A route has no option 'name': in Costrel, its place is taken by endpoint=, the name for url_for()."),
        ("metods", "A route has no option 'metods'. Did you mean 'methods'?"),
        ("strict_slash", "A route has no option 'strict_slash'. Did you mean 'strict_slashes'?"),
        ("sumary", "A route has no option 'sumary'. Did you mean 'summary'?"),
        ("stream_bdy", "A route has no option 'stream_bdy'. Did you mean 'stream_body'?"),
        ("zzzz", "A route has no option 'zzzz'."),
    ],
)
def test_an_option_of_another_framework(app, option, message):
    with pytest.raises(TypeError) as caught:
        app.get("/", **{option: int})(lambda: "")

    assert message == str(caught.value)
