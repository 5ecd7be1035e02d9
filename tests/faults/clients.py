"""Clients that send requests continuously while a test causes faults."""

from __future__ import annotations

import http.client
import threading
import time
import typing as t
from collections.abc import Callable, Iterable

from ..processes import PATIENCE
from .processes import Server


class Threads:
    """Threads that run until the block ends: then `stopped` is set."""

    def __init__(self, targets: Iterable[Callable[[], None]]) -> None:
        self.stopped = threading.Event()
        self._threads = [threading.Thread(target=target) for target in targets]

    def __enter__(self) -> t.Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stopped.set()
        for thread in self._threads:
            thread.join()


class Clients(Threads):
    """Threads that each `run`."""

    def __init__(self, server: Server, clients: int = 4, pause: float = 0.0) -> None:
        super().__init__([self.run] * clients)
        self.server = server
        self.pause = pause

    def run(self) -> None:
        """Ask, with `pause` seconds before each request."""
        raise NotImplementedError


class Load(Clients):
    """Clients that ask for a path again and again, each on a connection of its own."""

    def __init__(self, server: Server, path: str = "/", clients: int = 4, pause: float = 0.0) -> None:
        super().__init__(server, clients, pause)
        self.path = path
        self.times: list[float] = []
        self.statuses: list[int] = []
        self.errors: list[str] = []

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=PATIENCE)
        while not self.stopped.wait(self.pause):
            begun = time.perf_counter()
            try:
                connection.request("GET", self.path)
                response = connection.getresponse()
                response.read()
            except (OSError, http.client.HTTPException) as error:
                self.errors.append(type(error).__name__)
                connection.close()
            else:
                self.times.append(time.perf_counter() - begun)
                self.statuses.append(response.status)
        connection.close()

    def percentile(self, share: float) -> float:
        """The seconds under which this share of the answers came."""
        times = sorted(self.times)
        return times[min(len(times) - 1, int(len(times) * share))]
