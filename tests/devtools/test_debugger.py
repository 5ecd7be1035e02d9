"""The debugger around an application, by ASGI and by WSGI."""

import asyncio
import re

import pytest

from costrel.devtools import pin
from costrel.devtools.debugger import KEPT_ERRORS, DebuggedApplication, _ConsoleFrame
from costrel.devtools.development import DevelopmentApplication
from costrel.messages.response import Response
from costrel.testing.client import Client

from .asgi_client import ask, get

HTML = {"accept": "text/html"}


def shows(development, path, **options):
    return get(development, path, headers={**HTML, **options.pop("headers", {})}, **options)


def test_an_exception_becomes_a_page(development, capsys):
    got = shows(development, "/fails/3")
    assert (500, "text/html; charset=utf-8", "no-store") == (
        got.status,
        got.headers["content-type"],
        got.headers["cache-control"],
    )
    assert '<span class="kind">ValueError</span>' in got.text
    assert "<code>{&#39;apples&#39;: 3}</code>" in got.text
    assert "<th><code>number</code></th><td><code>3</code></td>" in got.text
    assert "<tr><th><code>rule</code></th><td><code>/fails/&lt;int:number&gt;</code></td></tr>" in got.text
    log = capsys.readouterr().err
    assert log.startswith("Traceback (most recent call last):\n  … ")
    assert "◀ your code" in log


def test_an_async_view_has_its_page(development, capsys):
    assert "on the loop" in shows(development, "/async").text


def test_a_program_gets_the_traceback_as_text(development, capsys):
    got = get(development, "/fails/3", headers={"accept": "*/*"})
    assert "text/plain; charset=utf-8" == got.headers["content-type"]
    assert got.text.startswith("GET /fails/3\n\nTraceback (most recent call last):\n")
    assert "ValueError: no <script>alert(1)</script> --> {'apples': 3}" in got.text


def test_the_page_can_be_copied(development, capsys):
    text = shows(development, "/fails/3", query="token=0123456789&x=1").text
    plain, markdown = (
        re.search(rf'id="{name}">(.*?)</textarea>', text, re.S)[1] for name in ("plain-text", "markdown-text")
    )
    assert "Traceback" in plain
    assert markdown.startswith("### ValueError: no &lt;script&gt;")
    assert "```python" in markdown
    assert "0123456789" not in text
    assert "x=1" in text


def test_the_editor_is_linked(development, monkeypatch, capsys):
    assert re.search(r'href="vscode://file/[^"]+conftest.py:\d+"', shows(development, "/fails/3").text)
    monkeypatch.setenv("COSTREL_EDITOR", "pycharm")
    assert re.search(r'href="pycharm://open\?file=/[^"]+conftest.py&amp;line=\d+"', shows(development, "/fails/3").text)
    monkeypatch.setenv("COSTREL_EDITOR", "my://{file}@{line}")
    assert re.search(r'href="my:///[^"]+conftest.py@\d+"', shows(development, "/fails/3").text)
    monkeypatch.setenv("COSTREL_EDITOR", "off")
    assert '<a class="file"' not in shows(development, "/fails/3").text


def evaluating(development, code, headers=(), frame=None, **options):
    debugger = development.debugger
    cookie = {"cookie": f"{debugger.pin_cookie_name}={pin.make_ticket(debugger.pin)}"}
    frame = next(f for f in debugger.frames.values() if f.is_focus).id if frame is None else frame
    query = f"__debugger__=yes&cmd=eval&s={debugger.secret}&frm={frame}"
    return ask(
        development, query=query, method="POST", body=code.encode(), headers={**cookie, **dict(headers)}, **options
    )


