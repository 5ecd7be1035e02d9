"""Group F of the security table: access to the debugger, and secrets that no page shows."""

import asyncio
import os
import re
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest

from costrel import Costrel
from costrel.app.application import Flask
from costrel.devserver import wsgi_serving
from costrel.devserver.development import Options, serve
from costrel.devtools import pin
from costrel.devtools.debugger import DebuggedApplication
from costrel.devtools.development import DevelopmentApplication
from costrel.server.errors import StartError
from costrel.testing.client import Client

from .asgi_client import ask, get

HTML = {"accept": "text/html"}


@pytest.fixture(params=[Costrel, Flask], ids=["native", "flask"])
def profile(request):
    return request.param


def secret_of(html: str) -> str:
    return re.search(r'data-secret="([^"]*)"', html)[1]


def failing(environ, start_response):
    raise ValueError("a message")


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "0.0.0.0", "localhost@evil"]
)
def test_f1_a_page_of_another_site_sees_no_traceback_and_no_secret(development, host, capsys):
    got = get(development, "/fails/3", headers={**HTML, "host": host})
    assert 500 == got.status if "@" not in host else got.status in (400, 500)
    assert "basket" not in got.text
    assert development.debugger.secret not in got.text


def test_f1_another_computer_sees_no_traceback(development, capsys):
    got = get(development, "/fails/3", headers=HTML, client=("192.168.0.7", 4000))
    assert (500, False) == (got.status, "basket" in got.text)
    behind_proxy = get(development, "/fails/3", headers={**HTML, "x-forwarded-for": "192.168.0.7"})
    assert (500, False) == (behind_proxy.status, "basket" in behind_proxy.text)
    assert (500, False) == (
        (got := get(development, "/fails/3", headers=HTML, client=None)).status,
        "basket" in got.text,
    )


@pytest.mark.parametrize("command", ["pinauth", "printpin", "eval"])
def test_f1_a_command_under_another_name_is_refused(development, command, capsys):
    debugger = development.debugger
    get(development, "/fails/3", headers=HTML)
    frame = next(iter(debugger.frames))
    debugger.pin = "1-2"
    query = f"__debugger__=yes&cmd={command}&s={debugger.secret}&pin=12&frm={frame}"
    cookie = f"{debugger.pin_cookie_name}={pin.make_ticket('1-2')}"
    for headers in ({"host": "evil.example"}, {"sec-fetch-site": "cross-site"}):
        got = get(development, "/", query=query, headers={**headers, "cookie": cookie})
        assert 400 == got.status
        assert "set-cookie" not in got.headers


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:5000", "[::1]:5000", "shop.localhost:5000"])
def test_f1_this_computer_sees_it_under_its_own_names(development, host, capsys):
    got = get(development, "/fails/3", headers={**HTML, "host": host}, client=("::ffff:127.0.0.1", 1))
    assert (500, True) == (got.status, "basket" in got.text)


@pytest.mark.parametrize("sent", ["for=192.168.0.7", "for=127.0.0.1", ""])
def test_f1_what_a_proxy_has_passed_on_in_the_standard_header_is_of_another_computer(development, sent, capsys):
    got = get(development, "/fails/3", headers={**HTML, "forwarded": sent})
    assert (500, False) == (got.status, "basket" in got.text)


@pytest.mark.parametrize(("name", "seen"), [("::1", True), ("::2", False), ("127.0.0.1", True), ("10.0.0.1", False)])
def test_f1_without_a_host_the_servers_own_name_counts(name, seen, capsys):
    application = DebuggedApplication(failing)

    def without_a_host(environ, start_response):
        del environ["HTTP_HOST"]
        environ["SERVER_NAME"] = name
        return application(environ, start_response)

    assert seen == ("a message" in Client(without_a_host).get("/").text)


