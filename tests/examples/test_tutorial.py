"""The applications of the tutorial behave as its chapters promise."""

import asyncio
import configparser
import itertools
import json
import os
import re
import shlex
import sqlite3
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from costrel import Costrel
from costrel.cli import ScriptInfo, cli

from .conftest import TUTORIAL, signed_in

PAGES = TUTORIAL.parents[1] / "docs" / "tutorial"
Chapter = Callable[[int], Costrel]
BROWSER = {"Accept": "text/html"}
OTHER_SITE = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}


def since(number: int) -> list[int]:
    """The chapter that brings a behaviour, and the last of one package. Chapter 8 has tests of its own."""
    return sorted({number, 7})


def client_of(app: Costrel, number: int):
    return signed_in(app) if number >= 4 else app.test_client()


def test_chapter_1_shows_pages(chapter: Chapter) -> None:
    client = chapter(1).test_client()

    assert '<a href="/tasks/3">Bring the &lt;markers&gt;</a>' in client.get("/").text
    assert "<p>Task 2</p>" in client.get("/tasks/2").text
    missing = client.get("/tasks/7", headers=BROWSER)
    assert (missing.status_code, "There is no task 7." in missing.text) == (404, True)
    assert client.get("/tasks/x").status_code == 404
    style = re.findall(r'href="(/static/style\.[^"]+)"', client.get("/").text)
    assert "immutable" in client.get(style[0]).headers["Cache-Control"]


@pytest.mark.parametrize("number", since(2))
def test_from_chapter_2_on_a_form_adds_tasks(chapter: Chapter, number: int) -> None:
    client = client_of(chapter(number), number)
    assert "Nothing to do." in client.get("/").text

    added = client.post("/", data={"text": "Buy <milk>", "due": "2027-01-31"})

    assert (added.status_code, added.headers["Location"]) == (303, "/")
    page = client.get("/").text
    assert "Buy &lt;milk&gt;</a>" in page
    assert "due 2027-01-31" in page
    client.post("/tasks/1/done", data={"done": "true"})
    assert "Task 1, done" in client.get("/tasks/1").text
    client.post("/tasks/1/done", data={"done": "false"})
    assert "Task 1, open" in client.get("/tasks/1").text


@pytest.mark.parametrize("number", since(2))
def test_from_chapter_2_on_a_form_with_errors_is_shown_again(chapter: Chapter, number: int) -> None:
    client = client_of(chapter(number), number)

    empty = client.post("/", data={"text": "", "due": "tomorrow"})
    spaces = client.post("/", data={"text": "   "})

    assert (empty.status_code, spaces.status_code) == (422, 422)
    assert "Expected `str` of length &gt;= 1" in empty.text
    assert "Invalid RFC3339 encoded date" in empty.text
    assert 'value="tomorrow"' in empty.text
    assert "Please write some words." in spaces.text
    assert "Nothing to do." in client.get("/").text


@pytest.mark.parametrize("number", since(2))
def test_from_chapter_2_on_other_sites_cannot_send_the_form(chapter: Chapter, number: int) -> None:
    client = client_of(chapter(number), number)

    assert client.post("/", data={"text": "Spam"}, headers=OTHER_SITE).status_code == 403
    assert "Nothing to do." in client.get("/").text


@pytest.mark.parametrize("number", since(3))
def test_from_chapter_3_on_tasks_stay(chapter: Chapter, number: int) -> None:
    app = chapter(number)
    client_of(app, number).post("/", data={"text": "Buy milk"})

    again = client_of(app, number)
    assert "Buy milk" in again.get("/").text
    for outside in (0, 2, 2**63, 2**70):
        assert again.get(f"/tasks/{outside}").status_code == 404


def test_chapter_3_has_a_command_for_the_tables(chapter: Chapter) -> None:
    app = chapter(3)
    Path(app.config["DATABASE"]).unlink()
    with pytest.raises(sqlite3.OperationalError, match="no such table: task"):
        app.test_client().get("/")

    for _ in range(2):
        assert app.test_cli_runner().invoke(args=["upgrade-db"]).output == "The database is up to date.\n"

    assert app.test_client().get("/").status_code == 200


@pytest.mark.parametrize("number", since(4))
def test_a_database_of_an_earlier_chapter_is_brought_up_to_date(chapter: Chapter, number: int) -> None:
    app = chapter(3)
    app.test_client().post("/", data={"text": "Buy milk"})

    assert "Buy milk" in signed_in(chapter(number)).get("/").text


@pytest.mark.parametrize("number", since(4))
def test_from_chapter_4_on_users_sign_in(chapter: Chapter, number: int) -> None:
    app = chapter(number)
    visitor = app.test_client()
    assert visitor.get("/").headers["Location"] == "/sign-in"
    for name, password in (("ada", "wrong"), ("eve", "secret")):
        refused = visitor.post("/sign-in", data={"name": name, "password": password})
        assert (refused.status_code, "The name or the password is wrong." in refused.text) == (422, True)

    client = signed_in(app)
    assert "Signed in as ada" in client.get("/").text
    client.post("/", data={"text": "Buy milk"})
    assert "Added by ada" in client.get("/tasks/1").text
    client.post("/sign-out")
    assert client.get("/").headers["Location"] == "/sign-in"


