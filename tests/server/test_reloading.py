"""The reloader: one process serves, and another restarts it."""

import signal
import socket
import subprocess
import sys
import threading

import pytest

from costrel.devserver import reloading, starting


class Changes:
    """A watcher that reports the paths it was given, one at a time, and then that the program ended."""

    name = "a list"

    def __init__(self, *paths):
        self.paths = list(paths)
        self.forgotten = False

    def wait(self, ended, since=None):
        if self.paths:
            return self.paths.pop(0)
        ended.wait(10)
        return None

    def forget_bytecode(self):
        self.forgotten = True


class Processes:
    """Stands in for the processes that are started: they end with the given statuses."""

    def __init__(self, monkeypatch, *statuses):
        self.statuses = list(statuses)
        self.environs = []
        monkeypatch.setattr(starting.subprocess, "Popen", self.start)

    def start(self, command, env, **options):
        self.command, self.options = command, options
        self.environs.append(dict(env))
        return self

    def wait(self, timeout=None):
        status = self.statuses.pop(0)
        if isinstance(status, BaseException):
            raise status
        return status

    def terminate(self):
        self.terminated = True

    def kill(self):
        self.killed = True


@pytest.fixture(autouse=True)
def sigterm_as_before():
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def in_child(monkeypatch):
    monkeypatch.setenv("WERKZEUG_RUN_MAIN", "true")


def test_the_serving_process_is_this_program_again(monkeypatch):
    processes = Processes(monkeypatch, 0)

    assert reloading.supervise(Changes(), fd=7) == 0

    (environ,) = processes.environs
    assert processes.command == [sys.executable, *sys.orig_argv[1:]]
    assert processes.options == {"pass_fds": (7,)}
    assert environ["WERKZEUG_RUN_MAIN"] == "true"
    assert environ["WERKZEUG_SERVER_FD"] == "7"
    assert "COSTREL_RELOADED" not in environ


def test_without_a_socket_none_is_handed_on(monkeypatch):
    monkeypatch.delenv("WERKZEUG_SERVER_FD", raising=False)
    processes = Processes(monkeypatch, 0)

    reloading.supervise(Changes())

    assert processes.options == {}
    assert "WERKZEUG_SERVER_FD" not in processes.environs[0]


def test_a_listening_socket_is_handed_on_and_closed_in_the_end(monkeypatch):
    processes = Processes(monkeypatch, 0)
    sock = socket.socket()
    number = sock.fileno()

    reloading.supervise_with(sock, Changes())

    assert processes.options == {"pass_fds": (number,)}
    assert sock.fileno() == -1


def test_where_it_cannot_be_handed_on_it_is_closed_before(monkeypatch):
    processes = Processes(monkeypatch, 0)
    sock = socket.socket()
    monkeypatch.setattr(reloading.os, "name", "nt")

    reloading.supervise_with(sock, Changes())

    assert processes.options == {}
    assert sock.fileno() == -1


def test_it_is_started_again_when_it_asks(monkeypatch):
    processes = Processes(monkeypatch, reloading.RESTART, reloading.RESTART, 0)

    assert reloading.supervise(Changes()) == 0

    assert [environ.get("COSTREL_RELOADED") for environ in processes.environs] == [None, "true", "true"]


def test_a_program_that_fails_at_its_first_start_is_not_started_again(monkeypatch):
    Processes(monkeypatch, 2)

    assert reloading.supervise(Changes("app.py")) == 2


def test_a_program_that_fails_after_a_change_waits_for_the_next(monkeypatch):
    processes = Processes(monkeypatch, reloading.RESTART, 1, 0)

    assert reloading.supervise(Changes("app.py")) == 0

    assert len(processes.environs) == 3


def test_where_no_change_can_come_any_more_it_ends(monkeypatch):
    class Gone(Changes):
        def wait(self, ended, since=None):
            return None

    Processes(monkeypatch, reloading.RESTART, 1)

    assert reloading.supervise(Gone()) == 1


