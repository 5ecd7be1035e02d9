"""What a client sends costs the server's own code no more than in proportion to its length."""

import io

import pytest

from costrel.devserver.chunked import DechunkedInput
from costrel.server.terminal import readable

from ..shapes import assert_linear


def dechunk(body):
    return io.BufferedReader(DechunkedInput(io.BytesIO(body))).read()


@pytest.mark.parametrize("chunk", [b"1\r\na\r\n", b"1;a=b\r\na\r\n", b"1        \r\na\r\n"])
def test_many_chunks(chunk):
    assert_linear(dechunk, 5_000, lambda count: chunk * count + b"0\r\n\r\n")


@pytest.mark.parametrize("piece", ["/", "%", "%41", "%e2%82%ac", "%1b", "\x1b", "é", "[", ":", "a=b&"])
def test_a_long_target(piece):
    assert_linear(readable, 10_000, lambda count: "/" + piece * count)