def test_a_console_has_the_variables_and_the_request(development, capsys):
    async def story():
        await ask(development, "/fails/3", headers=HTML)
        got = await evaluating(development, "basket['apples'] + number")
        assert (200, "0", True) == (got.status, got.headers["x-console-more"], got.scope["costrel.quiet"])
        assert '<span class="number">6</span>' in got.text
        assert "/fails/3" in (await evaluating(development, "request.path")).text
        assert "1" == (await evaluating(development, "if 1:")).headers["x-console-more"]
        assert 413 == (await evaluating(development, "x" * 200_000)).status

    asyncio.run(story())


def test_the_console_of_the_application(app):
    development = DevelopmentApplication(app, app.asgi)

    async def story():
        got = await ask(development, "/__costrel__/console")
        assert 'data-frame="0"' in got.text
        assert "shop" in (await evaluating(development, "app.name", frame=0)).text
        assert "shop" in (await evaluating(development, "__import__('costrel').current_app.name", frame=0)).text

    asyncio.run(story())


def test_old_errors_are_let_go(development, capsys):
    async def story():
        for number in range(KEPT_ERRORS + 3):
            await ask(development, f"/fails/{number}", headers=HTML)

    asyncio.run(story())
    focused = [frame for frame in development.debugger.frames.values() if frame.is_focus]
    assert KEPT_ERRORS == len(focused)
    assert development.debugger.frames.keys() | {0} == development.debugger.frame_contexts.keys()


def test_an_error_that_comes_again_is_logged_once(app, capsys):
    error = ValueError("the same")

    @app.get("/same")
    def same():
        raise error

    development = DevelopmentApplication(app, app.asgi)
    shows(development, "/same")
    assert "the same" in capsys.readouterr().err
    shows(development, "/same")
    assert "" == capsys.readouterr().err


def test_an_answer_that_was_begun_is_cut(development, capsys):
    got = shows(development, "/stream")
    assert (200, False, "half-way") == (got.status, got.complete, str(got.error))
    assert "half-way" in capsys.readouterr().err


def test_without_the_debugger_errors_pass(app):
    development = DevelopmentApplication(app, app.asgi, debugger=False)
    assert "on the loop" == str(shows(development, "/async").error)
    assert 404 == get(development, "/__costrel__/console").status


def test_the_pin_is_said_at_the_first_start_and_when_asked_for(development, monkeypatch, capsys):
    debugger = development.debugger
    debugger.log_pin()
    assert f" * Debugger is active!\n * Debugger PIN: {debugger.pin}\n" == capsys.readouterr().err
    got = get(development, query=f"__debugger__=yes&cmd=printpin&s={debugger.secret}")
    assert (200, f"code: {debugger.pin}\n") == (got.status, capsys.readouterr().err[-len(debugger.pin) - 7 :])
    monkeypatch.setenv("COSTREL_RELOADED", "true")
    debugger.log_pin()
    assert "" == capsys.readouterr().err


def test_the_pin_may_be_chosen_or_turned_off(monkeypatch):
    monkeypatch.setenv("WERKZEUG_DEBUG_PIN", "123-456")
    assert "123-456" == pin.get_pin_and_cookie_name(None)[0]
    monkeypatch.setenv("WERKZEUG_DEBUG_PIN", "letters")
    assert 19 == len(pin.get_pin_and_cookie_name(None)[0])
    monkeypatch.setenv("COSTREL_DEBUG_PIN", "off")
    assert (None, None) == pin.get_pin_and_cookie_name(None)
    debugger = DebuggedApplication(None, evalex=True)
    assert (None, "__costrel_pin") == (debugger.pin, debugger.pin_cookie_name)
    assert debugger.check_pin_trust({}) is True


def test_the_secret_of_a_start_is_handed_on(monkeypatch):
    handed_on = pin.environment_for_child()
    first = pin.make_pin()
    monkeypatch.setattr(pin, "_secret", None)
    monkeypatch.setenv(*next(iter(handed_on.items())))
    assert first == pin.make_pin()
    assert pin.SECRET_VARIABLE not in __import__("os").environ


# -- by WSGI


def failing(environ, start_response):
    environ["werkzeug.debug.preserve_context"](Recorded(environ))
    raise ValueError("a message")


