"""Workers that are killed while clients store ids: acknowledged ids must be stored."""

from __future__ import annotations

import http.client
import os
import signal
import sqlite3
import threading
import time
from contextlib import closing
from dataclasses import dataclass, field

from ..processes import wait_until
from .processes import Server


@dataclass
class Killed:
    """What came of it."""

    kept: set[str] = field(default_factory=set)
    """The ids whose storing was answered by 200."""
    stored: set[str] = field(default_factory=set)
    failures: int = 0
    """The requests that were not answered, or not by 200."""
    most_at_once: int = 0
    """Most failures of one kill."""
    healthy: list[float] = field(default_factory=list)
    """Seconds from each kill until all workers were there again and answered."""

    @property
    def lost(self) -> set[str]:
        return self.kept - self.stored


def kill_workers(server: Server, kills: int, pause: float, clients: int = 3, prefix: str = "") -> Killed:
    """Kill one worker after the other, `pause` seconds apart, while clients store ids that begin with `prefix`."""
    killed = Killed()
    ended = threading.Event()
    workers = len(server.workers())

    def ask(client: int) -> None:
        number = 0
        while not ended.is_set():
            number += 1
            name = f"{prefix}{client}-{number}"
            try:
                status, _ = server.ask(f"/keep/{name}", "POST")
            except (OSError, http.client.HTTPException):
                status = 0
            if status == 200:
                killed.kept.add(name)
            else:
                killed.failures += 1
                time.sleep(0.02)

    server.ask(f"/keep/{prefix}first", "POST")
    threads = [threading.Thread(target=ask, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(kills):
            time.sleep(pause)
            failures, kept = killed.failures, len(killed.kept)
            begun = time.monotonic()
            victim = server.workers()[0]
            os.kill(victim, signal.SIGKILL)
            wait_until(lambda gone=victim: gone not in server.workers(), "it is gone")
            wait_until(lambda: len(server.workers()) == workers, "all workers are there")
            wait_until(lambda least=kept: len(killed.kept) > least + 20, "ids are stored")
            killed.healthy.append(time.monotonic() - begun)
            killed.most_at_once = max(killed.most_at_once, killed.failures - failures)
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    with closing(sqlite3.connect(server.folder / "kept.sqlite")) as database:
        killed.stored = {name for (name,) in database.execute("SELECT name FROM kept")}
    return killed
