"""Async code reads the body of its request without ``await``, also if other code of the request runs in a thread."""

import functools

import pytest

from costrel import Costrel, request

SIZE = 100_000
"""More than a server hands over with the head of a request."""


def make_app():
    app = Costrel("pending")
    app.config.update(CSRF_PROTECTION=False, MAX_CONTENT_LENGTH=2 * SIZE)
    return app


def decorated(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


async def view():
    return str(len(request.get_data()))


async def async_hook():
    request.get_data()


def hook():
    pass


@pytest.mark.parametrize("view", [view, decorated(view), lambda: str(len(request.get_data()))])
@pytest.mark.parametrize(
    "hooks", [[], [hook], [async_hook], [hook, async_hook], [async_hook, hook]], ids=lambda hooks: str(len(hooks))
)
def test_the_body_has_arrived(view, hooks):
    app = make_app()
    for function in hooks:
        app.before_request(function)
    app.add_url_rule("/", "index", view, methods=["POST"])
    assert app.test_client(edge="asgi").post("/", data=b"x" * SIZE).text == str(SIZE)


@pytest.mark.parametrize("view", [view, decorated(view)])
@pytest.mark.parametrize("hooks", [[], [hook]], ids=["alone", "after a def hook"])
@pytest.mark.filterwarnings("error")
def test_a_body_that_is_too_large_is_refused_before_the_view(view, hooks):
    app = make_app()
    for function in hooks:
        app.before_request(function)
    app.add_url_rule("/", "index", view, methods=["POST"])
    assert app.test_client(edge="asgi").post("/", data=b"x" * 3 * SIZE).status_code == 413


def test_a_def_hook_refuses_a_request_without_its_body():
    app = make_app()
    app.before_request(lambda: ("refused", 401))
    app.add_url_rule("/", "index", view, methods=["POST"])
    response = app.test_client(edge="asgi").post("/", data=b"x" * SIZE)
    assert (response.status_code, response.text) == (401, "refused")
