"""The threads that send large bodies: no more than the maximum, and each sends one body after another."""

import threading

from costrel.server.senders import Senders

from ..processes import wait_until


def test_bodies_are_sent_at_the_same_time_up_to_the_maximum():
    senders, sent = Senders(2), threading.Event()

    assert [True, True, False] == [senders.begin(lambda: sent.wait(30)) for _ in range(3)]
    assert 2 == len(senders.in_progress)
    sent.set()
    senders.end(30)
    assert {} == senders.in_progress


def test_a_thread_sends_one_body_after_another():
    senders, threads = Senders(1), []

    def send():
        threads.append(threading.get_ident())

    for number in range(1, 4):
        wait_until(lambda: senders.begin(send), "the thread is idle")
        wait_until(lambda n=number: len(threads) == n, "it was sent")
    assert 1 == len(set(threads))
    senders.end(30)


def test_a_thread_that_has_waited_long_ends_and_another_takes_its_place(monkeypatch):
    monkeypatch.setattr("costrel.server.senders._IDLE", 0.01)
    senders, threads = Senders(1), []
    for number in range(1, 4):
        wait_until(lambda: senders.begin(lambda: threads.append(threading.current_thread())), "there is a thread")
        wait_until(lambda n=number: len(threads) == n, "it was sent")
        wait_until(lambda: not threads[-1].is_alive(), "it ends")
    assert 3 == len(set(threads))


def test_without_another_thread_of_the_system_there_is_none(monkeypatch):
    def start(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    senders = Senders(1)
    assert not senders.begin(lambda: None)
    assert {} == senders.in_progress


def test_waiting_for_bodies_has_an_end():
    senders, sent = Senders(1), threading.Event()
    senders.begin(lambda: sent.wait(30))
    senders.end(0.01)
    assert 1 == len(senders.in_progress)
    sent.set()
