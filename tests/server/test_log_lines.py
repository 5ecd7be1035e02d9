"""The lines of the access log: in order, all of them, and no request waits for them."""

import io
import os
import threading

from costrel.server.log_lines import LogLines
from costrel.server.output import LIMIT, nonblocking

from ..processes import PATIENCE, wait_until


def test_lines_are_written_in_their_order_without_a_call():
    stream = io.StringIO()
    lines = LogLines(stream, list)

    for number in range(500):
        lines.add(f"{number}")

    wait_until(lambda: stream.getvalue().count("\n") == 500, "the lines are written")
    assert stream.getvalue() == "".join(f"{number}\n" for number in range(500))


def test_lines_of_several_threads_are_all_written():
    stream = io.StringIO()
    lines = LogLines(stream, list)

    def add(name):
        for number in range(1000):
            lines.add(f"{name} {number}")

    threads = [threading.Thread(target=add, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines.flush()

    written = [line.split() for line in stream.getvalue().splitlines()]
    for name in "abcd":
        assert [number for found, number in written if found == name] == [str(number) for number in range(1000)]


def test_entries_without_a_line_are_logged_and_the_next_ones_are_written(caplog):
    stream = io.StringIO()
    lines = LogLines(stream, lambda entries: [f"{10 // entry}" for entry in entries])

    lines.add(0)
    wait_until(lambda: "Access log lines were lost" in caplog.text, "the error is logged")
    lines.add(5)

    wait_until(lambda: stream.getvalue() == "2\n", "the next line is written")
    assert "ZeroDivisionError" in caplog.text


def test_the_rest_is_written_when_the_log_ends():
    stream = io.StringIO()
    lines = LogLines(stream, list)
    lines.add("last")
    del lines

    assert stream.getvalue() == "last\n"


def test_a_stream_that_blocks_blocks_no_request_and_the_lines_are_counted():
    reading, writing = os.pipe()
    received, dropped = [], []
    total = LIMIT // 100_000 * 100  # four times as much as is kept

    def read():
        with os.fdopen(reading) as pipe:
            received.extend(pipe)

    reader = threading.Thread(target=read)
    with os.fdopen(writing, "w", 1) as stream:
        kept = nonblocking(stream, dropped.append)
        lines = LogLines(kept, list)
        for _ in range(total // 100):
            for _ in range(100):
                lines.add("x" * 3999)
            lines.flush()
        reader.start()
        kept.buffer.raw.finish(PATIENCE)
    reader.join(PATIENCE)

    told = [line for line in received if not line.startswith("x")]
    assert [f"[WARNING] {sum(dropped)} lines of output were dropped: they were not read\n"] == told
    assert sum(dropped) > 0
    assert received.count("x" * 3999 + "\n") + sum(dropped) == total


def test_nothing_is_left_running_without_lines(monkeypatch):
    monkeypatch.setattr("costrel.server.log_lines._IDLE", 0.01)
    stream = io.StringIO()
    lines = LogLines(stream, list)

    for text in ("first", "second"):
        lines.add(text)
        wait_until(lambda text=text: stream.getvalue().endswith(f"{text}\n"), "it is written")
        for thread in threading.enumerate():
            if thread.name == "costrel-access-log":
                thread.join(PATIENCE)
                assert not thread.is_alive()
    assert stream.getvalue() == "first\nsecond\n"
