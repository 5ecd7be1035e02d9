"""What applications, tests and extensions replace takes effect at once, on classes and on instances."""

from __future__ import annotations

from unittest import mock

import pytest

from costrel import Costrel, Response
from costrel.app.lifecycle import is_async
from costrel.messages.forms import FormDataParser
from costrel.routing import Map, MapAdapter
from costrel.sessions.interface import SecureCookieSessionInterface


@pytest.fixture
def app() -> Costrel:
    """An application that has answered, and is not in test mode."""
    app = Costrel("overrides", static_folder=None)
    app.secret_key = "k" * 32
    app.add_url_rule("/", "index", lambda: "view")
    app.add_url_rule("/form", "form", lambda: app.ensure_sync(read_form)(), methods=["POST"])
    app.test_client().get("/")
    return app


def read_form() -> str:
    from costrel import request

    return request.form["name"]


@pytest.mark.parametrize("name", ["close", "iter_encoded", "get_app_iter", "get_wsgi_headers", "get_wsgi_response"])
@pytest.mark.parametrize("edge", ["wsgi", "asgi"])
def test_a_method_assigned_to_a_response_is_called(app: Costrel, name: str, edge: str) -> None:
    called: list[str] = []
    app._got_first_request = False  # set up a little more

    @app.after_request
    def replace(response: Response) -> Response:
        original = getattr(response, name)

        def replacement(*args: object) -> object:
            called.append(name)
            return original(*args)

        setattr(response, name, replacement)
        return response

    answered = app.test_client(edge=edge).get("/")
    body = answered.data
    answered.close()
    assert (body, called[:1]) == (b"view", [name])


@pytest.mark.parametrize(
    "body", ["text", b"bytes", ["a", "list"], iter(["a", "generator"])], ids=["str", "bytes", "list", "iterator"]
)
def test_a_close_assigned_to_a_response_runs_for_every_kind_of_body(body: object) -> None:
    app = Costrel("closing", static_folder=None)
    closed: list[bool] = []

    @app.route("/")
    def index() -> Response:
        response = Response(body)  # type: ignore[arg-type]  # each of them is a body
        close = response.close

        def closing() -> None:
            closed.append(True)
            close()

        response.close = closing  # type: ignore[method-assign]  # as applications do
        return response

    app.test_client().get("/").close()
    assert closed == [True]


def test_a_patch_of_the_application_class_counts_at_once(app: Costrel) -> None:
    client = app.test_client()
    with mock.patch.object(Costrel, "make_response", return_value=Response("patched")):
        assert client.get("/").text == "patched"
    assert client.get("/").text == "view"
    with mock.patch.object(Costrel, "dispatch_request", return_value="dispatched"):
        assert client.get("/").text == "dispatched"
    assert client.get("/").text == "view"


def test_a_patch_of_the_application_itself_counts_at_once(app: Costrel) -> None:
    client = app.test_client()
    with mock.patch.object(app, "preprocess_request", return_value="before"):
        assert client.get("/").text == "before"
    with mock.patch.object(app, "finalize_request", return_value=Response("final")):
        assert client.get("/").text == "final"
    assert client.get("/").text == "view"


def test_patches_of_routing_count_at_once(app: Costrel) -> None:
    client = app.test_client()
    rule = next(app.url_map.iter_rules("index"))
    with mock.patch.object(MapAdapter, "match", return_value=(rule, {})):
        assert client.get("/elsewhere").text == "view"
    assert client.get("/elsewhere").status_code == 404
    seen: list[str] = []
    bind = app.url_map.bind_to_environ

    def binding(environ: dict[str, object], **kwargs: object) -> MapAdapter:
        seen.append("bound")
        return bind(environ, **kwargs)  # type: ignore[arg-type]  # passed on as they are

    with mock.patch.object(app.url_map, "bind_to_environ", binding):
        client.get("/")
    with mock.patch.object(Map, "bind_to_environ", lambda self, environ, **kwargs: binding(environ, **kwargs)):
        client.get("/")
    assert len(seen) == 2


def test_patches_of_sessions_count_at_once(app: Costrel) -> None:
    from costrel import session

    app._got_first_request = False
    app.add_url_rule("/session", "session", lambda: session.setdefault("a", "b"))
    client = app.test_client()
    saved: list[object] = []
    with mock.patch.object(
        SecureCookieSessionInterface, "save_session", lambda self, app, session, response: saved.append(session)
    ):
        assert client.get("/session").text == "b"
    assert len(saved) == 1


def test_patches_of_the_form_parser_count_at_once(app: Costrel) -> None:
    client = app.test_client()
    assert client.post("/form", data={"name": "ada"}).text == "ada"
    original = FormDataParser._parse_urlencoded
    called: list[bool] = []

    def parsing(self: FormDataParser, *args: object) -> object:
        called.append(True)
        return original(self, *args)  # type: ignore[arg-type]  # passed on as they are

    with mock.patch.object(FormDataParser, "_parse_urlencoded", parsing):
        assert client.post("/form", data={"name": "ada"}).text == "ada"
    assert called == [True]


def test_what_is_async_is_told_by_the_function() -> None:
    async def view() -> str:
        return ""

    assert is_async(view)
    assert not is_async(lambda: "")