def test_chapter_4_has_a_command_for_users(chapter: Chapter) -> None:
    app = chapter(4)
    runner = app.test_cli_runner()

    runner.invoke(args=["add-user", "bob"], input="other\nother\n")
    again = runner.invoke(args=["add-user", "bob"], input="other\nother\n")

    assert again.output.endswith("Error: There is a user bob already.\n")
    bob = app.test_client()
    bob.post("/sign-in", data={"name": "bob", "password": "other"})
    assert "Signed in as bob" in bob.get("/").text


def test_chapter_4_needs_a_secret_key(chapter: Chapter) -> None:
    app = chapter(4)
    app.secret_key = None

    with pytest.raises(RuntimeError, match="The session is unavailable: no secret key was set"):
        app.test_client().post("/sign-in", data={"name": "ada", "password": "secret"})


@pytest.mark.parametrize("number", since(5))
def test_from_chapter_5_on_tasks_have_files(chapter: Chapter, number: int) -> None:
    app = chapter(number)
    client = signed_in(app)
    client.post("/", data={"text": "Buy milk"})

    def attach(content: bytes, name: str):
        return client.post("/tasks/1/files", data={"upload": (BytesIO(content), name)}, headers=BROWSER)

    assert attach(b"<script>", "../list.html").headers["Location"] == "/tasks/1"
    found = client.get("/files/1")
    assert (found.data, found.headers["Content-Disposition"].partition(";")[0]) == (b"<script>", "attachment")
    assert "../list.html</a>\n    <small>8 Bytes</small>" in client.get("/tasks/1").text
    large, missing = attach(bytes(6 * 1024 * 1024), "film.mp4"), attach(b"", "")
    assert (large.status_code, "A file may have 5 MB." in large.text) == (413, True)
    assert (missing.status_code, "A file is required" in missing.text) == (422, True)
    assert client.post("/tasks/2/files", data={"upload": (BytesIO(b"x"), "x")}).status_code == 404
    assert app.test_client().get("/files/1").status_code == 303


@pytest.mark.parametrize("number", since(6))
def test_from_chapter_6_on_programs_have_an_api(chapter: Chapter, number: int) -> None:
    app = chapter(number)
    client, runner = app.test_client(), app.test_cli_runner()
    headers = {"Authorization": f"Bearer {runner.invoke(args=['add-token', 'ada']).output.strip()}"}
    task = {"id": 1, "text": "Buy milk", "due": None, "done": False, "author": "ada"}

    refused = client.get("/api/tasks", headers=BROWSER)
    assert (refused.status_code, refused.content_type) == (401, "application/problem+json")
    added = client.post("/api/tasks", json={"text": "Buy milk"}, headers=headers)
    assert (added.status_code, added.json) == (201, task)
    assert client.patch("/api/tasks/1", json={"done": True}, headers=headers).json == {**task, "done": True}
    assert client.get("/api/tasks?done=false", headers=headers).json == []
    assert client.patch("/api/tasks/2", json={"done": True}, headers=headers).status_code == 404
    invalid = client.post("/api/tasks", json={"text": "", "due": "soon"}, headers=headers)
    assert [each["pointer"] for each in invalid.json["errors"]] == ["#/text", "#/due"]
    assert "There is no user eve." in runner.invoke(args=["add-token", "eve"]).output


def test_chapter_6_has_an_api_document_and_its_page(chapter: Chapter) -> None:
    client = chapter(6).test_client()

    document = client.get("/openapi/v1.json").json

    assert list(document["paths"]) == ["/api/tasks", "/api/tasks/{number}"]
    assert list(document["paths"]["/api/tasks/{number}"]["patch"]["responses"]) == [
        "200", "400", "401", "404", "415", "422",
    ]  # fmt: skip
    assert client.get("/docs?api=v1").mimetype == "text/html"


@pytest.mark.parametrize("number", since(7))
def test_from_chapter_7_on_pages_get_the_changes(chapter: Chapter, number: int) -> None:
    asyncio.run(follow_the_changes(chapter(number)))


async def follow_the_changes(app: Costrel) -> None:
    async with app.async_test_client() as client:
        assert (await client.get("/live?after=0")).status_code == 303
        await client.post("/sign-in", data={"name": "ada", "password": "secret"})
        page = await client.get("/")
        assert 'data-url="/live?after=0"' in page.text

        async with client.stream("/live?after=0") as response:
            chunks = response.iter_chunks()
            assert await anext(chunks) == b"retry: 2000\n\n"
            await client.post("/", data={"text": "Buy milk"})
            assert (
                await anext(chunks) == b'event: change\nid: 1\ndata: {"text": "ada added \\u201cBuy milk\\u201d"}\n\n'
            )
            await client.post("/tasks/1/done", data={"done": "true"})
            assert await anext(chunks) == b'event: change\nid: 2\ndata: {"text": "ada marked task 1 as done"}\n\n'

        async with client.stream("/live?after=0", headers={"Last-Event-ID": "1"}) as response:
            chunks = response.iter_chunks()
            assert await anext(chunks) == b"retry: 2000\n\n"
            assert (await anext(chunks)).startswith(b"event: change\nid: 2\n")


