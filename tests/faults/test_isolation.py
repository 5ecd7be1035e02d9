"""Open streams, stalled uploads and slow readers keep no other request waiting."""

import pytest

from .isolation import REQUESTS, measured, opened
from .processes import served

pytestmark = [pytest.mark.ci, pytest.mark.xdist_group("faults")]

ATTEMPTS = 4
"""On a busy machine, any request may be slow once. A request that waits for other clients is slow every time."""


@pytest.fixture(scope="module")
def server():
    with served(app="isolated_app:app") as server:
        measured(server, 20)
        yield server


@pytest.mark.parametrize(
    "numbers",
    [{"streams": 60}, {"uploads": 60}, {"readers": 60}, {"streams": 50, "uploads": 50, "readers": 50}],
    ids=str,
)
def test_other_requests_take_no_longer(server, numbers):
    idle = measured(server, 50)
    with opened(server, **numbers):
        for _ in range(ATTEMPTS):
            busy = measured(server, 50)
            slow = {kind: busy.p99(kind) for kind in REQUESTS if busy.p99(kind) > max(5 * idle.p99(kind), 250)}
            assert [] == busy.refused
            if not slow:
                break
    assert {} == slow


def test_streams_beyond_the_limit_are_refused_at_once():
    with served(app="isolated_app:app", FAULT_STREAM_THREADS="40") as server:
        with opened(server, streams=40):
            answers = [server.ask("/events") for _ in range(5)]
            busy = measured(server, 20)
        assert {503} == {status for status, _ in answers}
        assert [] == busy.refused
