"""Measuring how the time of an operation grows with its input, independently of the computer."""

import gc
import time
from collections.abc import Callable
from typing import Any

import pytest

ATTEMPTS = 8
FIRST = (3, 1)
"""How often the short and the long work are timed in the first attempt. The short time decides: were it too long, work
that is not linear would pass; were the long one, there is another attempt."""

ROUNDS = (5, 5)
"""The same in the attempts after it."""

MUCH: dict[str, Any] = {"times": 4, "most": 10, "noise": 0.005}
"""For work on megabytes: pages of memory that come from the system cost twice as much as those at hand, so that what is
linear may take 8 times as long for 4 times the size. What is quadratic takes 16."""


def assert_linear(
    run: Callable[[Any], object],
    size: int,
    make: Callable[[int], Any] = lambda size: size,
    *,
    times: int = 2,
    most: float = 2.5,
    noise: float = 0.0002,
) -> None:
    """Fail where `times` the size takes more than `most` times as long. What is quadratic takes `times` squared.

    `run` is given what `make` makes of a size. Another process may take the time of one attempt, not of all; work that
    takes less than `noise` seconds is outweighed by it each time. Where memory comes from the system at just this size,
    time makes a step there: four times the size is beyond it, and what is quadratic fails there as well.
    """
    found = []
    for scale in (1, 4):
        best = [float("inf")] * 2
        for rounds in (FIRST, *[ROUNDS] * (ATTEMPTS - 1)):
            short = _seconds(run, make(scale * size), rounds[0])
            long = _seconds(run, make(scale * times * size), rounds[1])
            best = list(map(min, best, (short, long)))
            if long < noise or long / short < most or best[1] / best[0] < most:
                return
        found.append(f"{scale * size} took {best[0]:.6f} s, {times} times as much {best[1]:.6f} s")
    pytest.fail(f"{'; '.join(found)}: each the best of {ATTEMPTS} attempts")


def _seconds(run: Callable[[Any], object], argument: Any, rounds: int) -> float:
    """The processor time of a call, best of `rounds`."""
    best = float("inf")
    gc.disable()  # how often it runs depends on what other tests have left
    try:
        for _ in range(rounds):
            start = time.process_time()
            run(argument)
            best = min(best, time.process_time() - start)
    finally:
        gc.enable()
    return best
