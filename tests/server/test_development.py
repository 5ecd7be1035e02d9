"""`app.run`: the served application, addresses, options and errors."""

import asyncio
import http.client
import logging
import os
import signal
import sys
import threading
from pathlib import Path

import pytest

import costrel
from costrel.devserver import development, embedded
from costrel.devserver.development import Options, run_development, serve
from costrel.devserver.wsgi_handler import WSGIRequestHandler
from costrel.server import addresses
from costrel.server.errors import StartError


@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    for name in list(os.environ):
        if name.startswith(("COSTREL_", "FLASK_", "WERKZEUG_")):
            monkeypatch.delenv(name)


@pytest.fixture
def app():
    app = costrel.Costrel("shop")

    @app.route("/")
    def index():
        return "hello"

    return app


@pytest.fixture
def served(monkeypatch):
    """What `serve` is called with, in the place of serving."""
    calls = []
    monkeypatch.setattr(development, "serve", lambda *args: calls.append(args))
    return calls


@pytest.fixture
def places(monkeypatch):
    """The lines that say where a server is, which begins to serve with them."""
    announced = []
    said = threading.Event()

    def announce(text):
        announced.append(text)
        said.set()

    monkeypatch.setattr(development, "announce", announce)

    def wait():
        assert said.wait(10)
        return announced[0]

    return wait


class Servers:
    """The servers that are made, so that a test can stop them."""

    def __init__(self, monkeypatch):
        self.made = []
        self.cls = embedded.EmbeddedServer
        monkeypatch.setattr(embedded, "EmbeddedServer", self.make)

    def make(self, *args):
        self.made.append(self.cls(*args))
        return self.made[-1]


@pytest.fixture
def servers(monkeypatch):
    return Servers(monkeypatch)


def port_of(place):
    return int(place.rpartition(":")[2])


def get(port, path="/"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path)
    body = connection.getresponse().read()
    connection.close()
    return body


def test_an_application_runs_in_a_thread_until_it_is_stopped(app, places, servers, capsys):
    thread = threading.Thread(target=lambda: app.run(port=0))
    thread.start()

    body = get(port_of(places()))
    servers.made[0].stop()
    thread.join(10)

    assert body == b"hello"
    assert not thread.is_alive()
    assert capsys.readouterr().out == " * Serving Costrel app 'shop'\n * Debug mode: off\n"


def test_an_application_runs_where_a_loop_is_running(app, places, servers):
    def stop_when_asked():
        body.append(get(port_of(places())))
        servers.made[0].stop()

    async def main():
        app.run(port=0)

    body = []
    client = threading.Thread(target=stop_when_asked)
    client.start()
    asyncio.run(main())
    client.join(10)

    assert body == [b"hello"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_server_in_the_main_thread(app, places, number):
    def interrupt():
        places()
        signal.pthread_kill(threading.main_thread().ident, number)

    before = signal.getsignal(number)
    client = threading.Thread(target=interrupt)
    client.start()
    app.run(port=0)
    client.join(10)

    assert signal.getsignal(number) is before


def test_a_handler_that_the_application_has_set_is_left_alone(app, places, servers):
    heard = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))

    def interrupt():
        places()
        signal.pthread_kill(threading.main_thread().ident, signal.SIGTERM)
        servers.made[0].stop()

    client = threading.Thread(target=interrupt)
    client.start()
    try:
        app.run(port=0)
    finally:
        signal.signal(signal.SIGTERM, before)
    client.join(10)

    assert heard == [signal.SIGTERM]


def test_where_loops_take_no_signals_python_does(monkeypatch):
    class Loop:
        def add_signal_handler(self, number, handler):
            raise NotImplementedError

    handlers = {}
    monkeypatch.setattr(development.signal, "signal", lambda number, handler: handlers.update({number: handler}))
    stopped = []

    development._listen(Loop(), signal.SIGTERM, lambda: stopped.append(True))
    handlers[signal.SIGTERM](signal.SIGTERM, None)

    assert stopped == [True]


