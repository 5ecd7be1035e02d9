"""Functions around serving under `costrel serve`: once in each worker, or once for all of them."""

import os
import signal
import textwrap

import pytest

from ..processes import children, wait_until
from .served import serving, started

pytestmark = pytest.mark.ci

APP = """\
    import os
    import costrel

    app = costrel.Costrel("shop")
    kept = {}

    def note(text):
        with open("notes", "a") as file:
            file.write(text + "\\n")

    @app.while_serving
    async def pool():
        kept["pool"] = os.getpid()
        note(f"open {os.getpid()}")
        yield
        note(f"close {os.getpid()}")

    @app.after_serving
    def after():
        note(f"after {os.getpid()}")

    @app.get("/")
    def index():
        return f"{kept['pool'] == os.getpid()} {os.getpid()}"
"""


def notes(folder):
    return [line.split()[0] for line in (folder / "notes").read_text().splitlines()]


@pytest.mark.parametrize("interface", ["wsgi", "asgi"])
def test_each_worker_opens_and_closes(tmp_path, interface):
    (tmp_path / "shop.py").write_text(textwrap.dedent(APP))
    with serving(tmp_path, "--interface", interface) as served:
        answers = set()
        wait_until(lambda: len(answers.add(served.get()) or answers) == 2, "both workers have answered")
        assert {(200, "True")} == {(status, text.split()[0]) for status, text in answers}
        assert served.end() == 0
    assert sorted(notes(tmp_path)) == ["after", "after", "close", "close", "open", "open"]


SLOW_START = """\
    import pathlib
    import time
    import costrel

    app = costrel.Costrel("shop")

    def note(text):
        with open("notes", "a") as file:
            file.write(text + "\\n")

    @app.while_serving
    def pool():
        note("open")
        while not pathlib.Path("go").exists():
            time.sleep(0.02)
        note("opened")
        yield
        note("close")

    @app.after_serving
    async def after():
        note("after")
"""


@pytest.mark.parametrize(
    ("interface", "number"), [("wsgi", signal.SIGTERM), ("wsgi", signal.SIGINT), ("asgi", signal.SIGTERM)]
)
def test_a_worker_that_is_told_to_end_while_it_starts_ends_what_it_began(tmp_path, interface, number):
    (tmp_path / "shop.py").write_text(textwrap.dedent(SLOW_START))
    arguments = ("shop:app", "--bind", "127.0.0.1:0", "--workers", "1", "--interface", interface)
    with started(tmp_path, *arguments) as served:
        wait_until((tmp_path / "notes").exists, "the function has begun")
        (worker,) = children(served.popen.pid)
        served.popen.send_signal(number)
        os.kill(worker, number)  # as a terminal and systemd do
        (tmp_path / "go").touch()
        assert served.status() == 0
    assert notes(tmp_path) == ["open", "opened", "close", "after"]


def test_a_reload_that_is_cut_short_ends_what_it_began(tmp_path):
    (tmp_path / "shop.py").write_text(textwrap.dedent(SLOW_START))
    (tmp_path / "go").touch()
    with serving(tmp_path, "--interface", "wsgi", workers=1) as served:
        (tmp_path / "go").unlink()
        served.popen.send_signal(signal.SIGHUP)
        wait_until(lambda: notes(tmp_path).count("open") == 2, "the new worker starts")
        served.popen.send_signal(signal.SIGTERM)
        (tmp_path / "go").touch()
        assert served.status() == 0
    assert sorted(notes(tmp_path)) == ["after", "after", "close", "close", "open", "open", "opened", "opened"]


def test_an_error_prevents_the_start(tmp_path):
    broken = textwrap.dedent(APP).replace('kept["pool"] = os.getpid()', 'raise LookupError("no pool")')
    (tmp_path / "shop.py").write_text(broken)
    arguments = ("shop:app", "--bind", "127.0.0.1:0", "--workers", "1", "--interface", "wsgi")
    with started(tmp_path, *arguments) as served:
        served.wait_for("no pool")


AROUND_SERVER = """\
    import os
    import time
    import costrel

    app = costrel.Costrel("shop")

    def note(text):
        with open("notes", "a") as file:
            file.write(f"{text} {os.getpid()}\\n")

    @app.while_serving(once="server")
    async def schedule():
        note("schedule")
        yield
        note("scheduled")

    @app.while_serving(once="server")
    def migrate():
        time.sleep(0.1)
        note("migrate")
        yield
        note("migrated")

    @app.before_serving
    def before():
        note("before")

    @app.after_serving
    def after():
        note("after")

    @app.get("/")
    def index():
        return str(os.getpid())
"""


class TestAroundTheServer:
    @pytest.mark.parametrize("interface", ["wsgi", "asgi"])
    def test_once_before_the_first_worker_and_after_the_last(self, tmp_path, interface):
        (tmp_path / "shop.py").write_text(textwrap.dedent(AROUND_SERVER))
        with serving(tmp_path, "--interface", interface) as served:
            both_answer(served)
            assert served.end() == 0
        first, last = ["schedule", "migrate"], ["migrated", "scheduled"]
        assert notes(tmp_path) == [*first, "before", "before", "after", "after", *last]
        ids = process_ids(tmp_path)
        assert len({*ids[:2], *ids[-2:]}) == 1
        assert ids[0] not in ids[2:-2]

    def test_a_reload_leaves_them_running(self, tmp_path):
        (tmp_path / "shop.py").write_text(textwrap.dedent(AROUND_SERVER))
        with serving(tmp_path) as served:
            both_answer(served)
            served.popen.send_signal(signal.SIGHUP)
            wait_until(lambda: notes(tmp_path).count("after") == 2, "both workers have been replaced")
            assert served.get()[0] == 200
            assert served.end() == 0
        assert notes(tmp_path).count("migrate") == 1
        assert notes(tmp_path)[-2:] == ["migrated", "scheduled"]

    def test_they_start_again_if_their_process_is_killed(self, tmp_path):
        (tmp_path / "shop.py").write_text(textwrap.dedent(AROUND_SERVER))
        with serving(tmp_path) as served:
            both_answer(served)
            os.kill(int(process_ids(tmp_path)[0]), signal.SIGKILL)
            wait_until(lambda: notes(tmp_path).count("migrate") == 2, "they have started again")
            assert served.get()[0] == 200
            assert served.end() == 0
        assert notes(tmp_path)[-2:] == ["migrated", "scheduled"]
        assert any("while_serving(once='server') ended: restarting it" in line for line in served.lines)

    def test_an_error_prevents_the_start(self, tmp_path):
        broken = textwrap.dedent(AROUND_SERVER).replace("time.sleep(0.1)", 'raise LookupError("no schema")')
        (tmp_path / "shop.py").write_text(broken)
        with started(tmp_path, "shop:app", "--bind", "127.0.0.1:0", "--workers", "2") as served:
            served.wait_for("no schema")
            assert served.status() == 1
        assert notes(tmp_path) == ["schedule", "scheduled"]


def both_answer(served):
    answers = set()
    wait_until(lambda: len(answers.add(served.get()) or answers) == 2, "both workers have answered")


def process_ids(folder):
    return [line.split()[1] for line in (folder / "notes").read_text().splitlines()]
