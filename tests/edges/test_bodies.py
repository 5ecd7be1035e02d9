"""Bodies that threads read while they arrive: in order, no further ahead than they may, and with the client's time."""

import asyncio
import threading

import pytest

from costrel.edges.bodies import AHEAD, BODY_MIN_RATE, Body, take_body
from costrel.edges.timeouts import Timeouts
from costrel.http.errors import BodyTimeout, ClientDisconnected

CHUNK = 100_000


class Client:
    """A `receive` function with the messages of one body; None is a disconnect."""

    def __init__(self, chunks):
        self.chunks = list(chunks)
        self.given = 0

    async def receive(self):
        await asyncio.sleep(0)
        if not self.chunks:
            await asyncio.get_running_loop().create_future()
        chunk = self.chunks.pop(0)
        self.given += 1
        if chunk is None:
            return {"type": "http.disconnect"}
        if isinstance(chunk, Exception):
            raise chunk
        return {"type": "http.request", "body": chunk, "more_body": bool(chunk)}


def chunks_of(number):
    return [bytes([i % 256]) * CHUNK for i in range(number)]


def read_in_thread(read, client, environ=None, **kwargs):
    """The result of `read` in a thread while the loop receives the body."""

    async def main():
        body = Body({} if environ is None else environ, client.receive, **kwargs)
        try:
            await body.begin()
            return await asyncio.wait_for(asyncio.to_thread(read, body), 20)
        finally:
            body.close()

    return asyncio.run(main())


@pytest.mark.parametrize("size", [1000, CHUNK - 1, CHUNK, 10 * CHUNK, -1])
def test_it_arrives_in_order(size):
    def read(body):
        pieces = []
        while piece := body.read(size):
            pieces.append(piece)
        return b"".join(pieces)

    assert b"".join(chunks_of(30)) == read_in_thread(read, Client([*chunks_of(30), b""]))


def test_a_reader_can_change_its_ways():
    def read(body):
        buffer = bytearray(7)
        return body.read(3), body.readinto(buffer), bytes(buffer), body.read(0), len(body.readall()), body.read()

    client = Client([b"abcdefghijk", b"l" * CHUNK, b""])
    assert (b"abc", 7, b"defghij", b"", CHUNK + 1, b"") == read_in_thread(read, client)


def test_what_has_arrived_is_read_in_one_whatever_pieces_it_came_in():
    def read(body):
        return body.read(1), body.read(9), body.read(20_000), len(body.read(20_000)), body.read(1)

    client = Client([*[bytes([byte]) for byte in b"abcdefghijklmno"], b"p" * 10_000, b"q" * 20_000, b""])
    assert (b"a", b"bcdefghij", b"klmno" + b"p" * 10_000 + b"q" * 9_995, 10_005, b"") == read_in_thread(read, client)


def test_no_more_is_received_ahead_than_may_be():
    client = Client([*chunks_of(100), b""])

    def read(body):
        ahead = []
        for number in range(1, 51):
            body.read(CHUNK)
            deadline = threading.Event()
            deadline.wait(0.002)  # a reader that takes its time: whatever may come ahead does
            ahead.append(client.given - number)
        return max(ahead)

    assert read_in_thread(read, client) <= AHEAD // CHUNK + 2


def test_the_time_in_which_nobody_reads_is_not_the_clients():
    def read(body):
        first = body.read(CHUNK)
        threading.Event().wait(0.5)  # the client is asked for more ahead, and has not sent it
        return first, body.wait.stalled, body.wait.waited

    first, stalled, waited = read_in_thread(read, Client(chunks_of(1)), timeouts=Timeouts(0.1))
    assert (chunks_of(1)[0], False, 0.0) == (first, stalled, waited)


def test_a_client_that_stalls_while_it_is_read_is_given_up():
    def read(body):
        body.read(CHUNK)
        with pytest.raises(BodyTimeout):
            body.read(CHUNK)
        with pytest.raises(BodyTimeout):
            body.read(CHUNK)

    read_in_thread(read, Client(chunks_of(1)), timeouts=Timeouts(0.1))


def test_what_had_come_before_the_client_left_is_read_first():
    def read(body):
        assert CHUNK == len(body.read(CHUNK))
        assert CHUNK == len(body.read(CHUNK))
        with pytest.raises(ClientDisconnected):
            body.read(CHUNK)
        with pytest.raises(ClientDisconnected):
            body.readall()

    read_in_thread(read, Client([*chunks_of(2), None]))


def test_an_error_of_the_server_reaches_the_reader():
    def read(body):
        assert CHUNK == len(body.read(CHUNK))
        with pytest.raises(ZeroDivisionError):
            body.read(CHUNK)

    read_in_thread(read, Client([*chunks_of(1), ZeroDivisionError()]))