@pytest.mark.parametrize(
    ("arguments", "server_name", "expected"),
    [
        ({}, None, ("127.0.0.1", 5000)),
        ({"host": "0.0.0.0", "port": 80}, None, ("0.0.0.0", 80)),
        ({"port": 0}, None, ("127.0.0.1", 0)),
        ({"port": "8000"}, None, ("127.0.0.1", "8000")),
        ({}, "shop.example", ("shop.example", 5000)),
        ({}, "shop.example:8080", ("shop.example", 8080)),
        ({}, "shop.example:0", ("shop.example", 0)),
        ({"host": "localhost", "port": 1}, "shop.example:8080", ("localhost", 1)),
    ],
)
def test_where_an_application_is_served(app, served, arguments, server_name, expected):
    app.config["SERVER_NAME"] = server_name

    app.run(**arguments)

    ((_, host, port, _),) = served
    assert (host, port) == expected


def test_the_options_of_a_plain_run(app, served):
    app.run()

    assert served[0][3] == Options()


def test_debug_mode_brings_reloader_and_debugger(app, served):
    app.run(debug=True)

    assert app.debug is True
    assert served[0][3] == Options(use_reloader=True, use_debugger=True, use_refresh=True)


def test_what_is_asked_for_is_kept(app, served):
    app.run(debug=True, use_reloader=False, threaded=False, extra_files=["a"])

    assert served[0][3] == Options(use_debugger=True, use_refresh=True, threaded=False, extra_files=["a"])


OPTIONS = (
    "host, port, debug, load_dotenv, use_reloader, use_debugger, use_evalex, extra_files, exclude_patterns,"
    " reloader_interval, reloader_type, threaded, processes, request_handler, static_files, passthrough_errors,"
    " ssl_context, use_refresh."
)


@pytest.mark.parametrize(
    ("name", "meant"), [("nope", ""), ("reloader", " Did you mean 'use_reloader'?"), ("hots", " Did you mean 'host'?")]
)
def test_an_unknown_option_is_an_error(app, served, capsys, name, meant):
    with pytest.raises(TypeError) as caught:
        app.run(threaded=False, **{name: 1})

    assert str(caught.value) == f"run() got an unexpected keyword argument {name!r}.{meant} The options are {OPTIONS}"
    assert served == []
    assert capsys.readouterr().out == ""


def test_what_stands_in_for_the_server_takes_the_options_that_it_likes(app, monkeypatch):
    calls = []
    replacement = lambda *args, **options: calls.append(options)  # noqa: E731
    monkeypatch.setattr(development, "replaced_run_simple", lambda own: replacement)

    app.run(use_magic=True)

    assert calls == [{"threaded": True, "use_reloader": False, "use_debugger": False, "use_magic": True}]


def test_the_environment_sets_debug_mode(app, served, monkeypatch):
    monkeypatch.setenv("FLASK_DEBUG", "1")

    app.run()

    assert app.debug is True


def test_an_argument_wins_over_the_environment(app, served, monkeypatch):
    monkeypatch.setenv("COSTREL_DEBUG", "1")

    app.run(debug=False)

    assert app.debug is False


def test_dotenv_files_are_read(app, served, monkeypatch, tmp_path):
    (tmp_path / ".env").write_text("COSTREL_DEBUG=1\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "environ", dict(os.environ))

    app.run(load_dotenv=False)
    assert app.debug is False

    app.run()
    assert app.debug is True


def test_a_command_that_imports_the_module_is_not_held_up(app, served, monkeypatch, capsys):
    monkeypatch.setenv("FLASK_RUN_FROM_CLI", "true")

    app.run()

    assert served == []
    assert capsys.readouterr().out == (
        " * Ignoring a call of 'app.run()', since it would keep this command from running.\n"
        '   Put the call under: if __name__ == "__main__":\n'
    )


def test_the_process_that_the_reloader_starts_does_not_say_so_again(app, served, monkeypatch, capsys):
    monkeypatch.setenv("FLASK_RUN_FROM_CLI", "true")
    monkeypatch.setenv("WERKZEUG_RUN_MAIN", "true")

    app.run()

    assert capsys.readouterr().out == ""


def test_the_application_may_be_set_up_further_afterwards(app, served):
    app._got_first_request = True

    app.run()

    assert app._got_first_request is False


def test_a_port_in_use_ends_the_program(app, capsys):
    with addresses.bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit) as caught:
            app.run(port=port)

    assert caught.value.code == 1
    assert capsys.readouterr().err.startswith(f"Error: Port {port} on 127.0.0.1 is in use by another program. ")


