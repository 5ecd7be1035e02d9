"""`costrel request`."""

import pytest

import costrel
from costrel.cli import FlaskGroup


@pytest.fixture
def app():
    app = costrel.Costrel("shop", static_folder=None)
    request = costrel.request

    @app.route("/echo", methods=["GET", "POST", "PUT"])
    def echo():
        return {
            "method": request.method,
            "host": request.host,
            "args": request.args.to_dict(),
            "form": request.form.to_dict(),
            "json": request.get_json(silent=True),
            "type": request.content_type,
            "accept": request.headers.get("Accept"),
            "x": request.headers.getlist("X-A"),
        }

    @app.get("/stream")
    async def stream():
        async def pieces():
            yield "one "
            yield "two"

        return pieces()

    @app.get("/broken")
    def broken():
        raise RuntimeError("broken")

    return app


@pytest.fixture
def send(app, invoke):
    return lambda *arguments, input=None: invoke(FlaskGroup(create_app=lambda: app), "request", *arguments, input=input)


@pytest.fixture
def echo(send):
    """Send a request to the view that echoes it; gives the echo."""
    import json

    def echo(*arguments, input=None):
        result = send(*arguments, input=input)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return echo


def test_the_status_and_headers_go_beside_the_body(send):
    result = send("GET", "/stream")

    assert result.stdout == "one two"
    assert result.stderr.splitlines()[0] == "200 OK"
    assert "Content-Type: text/html; charset=utf-8" in result.stderr
    assert result.exit_code == 0


def test_the_query_and_the_host(echo):
    found = echo("get", "http://api.example/echo?a=1")

    assert (found["method"], found["host"], found["args"]) == ("GET", "api.example", {"a": "1"})


def test_headers(echo):
    assert echo("GET", "/echo", "-H", "X-A: 1", "-H", "x-a:2")["x"] == ["1, 2"]  # joined by WSGI


def test_a_form(echo):
    found = echo("POST", "/echo", "-d", "a=1", "-d", "b=2")

    assert found["form"] == {"a": "1", "b": "2"}


@pytest.mark.parametrize(
    "arguments", [("--json", "-d", '{"a": 1}'), ("--json", '{"a": 1}'), ("-d", '{"a": 1}', "--json")]
)
def test_json(echo, arguments):
    found = echo("PUT", "/echo", *arguments)

    assert (found["json"], found["type"], found["accept"]) == ({"a": 1}, "application/json", "application/json")


def test_own_headers_win(echo):
    assert echo("POST", "/echo", "-d", "{}", "-H", "content-type: text/x")["type"] == "text/x"


def test_data_from_a_file_and_from_standard_input(echo, folder):
    (folder / "data").write_bytes(b"a=1")

    assert echo("POST", "/echo", "-d", "@data")["form"] == {"a": "1"}
    assert echo("POST", "/echo", "-d", "@-", input=b"b=2")["form"] == {"b": "2"}


@pytest.mark.parametrize(("path", "status"), [("/none", "404"), ("/broken", "500")])
def test_errors_fail(send, path, status):
    result = send("GET", path)

    assert result.exit_code == 1
    assert result.stderr.startswith(status) or f"\n{status} " in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["GET", "echo"], "'echo' is neither a path"),
        (["GET", "/echo", "-H", "nothing"], "is not a header"),
        (["GET", "/echo", "-d", "@missing"], "cannot be read"),
        (["GET"], "Missing argument"),
    ],
)
def test_mistakes(send, folder, arguments, said):
    result = send(*arguments)

    assert result.exit_code == 2
    assert said in result.output


def test_an_application_keeps_its_own_command(invoke):
    app = costrel.Costrel("shop")
    app.cli.command("request")(lambda: print("mine"))

    assert invoke(FlaskGroup(create_app=lambda: app), "request").output == "mine\n"