def test_a_process_that_was_killed_is_not_started_again(monkeypatch):
    Processes(monkeypatch, reloading.RESTART, -9)

    assert reloading.supervise(Changes("app.py")) == 128 + 9


@pytest.mark.parametrize("interruption", [KeyboardInterrupt(), SystemExit(0)])
def test_it_ends_with_the_process_that_watches(monkeypatch, interruption):
    processes = Processes(monkeypatch, interruption, 0)

    assert reloading.supervise(Changes()) == 0

    assert processes.terminated


def test_a_process_that_does_not_end_is_killed(monkeypatch):
    processes = Processes(monkeypatch, KeyboardInterrupt(), subprocess.TimeoutExpired("x", 5), 0)

    assert reloading.supervise(Changes()) == 0

    assert processes.killed


def test_sigterm_ends_the_process_that_watches():
    with pytest.raises(SystemExit) as caught:
        reloading._end(signal.SIGTERM, None)

    assert caught.value.code == 0


def test_the_first_start_is_known(monkeypatch):
    monkeypatch.delenv("COSTREL_RELOADED", raising=False)
    assert reloading.is_first_start()
    monkeypatch.setenv("COSTREL_RELOADED", "true")
    assert not reloading.is_first_start()


def test_a_change_stops_the_server_and_asks_for_another_start():
    stopped, changes = threading.Event(), Changes("app.py")

    with pytest.raises(SystemExit) as caught:
        reloading.run_reloadable(lambda: stopped.wait(10), stopped.set, changes)

    assert caught.value.code == reloading.RESTART
    assert changes.forgotten


def test_a_server_that_ends_by_itself_ends_the_program():
    reloading.run_reloadable(lambda: None, lambda: None, Changes())


def test_a_server_ends_when_the_watching_process_has_gone():
    class Gone(Changes):
        def wait(self, ended, since=None):
            return None

    stopped = threading.Event()

    reloading.run_reloadable(lambda: stopped.wait(10), stopped.set, Gone())

    assert stopped.is_set()


def test_a_server_that_does_not_stop_is_left_behind(monkeypatch):
    left = threading.Event()
    statuses = []
    monkeypatch.setattr(reloading, "_END_TIMEOUT", 0.01)
    monkeypatch.setattr(reloading.os, "_exit", lambda status: (statuses.append(status), left.set()))

    with pytest.raises(SystemExit):
        reloading.run_reloadable(lambda: left.wait(10), lambda: None, Changes("app.py"))

    assert statuses == [reloading.RESTART]


def test_a_function_is_run_in_the_process_that_is_started(monkeypatch, in_child):
    ran = threading.Event()

    class Later(Changes):
        def __init__(self, *args):
            pass

        def wait(self, ended, since=None):
            ran.wait(10)
            return "app.py"

    monkeypatch.setattr(reloading, "Watcher", Later)
    with pytest.raises(SystemExit) as caught:
        reloading.run_with_reloader(ran.set)

    assert caught.value.code == reloading.RESTART
    assert ran.is_set()


@pytest.mark.parametrize("end", [KeyboardInterrupt, None])
def test_a_function_ends_with_its_process(monkeypatch, in_child, end):
    class Ending(Changes):
        def __init__(self, *args):
            pass

        def wait(self, ended, since=None):
            if end is not None:
                raise end
            return

    monkeypatch.setattr(reloading, "Watcher", Ending)

    reloading.run_with_reloader(lambda: None)


def test_in_the_process_that_watches_the_function_is_not_run(monkeypatch):
    monkeypatch.delenv("WERKZEUG_RUN_MAIN", raising=False)
    Processes(monkeypatch, 0)

    with pytest.raises(SystemExit) as caught:
        reloading.run_with_reloader(lambda: pytest.fail("it ran here"), [], [], 1, "stat")

    assert caught.value.code == 0
