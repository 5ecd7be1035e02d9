"""When servers and workers end, requests in progress finish, and acknowledged data is stored."""

import http.client
import signal
import threading

import pytest

from ..processes import wait_until
from .killing import kill_workers
from .processes import read_all, served

pytestmark = [pytest.mark.ci, pytest.mark.xdist_group("faults")]


def test_sigterm_lets_a_view_an_upload_and_a_stream_finish():
    answers = {}

    def ask(name, path):
        answers[name] = server.ask(path)

    with served(workers=2) as server:
        upload = server.connect()
        upload.sendall(b"POST /raw HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n" + b"x" * 100_000)
        asking = [
            threading.Thread(target=ask, args=("view", "/sleep/2.0")),
            threading.Thread(target=ask, args=("stream", "/ticks/20")),
        ]
        for thread in asking:
            thread.start()
        server.wait_for_note("begun /sleep/2.0")
        server.wait_for_note("begun /ticks/20")
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: refuses(server), "new connections are refused")
        upload.sendall(b"x" * 100_000)
        answer = read_all(upload)
        upload.close()
        for thread in asking:
            thread.join()
        status = server.status()

    assert 0 == status
    assert (200, b"slept") == answers["view"]
    assert (200, b"".join(b"tick %d\n" % n for n in range(20))) == answers["stream"]
    assert (b"HTTP/1.1 200", b"200000") == (answer[:12], answer[-6:])


def refuses(server):
    try:
        server.connect(timeout=1).close()
    except OSError:
        return True
    return False


def test_what_was_answered_before_a_worker_was_killed_is_kept():
    with served(workers=2) as server:
        killed = kill_workers(server, kills=3, pause=0.2, clients=3)
        assert 0 == server.end()

    assert set() == killed.lost
    assert len(killed.kept) > 60
    assert killed.most_at_once <= 3  # as many as were in flight


def test_a_stream_that_fails_is_cut_closed_once_and_logged():
    with served() as server:
        for kind, message in (("raise", "ZeroDivisionError: on purpose"), ("short", "The body ended after 8 bytes")):
            with pytest.raises((http.client.IncompleteRead, ConnectionError)):
                server.ask(f"/fails/{kind}")
            server.wait_for(message)
            server.wait_for_note(f"closed /fails/{kind}")
            assert 1 == server.notes().count(f"closed /fails/{kind}")
        assert (200, b"hello") == server.ask("/")
