"""The WSGI development server: which one is made, TLS, and `run_simple`."""

import errno
import http.client
import os
import re
import ssl
import threading

import pytest

from costrel.devserver import certificates, wsgi_serving
from costrel.devserver.wsgi_handler import WSGIRequestHandler
from costrel.devserver.wsgi_serving import (
    BaseWSGIServer,
    ForkingWSGIServer,
    ThreadedWSGIServer,
    make_server,
    run_simple,
)

from .wsgi_served import hello, served


@pytest.mark.parametrize("argument", ["adhoc", "files", "context"])
def test_https(tmp_path, argument):
    paths = certificates.make_ssl_devcert(str(tmp_path / "dev"))
    ssl_context = {"adhoc": "adhoc", "files": paths, "context": certificates.load_ssl_context(*paths)}[argument]
    unchecked = ssl.create_default_context()
    unchecked.check_hostname = False
    unchecked.verify_mode = ssl.CERT_NONE
    schemes = []

    def app(environ, start_response):
        schemes.append((environ["wsgi.url_scheme"], environ.get("SSL_CLIENT_CERT")))
        return hello(environ, start_response)

    with served(app, ssl_context=ssl_context) as server:
        connection = http.client.HTTPSConnection("127.0.0.1", server.port, context=unchecked, timeout=10)
        connection.request("GET", "/")
        body = connection.getresponse().read()
        connection.close()

    assert body == b"hello"
    assert schemes == [("https", None)]


class FakeTLS(ssl.SSLSocket):
    """A connection over TLS whose client shows `certificate`, or that has not shaken hands yet."""

    def __init__(self, certificate):
        self.certificate = certificate

    def getpeercert(self, binary_form=False):
        if self.certificate == b"too early":
            raise ValueError("handshake not done yet")
        return self.certificate


@pytest.mark.parametrize(
    ("certificate", "pem"),
    [
        (b"DER", "-----BEGIN CERTIFICATE-----\nREVS\n-----END CERTIFICATE-----\n"),
        (None, None),
        (b"too early", None),
    ],
)
def test_the_certificate_of_a_client(certificate, pem):
    class Handler(WSGIRequestHandler):
        def make_environ(self):
            return {**super().make_environ(), "wsgi.input": None}

    handler = object.__new__(Handler)
    with make_server("127.0.0.1", 0, hello) as server:
        handler.server = server
        handler.connection = FakeTLS(certificate)
        handler.client_address = ("127.0.0.1", 5)
        handler.command, handler.path, handler.request_version = "GET", "/", "HTTP/1.1"
        handler.headers = {}
        handler.rfile = None

        assert handler.make_environ().get("SSL_CLIENT_CERT") == pem


def test_which_server_is_made():
    for options, cls in [
        ({}, BaseWSGIServer),
        ({"threaded": True}, ThreadedWSGIServer),
        ({"processes": 3}, ForkingWSGIServer),
    ]:
        with make_server("127.0.0.1", 0, hello, **options) as server:
            assert type(server) is cls
            assert server.socket.getsockname() == ("127.0.0.1", server.port)
    assert server.max_children == 3


def test_threads_and_processes_exclude_each_other():
    with pytest.raises(ValueError) as caught:
        make_server("127.0.0.1", 0, hello, threaded=True, processes=2)

    assert str(caught.value) == (
        "A server cannot use both threads and several processes. Set threaded or processes, not both."
    )


def test_where_processes_cannot_fork(monkeypatch):
    monkeypatch.setattr(wsgi_serving, "can_fork", False)

    with pytest.raises(ValueError, match="This system cannot fork processes"):
        make_server("127.0.0.1", 0, hello, processes=2)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot fork here")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_server_with_processes(exchange):
    def app(environ, start_response):
        start_response("200 OK", [])
        return [str(os.getpid()).encode()]

    with served(app, processes=2) as server:
        answer = exchange(server.port, b"GET / HTTP/1.0\r\n\r\n")

    assert int(answer.rpartition(b"\r\n\r\n")[2]) != os.getpid()


def test_a_port_in_use_ends_the_process(capsys):
    with make_server("127.0.0.1", 0, hello) as first:
        with pytest.raises(SystemExit) as caught:
            make_server("127.0.0.1", first.port, hello)

    assert caught.value.code == 1
    assert capsys.readouterr().err.startswith(f"Port {first.port} on 127.0.0.1 is in use by another program. ")


def test_any_other_error_of_binding_is_raised(monkeypatch):
    monkeypatch.setattr(BaseWSGIServer, "server_activate", lambda self: (_ for _ in ()).throw(RuntimeError("no")))

    with pytest.raises(RuntimeError, match="no"):
        make_server("127.0.0.1", 0, hello)


