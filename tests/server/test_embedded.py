"""Granian inside the process: requests, streams, WebSockets and TLS, and an end that nothing can hold up."""

import asyncio
import contextlib
import http.client
import logging
import socket
import ssl
import threading
import time
from pathlib import Path

from costrel.devserver import embedded
from costrel.devserver.certificates import make_ssl_devcert
from costrel.devserver.embedded import EmbeddedServer
from costrel.server.errors import StartError


async def hello(scope, receive, send):
    """Answers every request with its path; knows lifespans."""
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": scope["path"].encode()})


async def lifespan(receive, send):
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def get(port, path="/", **options):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10, **options)
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, body


def test_a_server_in_a_thread_answers_and_stops(serving):
    with serving(hello) as (server, port):
        assert get(port, "/a/b") == (200, b"/a/b")

    assert server.errors == []


def test_a_client_that_keeps_its_connection_does_not_hold_up_the_end(serving):
    with serving(hello) as (_server, port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/")
        connection.getresponse().read()
        started = time.monotonic()

    assert time.monotonic() - started < embedded.GRACE
    connection.close()


def test_a_stream_that_is_open_is_cut_at_the_end(serving, monkeypatch, connect, read_until, read_all):
    monkeypatch.setattr(embedded, "GRACE", 0.05)
    ended = threading.Event()

    async def stream(scope, receive, send):
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"first", "more_body": True})
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    with serving(stream) as (server, port):
        connection = connect(port)
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        read_until(connection, b"first\r\n")
        server.stop()
        rest = read_all(connection)
        connection.close()

    assert ended.is_set()
    assert b"0\r\n\r\n" not in rest
    assert server.errors == []


def test_what_is_in_progress_is_answered_before_the_end(serving):
    arrived, go_on = threading.Event(), threading.Event()

    async def slow(scope, receive, send):
        if scope["type"] == "http":
            arrived.set()
            await asyncio.get_running_loop().run_in_executor(None, go_on.wait)
        await hello(scope, receive, send)

    with serving(slow) as (server, port):
        answers = []
        client = threading.Thread(target=lambda: answers.append(get(port)))
        client.start()
        arrived.wait(10)
        server.stop()
        go_on.set()
        client.join(10)

    assert answers == [(200, b"/")]


def test_asked_a_second_time_a_server_does_not_wait(serving):
    arrived = threading.Event()

    async def endless(scope, receive, send):
        if scope["type"] == "http":
            arrived.set()
            await asyncio.Event().wait()
        await hello(scope, receive, send)

    with serving(endless) as (server, port):
        client = threading.Thread(target=lambda: get(port))
        client.start()
        arrived.wait(10)
        started = time.monotonic()
        server.stop()
        server.stop()
        server.thread.join(10)
        took = time.monotonic() - started
        client.join(10)

    assert took < embedded.GRACE


def test_a_request_that_refuses_to_end_does_not_hold_up_the_end(serving, monkeypatch):
    monkeypatch.setattr(embedded, "GRACE", 0.05)
    monkeypatch.setattr(embedded, "_CLEANUP_TIMEOUT", 0.05)
    arrived = threading.Event()

    async def stubborn(scope, receive, send):
        if scope["type"] == "http":
            arrived.set()
            cancelled = 0
            while cancelled < 2:
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    cancelled += 1
        await hello(scope, receive, send)

    def ask():
        with contextlib.suppress(http.client.HTTPException, ConnectionError):
            get(port)

    with serving(stubborn) as (server, port):
        client = threading.Thread(target=ask)
        client.start()
        arrived.wait(10)
        server.stop()
        server.thread.join(10)
        assert not server.thread.is_alive()
    client.join(10)


def test_a_server_that_was_stopped_before_it_began_ends_at_once(serving, quiet_logger):
    from costrel.server import addresses

    server = EmbeddedServer(hello, addresses.bind("127.0.0.1", 0), quiet_logger())
    server.stop()

    asyncio.run(server.run())

    assert server.sock.fileno() == -1


def test_an_application_that_refuses_to_start(serving, caplog):
    async def refuses(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    with serving(refuses) as (server, _port):
        server.thread.join(10)
        assert not server.thread.is_alive()

    (error,) = server.errors
    assert isinstance(error, StartError)
    assert str(error) == "The application failed to start. See the error above."
    assert "no database" in caplog.text


def test_logging_stays_as_the_application_set_it_up(serving, tmp_path):
    handler = logging.FileHandler(tmp_path / "log")
    root = logging.getLogger()
    root.addHandler(handler)
    handlers = list(root.handlers)
    try:
        with serving(hello) as (_, port):
            get(port)
        assert root.handlers == handlers
        assert handler.stream is not None
        assert not handler._closed
    finally:
        root.removeHandler(handler)
        handler.close()


def test_that_embedding_is_experimental_is_not_said(serving, caplog):
    with serving(hello) as (_, port):
        get(port)

    assert caplog.records == []


def test_a_websocket(serving, connect, read_until):
    async def echo(scope, receive, send):
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
            return
        await receive()
        await send({"type": "websocket.accept"})
        message = await receive()
        await send({"type": "websocket.send", "text": message["text"].upper()})
        await send({"type": "websocket.close"})

    with serving(echo) as (_, port):
        with connect(port) as connection:
            connection.sendall(
                b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            )
            head = read_until(connection, b"\r\n\r\n")
            connection.sendall(b"\x81\x82\x00\x00\x00\x00hi")
            answer = read_until(connection, b"HI")

    assert head.startswith(b"HTTP/1.1 101 ")
    assert answer.partition(b"\x88")[0].endswith(b"\x81\x02HI")  # the close frame may come with it


def test_https(serving, tmp_path):
    paths = make_ssl_devcert(str(tmp_path / "dev"), cn="localhost")
    trusting = ssl.create_default_context(cafile=paths[0])

    with serving(hello, certificate=tuple(map(Path, paths))) as (_, port):
        connection = http.client.HTTPSConnection("localhost", port, timeout=10, context=trusting)
        connection.request("GET", "/safe")
        body = connection.getresponse().read()
        connection.close()

    assert body == b"/safe"


def test_a_unix_socket(serving, tmp_path):
    import socket

    path = tmp_path / "a.sock"
    with serving(hello, host=f"unix://{path}"):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(str(path))
            connection.sendall(b"GET /there HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            received = b""
            while data := connection.recv(65_536):
                received += data

    assert received.endswith(b"\r\n\r\n/there")


def test_two_hundred_streams_leave_room_for_a_request(serving):
    async def endless(scope, receive, send):
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
        elif scope["path"] == "/":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
            await asyncio.sleep(60)
        else:
            await hello(scope, receive, send)

    with serving(endless) as (_server, port), contextlib.ExitStack() as stack:
        for _ in range(200):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert client.recv(1)
        assert get(port, "/one-more") == (200, b"/one-more")
