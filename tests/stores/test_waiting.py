"""Waiting for a store: deadlines, and how many threads wait."""

import threading
import time

import pytest

from costrel.stores.waiting import BRIEF, WAITERS, StuckError, Waits


@pytest.fixture
def clock(monkeypatch):
    """A clock that advances when `sleep` is called."""

    class Clock:
        now = 1000.0

        def sleep(self, seconds):
            self.now += seconds

    clock = Clock()
    monkeypatch.setattr(time, "monotonic", lambda: clock.now)
    monkeypatch.setattr(time, "sleep", clock.sleep)
    return clock


def wait_in_vain(operation):
    with operation:
        while True:
            operation.pause()


def waited(operation, clock):
    """The seconds until an operation on a locked store fails, and the reason."""
    began = clock.now
    with pytest.raises(StuckError) as caught:
        wait_in_vain(operation)
    return clock.now - began, str(caught.value)


def test_an_operation_has_one_deadline(clock):
    seconds, why = waited(Waits(2.0).operation(), clock)
    assert 2.0 <= seconds < 2.05
    assert "locked for 2 seconds" in why


def test_the_time_before_the_first_pause_counts(clock):
    operation = Waits(2.0).operation()
    clock.now += 1.5
    assert waited(operation, clock)[0] < 0.55


def test_after_a_missed_deadline_the_next_does_not_wait_until_one_succeeds(clock):
    waits = Waits(2.0)
    waited(waits.operation(), clock)
    assert 0.0 == waited(waits.operation(), clock)[0]
    waits.note_success()
    assert waited(waits.operation(), clock)[0] >= 2.0


def test_few_wait_for_longer(clock):
    waits = Waits(2.0)
    operations = [waits.operation() for _ in range(WAITERS)]
    clock.now += BRIEF
    for operation in operations:
        operation.pause()
    late = waits.operation()
    seconds, why = waited(late, clock)
    assert BRIEF <= seconds < BRIEF + 0.05
    assert f"{WAITERS} operations are already waiting" in why
    with operations[0]:
        pass
    another = waits.operation()
    clock.now += BRIEF
    another.pause()


def test_any_number_waits_for_a_store_that_is_only_busy(clock):
    waits = Waits(2.0)
    operations = [waits.operation() for _ in range(10 * WAITERS)]
    for _ in range(8):
        clock.now += BRIEF - 0.05
        waits.note_success()
        for operation in operations[1:]:
            operation._check()
    clock.now = operations[0]._began + 2.0
    with pytest.raises(StuckError, match="2 seconds"):
        operations[0].pause()
    assert not waits.is_stuck


def test_a_lock_of_this_process_shares_the_deadline():
    lock, waits = threading.Lock(), Waits(0.1)
    lock.acquire()
    began = time.monotonic()
    with pytest.raises(StuckError), waits.operation() as operation:
        operation.acquire(lock)
    assert 0.1 <= time.monotonic() - began < 1.0
    lock.release()
    with waits.operation() as operation:
        operation.acquire(lock)
    assert lock.locked()


def test_few_try_a_store_that_did_not_answer():
    waits = Waits(1.0)
    waits.note_missed()
    for _ in range(WAITERS):
        assert waits.enter()
    with pytest.raises(StuckError), waits.attempt():
        pass
    waits.leave()
    with waits.attempt():
        pass
    assert not waits.is_stuck
