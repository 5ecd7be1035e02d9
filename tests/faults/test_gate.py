"""Hundreds of random responses and WebSocket messages; `long_runs gate` is the same with 100,000."""

import pytest

from .gate_fuzz import HUNG, fuzz
from .processes import served

pytestmark = [pytest.mark.ci, pytest.mark.xdist_group("faults")]


@pytest.mark.parametrize(("interface", "sockets"), [("asgi", 150), ("wsgi", 0)])
def test_nothing_that_a_view_answers_ends_a_worker(interface, sockets):
    with served("--interface", interface, app="gate_app:app") as server:
        workers = server.workers()
        asked, conversed = fuzz(server, 500, sockets)
        assert (200, str(workers[0]).encode()) == server.ask("/pid")
        assert workers == server.workers()
        log = server.text()
    assert "panicked" not in log
    assert (0, 0) == (asked[HUNG], conversed[HUNG])
    assert asked["500"] > 50 < asked["200"]
