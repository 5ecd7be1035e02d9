"""Idle connections, as reported by the kernel."""

import os
import select
import socket
import time

import pytest

from costrel.server import idle
from costrel.server.sockets import Sockets

pytestmark = pytest.mark.skipif(not idle.can_watch(), reason="only Linux tells how long a connection was idle")


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@pytest.fixture
def pair(listener):
    """Both ends of a connection."""
    client = socket.create_connection(listener.getsockname())
    server, _ = listener.accept()
    server.setblocking(False)  # as those of Granian
    with client, server:
        yield client, server


def idle_for(listener, limit):
    """The clients' addresses of the idle connections."""
    places = Sockets([listener]).addresses()
    return [connection.getpeername() for connection in idle.idle_connections(places, limit)]


def wait_for_byte(receiver):
    select.select([receiver], [], [], 10)
    assert receiver.recv(1) == b"x"


def wait_for_idle(listener, limit):
    deadline = time.monotonic() + 10
    while not (found := idle_for(listener, limit)):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def test_a_connection_without_bytes_becomes_idle(listener, pair):
    client, _ = pair
    assert idle_for(listener, 60) == []
    assert wait_for_idle(listener, 0.2) == [client.getsockname()]


def test_a_byte_in_either_direction_makes_it_busy_again(listener, pair):
    client, server = pair
    for sender, receiver in ((client, server), (server, client)):
        wait_for_idle(listener, 1)
        sender.sendall(b"x")
        wait_for_byte(receiver)
        assert idle_for(listener, 1) == []


def test_other_sockets_are_left_alone(listener, pair):
    with (
        socket.create_server(("127.0.0.1", 0)) as other,
        socket.socket(socket.AF_UNIX),
        socket.socket(type=socket.SOCK_DGRAM),
    ):
        wait_for_idle(listener, 0.1)
        assert idle_for(other, 0) == []


def test_sockets_that_block_go_on_blocking(listener, pair):
    own, other = socket.socketpair()
    with own, other:
        before = socket.getdefaulttimeout()
        socket.setdefaulttimeout(60)
        try:
            wait_for_idle(listener, 0)
        finally:
            socket.setdefaulttimeout(before)
        assert os.get_blocking(own.fileno())
        assert os.get_blocking(pair[0].fileno())


def test_looking_leaves_no_files_open(listener, pair):
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        idle_for(listener, 0)
        idle_for(listener, 60)

    assert len(os.listdir("/proc/self/fd")) == before


def test_idle_connections_are_ended_unless_their_client_is_served(listener, monkeypatch):
    monkeypatch.setattr(idle, "_PAUSE", 0.05)
    busy = set()
    clients = [socket.create_connection(listener.getsockname()) for _ in range(2)]
    servers = [listener.accept()[0] for _ in clients]
    for server in servers:
        server.setblocking(False)
    busy.add(clients[0].getsockname()[1])
    end = idle.watch([listener], lambda: busy, 0.3)
    for client in clients:
        client.settimeout(10)
    try:
        assert clients[1].recv(1) == b""
        clients[0].settimeout(0.5)
        with pytest.raises(TimeoutError):
            clients[0].recv(1)
        busy.clear()
        clients[0].settimeout(10)
        assert clients[0].recv(1) == b""
    finally:
        end()
        for sock in (*clients, *servers):
            sock.close()
