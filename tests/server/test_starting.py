"""Restarts of the program, and the programs that can be started ahead."""

import errno
import os
import sys

import pytest

from costrel.devserver import ahead, starting
from costrel.devserver.starting import Starter


@pytest.mark.parametrize(
    ("start", "is_command"),
    [
        (["/venv/bin/costrel"], True),
        (["-X", "dev", "/venv/bin/costrel"], True),
        (["-m", "costrel"], True),
        (["-m", "costrel.as_flask", "-m", "costrel"], True),
        (["-m", "costrel.as_flask", "-m", "flask"], True),
        (["-m", "pdb", "-m", "costrel"], False),
        (["-m", "pdb", "/venv/bin/costrel"], False),
        (["-m", "shop"], False),
        (["manage.py"], False),
        (["-c"], False),
        ([], False),
    ],
)
def test_the_command_alone_is_started_ahead(monkeypatch, start, is_command):
    monkeypatch.delenv(ahead.VARIABLE, raising=False)
    monkeypatch.setattr(ahead, "_by_command", False)
    monkeypatch.setattr(sys, "orig_argv", [sys.executable, *start, "run", "--debug"])
    monkeypatch.setattr(sys, "argv", ["costrel", "run", "--debug"])

    ahead.wait_for_start()

    assert (ahead.is_command(), ahead.is_possible()) == (is_command, is_command)


def test_without_another_process_the_next_start_takes_longer(monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError(errno.EAGAIN, "no more processes")

    monkeypatch.setattr(ahead, "is_possible", lambda: True)
    monkeypatch.setattr(starting.subprocess, "Popen", refuse)
    before = os.listdir("/dev/fd")

    starter = Starter({}, None)
    starter.prepare()
    starter.close()

    assert os.listdir("/dev/fd") == before
    with pytest.raises(OSError, match="no more processes"):
        starter.start()


def test_other_programs_are_not_started_ahead(monkeypatch):
    started = []
    monkeypatch.setattr(ahead, "is_possible", lambda: False)
    monkeypatch.setattr(starting.subprocess, "Popen", lambda command, env: started.append(command) or "a process")

    starter = Starter({}, None)
    starter.prepare()

    assert started == []
    assert starter.start() == "a process"
