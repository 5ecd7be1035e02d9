"""Load, overload and slow clients: accepted requests are answered, and no resources leak."""

import re
import threading
import time
from collections import Counter

import pytest

from ..processes import wait_until
from .clients import Load
from .processes import served
from .soak import Vitals, soak

pytestmark = [pytest.mark.ci, pytest.mark.xdist_group("faults")]


def test_what_is_sent_is_answered_and_logged():
    with served(workers=2) as server:
        with Load(server, clients=4, pause=0.001) as load:
            time.sleep(3)
        lines = wait_for_lines(server, len(load.statuses))

    assert [] == load.errors
    assert {200} == set(load.statuses)
    assert len(load.statuses) == lines > 100


def wait_for_lines(server, number):
    """The lines of requests in the log, when there are so many."""
    pattern = re.compile(r'"GET / HTTP/1\.1" 200 5 ')
    wait_until(lambda: len(pattern.findall(server.text())) >= number, f"{number} lines")
    return len(pattern.findall(server.text()))


def test_too_much_is_refused_soon_and_over_soon():
    """Two threads, each with a queue of 32: a third of a hundred clients must get a 503."""
    with served("--threads", "2") as server:
        with Load(server, "/sleep/0.05", clients=100) as load:
            time.sleep(4)
        begun = time.monotonic()
        assert (200, b"hello") == server.ask("/")
        recovered = time.monotonic() - begun
        status = server.end()

    counted = Counter(load.statuses)
    assert [] == load.errors
    assert {200, 503} == set(counted)
    assert counted[200] > 20
    refused = sorted(taken for taken, answer in zip(load.times, load.statuses, strict=True) if answer == 503)
    answered = sorted(taken for taken, answer in zip(load.times, load.statuses, strict=True) if answer == 200)
    assert refused[len(refused) // 2] < answered[len(answered) // 2]
    assert recovered < 15  # the queue is a second of work
    assert 0 == status


def test_mixed_traffic_leaves_nothing():
    with served("--threads", "4") as server:
        tasks = server.state()["tasks"]
        soaked = soak(server, 6, clients=3, pause=0.005)
        wait_until(lambda: server.state()["tasks"] <= tasks, "all requests have ended")
        panics = server.text().count("panicked")
        assert 0 == server.end()  # a request that hung would be waited for

    before, after = soaked.before, soaked.after
    assert [] == soaked.unexpected
    assert sum(soaked.requests.values()) > 100
    assert after.files <= before.files
    assert after.temporary <= before.temporary
    assert after.threads <= before.threads
    assert after.rss - before.rss < 30_000_000
    assert 0 == panics


SLOW = {
    "head": b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ",
    "body": b"POST /raw HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n",
    "async body": b"POST /raw-async HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n",
    "long body": b"POST /raw HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 100_000,
}


@pytest.mark.parametrize("kind", [*SLOW, "reader"])
def test_slow_clients_hold_nobody_up(kind):
    with served(workers=2) as server:
        slow = [server.connect() for _ in range(100)]
        ended = threading.Event()

        def drip():
            while not ended.wait(0.2):
                for connection in slow:
                    try:
                        connection.send(b"x")
                    except OSError:
                        return

        for connection in slow:
            connection.sendall(SLOW.get(kind, b"GET /file/50000000 HTTP/1.1\r\nHost: a\r\n\r\n"))
        dripping = threading.Thread(target=drip if kind in SLOW else lambda: None)
        dripping.start()
        try:
            with Load(server, clients=2, pause=0.01) as load:
                time.sleep(2.5)
            assert [] == load.errors
            assert {200} == set(load.statuses)
            assert load.percentile(0.9) < 5.0  # who were held up would wait for ten seconds and more
        finally:
            ended.set()
            dripping.join()
            for connection in slow:
                connection.close()
        files = Vitals.of(server).files
        wait_until(lambda: Vitals.of(server).files <= files, "all connections are closed")
