"""`costrel run --reload`: a process that has imported Costrel ahead serves after the next change."""

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from ..processes import PATIENCE, Process, children, is_gone, wait_until

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="the processes are found in /proc")

APP = """\
    import os
    import threading
    import helper
    from costrel import Costrel

    app = Costrel("shop")
    threading.Thread(target=threading.Event().wait, daemon=True).start()
    STARTED = [helper.WORD, os.environ.get("COLOUR", "no colour"), os.environ.get("SIZE", "no size")]

    @app.get("/")
    def index():
        return " ".join([*STARTED, str(os.getpid())])
    """


def save(path, text):
    """Replace a file atomically, as many editors do: truncating and then writing it may count as two changes."""
    new = path.with_suffix(".new")
    new.write_text(textwrap.dedent(text))
    new.replace(path)


class Development(Process):
    """The command with its reloader, in a folder."""

    def port(self):
        return int(self.wait_for(r"Running on http://127\.0\.0\.1:(\d+)")[1])

    def waiting(self, *others):
        """The process that was started ahead: the watcher's only child that is not in `others`."""
        found = []

        def look():
            found[:] = [pid for pid in children(self.popen.pid) if str(pid) not in others]
            return len(found) == 1

        wait_until(look, "a process was started ahead")
        return str(found[0])


@pytest.fixture
def develop(folder, environ):
    @contextlib.contextmanager
    def develop(**variables):
        command = [sys.executable, "-m", "costrel", "run", "--reload", "--port", "0"]
        with Development(
            command,
            folder,
            {**environ, "PYTHONUNBUFFERED": "1", **variables},
            stdin=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as process:
            yield process, process.port()

    return develop


def get(port, path="/"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", path)
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def get_with(port, text):
    """The words of the first response that contains `text`."""
    found = []

    def ask():
        with contextlib.suppress(OSError, http.client.HTTPException):
            found[:] = [get(port)]
        return found and text in found[0]

    wait_until(ask, f"a response with {text!r}")
    return found[0].split()


def test_it_serves_the_application_as_it_is_then(develop, write, folder):
    write("app.py", APP)
    helper = write("helper.py", "WORD = 'old'\n")
    write(".env", "COLOUR=red\nSIZE=large\n")

    with develop() as (process, port):
        *told, first = get_with(port, "old")
        assert told == ["old", "red", "large"]

        ahead = process.waiting(first)
        write(".env", "COLOUR=blue\n")
        save(helper, "WORD = 'changed'\n")
        assert get_with(port, "changed") == ["changed", "blue", "no", "size", ahead]

        ahead, last = process.waiting(ahead), ahead
        helper.unlink()
        write("app.py", APP.replace("import helper", "import other as helper"))
        write("other.py", "WORD = 'other'\n")
        assert get_with(port, "other")[0] == "other"

        wait_until(lambda: is_gone(int(last)), "the process of before has ended")
        assert process.end() == 0


def test_an_application_that_is_mended_and_asks_on_the_terminal(develop, write):
    app = write("app.py", APP)
    write("helper.py", "WORD = 'old'\n")

    with develop() as (process, port):
        first = get_with(port, "old")[-1]
        process.waiting(first)
        save(app, "def x(:\n")
        get_with(port, "SyntaxError")

        write(
            "app.py", APP + "\n    @app.get('/ask')\n    def ask():\n        breakpoint()\n        return 'answered'\n"
        )
        serving = get_with(port, "old")[-1]
        answers = []
        asking = threading.Thread(target=lambda: answers.append(get(port, "/ask")))
        asking.start()
        process.wait_for(r"\(Pdb\)|return 'answered'")
        process.popen.stdin.write("print('pid', os.getpid())\nc\n")
        process.popen.stdin.flush()
        process.wait_for(f"pid {serving}$")
        asking.join(PATIENCE)
        assert answers == ["answered"]
        assert process.end() == 0


def test_a_process_that_was_killed_is_not_missed(develop, write):
    write("app.py", APP)
    helper = write("helper.py", "WORD = 'old'\n")

    with develop() as (process, port):
        first = get_with(port, "old")[-1]
        ahead = process.waiting(first)
        os.kill(int(ahead), signal.SIGKILL)
        wait_until(lambda: is_gone(int(ahead)), "it has ended")

        save(helper, "WORD = 'changed'\n")

        assert get_with(port, "changed")[-1] not in (first, ahead)
        assert process.end() == 0


def test_a_module_that_was_imported_ahead_is_imported_again_after_a_change(develop, write, folder):
    write("app.py", APP)
    write("helper.py", "import early\nWORD = early.WORD\n")
    write("sitecustomize.py", "import early\n")
    early = write("early.py", "WORD = 'old'\n")

    with develop(PYTHONPATH=os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])) as started:
        process, port = started
        ahead = process.waiting(get_with(port, "old")[-1])

        save(early, "WORD = 'changed'\n")

        assert get_with(port, "changed")[-1] == ahead
        assert process.end() == 0


def test_a_module_that_changes_while_python_starts_ahead_is_imported_again(develop, write, folder):
    write("app.py", APP)
    write("helper.py", "import early\nWORD = early.WORD\n")
    write(
        "sitecustomize.py",
        """\
        import early
        import os
        import pathlib
        import time

        if "COSTREL_START_FD" in os.environ:
            pathlib.Path("imported").touch()
            while not pathlib.Path("go").exists():
                time.sleep(0.01)
        """,
    )
    early = write("early.py", "WORD = 'old'\n")

    with develop(PYTHONPATH=os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])) as started:
        process, port = started
        get_with(port, "old")
        wait_until((folder / "imported").exists, "the process that starts ahead has imported the module")

        save(early, "WORD = 'changed'\n")
        (folder / "go").touch()

        get_with(port, "changed")
        assert process.end() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_it_ends_with_the_process_that_watches(develop, write, number):
    write("app.py", APP)
    write("helper.py", "WORD = 'old'\n")

    with develop() as (process, port):
        first = get_with(port, "old")[-1]
        ahead = process.waiting(first)
        if number == signal.SIGINT:  # Ctrl-C reaches all processes of the terminal
            os.kill(int(ahead), number)
        process.popen.send_signal(number)
        assert process.status() == (0 if number == signal.SIGINT else -signal.SIGKILL)
        wait_until(lambda: all(is_gone(int(pid)) for pid in (first, ahead)), "both have ended")

    assert not any("Traceback" in line for line in process.lines)