@pytest.mark.parametrize(("host", "trusted"), [("127.0.0.5", True), ("0.0.0.0", False), ("192.168.0.7", False)])
@pytest.mark.parametrize("application", [failing, Costrel("shop", static_folder=None)], ids=["wsgi", "costrel"])
def test_f1_run_simple_adds_the_name_of_this_computer_alone(monkeypatch, application, host, trusted):
    served = []
    server = SimpleNamespace(log_startup=lambda: None, serve_forever=lambda: None)
    monkeypatch.setattr(wsgi_serving, "make_server", lambda host, port, app, *rest: served.append(app) or server)

    wsgi_serving.run_simple(host, 5000, application, use_debugger=True)

    (debugged,) = served
    assert isinstance(debugged, DebuggedApplication)
    assert trusted == (host in debugged.trusted_hosts)


def test_f1_the_wsgi_middleware_has_the_same_gates(capsys):
    client = Client(DebuggedApplication(failing, evalex=True))
    assert "a message" in client.get("/").text
    assert "a message" not in client.get("/", base_url="http://evil.example").text
    assert "a message" not in client.get("/", environ_base={"REMOTE_ADDR": "192.168.0.7"}).text
    assert 400 == client.get("/console", base_url="http://evil.example").status_code


def test_f2_the_pin_is_random_at_every_start():
    code = "from costrel.devtools.pin import get_pin_and_cookie_name as get; print(*get(None))"
    outputs = {subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout for _ in range(2)}
    assert 2 == len(outputs)
    chosen, name = outputs.pop().split()
    assert re.fullmatch(r"[2-9a-hjkmnp-z]{4}(-[2-9a-hjkmnp-z]{4}){3}", chosen)
    assert 31**16 > 2**64
    assert name.startswith("__costrel_")
    assert pin.get_machine_id() is None


def test_f2_a_ticket_cannot_be_made_without_the_secret_of_the_start(monkeypatch):
    ticket = pin.make_ticket("12")
    assert pin.check_ticket(ticket, "12")
    assert not pin.check_ticket(ticket, "13")
    assert not pin.check_ticket("1" + ticket, "12")
    assert not pin.check_ticket("no ticket", "12")
    monkeypatch.setattr(pin.time, "time", lambda: int(ticket.partition("|")[0]) + pin.PIN_TIME)
    assert not pin.check_ticket(ticket, "12")
    monkeypatch.undo()
    pin._secret = None
    assert not pin.check_ticket(ticket, "12")


def test_f3_the_eleventh_try_is_refused_even_if_it_is_right(development, capsys):
    debugger = development.debugger
    query = "__debugger__=yes&cmd=pinauth&s={}&pin={}"
    for number in range(10):
        got = get(development, query=query.format(debugger.secret, "wrong"))
        assert f'{{"auth": false, "exhausted": {"true" if number == 9 else "false"}}}' == got.text
    got = get(development, query=query.format(debugger.secret, debugger.pin))
    assert '{"auth": false, "exhausted": true}' == got.text
    assert "set-cookie" not in got.headers