def test_the_debugger_is_for_this_computer_alone(app):
    for host in ("0.0.0.0", "::"):
        with pytest.raises(StartError) as caught:
            serve(app, host, 0, Options(use_debugger=True, use_refresh=True))
        assert str(caught.value) == (
            f"The debugger lets anyone who can reach it run code, and other computers can reach the host {host}. Turn"
            " it off with --no-debugger (in code: use_debugger=False), or use --host 127.0.0.1."
        )


def test_with_the_reloader_too_it_is(app):
    with pytest.raises(StartError, match="The debugger lets anyone who can reach it run code"):
        serve(app, "0.0.0.0", 0, Options(use_debugger=True, use_refresh=True, use_reloader=True))


def test_under_flasks_name_it_starts_where_flask_would(app, monkeypatch):
    monkeypatch.setattr(development, "served_as_flask", lambda: True)

    development._refuse_exposed_debugger("0.0.0.0", Options(use_debugger=True, use_refresh=True))


class OtherHandler(WSGIRequestHandler):
    pass


@pytest.mark.parametrize(
    "option",
    [
        {"threaded": False},
        {"processes": 2},
        {"request_handler": OtherHandler},
        {"static_files": {"/a": "b"}},
        {"passthrough_errors": True},
    ],
)
def test_what_only_the_wsgi_server_can_do_is_done_by_it(app, monkeypatch, option):
    calls = []
    monkeypatch.setattr(development, "run_simple", lambda *args, **options: calls.append((args, options)))

    serve(app, "localhost", "5001", Options(**option))

    asked = vars(Options(**option))
    del asked["use_refresh"]  # pages are refreshed by the server over Granian alone
    assert calls == [(("localhost", 5001, app), asked)]


def test_an_ssl_context_is_one_of_these():
    import ssl

    assert Options(ssl_context=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)).need_wsgi()
    assert not Options(ssl_context="adhoc").need_wsgi()
    assert not Options(ssl_context=("a.crt", "a.key")).need_wsgi()


def test_a_package_that_needs_the_connections_socket_gets_it(monkeypatch):
    monkeypatch.delitem(sys.modules, "simple_websocket", raising=False)
    assert not Options().need_wsgi()
    monkeypatch.setitem(sys.modules, "simple_websocket", object())
    assert Options().need_wsgi()


@pytest.mark.parametrize("kind", ["adhoc", "files", "one file"])
def test_https(app, places, servers, tmp_path, kind):
    import ssl

    from costrel.devserver.certificates import make_ssl_devcert

    cert, key = make_ssl_devcert(str(tmp_path / "dev"))
    both = tmp_path / "both.pem"
    both.write_text(Path(cert).read_text() + Path(key).read_text())
    argument = {"adhoc": "adhoc", "files": (cert, key), "one file": (str(both), None)}[kind]
    thread = threading.Thread(target=lambda: app.run(port=0, ssl_context=argument))
    thread.start()

    place = places()
    unchecked = ssl.create_default_context()
    unchecked.check_hostname = False
    unchecked.verify_mode = ssl.CERT_NONE
    connection = http.client.HTTPSConnection("127.0.0.1", port_of(place), context=unchecked, timeout=10)
    connection.request("GET", "/")
    body = connection.getresponse().read()
    connection.close()
    servers.made[0].stop()
    thread.join(10)

    assert place.startswith(" * Running on https://127.0.0.1:")
    assert body == b"hello"


def test_a_certificate_that_is_not_there(app):
    with pytest.raises(StartError) as caught:
        serve(app, "127.0.0.1", 0, Options(ssl_context=("no.crt", "no.key")))

    assert str(caught.value) == ("The certificate or its key cannot be used: [Errno 2] No such file or directory.")