class Recorded:
    entered = 0

    def __init__(self, environ):
        pass

    def __enter__(self):
        Recorded.entered += 1

    def __exit__(self, *exc_info):
        pass


@pytest.fixture
def debugged():
    return DebuggedApplication(failing, evalex=True, console_init_func=lambda: {"zz": 5})


def command(client, debugged, **parameters):
    return client.get("/", query_string={"__debugger__": "yes", "s": debugged.secret, **parameters})


def test_the_wsgi_middleware_speaks_werkzeugs_protocol(debugged, capsys):
    client = Client(debugged)
    answer = client.get("/")
    assert (500, True) == (answer.status_code, "a message" in answer.text)
    assert capsys.readouterr().err.startswith("Traceback")
    frame = next(iter(debugged.frames))
    assert 500 == command(client, debugged, cmd="1+1", frm=frame).status_code
    answer = command(client, debugged, cmd="pinauth", pin=debugged.pin)
    assert {"auth": True, "exhausted": False} == answer.json
    answer = command(client, debugged, cmd="1+1", frm=frame)
    assert "&gt;" not in answer.text
    assert '>>> 1+1\n<span class="number">2</span>\n' == answer.text
    assert 1 == Recorded.entered
    assert {"auth": True, "exhausted": False} == command(client, debugged, cmd="pinauth").json
    assert 200 == client.get("/console").status_code
    assert "5" in command(client, debugged, cmd="zz", frm=0).text


def test_resources(debugged):
    client = Client(debugged)
    answer = command(client, debugged, cmd="resource", f="debugger.js")
    assert "text/javascript; charset=utf-8" == answer.headers["Content-Type"]
    for name in ("../page.py", "error.html", "none.js", ""):
        assert 404 == command(client, debugged, cmd="resource", f=name).status_code


def test_without_consoles_the_middleware_shows_errors_alone(capsys):
    def app(environ, start_response):
        assert "werkzeug.debug.preserve_context" not in environ
        raise ValueError("a message")

    debugged = DebuggedApplication(app)
    client = Client(debugged)
    assert 'data-evalex="false"' in client.get("/").text
    assert {} == debugged.frames
    assert 500 == client.get("/console").status_code


def test_the_middleware_passes_answers_on():
    closed = []

    def app(environ, start_response):
        response = Response("fine")
        response.call_on_close(lambda: closed.append(1))
        return response(environ, start_response)

    with Client(DebuggedApplication(app)).get("/") as answer:
        assert "fine" == answer.text
    assert [1] == closed


@pytest.mark.unvalidated("the application fails after it has begun")
def test_the_middleware_cuts_an_answer_that_was_begun(capsys):
    def app(environ, start_response):
        start_response("200 OK", [])
        yield b"begun"
        raise ValueError("half-way")

    with pytest.raises(ValueError, match="half-way"):
        b"".join(Client(DebuggedApplication(app)).get("/").response)


def test_a_middleware_without_pin():
    debugged = DebuggedApplication(failing, evalex=True, pin_security=False)
    client = Client(debugged)
    client.get("/")
    assert {"auth": True, "exhausted": False} == command(client, debugged, cmd="pinauth").json
    assert "2" in command(client, debugged, cmd="1+1", frm=next(iter(debugged.frames))).text


def test_under_the_reloader_the_middleware_says_its_pin(monkeypatch, capsys):
    monkeypatch.setenv("WERKZEUG_RUN_MAIN", "true")
    DebuggedApplication(failing, evalex=True, pin_logging=False)
    assert "" == capsys.readouterr().err
    DebuggedApplication(failing, evalex=True)
    assert "Debugger PIN" in capsys.readouterr().err


def test_a_console_without_a_frame():
    frame = _ConsoleFrame({"a": 1})
    assert (0, '>>> a\n<span class="number">1</span>\n') == (frame.id, frame.eval("a"))
