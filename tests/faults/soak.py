"""Mixed traffic for minutes or hours, and the memory, files and threads of the workers: `python -m tests.faults.soak`.

Four servers run at once. Two, one per interface, have one worker each, which lives as long as the run: they get mixed
traffic, WebSockets, HTTP/2 and slow clients, and their memory must not grow. The workers of the other two are killed
and reloaded all the time: no request may be lost, and the memory of the supervising process must not grow.
"""

from __future__ import annotations

import argparse
import sys
import time
import typing as t
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field

from ..processes import PATIENCE, wait_until
from .growth import Growth
from .keepalive import KeepAlive2
from .processes import Server, served
from .slow_clients import SlowClients
from .tracebacks import unexpected_tracebacks
from .traffic import KINDS, NO_WSGI, Kind, Traffic
from .trouble import Trouble

MB = 1_000_000

LIMIT = 1.0
"""The growth of a process that is accepted, in MB an hour."""

JUDGED_AFTER = 30.0
"""Minutes after the warm-up from which growth is judged. In less time, the buffers of requests can look like growth."""

THREADS = 8
"""The threads of each worker."""

INTERFACES = ("asgi", "wsgi")

RETURNS_PAGES = {"_RJEM_MALLOC_CONF": "dirty_decay_ms:0,muzzy_decay_ms:0"}
"""Has jemalloc, which Granian allocates with, give freed pages back to the system at once.

By default each of its heaps keeps them for ten seconds, and until a thread of that heap frees memory again. That makes
up to 13 MB, more or less at random, in which a leak of 1 MB an hour cannot be seen.
"""


@dataclass
class Vitals:
    """What the workers of a server hold."""

    files: int
    temporary: int
    threads: int
    rss: int

    @classmethod
    def of(cls, server: Server) -> Vitals:
        return cls(len(server.open_files()), len(server.temporary_files()), server.threads(), server.rss())

    def __str__(self) -> str:
        return f"{self.files} files, {self.temporary} temporary, {self.threads} threads, {self.rss / MB:.1f} MB"


@dataclass
class Soaked:
    """The result of a soak."""

    before: Vitals
    after: Vitals
    requests: dict[str, int]
    unexpected: list[str]


def soak(server: Server, seconds: float, clients: int = 4, pause: float = 0.0) -> Soaked:
    """Send traffic for so many seconds. The vitals before and after it are those of a server at rest."""
    before = _warmed(server, KINDS)
    with Traffic(server, clients, pause) as traffic:
        time.sleep(seconds)
    rest(server)
    return Soaked(before, Vitals.of(server), dict(traffic.counted), traffic.unexpected)


def _warmed(server: Server, kinds: t.Sequence[Kind], clients: int = 4) -> Vitals:
    """The vitals at rest, after each kind of request: everything that is made once is made now."""
    with Traffic(server, clients, kinds=kinds) as traffic:
        time.sleep(3)
        wait_until(traffic.had_all, "each kind of request was answered")
    rest(server)
    return Vitals.of(server)


def rest(server: Server) -> None:
    """Wait until nothing more ends: views whose clients have left, connections, temporary files."""
    deadline = time.monotonic() + PATIENCE
    last, since = -1, time.monotonic()
    while time.monotonic() < deadline:
        now = len(server.open_files())
        if now != last:
            last, since = now, time.monotonic()
        elif time.monotonic() - since > 1.5:
            return
        time.sleep(0.1)


