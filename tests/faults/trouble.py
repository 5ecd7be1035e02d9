"""A server whose workers are killed and reloaded repeatedly, and the requests that clients lose."""

from __future__ import annotations

import signal
import threading
import typing as t
from contextlib import ExitStack

from ..processes import wait_until
from .keepalive import KeepAlive
from .killing import kill_workers
from .processes import Server

_EVERY: t.Final = 30.0
"""The seconds between a kill and a reload."""

_CLIENTS: t.Final = 3


class Trouble:
    """Kills a worker of `server`, reloads all of them under clients that keep their connections, and so on."""

    def __init__(self, interface: str, server: Server) -> None:
        self.interface = interface
        self.server = server
        self.kills = self.reloads = self.requests = 0
        self.problems: list[str] = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def begin(self, stack: ExitStack, pause: float) -> None:
        """Make trouble until the end of the stack."""
        self._thread.start()
        stack.callback(self._end)

    def _end(self) -> None:
        self._stopped.set()
        self._thread.join()

    def sizes(self) -> dict[str, int]:
        """The memory of the supervising process."""
        return {f"{self.interface} supervisor of troubled workers": self.server.sizes()[self.server.process.pid]}

    def report(self) -> list[str]:
        """Print the figures. Returns the problems."""
        print(f"{self.interface}: {self.kills} kills, {self.reloads} reloads, {self.requests} requests", flush=True)
        return [f"{self.interface}: {problem}" for problem in self.problems[:20]]

    def _run(self) -> None:
        while not self._stopped.wait(_EVERY):
            try:
                self._kill()
                if not self._stopped.wait(_EVERY):
                    self._reload()
            except Exception as error:
                self.problems.append(f"{type(error).__name__}: {error}")

    def _kill(self) -> None:
        killed = kill_workers(self.server, kills=1, pause=0.5, clients=_CLIENTS, prefix=f"{self.kills}-")
        self.kills += 1
        self.requests += len(killed.kept)
        if killed.lost:
            self.problems.append(f"acknowledged data was lost: {sorted(killed.lost)[:5]}")
        if killed.failures > 2 * _CLIENTS:
            self.problems.append(f"{killed.failures} requests failed at one kill")

    def _reload(self) -> None:
        before = self.server.text().count("takes the place of")
        with KeepAlive(self.server.port, clients=_CLIENTS, pause=0.02) as clients:
            self.server.process.send_signal(signal.SIGHUP)
            wait_until(lambda: self.server.text().count("takes the place of") >= before + 2, "both are replaced")
            clients.wait_for(clients.answered + 20)
        self.reloads += 1
        self.requests += clients.answered
        self.problems += [f"{times} requests were lost at a reload: {why}" for why, times in clients.lost.items()]
