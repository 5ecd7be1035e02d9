"""The faults in their long forms: `python -m tests.faults.long_runs [name ...]`, with the names of `RUNS`.

They need Debian's packages nghttp2-client, nginx, slowhttptest, libfaketime and strace. Those that are missing are
named, and their runs left out. The server runs on one processor, the load on another.
"""

from __future__ import annotations

import argparse
import http.client
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import typing as t
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from ..processes import wait_until
from . import attacks
from .clients import Load
from .gate_fuzz import fuzz
from .isolation import REQUESTS, Times, measured, opened
from .killing import kill_workers
from .processes import Server, served

FAKETIME = "/usr/lib/*/faketime/libfaketime.so.1"
DAY = 24 * 3600


def say(name: str, **values: t.Any) -> None:
    """One line of results."""
    print(f"{name:9} " + "  ".join(f"{key}={value}" for key, value in values.items()), flush=True)


def on_first_processor() -> list[str]:
    return ["taskset", "-c", str(min(os.sched_getaffinity(0)))]


def h2load(server: Server, seconds: float, clients: int, rate: float | None = None, path: str = "/") -> list[list[int]]:
    """Start, status and duration (in microseconds) of each request that h2load made."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        last = max(os.sched_getaffinity(0))
        command = ["taskset", "-c", str(last), "h2load", "--h1", "-t1", f"-c{clients}", f"-D{seconds:g}"]
        if rate is not None:
            command.append(f"--rps={rate / clients:g}")
        command += [f"--log-file={log}", f"http://127.0.0.1:{server.port}{path}"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=seconds + 60)
        return [[int(number) for number in line.split("\t")[:3]] for line in log.read_text().splitlines()]


def percentile(values: list[int], share: float) -> float:
    """In milliseconds."""
    return round(sorted(values)[min(len(values) - 1, int(len(values) * share))] / 1000, 2)


def load(minutes: float) -> None:
    """70 % of the peak: nothing but 200, and as many lines in the log as answers."""
    with served(workers=2, through=on_first_processor()) as server:
        peak = len(h2load(server, 10, 16)) / 10
        wait_until(lambda: lines(server) > 0, "lines")
        time.sleep(2)
        before = lines(server)
        asked = h2load(server, minutes * 60, 16, peak * 0.7)
        time.sleep(2)
        durations = [row[2] for row in asked]
        p50, p999 = percentile(durations, 0.5), percentile(durations, 0.999)
        statuses = dict(Counter(row[1] for row in asked))
        logged = lines(server) - before
        say("load", peak=round(peak), minutes=minutes, statuses=statuses, logged=logged, p50=p50, p999=p999)


def lines(server: Server) -> int:
    """The requests for / in the log."""
    with server.log.open("rb") as log:
        return sum(b'"GET / ' in line for line in log)


def overload(minutes: float) -> None:
    """More at once than threads and their queue hold: the rest is refused at once, and all is well soon after."""
    with served("--threads", "4", workers=2, through=on_first_processor()) as server:
        asked = h2load(server, minutes * 60, 600, path="/sleep/0.05")
        begun = time.monotonic()
        wait_until(lambda: server.ask("/") == (200, b"hello"), "an answer")
        recovered = round(time.monotonic() - begun, 2)
        answered, refused = ([row[2] for row in asked if row[1] == status] for status in (200, 503))
        say(
            "overload",
            minutes=minutes,
            statuses=dict(Counter(row[1] for row in asked)),
            answered_p50=percentile(answered, 0.5),
            refused_p50=percentile(refused, 0.5),
            refused_p99=percentile(refused, 0.99),
            recovered=recovered,
        )


def kill(minutes: float) -> None:
    """A worker is killed every ten seconds."""
    with served(workers=2) as server:
        killed = kill_workers(server, kills=max(1, int(minutes * 6)), pause=9)
        say(
            "kill",
            kills=len(killed.healthy),
            stored=len(killed.kept),
            lost=len(killed.lost),
            failures=killed.failures,
            most_at_once=killed.most_at_once,
            slowest_recovery=round(max(killed.healthy), 2),
        )


SLOW = {
    "head": ["-H", "-i", "1", "-x", "8", "-u", "/"],
    "body": ["-B", "-i", "1", "-x", "8", "-s", "1000000", "-u", "/raw"],
    "reader": ["-X", "-w", "1", "-y", "2", "-n", "2", "-z", "1", "-k", "3", "-u", "/file/5000000"],
}


def slow(minutes: float) -> None:
    """A thousand slow clients of each kind, while others ask."""
    for kind, options in SLOW.items():
        with served(workers=2) as server:
            own = len(server.open_files())
            url = f"http://127.0.0.1:{server.port}"
            arguments = [f"{url}{option}" if option.startswith("/") else option for option in options]
            seconds = max(20, int(minutes * 60 / len(SLOW)))
            command = ["slowhttptest", "-c", "1000", "-r", "200", "-p", "3", "-l", str(seconds), *arguments]
            held = []
            with Load(server, clients=2, pause=0.01) as asked:
                begun = time.monotonic()
                attack = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
                while attack.poll() is None:  # it ends when all of its connections were closed
                    held.append((len(server.open_files()) - own, round(time.monotonic() - begun)))
                    time.sleep(0.5)
                said, _ = attack.communicate()
            ms = {f"p{share * 100:g}": round(asked.percentile(share) * 1000, 1) for share in (0.5, 0.99)}
            say(
                f"slow {kind}",
                seconds=seconds,
                most_held=max(held),
                held_at_the_end=held[-1],
                ended=", ".join(
                    line
                    for line in re.sub(r"\x1b\[[\d;]*m", "", said).splitlines()
                    if line.startswith(("Test ended", "Exit"))
                ),
                statuses=dict(Counter(asked.statuses)),
                errors=len(asked.errors),
                ms=ms,
            )


def clock(minutes: float) -> None:
    """The wall clock jumps by a day, there and back, under a server that has sessions."""
    library = next(iter(Path("/").glob(FAKETIME.lstrip("/"))), None)
    if library is None:
        say("clock", left_out="libfaketime is not installed")
        return
    with tempfile.TemporaryDirectory() as folder:
        now = Path(folder) / "now"
        now.write_text("+0\n")
        variables = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(now),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        with served(**variables) as server:
            cookie = None
            for offset in (0, DAY, 0, -DAY, 0):
                now.write_text(f"{offset:+d}\n")
                time.sleep(0.5)
                thinks = round((server.state()["now"] - time.time()) / DAY)
                fresh, kept = count_twice(server, cookie)
                cookie = cookie or fresh
                say("clock", day=thinks, counted=kept)
            log = server.text()
            say("clock", tracebacks=log.count("Traceback"))


def count_twice(server: Server, cookie: str | None) -> tuple[str, list[str]]:
    """The cookie of a new session, its count when it is sent again, and the count of an older cookie."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("GET", "/count")
    first = connection.getresponse()
    counted = [first.read().decode()]
    fresh = (first.headers["Set-Cookie"] or "").partition(";")[0]
    for sent in (fresh, cookie or fresh):
        connection.request("GET", "/count", headers={"Cookie": sent})
        counted.append(connection.getresponse().read().decode())
    connection.close()
    return fresh, counted