def test_a_socket_may_be_given(exchange):
    with make_server("127.0.0.1", 0, hello) as first:
        with make_server("127.0.0.1", 0, hello, fd=first.fileno()) as second:
            assert second.port == first.port


def test_a_keyboard_interrupt_ends_a_server(monkeypatch):
    def interrupt(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(BaseWSGIServer, "service_actions", interrupt)
    server = make_server("127.0.0.1", 0, hello)

    server.serve_forever(poll_interval=0.01)

    assert server.fileno() == -1


def test_run_simple_serves_until_it_is_interrupted(monkeypatch, log):
    monkeypatch.delenv("WERKZEUG_SERVER_FD", raising=False)
    served_by = []
    monkeypatch.setattr(BaseWSGIServer, "serve_forever", lambda self: (served_by.append(self), self.server_close()))

    run_simple("127.0.0.1", 0, hello)

    (server,) = served_by
    assert server.app is hello
    assert log() == [
        wsgi_serving.NOT_FOR_PRODUCTION,
        f" * Running on http://127.0.0.1:{server.port}",
        "Press CTRL+C to quit",
    ]


def test_run_simple_wants_a_number_for_a_port():
    with pytest.raises(TypeError, match="port must be an integer"):
        run_simple("127.0.0.1", "5000", hello)


def test_run_simple_serves_folders(monkeypatch, tmp_path):
    monkeypatch.delenv("WERKZEUG_SERVER_FD", raising=False)
    (tmp_path / "a.txt").write_text("a file")
    apps = []
    monkeypatch.setattr(BaseWSGIServer, "serve_forever", lambda self: (apps.append(self.app), self.server_close()))

    run_simple("127.0.0.1", 0, hello, static_files={"/files": str(tmp_path)})

    started = []
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/files/a.txt"}
    body = apps[0](environ, lambda status, headers, exc_info=None: started.append(status))
    assert b"".join(body) == b"a file"
    body.close()
    assert started == ["200 OK"]


def test_the_process_that_the_reloader_starts_takes_the_socket_over(monkeypatch, log):
    with make_server("127.0.0.1", 0, hello) as first:
        monkeypatch.setenv("WERKZEUG_RUN_MAIN", "true")
        monkeypatch.setenv("WERKZEUG_SERVER_FD", str(first.fileno()))
        ports = []
        monkeypatch.setattr(
            BaseWSGIServer, "serve_forever", lambda self: (ports.append(self.port), self.server_close())
        )

        run_simple("127.0.0.1", 0, hello)

    assert ports == [first.port]
    assert log() == []


def test_with_the_reloader_another_process_serves(monkeypatch):
    monkeypatch.delenv("WERKZEUG_RUN_MAIN", raising=False)
    watchers = []

    def supervise_with(sock, watcher):
        watchers.append(watcher)
        sock.close()
        return 3

    monkeypatch.setattr(wsgi_serving, "supervise_with", supervise_with)
    with pytest.raises(SystemExit) as caught:
        run_simple("127.0.0.1", 0, hello, use_reloader=True, extra_files=["/a"], reloader_type="stat")

    assert caught.value.code == 3
    assert (watchers[0].extra, watchers[0].name) == ({"/a"}, "stat")


def test_the_other_process_serves_until_a_file_changes(monkeypatch, exchange):
    answers = []

    def run_reloadable(main, stop, watcher):
        client = threading.Thread(
            target=lambda: (answers.append(exchange(first.port, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")), stop())
        )
        client.start()
        main()
        client.join(10)

    monkeypatch.setattr(wsgi_serving, "run_reloadable", run_reloadable)
    with make_server("127.0.0.1", 0, hello) as first:
        monkeypatch.setenv("WERKZEUG_RUN_MAIN", "true")
        monkeypatch.setenv("WERKZEUG_SERVER_FD", str(first.fileno()))

        run_simple("127.0.0.1", 0, hello, use_reloader=True)

    assert answers[0].endswith(b"hello")


def test_under_flasks_name_the_server_is_called_werkzeug(monkeypatch):
    monkeypatch.setattr(wsgi_serving, "served_as_flask", lambda: True)
    with make_server("127.0.0.1", 0, hello) as server:
        assert re.fullmatch(r"Werkzeug/3\.\d+\.\d+", server._server_version)


def test_an_address_that_is_not_free_has_its_reason():
    assert wsgi_serving.explain("127.0.0.1", 1, OSError(errno.EACCES, "")).startswith("No permission to use port 1 ")