@dataclass
class Steady:
    """A server whose only worker lives as long as the run."""

    interface: str
    server: Server
    kinds: t.Sequence[Kind] = field(init=False)
    before: Vitals = field(init=False)
    traffic: Traffic = field(init=False)
    http2: KeepAlive2 = field(init=False)
    slow: SlowClients = field(init=False)

    def __post_init__(self) -> None:
        self.kinds = [kind for kind in KINDS if self.interface == "asgi" or kind not in NO_WSGI]
        # Each thread comes to run an async view, and has its event loop, which has three files.
        with ThreadPoolExecutor(THREADS) as clients:
            list(clients.map(lambda _: self.server.ask("/sleep-async/3.0"), range(THREADS)))
        self.before = _warmed(self.server, self.kinds, clients=2 * THREADS)

    def begin(self, stack: ExitStack, pause: float) -> None:
        """Send traffic until the end of the stack."""
        self.traffic = stack.enter_context(Traffic(self.server, 2, pause, self.kinds))
        self.http2 = stack.enter_context(KeepAlive2(self.server.port, clients=1, pause=max(pause, 0.1)))
        self.slow = stack.enter_context(SlowClients(self.server))

    def sizes(self) -> dict[str, int]:
        """The memory of its processes."""
        sizes = self.server.sizes().values()
        return dict(zip((f"{self.interface} supervisor", f"{self.interface} worker"), sizes, strict=True))

    def report(self) -> list[str]:
        """Print the figures. Returns the problems."""
        rest(self.server)
        after = Vitals.of(self.server)
        requests = self.traffic.counted
        name = self.interface
        print(f"{name}: {requests.total()} actions {dict(requests)}")
        print(f"{name}: {self.http2.answered} requests over HTTP/2, {self.slow.ended} slow clients cut off")
        print(f"{name} before: {self.before}\n{name} after:  {after}", flush=True)
        problems = [f"{name}: {text}" for text in self.traffic.unexpected[:20]]
        problems += [f"{name}: HTTP/2: {why}, {times} times" for why, times in self.http2.lost.items()]
        for what in ("files", "temporary", "threads"):
            if (now := getattr(after, what)) > (then := getattr(self.before, what)):
                problems.append(f"{name}: {what} {then} -> {now}")
        return problems


def _ended(name: str, server: Server) -> list[str]:
    """End a server. Returns the problems of its end, and in its log."""
    status = server.end()
    with server.log.open(errors="replace") as lines:
        tracebacks = unexpected_tracebacks(lines)
    print(f"{name}: status {status}, {len(tracebacks)} unexpected tracebacks", flush=True)
    problems = [f"{name}: {text}" for text, _ in Counter(tracebacks).most_common(10)]
    return problems if status == 0 else [*problems, f"{name}: status {status}"]


def run(minutes: float, warm_up: float, pause: float, leak: int) -> list[str]:
    """The whole run. Returns the problems; times are in minutes, `leak` is in bytes for each request."""
    growth, problems = Growth(), list[str]()
    with ExitStack() as servers:

        def start(interface: str, workers: int) -> Server:
            options = ["--interface", interface, "--threads", str(THREADS), "--http2"]
            return servers.enter_context(served(*options, workers=workers, FAULT_LEAK=str(leak), **RETURNS_PAGES))

        steady = [Steady(interface, start(interface, 1)) for interface in INTERFACES]
        troubled = [Trouble(interface, start(interface, 2)) for interface in INTERFACES]
        with ExitStack() as traffic:
            for each in (*steady, *troubled):
                each.begin(traffic, pause)
            _watch([*steady, *troubled], growth, minutes * 60)
        for each in (*steady, *troubled):
            problems += each.report()
        for each in (*steady, *troubled):
            problems += _ended(f"{type(each).__name__} {each.interface}", each.server)
    for name, slope in growth.slopes(warm_up * 60).items():
        print(f"{name}: {slope / MB:+.2f} MB an hour after {warm_up:g} minutes")
        if slope > LIMIT * MB and minutes - warm_up >= JUDGED_AFTER:
            problems.append(f"{name} grows by {slope / MB:.2f} MB an hour")
    return problems


def _watch(servers: list[Steady | Trouble], growth: Growth, seconds: float) -> None:
    begun, printed = time.monotonic(), -60.0
    while (at := time.monotonic() - begun) < seconds:
        sizes = {name: size for server in servers for name, size in server.sizes().items()}
        growth.note(at, sizes)
        if at - printed >= 60:
            printed = at
            print(f"{at:6.0f} s  " + ", ".join(f"{name} {size / MB:.2f}" for name, size in sizes.items()), flush=True)
        time.sleep(2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--warm-up", type=float, help="minutes before memory is judged; by default a third of all")
    parser.add_argument("--pause", type=float, default=0.0, help="seconds that a client waits between two requests")
    parser.add_argument("--leak", type=int, default=0, help="bytes that the application keeps for each request")
    options = parser.parse_args()
    warm_up = options.minutes / 3 if options.warm_up is None else options.warm_up
    problems = run(options.minutes, warm_up, options.pause, options.leak)
    print(f"{len(problems)} problems", *problems, sep="\n")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