def test_f3_threads_share_the_tries():
    tries = pin.Tries()
    taken = []
    threads = [threading.Thread(target=lambda: taken.extend(tries.take() for _ in range(20))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 10 == sum(taken)


def test_f3_the_right_pin_gives_the_tries_back(development):
    debugger = development.debugger
    query = "__debugger__=yes&cmd=pinauth&s={}&pin={}"
    for _ in range(9):
        get(development, query=query.format(debugger.secret, "wrong"))
    got = get(development, query=query.format(debugger.secret, debugger.pin.replace("-", "").upper()))
    assert '{"auth": true, "exhausted": false}' == got.text
    assert "; HttpOnly; Path=/; SameSite=Strict" in got.headers["set-cookie"]
    assert not debugger.tries.exhausted


def test_f4_a_message_cannot_become_markup(development, capsys):
    got = get(development, "/fails/3", headers=HTML)
    assert "<script>alert" not in got.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; --&gt;" in got.text
    comment = got.text[got.text.rindex("<!--") :]
    assert 1 == comment.count("-->")
    assert comment.rstrip().endswith("-->")
    nonce = re.search(r"script-src 'nonce-([^']+)'", got.headers["content-security-policy"])[1]
    assert set(re.findall(r"<script[^>]*>", got.text)) == {f'<script nonce="{nonce}">'}
    assert got.headers["content-security-policy"].startswith("default-src 'none'; ")


def test_f4_names_paths_and_values_cannot_become_markup(app, development, capsys):
    evil = "<img src=x onerror=alert(1)>"

    @app.get("/<path:path>")
    def echo(path):
        locals()[evil] = evil
        raise type(evil, (Exception,), {})(evil)

    got = get(development, f"/{evil}", query=f"x={evil}", headers={**HTML, "x-evil": evil})
    assert 500 == got.status
    assert "<img" not in got.text


def test_f5_outside_of_debug_mode_a_404_names_no_url_and_a_500_says_nothing(app):
    app.debug = False
    client = app.test_client()
    assert "secret-path" not in client.get("/secret-path").text
    answer = client.get("/fails/3")
    assert (500, False) == (answer.status_code, "basket" in answer.text)


def test_f5_in_debug_mode_strangers_see_the_same(development):
    for options in ({"headers": {**HTML, "host": "evil.example"}}, {"headers": HTML, "client": ("10.0.0.1", 1)}):
        got = get(development, "/secret-path", **options)
        assert (404, False, False) == (got.status, "secret-path" in got.text, "/form" in got.text)


def test_f6_a_debugger_that_others_can_reach_does_not_start(profile):
    app = profile("shop")
    with pytest.raises(StartError, match=r"other computers can reach the host 0\.0\.0\.0"):
        serve(app, "0.0.0.0", 0, Options(use_debugger=True))


def test_f6_a_debugger_in_several_processes_does_not_start(profile):
    app = profile("shop")
    with pytest.raises(StartError, match="a single process for its consoles, and 2 are requested"):
        serve(app, "127.0.0.1", 0, Options(use_debugger=True, processes=2))


def test_f6_several_processes_have_no_consoles(capsys):
    client = Client(DebuggedApplication(failing, evalex=True))
    text = client.get("/", environ_overrides={"wsgi.multiprocess": True}).text
    assert ("a message" in text, 'data-evalex="false"' in text) == (True, True)


def test_d15_nothing_of_the_environment_is_printed(app, monkeypatch, capsys):
    monkeypatch.setenv("DATABASE_PASSWORD", "tiger-in-the-tank")
    monkeypatch.setenv("HARMLESS_LOOKING", "but-of-the-process")

    @app.get("/environ")
    def environ():
        from costrel import request

        environ = {**request.environ, **os.environ}
        settings, process = app.config, os.environ
        own = os.environ["DATABASE_PASSWORD"]
        raise ValueError(f"cannot connect with {own}", len(environ), len(settings), len(process))

    development = DevelopmentApplication(app, app.asgi)
    for headers in (HTML, {"accept": "text/plain"}):
        got = get(
            development,
            "/environ",
            headers={**headers, "cookie": "session=cookie-value", "authorization": "Basic dXNl"},
        )
        assert 500 == got.status
        for secret in ("tiger", "but-of-the-process", "a-very-long-secret-key", "cookie-value", "dXNl"):
            assert secret not in got.text, secret
    assert "tiger" not in capsys.readouterr().err


def test_a_console_needs_the_secret_the_pin_and_a_known_frame(development, capsys):
    async def story():
        debugger = development.debugger
        page = await ask(development, "/fails/3", headers=HTML)
        secret, frame = secret_of(page.text), max(debugger.frames)
        cookie = {"cookie": f"{debugger.pin_cookie_name}={pin.make_ticket(debugger.pin)}"}
        evaluate = {"method": "POST", "body": b"basket"}

        async def status(secret, frame, headers):
            query = f"__debugger__=yes&cmd=eval&s={secret}&frm={frame}"
            return (await ask(development, query=query, headers=headers, **evaluate)).status

        assert 'data-trusted="false"' in page.text
        assert 404 == await status("wrong", frame, cookie)
        assert 404 == await status(secret, frame, {})
        assert 404 == await status(secret, frame, {"cookie": cookie["cookie"] + "x"})
        assert 404 == await status(secret, 10**9, cookie)
        assert 200 == await status(secret, frame, cookie)

    asyncio.run(story())
