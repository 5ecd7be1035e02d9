"""Random responses and WebSocket messages from the views of a real server: whatever they are, no worker ends."""

from __future__ import annotations

import http.client
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from .processes import Server

HUNG = "hung"
"""The outcome of a request whose answer neither came nor was cut off."""

SECONDS = 15
CLIENTS = 4


def ask(server: Server, seeds: Sequence[int]) -> Counter[str]:
    """The outcomes of a request for each seed: statuses, or errors of the client."""
    outcomes: Counter[str] = Counter()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=SECONDS)
    for seed in seeds:
        try:
            connection.request("GET", f"/random{'-async' * (seed % 2)}/{seed}")
            with closing(connection.getresponse()) as response:
                outcomes[str(response.status)] += 1
                if response.status < 200:
                    connection.close()
                while response.status >= 200 and response.read(65_536):
                    pass
        except TimeoutError:
            outcomes[HUNG] += 1
            connection.close()
        except (OSError, http.client.HTTPException, ValueError) as error:
            outcomes[type(error).__name__] += 1
            connection.close()
    connection.close()
    return outcomes


def converse(server: Server, seeds: Sequence[int]) -> Counter[str]:
    """The outcomes of a WebSocket for each seed: close codes, or errors of the handshake."""
    outcomes: Counter[str] = Counter()
    for seed in seeds:
        url = f"ws://127.0.0.1:{server.port}/socket/{seed}"
        try:
            with connect(url, subprotocols=["a", "b"], open_timeout=SECONDS, max_size=2**22, close_timeout=2) as socket:
                with suppress(WebSocketException):
                    while True:
                        socket.recv(timeout=SECONDS)
                outcomes[str(socket.close_code)] += 1
        except TimeoutError:
            outcomes[HUNG if _is_left_waiting(server, seed) else "odd status"] += 1
        except (OSError, EOFError, WebSocketException, ValueError) as error:
            outcomes[type(error).__name__] += 1
    return outcomes


def _is_left_waiting(server: Server, seed: int) -> bool:
    """Whether a handshake gets no answer. The client of `websockets` waits on after a status above 599."""
    head = f"GET /socket/{seed} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    key = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    with server.connect(timeout=SECONDS) as connection:
        connection.sendall(f"{head}{key}".encode())
        try:
            return int(connection.recv(65_536)[9:12] or 0) < 600
        except TimeoutError:
            return True


def fuzz(server: Server, requests: int, sockets: int, first: int = 0) -> tuple[Counter[str], Counter[str]]:
    """The outcomes of so many requests and WebSockets, with the seeds from `first` on."""
    asked: Counter[str] = Counter()
    conversed: Counter[str] = Counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        parts = [range(first + part, first + requests, CLIENTS) for part in range(CLIENTS)]
        for found in pool.map(lambda part: ask(server, part), parts):
            asked += found
        parts = [range(first + part, first + sockets, CLIENTS) for part in range(CLIENTS)]
        for found in pool.map(lambda part: converse(server, part), parts):
            conversed += found
    return asked, conversed