def shown_after(page: str, command: str) -> str:
    """The output that a page of the tutorial shows after a command."""
    lines = (PAGES / page).read_text().partition(f"$ {command}\n")[2].partition("```")[0].splitlines()
    shown = itertools.takewhile(lambda line: not line.lstrip().startswith("$"), lines)
    return textwrap.dedent("\n".join(shown)).rstrip()


def run(app: Costrel, *arguments: str):
    """Run a command of `costrel` for an application."""
    return app.test_cli_runner().invoke(cli, arguments, obj=ScriptInfo(create_app=lambda: app))


def test_commands_write_what_the_pages_show(chapter: Chapter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "flask_limiter", raising=False)  # loaded, it is taken for a limit on sign-ins
    routes = run(chapter(1), "routes", "--match", "GET /tasks/seven")
    shown = shown_after("1-pages.md", 'costrel routes --match "GET /tasks/seven"')
    assert shown == routes.output.rstrip()

    sent = ["request", "POST", "/", "-d", "text=", "-d", "due=tomorrow"]
    assert shown_after("2-forms.md", shlex.join(["costrel", *sent])) == "422 UNPROCESSABLE ENTITY"
    assert run(chapter(2), *sent).stderr.startswith("422 UNPROCESSABLE ENTITY\n")
    spam = ["request", "POST", "/", "-d", "text=Spam", "-H", "Sec-Fetch-Site: cross-site"]
    spam += ["-H", "Origin: https://evil.example"]
    assert run(chapter(2), *spam).stderr.startswith("403 FORBIDDEN\n")

    app = chapter(8)
    app.config.update(SECRET_KEY="0123456789abcdef" * 4, TESTING=False)
    checked = run(app, "check", "--deploy").output
    assert checked.startswith(shown_after("8-deployment.md", "costrel check --deploy") + "\n")


def test_the_tests_of_chapter_8_pass() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    environ = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # the others here are slow to import
    done = subprocess.run(
        command, cwd=TUTORIAL / "chapter8", env=environ, capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


def test_the_files_of_the_deployment_parse() -> None:
    folder = TUTORIAL / "chapter8"
    unit = configparser.ConfigParser(interpolation=None, strict=True)
    unit.optionxform = str  # type: ignore[assignment]
    unit.read_string((folder / "deploy" / "tasks.service").read_text())
    assert unit["Service"]["ExecStart"].split()[:2] == ["/srv/tasks/.venv/bin/costrel", "serve"]
    assert unit["Service"]["ExecStartPre"].split()[1:] == ["upgrade-db"]

    settings = dict(re.findall(r"^(\w+)=(.*)$", (folder / "deploy" / "tasks.env").read_text(), re.MULTILINE))
    assert json.loads(settings["TASKS_TRUSTED_HOSTS"]) == ["tasks.example"]

    nginx = (folder / "deploy" / "nginx.conf").read_text()
    assert nginx.count("{") == nginx.count("}")
    socket = unit["Service"]["ExecStart"].rpartition("unix:")[2]
    assert f"server unix:{socket};" in nginx
    assert all(line.rstrip().endswith((";", "{", "}")) for line in nginx.splitlines() if line)

    steps = [line.split()[0] for line in (folder / "Dockerfile").read_text().splitlines() if line and line[0] != "#"]
    assert steps[0] == "FROM"
    assert set(steps) <= {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "VOLUME", "USER", "EXPOSE", "CMD"}
    [command] = re.findall(r"^CMD (.*)$", (folder / "Dockerfile").read_text(), re.MULTILINE)
    assert json.loads(command)[:2] == ["costrel", "serve"]
    assert tomllib.loads((folder / "pyproject.toml").read_text())["tool"]["mypy"]["strict"]


def test_chapters_run_by_the_command_of_their_readers(tmp_path: Path) -> None:
    started = []
    for number, path in ((1, "/"), (8, "/sign-in")):
        command = [sys.executable, "-m", "costrel", "--app", f"chapter{number}/tasks", "request", "GET", path]
        environ = {**os.environ, "TASKS_DATABASE": str(tmp_path / "tasks.sqlite")}
        started.append(subprocess.Popen(command, cwd=TUTORIAL, env=environ, stdout=-1, stderr=-1, text=True))

    for process in started:
        out, err = process.communicate(timeout=100)
        assert (process.returncode, "</html>" in out) == (0, True), err
