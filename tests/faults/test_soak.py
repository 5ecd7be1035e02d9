"""The soak notices a slow leak among the ups and downs of memory, and each traceback that is not on purpose."""

import gc
import mmap
import os
import random

import pytest

from .growth import Growth, slope
from .processes import own_memory
from .tracebacks import unexpected_tracebacks

MB = 1_000_000
HOUR = 3600
REQUESTS_A_SECOND = 12
"""Fewer than a soak with a pause of 0.12 seconds sends to each server."""


def memory(seconds, leak=0, seed=1):
    """Samples of a process: it fills up in the first minutes, and has buffers of up to 3 MB for its requests."""
    numbers = random.Random(seed)
    for at in range(0, seconds, 2):
        filled = 5 * MB * min(1, at / 600)
        buffers = numbers.random() ** 2 * 3 * MB
        yield at, int(50 * MB + filled + buffers + leak * at * REQUESTS_A_SECOND)


@pytest.mark.parametrize("seed", range(10))
def test_a_leak_of_thirty_bytes_a_request_is_noticed(seed):
    assert slope(memory(HOUR, leak=30, seed=seed), HOUR / 3) > 1 * MB


@pytest.mark.parametrize("seed", range(10))
def test_ups_and_downs_are_no_growth(seed):
    assert abs(slope(memory(HOUR, seed=seed), HOUR / 3)) < 0.2 * MB


def test_each_process_is_judged_by_itself():
    growth = Growth()
    for at in range(0, HOUR, 2):
        growth.note(at, {"leaks": 50 * MB + 1000 * at, "shrinks": 50 * MB - 1000 * at})

    assert {"leaks": pytest.approx(3.6 * MB, rel=0.01), "shrinks": pytest.approx(-3.6 * MB, rel=0.01)} == growth.slopes(
        HOUR / 3
    )


def test_memory_of_its_own_is_all_that_a_process_allocates():
    gc.collect()
    before = own_memory(os.getpid())
    # A text of this size may get memory that an earlier test has given back to the process.
    with mmap.mmap(-1, 20 * MB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as kept:
        kept.write(b"x" * len(kept))
        assert 0.9 * len(kept) <= own_memory(os.getpid()) - before < 1.5 * len(kept)


def test_two_samples_are_enough_for_a_slope():
    assert slope([(0, 10), (HOUR, 20)], 0) == pytest.approx(10, rel=0.2)


ON_PURPOSE = """\
[ERROR] Application callable raised an exception
Traceback (most recent call last):
  File "app.py", line 1, in view
    raise ZeroDivisionError("on purpose")
ZeroDivisionError: on purpose
"""
UNEXPECTED = """\
Traceback (most recent call last):
  File "app.py", line 2, in view

KeyError: 'name'"""
GROUP = """\
  + Exception Group Traceback (most recent call last):
  |   File "app.py", line 2, in view
  | ExceptionGroup: two (2 sub-exceptions)
  +-+---------------- 1 ----------------
    | ValueError: one
    +------------------------------------"""
PANIC = "thread 'granian' panicked at src/asgi/http.rs:10:5:"


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        ("127.0.0.1 - - GET / 200\n", []),
        (ON_PURPOSE, []),
        (ON_PURPOSE + UNEXPECTED + "\n" + ON_PURPOSE, [UNEXPECTED]),
        (
            f"{UNEXPECTED}\n\nDuring handling of the above exception, another one occurred:\n\n{ON_PURPOSE}",
            [UNEXPECTED],
        ),
        (f"{GROUP}\n", [GROUP]),
        (f"{PANIC}\n{ON_PURPOSE}", [PANIC]),
        ("Traceback (most recent call last):\n  File", ["Traceback (most recent call last):\n  File"]),
    ],
)
def test_the_text_of_unexpected_tracebacks_is_found(log, expected):
    assert expected == unexpected_tracebacks(log.splitlines(keepends=True))
