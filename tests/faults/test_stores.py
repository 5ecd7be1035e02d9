"""A file of sessions that another process locks or deletes while requests use it."""

import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from .clients import Load
from .processes import served

pytestmark = [pytest.mark.ci, pytest.mark.xdist_group("faults")]

APP = """
from costrel import Costrel, session

app = Costrel(__name__, static_folder=None)
app.config.update(SESSION_STORE="sqlite", SESSION_SQLITE="sessions.sqlite", SESSION_COOKIE_SECURE=False)


@app.post("/put/<name>")
def put(name):
    session[name] = 1
    return "put"


@app.post("/put-async/<name>")
async def put_async(name):
    session[name] = 1
    return "put"


@app.get("/all")
def everything():
    return sorted(session)


@app.get("/plain")
def plain():
    return "plain"


@app.get("/plain-async")
async def plain_async():
    return str(len(session))
"""

DEADLINE = 2.0


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "shop.py").write_text(APP)
    return tmp_path


def timed_ask(server, path):
    began = time.monotonic()
    status, _ = server.ask(path, "POST")
    return status, time.monotonic() - began


@pytest.mark.parametrize("path", ["/put/a", "/put-async/a"])
def test_a_locked_file_delays_only_what_needs_it(folder, path):
    with served(app="shop:app", folder=folder) as server:
        assert 200 == server.ask(path, "POST")[0]
        with closing(sqlite3.connect(folder / "sessions.sqlite", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with ThreadPoolExecutor(100) as pool:
                writers = [pool.submit(timed_ask, server, path) for _ in range(100)]
                time.sleep(0.5)  # by then, few of them wait
                with Load(server, "/plain", 2) as sync, Load(server, "/plain-async", 2) as asynchronous:
                    answers = [writer.result() for writer in writers]
                    time.sleep(0.5)
            assert {503} == {status for status, _ in answers}
            assert max(seconds for _, seconds in answers) < DEADLINE + 1.5
            for load in (sync, asynchronous):
                assert ([], {200}) == (load.errors, set(load.statuses))
                assert max(load.times) < 1.0
            other.execute("ROLLBACK")
        assert 200 == server.ask(path, "POST")[0]


def test_a_file_that_is_deleted_is_made_anew_by_all_workers(folder):
    with served(app="shop:app", folder=folder, workers=2) as server:
        for _ in range(3):
            for number in range(20):
                assert 200 == server.ask(f"/put/k{number}", "POST")[0]
            (folder / "sessions.sqlite").unlink()
        assert {200} == {server.ask("/put/last", "POST")[0] for _ in range(40)}
        with closing(sqlite3.connect(folder / "sessions.sqlite")) as database:
            assert [(40,)] == database.execute("SELECT count(*) FROM entries WHERE name = 'last'").fetchall()
            assert [("ok",)] == database.execute("PRAGMA integrity_check").fetchall()
