"""Signals at any moment: none is lost, and no process hangs."""

import signal
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="this system has no such signals")

TAKEN_BY_A_THREAD = """\
import signal, threading, time
from costrel.server.signals import Signals

def take():
    time.sleep(0.3)
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
    time.sleep(60)

signals = Signals()
threading.Thread(target=take, daemon=True).start()
signals.wait()
"""

BEFORE_IT_IS_WAITED_FOR = """\
import os, signal
from costrel.server.signals import Signals

signal.signal(signal.SIGUSR1, lambda *_: None)
signals = Signals()
os.kill(os.getpid(), signal.SIGUSR1)
for _ in range(1_000):
    os.kill(os.getpid(), signal.SIGTERM)
signals.wait()
"""

WHILE_THE_SAME_THREAD_WAITS = """\
import signal, time
from multiprocessing.connection import wait
from costrel.server.signals import Wakeup

with Wakeup() as wakeup:
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 0.0001, 0.0001)
    until = time.monotonic() + 2
    while time.monotonic() < until:
        assert wait([wakeup.receiver], 10)
        wakeup.clear()
    signal.setitimer(signal.ITIMER_REAL, 0)
"""


@pytest.mark.parametrize("script", [TAKEN_BY_A_THREAD, BEFORE_IT_IS_WAITED_FOR, WHILE_THE_SAME_THREAD_WAITS])
def test_a_signal_is_heard(script):
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30)

    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_second_signal_does_not_interrupt_the_end_of_a_process_that_was_told_to_end_while_it_started():
    program = """
import os, signal, time
from costrel.server.signals import complete_before_end

def undo():
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(0.01)  # a handler would run here
    print("undone")

try:
    complete_before_end(lambda: os.kill(os.getpid(), signal.SIGTERM))
finally:
    undo()
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "undone\n", "")
