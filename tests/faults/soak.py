"""Mixed traffic for minutes or hours, and what the workers hold before and after it: `python -m tests.faults.soak`."""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, field

from ..processes import PATIENCE, wait_until
from .processes import Server, served
from .traffic import Traffic

MB = 1_000_000


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


@dataclass
class Soaked:
    """What came out."""

    before: Vitals
    after: Vitals
    seconds: float
    requests: dict[str, int]
    unexpected: list[str]
    samples: list[tuple[float, int]] = field(default_factory=list)
    """Seconds since the start, and bytes of memory then."""

    def slope(self, warm_up: float) -> float:
        """Bytes of memory an hour, by least squares over the samples after `warm_up` seconds."""
        points = [(at / 3600, rss) for at, rss in self.samples if at >= warm_up]
        mean_x = sum(x for x, _ in points) / len(points)
        mean_y = sum(y for _, y in points) / len(points)
        spread = sum((x - mean_x) ** 2 for x, _ in points)
        return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0


def soak(server: Server, seconds: float, clients: int = 4, pause: float = 0.0, every: float = 1.0) -> Soaked:
    """Send traffic for so many seconds; what the workers held is compared when they have come to rest."""
    with Traffic(server, clients) as traffic:  # all that is made once is made now
        time.sleep(3)
        wait_until(traffic.had_all, "each kind of request was answered")
    _rest(server)
    before = Vitals.of(server)
    samples: list[tuple[float, int]] = []
    begun = time.monotonic()
    with Traffic(server, clients, pause) as traffic:
        while (at := time.monotonic() - begun) < seconds:
            samples.append((at, server.rss()))
            if every > 1:
                print(f"{at:7.0f} s  {Vitals.of(server)}", flush=True)
            time.sleep(every)
    _rest(server)
    return Soaked(before, Vitals.of(server), at, dict(traffic.counted), traffic.unexpected, samples)


def _rest(server: Server) -> None:
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--pause", type=float, default=0.0, help="seconds that a client waits between two requests")
    options = parser.parse_args()
    with served("--threads", "4", workers=options.workers) as server:
        soaked = soak(server, options.minutes * 60, options.clients, options.pause, every=20)
        tracebacks = server.text().count("Traceback (most recent call last)")
        print(f"{soaked.seconds / 60:.1f} minutes, {options.workers} workers, {options.clients} clients")
        print("requests:", sum(soaked.requests.values()), soaked.requests)
        print("unexpected:", len(soaked.unexpected), soaked.unexpected[:5])
        print("before:", soaked.before)
        print("after: ", soaked.after)
        for share in (1 / 3, 1 / 2, 2 / 3):
            slope = soaked.slope(soaked.seconds * share) / MB
            print(f"memory after {soaked.seconds * share / 60:.0f} minutes: {slope:+.2f} MB an hour")
        print("tracebacks in the log:", tracebacks, "(of /fails/raise, on purpose:", soaked.requests.get("fails"), ")")
        print("exit:", server.end())


if __name__ == "__main__":
    main()
