"""The client calls an application as a server does, and returns its response."""

from io import BytesIO

import pytest

from costrel.messages.response import Response
from costrel.testing.client import Client, TestResponse, run_wsgi_app
from costrel.testing.environ_builder import EnvironBuilder, create_environ

TEXT = [("Content-Type", "text/plain")]


def echo(environ, start_response):
    start_response("200 OK", TEXT)
    query = environ["QUERY_STRING"]
    return [f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}?{query} ".encode(), environ["wsgi.input"].read(-1)]


class Chunks:
    """A body that records reading and closing."""

    def __init__(self, events, *chunks):
        self.events = events
        self.chunks = iter(chunks)

    def __iter__(self):
        return self

    def __next__(self):
        self.events.append("read")
        return next(self.chunks)

    def close(self):
        self.events.append("closed")


@pytest.mark.parametrize("method", ["get", "post", "put", "delete", "patch", "options", "head", "trace"])
def test_each_method_has_its_name(method):
    response = getattr(Client(echo), method)("/a?b=c", method="OTHER")
    assert response.text == f"{method.upper()} /a?b=c "


def test_a_request_is_opened_in_several_forms():
    client = Client(echo)
    builder = EnvironBuilder("/b", method="PUT", data=b"body")
    assert client.open("/a", method="POST", data="x").data == b"POST /a? x"
    assert client.open(builder).data == b"PUT /b? body"
    assert not builder.closed
    assert client.open(EnvironBuilder("/b", data=b"body").get_environ()).data == b"GET /b? body"
    assert client.open(EnvironBuilder("/b", data=b"body").get_request()).data == b"GET /b? body"


def test_the_files_of_a_request_are_closed():
    file = BytesIO(b"x")
    assert b'name="f"' in Client(echo).post("/", data={"f": (file, "f.txt")}).data
    assert file.closed


def test_a_response_knows_its_request():
    response = Client(echo).get("/a")
    assert (response.request.path, response.history, response.status) == ("/a", (), "200 OK")
    assert repr(Client(echo)) == f"<Client {echo!r}>"


def test_a_response_is_read_as_text_or_json():
    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "application/json")])
        return ['{"name": "é"}'.encode()]

    response = Client(app).get("/")
    assert (response.text, response.json) == ('{"name": "é"}', {"name": "é"})


def test_responses_have_the_members_of_a_wrapper():
    class Wrapper(Response):
        size = 5

    client = Client(echo, Wrapper)
    assert client.get("/").size == 5
    assert issubclass(client.response_wrapper, (TestResponse, Wrapper))
    assert client.response_wrapper.__name__ == "WrapperTestResponse"
    assert Client(echo, client.response_wrapper).response_wrapper is client.response_wrapper
    assert Client(echo).response_wrapper is TestResponse
    assert Client(echo, Response).response_wrapper is TestResponse


def test_a_body_is_started_and_read_as_it_is_needed():
    events = []

    def app(environ, start_response):
        start_response("200 OK", TEXT)
        return Chunks(events, b"a", b"b")

    response = Client(app).get("/")
    assert events == ["read"]
    assert response.data == b"ab"
    response.close()
    assert events == ["read", "read", "read", "closed"]


def test_a_buffered_body_is_read_at_once():
    events = []

    def app(environ, start_response):
        start_response("200 OK", TEXT)
        return Chunks(events, b"a", b"b")

    response = Client(app).get("/", buffered=True)
    assert events == ["read", "read", "read", "closed"]
    assert response.data == b"ab"


def test_the_applications_environ_is_its_own():
    def app(environ, start_response):
        environ["changed"] = "yes"
        return echo(environ, start_response)

    environ = create_environ()
    run_wsgi_app(app, environ)
    assert "changed" not in environ
    assert run_wsgi_app(app, EnvironBuilder().get_request(), buffered=True)[1] == "200 OK"


@pytest.mark.parametrize("buffered", [False, True])
def test_what_is_written_comes_first(buffered):
    def app(environ, start_response):
        write = start_response("200 OK", TEXT)
        write(b"a")
        write(b"b")
        return [b"c"]

    body, status, headers = run_wsgi_app(app, create_environ(), buffered)
    assert (b"".join(body), status, headers.to_wsgi_list()) == (b"abc", "200 OK", TEXT)


@pytest.mark.parametrize("buffered", [False, True])
def test_a_response_may_start_with_its_first_chunk(buffered):
    def app(environ, start_response):
        yield b""
        start_response("201 Created", TEXT)
        yield b"a"

    body, status, _ = run_wsgi_app(app, create_environ(), buffered)
    assert (list(body), status) == ([b"", b"a"], "201 Created")


@pytest.mark.parametrize("buffered", [False, True])
def test_an_application_must_start_a_response(buffered):
    events = []

    def app(environ, start_response):
        return Chunks(events, b"a")

    with pytest.raises(RuntimeError) as error:
        run_wsgi_app(app, create_environ(), buffered)
    assert str(error.value) == f"The WSGI application {app!r} returned without calling start_response()."
    assert events[-1] == "closed"


def test_an_error_that_the_application_reports_is_raised():
    def app(environ, start_response):
        try:
            raise KeyError("lost")
        except KeyError as error:
            start_response("500 Oops", TEXT, exc_info=(KeyError, error, error.__traceback__))
        return [b"oops"]

    with pytest.raises(KeyError, match="lost"):
        run_wsgi_app(app, create_environ())


def test_an_error_before_the_first_chunk_closes_the_body():
    events = []

    class Failing(Chunks):
        def __next__(self):
            raise KeyError("lost")

    def app(environ, start_response):
        start_response("200 OK", TEXT)
        return Failing(events)

    with pytest.raises(KeyError, match="lost"):
        run_wsgi_app(app, create_environ())
    assert events == ["closed"]
