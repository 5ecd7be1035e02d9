"""HTTP errors: their texts and their responses."""

import pytest

from costrel.http import errors
from costrel.http.errors import (
    Aborter,
    BadRequestKeyError,
    HTTPException,
    MethodNotAllowed,
    NotFound,
    abort,
    default_exceptions,
    plug_response_class,
)


class Response:
    """A response as the errors see one."""

    status_code = 200

    def __init__(self, body, status, headers):
        self.body, self.status, self.headers = body, status, headers

    def __call__(self, environ, start_response):
        start_response(self.status, self.headers)
        return [self.body.encode()]


@pytest.fixture
def response_class(monkeypatch):
    monkeypatch.setattr(errors, "response_class", None)
    plug_response_class(Response)
    return Response


def test_an_error_page_is_escaped():
    assert NotFound("<script>\n&").get_body() == (
        "<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n"
        "<p>&lt;script&gt;<br>&amp;</p>\n"
    )


def test_an_error_makes_its_response_with_the_class_plugged_in(response_class):
    response = MethodNotAllowed(["GET", "HEAD"]).get_response()
    assert isinstance(response, response_class)
    assert response.status == 405
    assert response.headers == [("Content-Type", "text/html; charset=utf-8"), ("Allow", "GET, HEAD")]


def test_an_error_is_a_wsgi_application(response_class):
    started = []
    body = NotFound("gone")({}, lambda *args: started.append(args))
    assert started == [(404, [("Content-Type", "text/html; charset=utf-8")])]
    assert b"".join(body).endswith(b"<p>gone</p>\n")


def test_an_error_gives_the_response_that_it_was_given():
    response = Response("x", 418, [])
    assert NotFound(response=response).get_response({}) is response


def test_without_a_response_class_the_error_says_what_to_do(monkeypatch):
    monkeypatch.setattr(errors, "response_class", None)
    with pytest.raises(RuntimeError, match=r"NotFound cannot create a response.*plug_response_class"):
        NotFound().get_response()


def test_every_class_has_the_code_that_it_is_raised_for():
    assert {code: cls.code for code, cls in default_exceptions.items()} == {code: code for code in default_exceptions}


def test_abort_raises_the_error_of_a_code():
    with pytest.raises(NotFound) as caught:
        abort(404, "no such page")
    assert caught.value.description == "no such page"


def test_abort_sends_a_response():
    response = Response("x", 200, [])
    with pytest.raises(HTTPException) as caught:
        abort(response)
    assert caught.value.get_response() is response


def test_an_unknown_code_is_a_lookup_error():
    with pytest.raises(LookupError, match="no exception for 999"):
        abort(999)


def test_an_aborter_knows_its_own_classes():
    class Teapot(HTTPException):
        code = 777

    with pytest.raises(Teapot):
        Aborter(extra={777: Teapot})(777)
    assert str(Teapot("hot")) == "777 Unknown Error: hot"
    assert repr(HTTPException()) == "<HTTPException '???: Unknown Error'>"


def test_a_missing_key_is_named_only_on_demand():
    error = BadRequestKeyError("<key>")
    assert "key" not in error.get_body()
    error.show_exception = True
    assert error.get_body().endswith("<br>KeyError: &#39;&lt;key&gt;&#39;</p>\n")
