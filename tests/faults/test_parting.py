"""Replacing workers and stopping servers lose no request on keep-alive connections."""

import os
import signal
import socket
import time
from contextlib import contextmanager

import pytest

from ..processes import PATIENCE, wait_until
from .keepalive import NGINX_COMMAND, KeepAlive, KeepAlive2, nginx
from .processes import read_all, served

pytestmark = [pytest.mark.ci, pytest.mark.xdist_group("faults")]

needs_nginx = pytest.mark.skipif(NGINX_COMMAND is None, reason="nginx is not installed")


def reload(server, times):
    """Have all workers replaced so many times, while clients ask."""
    for done in range(times):
        server.process.send_signal(signal.SIGHUP)
        replaced = 2 * (done + 1)
        wait_until(lambda n=replaced: server.text().count("takes the place of") >= n, "the workers are replaced")
        time.sleep(0.3)


@pytest.mark.parametrize("interface", ["asgi", "wsgi"])
def test_a_reload_loses_no_request_of_busy_clients(interface):
    with served("--interface", interface, "--no-access-log", workers=2) as server:
        with KeepAlive(server.port) as clients:
            reload(server, 2)
            clients.wait_for(300)
        assert 0 == server.end()

    assert {} == clients.lost
    assert clients.parted > 0


def test_a_reload_loses_no_request_of_clients_that_pause():
    with served("--no-access-log", workers=2) as server:
        with KeepAlive(server.port, clients=40, pause=0.4) as clients:
            reload(server, 2)
            wait_until(lambda: clients.parted >= 40, "each connection has ended")
        server.end()

    assert {} == clients.lost


def test_a_reload_loses_no_request_over_http2():
    with served("--http2", "--no-access-log", "--grace", "4", workers=2) as server:
        with KeepAlive2(server.port) as clients:
            reload(server, 2)
            wait_until(lambda: clients.parted > 0, "a connection has ended")
            clients.wait_for(clients.answered + 100)
        server.end()

    assert {} == clients.lost


@needs_nginx
@pytest.mark.parametrize("interface", ["asgi", "wsgi"])
def test_a_reload_loses_no_request_through_a_proxy(tmp_path, interface):
    with served("--interface", interface, "--no-access-log", workers=2) as server:
        with nginx(tmp_path, [f"127.0.0.1:{server.port}"]) as port, KeepAlive(port) as clients:
            reload(server, 2)
        server.end()

    assert {} == clients.lost


@needs_nginx
@pytest.mark.parametrize("interface", ["asgi", "wsgi"])
def test_one_of_two_servers_behind_a_proxy_stops(tmp_path, interface):
    options = ("--interface", interface, "--no-access-log")
    with served(*options, workers=2) as stays, served(*options, workers=2) as stops:
        places = [f"127.0.0.1:{server.port}" for server in (stays, stops)]
        with nginx(tmp_path, places) as port, KeepAlive(port) as clients:
            clients.wait_for(200)
            assert 0 == stops.end()
            clients.wait_for(clients.answered + 200)

    assert {} == clients.lost


def test_a_unix_socket_behind_a_reload(tmp_path):
    path = str(tmp_path / "a.sock")
    with served("--bind", f"unix:{path}", "--no-access-log", workers=2) as server:
        with KeepAlive(0, unix=path) as clients:
            reload(server, 2)
        server.end()

    assert {} == clients.lost
    assert not os.path.exists(path)


def test_workers_that_are_too_large_are_replaced_without_a_loss():
    with served("--max-worker-memory", "1", "--no-access-log", workers=2) as server:
        with KeepAlive(server.port) as clients:
            wait_until(lambda: server.text().count("takes the place of") >= 2, "both are replaced", 2 * PATIENCE)
            clients.wait_for(clients.answered + 100)
        server.end()

    assert {} == clients.lost


@contextmanager
def open_connection(server):
    with server.connect() as connection:
        connection.sendall(b"POST /mirror HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx")
        assert b"200" in connection.recv(65_536)
        yield connection


def ask(connection, rest=b""):
    connection.sendall(b"POST /mirror HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"[len(rest) :])
    return read_all(connection)


@pytest.mark.parametrize("interface", ["asgi", "wsgi"])
def test_a_request_on_a_connection_that_was_idle_is_answered_and_ends_it(interface):
    """The worker has received the signal to end, and the client does not know it yet."""
    with served("--interface", interface, workers=1) as server, open_connection(server) as connection:
        server.process.send_signal(signal.SIGHUP)
        server.wait_for("takes the place of")
        time.sleep(1)
        answer = ask(connection)

    assert answer.endswith(b"\r\n\r\nabc")
    assert b"connection: close\r\n" in answer.lower()


def test_a_request_whose_head_comes_in_pieces_is_waited_for():
    start = b"POST /mirror HTTP"
    with served(workers=1) as server, open_connection(server) as connection:
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        connection.sendall(start)
        time.sleep(0.7)
        answer = ask(connection, start)

    assert answer.endswith(b"\r\n\r\nabc")


def test_the_next_request_after_a_response_that_began_before_is_answered():
    with served(workers=1) as server, server.connect() as connection:
        connection.sendall(b"GET /ticks/30 HTTP/1.1\r\nHost: a\r\n\r\n")
        received = connection.recv(65_536)
        server.process.send_signal(signal.SIGHUP)
        server.wait_for("takes the place of")
        while not received.endswith(b"0\r\n\r\n"):
            received += connection.recv(65_536)
        answer = ask(connection)

    assert b"connection: close" not in received.lower()
    assert answer.endswith(b"\r\n\r\nabc")


def test_connections_that_wait_to_be_accepted_are_served_before_the_server_stops():
    with served(workers=1) as server:
        os.kill(server.workers()[0], signal.SIGSTOP)  # it accepts nothing now
        waiting = [server.connect() for _ in range(20)]
        for connection in waiting:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        os.kill(server.workers()[0], signal.SIGCONT)
        answers = [read_all(connection) for connection in waiting]
        for connection in waiting:
            connection.close()
        assert 0 == server.status()

    assert [b"hello"] * 20 == [answer.rpartition(b"\r\n\r\n")[2] for answer in answers]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)


def test_a_signal_to_all_processes_at_once_loses_nothing():
    """As systemd does: the workers get the signal at the same time as their parent."""
    with served(workers=2) as server, open_connection(server) as connection:
        for pid in [*server.workers(), server.process.pid]:
            os.kill(pid, signal.SIGTERM)
        time.sleep(0.2)
        answer = ask(connection)
        assert 0 == server.status()

    assert answer.endswith(b"\r\n\r\nabc")
