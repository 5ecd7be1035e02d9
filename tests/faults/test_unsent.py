"""Clients that do not read large responses: the worker's memory is limited, and other clients are answered."""

from contextlib import ExitStack

import pytest

from ..processes import wait_until
from .processes import served
from .slow_clients import read_nothing

pytestmark = pytest.mark.xdist_group("faults")

CLIENTS = 60
SIZE = 10_000_000


@pytest.mark.parametrize("path", [f"/whole/{SIZE}", f"/whole-async/{SIZE}"])
@pytest.mark.parametrize("interface", ["asgi", "wsgi"])
def test_large_responses_that_are_not_read_take_limited_memory(interface, path):
    """Over WSGI there are fewer threads than clients that read nothing, too."""
    options = ["--interface", interface, "--threads", "2"]
    with served(*options, FAULT_MAX_RESPONSE_MEMORY_SIZE=str(4 * SIZE)) as server, ExitStack() as stack:
        statuses = read_nothing(server, path, CLIENTS, stack)
        assert {200, 503} == set(statuses)
        # Four at a time; a client that reads nothing for five seconds is cut off.
        assert statuses.count(200) < CLIENTS / 2
        assert server.rss() < 300_000_000  # 60 of them would be 600 MB
        assert (200, b"hello") == server.ask("/")
        server.wait_for(r"holds \d+ MB of unsent responses")
        stack.close()
        wait_until(lambda: server.ask(path)[0] == 200, "there is room again")


@pytest.mark.parametrize("path", ["/endless", "/endless-async"])
def test_streams_that_are_not_read_wait_for_their_clients(path):
    """Back-pressure: the server keeps a few chunks for each client, here of 64 KB."""
    with served() as server, ExitStack() as stack:
        server.ask("/")
        before = server.rss()
        assert {200} == set(read_nothing(server, path, CLIENTS, stack))
        assert (200, b"hello") == server.ask("/")
        assert server.rss() - before < CLIENTS * 2_000_000
