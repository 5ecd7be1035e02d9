"""Attacks on `costrel serve` in their long forms, for `python -m tests.faults.long_runs reload stop crowd hang`."""

from __future__ import annotations

import http.client
import signal
import socket
import tempfile
import time
import typing as t
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import product
from pathlib import Path

from ..processes import PATIENCE, wait_until
from .keepalive import NGINX_COMMAND, Connection2, KeepAlive, KeepAlive2, nginx
from .processes import Server, served
from .slow_clients import read_nothing

REQUESTS = 20_000
RELOADS = 10

Say = Callable[..., None]


def reload(say: Say, minutes: float) -> None:
    """Ten SIGHUPs under 12 clients that keep their connections, and at least 20,000 requests."""
    for name, options, clients in _ways():
        with served(*options, "--no-access-log", workers=2) as server, _reached(name, server) as port:
            with clients(port) as load:
                for _ in range(RELOADS):
                    time.sleep(1)
                    before = server.text().count("takes the place of")
                    server.process.send_signal(signal.SIGHUP)
                    wait_until(lambda n=before: server.text().count("takes the place of") >= n + 2, "both are replaced")
                load.wait_for(REQUESTS, 300)
        say("reload", way=name, reloads=RELOADS, requests=load.answered, lost=sum(load.lost.values()), why=load.lost)
    with served("--max-worker-age", "60", "--no-access-log", workers=2) as server:
        with KeepAlive(server.port) as load:
            time.sleep(max(minutes * 60, 75))
        replaced = server.text().count("takes the place of")
        say("age", replaced=replaced, requests=load.answered, lost=sum(load.lost.values()), why=load.lost)


def _ways() -> Iterator[tuple[str, list[str], type[KeepAlive]]]:
    for interface in ("asgi", "wsgi"):
        yield f"direct {interface}", ["--interface", interface], KeepAlive
        yield f"http2 {interface}", ["--interface", interface, "--http2"], KeepAlive2
        if NGINX_COMMAND is not None:
            yield f"nginx {interface}", ["--interface", interface], KeepAlive


@contextmanager
def _reached(name: str, *servers: Server) -> Iterator[int]:
    """The port of the only server, or of nginx in front of all."""
    if not name.startswith("nginx"):
        yield servers[0].port
        return
    with tempfile.TemporaryDirectory() as folder:
        with nginx(Path(folder), [f"127.0.0.1:{server.port}" for server in servers]) as port:
            yield port


def stop(say: Say, minutes: float) -> None:
    """One of two servers behind nginx stops, ten times."""
    if NGINX_COMMAND is None:
        say("stop", left_out="nginx is not installed")
        return
    for interface in ("asgi", "wsgi"):
        options = ["--interface", interface, "--no-access-log"]
        with socket.create_server(("127.0.0.1", 0)) as free:
            place = f"127.0.0.1:{free.getsockname()[1]}"
        with served(*options, workers=2) as stays, tempfile.TemporaryDirectory() as folder:
            with nginx(Path(folder), [f"127.0.0.1:{stays.port}", place]) as port, KeepAlive(port) as load:
                for _ in range(RELOADS):
                    with served(*options, "--bind", place, workers=2) as stops:
                        load.wait_for(load.answered + 200)
                        stops.end()
                load.wait_for(REQUESTS, 300)
        say("stop", interface=interface, stops=RELOADS, requests=load.answered, lost=sum(load.lost.values()))


def crowd(say: Say, minutes: float) -> None:
    """1,100 HTTP/2 connections that PING, and 1,100 idle WebSockets, against one worker with `--health`."""
    seconds = max(30.0, minutes * 60)
    for kind, options in (("pings", ["--http2"]), ("websockets", [])):
        with served(*options, "--health", "--no-access-log") as server:
            clients: list[t.Any] = []
            healthy: list[float] = []
            largest = 0
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                with suppress(OSError):
                    while len(clients) < 1100:
                        clients.append(_ping(Connection2(server.port)) if kind == "pings" else _websocket(server))
                if kind == "pings":
                    clients = [client for client in clients if _lives(client)]
                healthy.append(_health(server))
                largest = max(largest, server.rss())
                time.sleep(1)
            for client in clients:
                client.close()
        failed = sum(seconds < 0 for seconds in healthy)
        say("crowd", kind=kind, seconds=seconds, checks=len(healthy), failed=failed, slowest=round(max(healthy), 2))
        say("crowd", kind=kind, largest_mb=round(largest / 1e6))


def _ping(connection: Connection2) -> Connection2:
    connection.ping()
    return connection


def _lives(connection: Connection2) -> bool:
    try:
        connection.ping()
    except OSError:
        connection.close()
        return False
    return True


def _websocket(server: Server) -> socket.socket:
    connection = server.connect(timeout=1)
    connection.sendall(
        b"GET /echo HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    return connection


def _health(server: Server) -> float:
    """The seconds until a health check was answered; -1 if it was not."""
    begun = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request("GET", "/readyz")
        return time.monotonic() - begun if connection.getresponse().status == 200 else -1
    except (OSError, http.client.HTTPException):
        return -1
    finally:
        connection.close()


def hang(say: Say, minutes: float) -> None:
    """An async view with a busy loop, with the default limit of 30 seconds."""
    with served(workers=2) as server:
        others = 0
        with server.connect() as connection:
            connection.sendall(b"GET /spin HTTP/1.1\r\nHost: a\r\n\r\n")
            begun = time.monotonic()
            while "takes the place of" not in server.text() and time.monotonic() - begun < PATIENCE * 2:
                with suppress(OSError, http.client.HTTPException):
                    quick = http.client.HTTPConnection("127.0.0.1", server.port, timeout=0.5)
                    quick.request("GET", "/")
                    others += quick.getresponse().status == 200
                time.sleep(0.2)
            took = round(time.monotonic() - begun, 1)
        say("hang", replaced_after=took, answers_meanwhile=others, names_view="in spin" in server.text())


def unsent(say: Say, minutes: float) -> None:
    """300 clients that read nothing of responses of 10 MB and of endless ones, on one worker.

    Over WSGI a stream keeps a thread, so that no more of them are sent at once than there are threads.
    """
    large, endless = ("/whole/10000000", "/whole-async/10000000"), ("/endless", "/endless-async")
    for interface, path in [*product(("asgi",), large + endless), *product(("wsgi",), large)]:
        with served("--interface", interface) as server, ExitStack() as stack:
            server.ask("/")
            before = server.rss()
            statuses = dict(Counter(read_nothing(server, path, 300, stack)))
            sizes = []
            for _ in range(10):
                sizes.append(server.rss() // 1_000_000)
                time.sleep(0.5)
            answered, _ = server.ask("/")
            memory = {"before": before // 1_000_000, "most": max(sizes), "last": sizes[-1]}
            say("unsent", interface=interface, path=path, statuses=statuses, answered=answered, mb=memory)