def files(minutes: float) -> None:
    """Calls of the system fail under a server: no file may be opened, no connection taken. Then they work again."""
    if shutil.which("strace") is None:
        say("files", left_out="strace is not installed")
        return
    for call, error in (("openat", "EMFILE"), ("accept4", "EMFILE"), ("accept4", "ENFILE"), ("openat", "ENOSPC")):
        with served() as server:
            server.ask("/opened")
            inject = ["-e", f"trace={call}", "-e", f"inject={call}:error={error}"]
            strace = subprocess.Popen(
                ["strace", "-f", "-qq", "-o", os.devnull, *inject, "-p", str(server.workers()[0])],
                stderr=subprocess.PIPE,
            )
            time.sleep(1)
            during: list[int | str] = []
            for _ in range(5):
                during.append(try_to_open(server))
            strace.terminate()
            strace.communicate()
            begun = time.monotonic()
            wait_until(lambda: try_to_open(server) == 200, "an answer")
            recovered = round(time.monotonic() - begun, 2)
            say(f"{call} {error}", during=during, recovered=recovered, workers=len(server.workers()))


def try_to_open(server: Server) -> int | str:
    """The status of a view that opens a file, or the error within two seconds."""
    try:
        with server.connect(timeout=2) as connection:
            connection.sendall(b"GET /opened HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            answer = connection.recv(20)
    except OSError as error:
        return type(error).__name__
    return int(answer[9:12]) if answer else "closed"


MANY: dict[str, dict[str, int]] = {
    "streams": {"streams": 500},
    "uploads": {"uploads": 400},
    "readers": {"readers": 300},
    "together": {"streams": 400, "uploads": 300, "readers": 250},
}
"""A worker takes 1,024 connections."""

TURNS = 4


def isolation(minutes: float) -> None:
    """Open streams, stalled uploads and slow readers on one worker, and how long other requests take meanwhile.

    The idle server is measured in turn with the busy one, since other programs make both slow at times.
    """
    with served(app="isolated_app:app", FAULT_BODY_TIMEOUT="600", FAULT_SEND_TIMEOUT="600") as server:
        measured(server, 50)
        for name, numbers in MANY.items():
            idle, busy = Times(), Times()
            for _ in range(TURNS):
                idle.add(measured(server, 100))
                with opened(server, **numbers):
                    measured(server, 10)  # meanwhile the server takes what the clients have sent
                    busy.add(measured(server, 100))
                    threads = server.threads()
                wait_until(lambda: len(server.open_files()) < 100, "the clients are gone")
            p99 = {kind: (round(busy.p99(kind), 1), round(idle.p99(kind), 1)) for kind in REQUESTS}
            refused = [round(seconds * 1000) for seconds in sorted(busy.refused)]
            load = round(os.getloadavg()[0], 1)
            say("isolation", clients=name, p99_ms_and_idle=p99, refused_ms=refused, threads=threads, load=load)


def gate(minutes: float) -> None:
    """100,000 random responses and WebSocket messages over both interfaces, however long they take."""
    for interface, requests, sockets in (("asgi", 45_000, 10_000), ("wsgi", 45_000, 0)):
        with served("--interface", interface, app="gate_app:app") as server:
            workers = server.workers()
            asked, conversed = fuzz(server, requests, sockets, first=10_000)
            same = workers == server.workers() and server.ask("/pid")[0] == 200
            say("gate", interface=interface, statuses=dict(asked), close_codes=dict(conversed), same_worker=same)


RUNS: dict[str, Callable[[float], None]] = {
    "load": load,
    "overload": overload,
    "kill": kill,
    "slow": slow,
    "clock": clock,
    "files": files,
    "reload": lambda minutes: attacks.reload(say, minutes),
    "stop": lambda minutes: attacks.stop(say, minutes),
    "crowd": lambda minutes: attacks.crowd(say, minutes),
    "hang": lambda minutes: attacks.hang(say, minutes),
    "unsent": lambda minutes: attacks.unsent(say, minutes),
    "isolation": isolation,
    "gate": gate,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*", choices=[*RUNS, []], default=list(RUNS))
    parser.add_argument("--minutes", type=float, default=2, help="for each run")
    options = parser.parse_args()
    for name in options.runs or RUNS:
        try:
            RUNS[name](options.minutes)
        except FileNotFoundError as error:
            say(name, left_out=f"{error.filename} is not installed")
    sys.exit(0)


if __name__ == "__main__":
    main()