def test_the_process_that_serves_takes_the_socket_over(app, monkeypatch, servers):
    with addresses.bind("127.0.0.1", 0) as sock:
        port = sock.getsockname()[1]
        monkeypatch.setenv("WERKZEUG_RUN_MAIN", "true")
        monkeypatch.setenv("WERKZEUG_SERVER_FD", str(os.dup(sock.fileno())))
        watchers = []

        def run_reloadable(main, stop, watcher):
            watchers.append(watcher)
            client = threading.Thread(target=lambda: (bodies.append(get(port)), stop()))
            client.start()
            main()
            client.join(10)

        bodies = []
        monkeypatch.setattr(development, "run_reloadable", run_reloadable)

        serve(app, "127.0.0.1", port, Options(use_reloader=True, extra_files=["/a"], exclude_patterns=["*.b"]))

    assert bodies == [b"hello"]
    assert watchers[0].extra == {"/a"}
    assert watchers[0].exclude_patterns == ("*.b",)


def test_the_process_that_watches_hands_its_socket_on(app, monkeypatch, places):
    ports = []

    def supervise_with(sock, watcher):
        ports.append(sock.getsockname()[1])
        sock.close()
        return 4

    monkeypatch.setattr(development, "supervise_with", supervise_with)

    with pytest.raises(SystemExit) as caught:
        serve(app, "127.0.0.1", 0, Options(use_reloader=True))

    assert caught.value.code == 4
    assert places() == f" * Running on http://127.0.0.1:{ports[0]}"


def test_the_reloader_is_for_the_main_thread(app, capsys):
    def run():
        try:
            app.run(debug=True)
        except SystemExit as end:
            codes.append(end.code)

    codes = []
    thread = threading.Thread(target=run)
    thread.start()
    thread.join(10)

    assert codes == [1]
    assert capsys.readouterr().err == (
        "Error: The reloader works only in the main thread. Elsewhere, use app.run(use_reloader=False).\n"
    )


def test_what_is_said_at_the_start(caplog):
    from costrel.devserver.banner import announce

    caplog.set_level(logging.INFO, "costrel.server")

    announce(" * Running on http://127.0.0.1:5000")

    assert [record.getMessage() for record in caplog.records] == [
        "WARNING: This is a development server. In production, use costrel serve, or any WSGI or ASGI server.",
        " * Running on http://127.0.0.1:5000",
        "Press CTRL+C to quit",
    ]


def test_the_logger_has_werkzeugs_name_under_flasks(monkeypatch):
    from costrel.devserver import banner

    assert banner.server_logger().name == "costrel.server"
    monkeypatch.setattr(banner, "served_as_flask", lambda: True)
    assert banner.server_logger().name == "werkzeug"


def test_the_banner(monkeypatch, capsys):
    from costrel.devserver import banner

    banner.show_server_banner(None, None)
    banner.show_server_banner(True, "shop:app")
    monkeypatch.setattr(banner, "served_as_flask", lambda: True)
    banner.show_server_banner(False, "shop")
    monkeypatch.setenv("WERKZEUG_RUN_MAIN", "true")
    banner.show_server_banner(False, "shop")

    assert capsys.readouterr().out == (
        " * Serving Costrel app 'shop:app'\n * Debug mode: on\n * Serving Flask app 'shop'\n * Debug mode: off\n"
    )


def test_run_simple_may_be_replaced_under_flasks_name(app, monkeypatch):
    calls = []
    monkeypatch.setattr(
        development, "replaced_run_simple", lambda own: lambda *args, **options: calls.append((args, options))
    )

    run_development(app, "localhost", 5001)

    ((args, options),) = calls
    assert args == ("localhost", 5001, app)
    assert options == {"threaded": True, "use_reloader": False, "use_debugger": False}


def test_what_is_not_a_port_is_said_by_the_wsgi_server_too(app):
    with pytest.raises(StartError, match="'http' is not a port"):
        serve(app, "127.0.0.1", "http", Options(threaded=False))
