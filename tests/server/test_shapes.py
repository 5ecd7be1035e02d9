"""What a client sends costs the server's own code no more than in proportion to its length."""

import io
import time

import pytest

from costrel.server.chunked import DechunkedInput
from costrel.server.terminal import readable

ROUNDS = 7


def seconds(function, argument):
    """The processor time of one call, at its best."""
    times = []
    for _ in range(ROUNDS):
        started = time.process_time()
        function(argument)
        times.append(time.process_time() - started)
    return min(times)


def grows_in_proportion(function, make, size):
    """Whether doubling the size at most doubles the time, give or take what the clock does."""
    return any(seconds(function, make(2 * size)) / max(seconds(function, make(size)), 1e-6) < 2.5 for _ in range(5))


def dechunk(body):
    return io.BufferedReader(DechunkedInput(io.BytesIO(body))).read()


@pytest.mark.parametrize("chunk", [b"1\r\na\r\n", b"1;a=b\r\na\r\n", b"1        \r\na\r\n"])
def test_many_chunks(chunk):
    assert grows_in_proportion(dechunk, lambda count: chunk * count + b"0\r\n\r\n", 5_000)


@pytest.mark.parametrize("piece", ["/", "%", "%41", "%e2%82%ac", "%1b", "\x1b", "é", "[", ":", "a=b&"])
def test_a_long_target(piece):
    assert grows_in_proportion(readable, lambda count: "/" + piece * count, 10_000)
