"""Files in blocks: all of the bytes and no more, in blocks that suit the client."""

import asyncio
import io

import pytest

from costrel.edges.file_blocks import LARGEST, PART_OF_ALL, SMALLEST, FileBlocks, send_file_body
from costrel.messages.body import FileBody

CONTENT = bytes(range(256)) * 16_384


async def run(function):
    return function()


def sent(body, seconds=0.0):
    """The messages that send `body` to a client that takes so long for each."""
    messages = []
    clock = 0.0

    async def main():
        async def send(message):
            nonlocal clock
            clock += seconds
            messages.append(message)

        asyncio.get_running_loop().time = lambda: clock
        await send_file_body(send, run, body)

    asyncio.run(main())
    return messages


@pytest.mark.parametrize(
    ("offset", "length"),
    [(None, None), (None, len(CONTENT)), (1_000, 2_000_000), (0, 10), (7, 0), (len(CONTENT), None)],
)
def test_it_is_sent_to_the_byte(offset, length):
    messages = sent(FileBody(io.BytesIO(CONTENT), offset, length))

    start = offset or 0
    end = len(CONTENT) if length is None else start + length
    assert CONTENT[start:end] == b"".join(message["body"] for message in messages)
    assert [*[True] * (len(messages) - 1), False] == [message.get("more_body", False) for message in messages]


def test_a_small_part_is_one_message():
    assert 1 == len(sent(FileBody(io.BytesIO(CONTENT), 0, SMALLEST)))


def test_a_file_that_is_shorter_than_it_was_ends_early():
    messages = sent(FileBody(io.BytesIO(CONTENT), None, len(CONTENT) + 1))
    assert len(CONTENT) == sum(len(message["body"]) for message in messages)


def sizes(seconds):
    content = CONTENT * 4
    return [len(message["body"]) for message in sent(FileBody(io.BytesIO(content), None, len(content)), seconds)]


def test_a_client_that_is_fast_gets_larger_blocks_when_it_has_taken_enough():
    taken = sizes(0.0)
    assert [SMALLEST] * PART_OF_ALL == taken[:PART_OF_ALL]
    assert sorted(taken[:-1]) == taken[:-1]
    assert LARGEST == max(taken)


def test_a_client_that_is_slow_gets_small_ones():
    assert {SMALLEST} == set(sizes(1.0))


def test_a_client_that_becomes_slow_gets_smaller_ones_again():
    blocks = FileBlocks(FileBody(io.BytesIO(CONTENT)))
    blocks.was_sent(LARGEST * PART_OF_ALL, 1)
    assert LARGEST == blocks.size
    blocks.was_sent(0, 600)
    assert SMALLEST == blocks.size