def test_a_body_is_complete_with_its_last_byte():
    async def main(length, chunks, **headers):
        client = Client(chunks)
        body = Body({"CONTENT_LENGTH": str(length), **headers}, client.receive)
        if chunks or length == 0:
            await asyncio.wait_for(body.begin(), 5)
        return body.complete, body.cut_off, client.given

    assert (True, False, 0) == asyncio.run(main(0, []))
    assert (True, False, 2) == asyncio.run(main(10, [b"12345", b"67890"]))
    assert (True, False, 1) == asyncio.run(main(10, [b"1" * 11, b"2"]))
    assert (True, True, 2) == asyncio.run(main(10, [b"12345", b""]))
    # Beside a coding the length means nothing.
    assert (True, False, 3) == asyncio.run(main(10, [b"1" * 10, b"2" * 10, b""], HTTP_TRANSFER_ENCODING="chunked"))


def test_a_thread_and_the_loop_can_take_turns():
    async def main():
        body = Body({}, Client([*chunks_of(20), b""]).receive)
        pieces = [await asyncio.to_thread(body.read, CHUNK + 1), await asyncio.to_thread(body.read, 10)]
        while chunk := await asyncio.wait_for(body.next_chunk(), 5):
            pieces.append(chunk)
        body.close()
        return b"".join(pieces)

    assert b"".join(chunks_of(20)) == asyncio.run(main())


def test_what_a_thread_has_begun_to_read_can_be_spooled():
    async def main():
        body = Body({}, Client([*chunks_of(20), b""]).receive)
        first = await asyncio.to_thread(body.read, 10)
        await asyncio.wait_for(body.spool(None), 5)
        rest = body.readall()
        body.close()
        return first + rest

    assert b"".join(chunks_of(20)) == asyncio.run(main())


def test_what_has_arrived_whole_can_be_taken_at_once():
    async def main(chunks, size, **headers):
        body = Body(headers, Client(chunks).receive)
        await body.begin()
        return body.take_whole(size), body.take_whole(size)

    async def begun():
        body = Body({"CONTENT_LENGTH": "3"}, Client([b"abc"]).receive)
        await body.begin()
        return body.read(1), body.take_whole(3), body.read()

    assert (b"abc", None) == asyncio.run(main([b"abc"], 3, CONTENT_LENGTH="3"))
    assert (b"abc", None) == asyncio.run(main([b"a", b"bc", b""], 3))
    assert (None, None) == asyncio.run(main([b"abc", b""], 4))
    assert (None, None) == asyncio.run(main([b"abc", None], 3, CONTENT_LENGTH="4"))
    assert (None, None) == asyncio.run(main([b"x" * CHUNK], CHUNK))
    assert (b"a", None, b"bc") == asyncio.run(begun())


def test_a_message_that_is_there_already_is_not_waited_for():
    async def receive():
        return {"type": "http.request", "body": b"abc", "more_body": False}

    async def main():
        body = Body({"CONTENT_LENGTH": "3"}, receive, Timeouts(0.1))
        await body.begin()
        return body.wait, body.read()

    assert (None, b"abc") == asyncio.run(main())


def taken(messages, length, waits=False, begin=True):
    """What becomes of a body of some messages: its bytes or the error, and whether it was there at once."""
    messages = list(messages)

    async def receive():
        if waits:
            await asyncio.sleep(0)
        return messages.pop(0)

    async def main():
        environ = {"CONTENT_LENGTH": str(length)}
        body = take_body(environ, receive, Timeouts(5), BODY_MIN_RATE)
        if body is None:
            return environ["wsgi.input"].read(), True
        try:
            if begin:
                await asyncio.wait_for(body.begin(), 5)
            return (environ["wsgi.input"].readall() if begin else None), False
        except ClientDisconnected:
            return "cut off", False
        finally:
            body.close()

    return asyncio.run(main())


def message(chunk, more=False):
    return {"type": "http.request", "body": chunk, "more_body": more}


def test_a_body_that_is_there_with_its_head_is_all_there_is():
    assert (b"abc", True) == taken([message(b"abc")], 3)
    assert (b"abc", True) == taken([message(b"abc", more=True)], 3)


def test_any_other_body_is_counted_as_it_comes():
    left = {"type": "http.disconnect"}
    assert (b"abc", False) == taken([message(b"abc")], 3, waits=True)
    assert (b"abc", False) == taken([message(b"a", more=True), message(b"bc")], 3)
    assert (b"abc", False) == taken([message(b"abcd")], 3)
    assert ("cut off", False) == taken([message(b"ab")], 3)
    assert ("cut off", False) == taken([left], 3)
    assert ("cut off", False) == taken([message(b"a", more=True), left], 3, waits=True)


@pytest.mark.parametrize("waits", [False, True])
def test_a_body_that_is_refused_unread_leaves_nothing_behind(waits):
    assert (None, False) == taken([message(b"a", more=True)], 3, waits, begin=False)
