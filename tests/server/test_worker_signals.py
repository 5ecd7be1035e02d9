"""The signals of a worker: held while it is started, released in it, and answered after its start is complete."""

import signal
import threading

import pytest

from costrel.server.signals import ENDING, complete_before_end, held_signals, release_signals

pytestmark = pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="this system has no such signals")


@pytest.fixture(autouse=True)
def handlers():
    """The handlers of this process, which are restored after the test."""
    before = {number: signal.getsignal(number) for number in (*ENDING, signal.SIGHUP)}
    wakeup = signal.set_wakeup_fd(-1)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    signal.set_wakeup_fd(wakeup)


def test_a_signal_waits_while_it_is_held():
    arrived = []
    signal.signal(signal.SIGTERM, lambda number, frame: arrived.append(number))
    with held_signals():
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
        assert [] == arrived

    assert [signal.SIGTERM] == arrived


def test_a_worker_takes_signals_as_a_new_process_does():
    with held_signals():
        release_signals()
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [])

    assert blocked.isdisjoint(ENDING)
    assert [signal.SIG_DFL] * 2 == [signal.getsignal(number) for number in ENDING]
    assert signal.SIG_IGN == signal.getsignal(signal.SIGHUP)


@pytest.mark.parametrize("number", ENDING)
def test_a_start_is_completed_before_a_signal_ends_the_process(number):
    done = []

    def start():
        signal.raise_signal(number)
        done.append("started")

    with pytest.raises(SystemExit) as caught:
        complete_before_end(start)

    assert (["started"], 0) == (done, caught.value.code)
    assert [signal.SIG_IGN] * 2 == [signal.getsignal(number) for number in ENDING]  # the end is not interrupted


@pytest.mark.parametrize("number", ENDING)
def test_a_signal_after_the_start_ends_the_process(number):
    complete_before_end(lambda: None)

    with pytest.raises(SystemExit):
        signal.raise_signal(number)
