"""Pages that reload themselves."""

import asyncio
import os
import sys

import pytest

from costrel import Blueprint, Costrel
from costrel.devtools import refresh
from costrel.devtools.development import DevelopmentApplication
from costrel.devtools.refresh import EVENTS, SCRIPT, HeldPage, folders_of, insert, snapshot

from .asgi_client import ask, get

NAVIGATION = {"accept": "text/html", "sec-fetch-dest": "document"}


def script(development) -> str:
    return f'<script src="{SCRIPT}" data-start="{development.debugger.start}"></script>'


def test_a_page_gets_its_script(development):
    got = get(development, "/", headers=NAVIGATION)
    assert f"<!doctype html><title>Shop</title><body>Hello{script(development)}</body>" == got.text
    assert (str(len(got.body)), "no-cache") == (got.headers["content-length"], got.headers["cache-control"])


def test_a_large_page_gets_its_script_too_and_other_answers_are_compressed(app):
    app.add_url_rule("/large", "large", lambda: f"<!doctype html><body>{'Hello ' * 1000}</body>")
    development = DevelopmentApplication(app, app.asgi)
    accepting = {"accept-encoding": "gzip, br"}
    assert script(development) in get(development, "/large", headers={**NAVIGATION, **accepting}).text
    assert "content-encoding" in get(development, "/large", headers=accepting).headers
    development.close()


@pytest.mark.parametrize(
    "headers",
    [
        {"accept": "text/html"},
        {**NAVIGATION, "sec-fetch-dest": "empty"},
        {**NAVIGATION, "host": "evil.example"},
    ],
)
def test_what_is_no_page_in_a_browser_here_stays_as_it_is(development, headers):
    assert "<script" not in get(development, "/", headers=headers).text


def test_without_refresh_a_page_stays_as_it_is(app):
    development = DevelopmentApplication(app, app.asgi, refresh=False)
    assert "<script" not in get(development, "/", headers=NAVIGATION).text
    assert 404 == get(development, EVENTS).status
    assert 'data-start=""' in get(development, "/async", headers=NAVIGATION).text
    development.close()


def test_what_is_not_html_stays_as_it_is(app):
    @app.get("/json")
    def json():
        return {"a": "</body>"}

    @app.get("/gzip")
    def gzip():
        return "packed", {"Content-Encoding": "gzip"}

    development = DevelopmentApplication(app, app.asgi)
    assert "<script" not in get(development, "/json", headers=NAVIGATION).text
    assert "packed" == get(development, "/gzip", headers=NAVIGATION).text


def test_a_stream_gets_its_script_at_the_end(app):
    @app.get("/pieces")
    def pieces():
        return iter(["<body>", "a", "</body>"])

    development = DevelopmentApplication(app, app.asgi)
    got = get(development, "/pieces", headers=NAVIGATION)
    assert ("<body>a</body>" + script(development), True) == (got.text, got.complete)


def test_a_length_that_was_promised_grows():
    sent = []

    async def send(message):
        sent.append(message)

    async def story():
        page = HeldPage(send, lambda start, body: body, b"1234")
        headers = [(b"Content-Type", b"text/html"), (b"Content-Length", b"10")]
        await page.send({"type": "http.response.start", "status": 200, "headers": headers})
        assert not page.started
        await page.send({"type": "http.response.body", "body": b"<p>", "more_body": True})
        await page.send({"type": "http.response.body", "body": b"</body>"})

    asyncio.run(story())
    assert (b"Content-Length", b"14") in sent[0]["headers"]
    assert b"<p></body>1234" == b"".join(message["body"] for message in sent[1:])


def test_the_script_goes_to_the_end_of_the_last_body():
    assert b"a</body>b!</BODY>" == insert(b"a</body>b</BODY>", b"!")
    assert b"Hello!" == insert(b"Hello", b"!")


def test_the_script_itself(development):
    got = get(development, SCRIPT)
    assert (200, "text/javascript; charset=utf-8") == (got.status, got.headers["content-type"])
    assert "EventSource" in got.text
    assert 404 == get(development, "/__costrel__/other").status
    assert 404 == get(development, EVENTS, headers={"sec-fetch-site": "cross-site"}).status


@pytest.fixture
def watched(tmp_path):
    (tmp_path / "templates").mkdir()
    (tmp_path / "static").mkdir()
    app = Costrel("shop", root_path=str(tmp_path))
    app.register_blueprint(Blueprint("b", __name__, root_path=str(tmp_path), template_folder="more"))
    return app


async def next_event(queue) -> str:
    return (await asyncio.wait_for(queue.get(), 10)).partition("\n")[0]


@pytest.fixture(params=["watchfiles", "interval"])
def noticed(request, monkeypatch):
    """The changes are noticed in one way alone: as they are reported, or at the next look."""
    if request.param == "watchfiles":
        monkeypatch.setattr(refresh, "POLL_INTERVAL", 1_000)
    else:
        monkeypatch.setattr(refresh, "POLL_INTERVAL", 0.01)
        monkeypatch.setitem(sys.modules, "watchfiles", None)


@pytest.mark.parametrize(
    ("file", "event"), [("templates/a.html", "event: change"), ("static/in/a.css", "event: style")]
)
def test_a_change_is_told_to_the_pages_that_wait(noticed, watched, tmp_path, file, event):
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text("")
    development = DevelopmentApplication(watched, watched.asgi)

    async def story():
        queue, leave = asyncio.Queue(), asyncio.Event()
        scope = {
            "type": "http", "method": "GET", "path": EVENTS, "query_string": b"", "headers": [(b"host", b"localhost")],
            "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 5000), "http_version": "1.1",
        }  # fmt: skip

        async def receive():
            await leave.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            if message.get("body"):
                await queue.put(message["body"].decode())

        task = asyncio.ensure_future(development(scope, receive, send))
        first = await asyncio.wait_for(queue.get(), 10)
        assert f"retry: 20\nevent: start\ndata: {development.debugger.start}\n\n" == first
        count = 0
        while queue.empty():  # until the first look was taken, a new file may be among what was there before
            count += 1
            (tmp_path / file).write_text("x")
            os.utime(tmp_path / file, (count, count))
            await asyncio.sleep(0.05)
        assert event == await next_event(queue)
        leave.set()
        await asyncio.wait_for(task, 10)

    asyncio.run(story())


def test_pages_that_wait_are_let_go_at_the_end(development):
    async def story():
        task = asyncio.ensure_future(ask(development, EVENTS))
        while not development.refresher._waiting:
            await asyncio.sleep(0)
        development.close()
        got = await asyncio.wait_for(task, 10)
        assert (200, True, True) == (got.status, got.complete, got.scope["costrel.quiet"])

    asyncio.run(story())


def test_the_folders_of_an_application(watched, tmp_path):
    expected = [str(tmp_path / name) for name in ("templates", "static", "more")]
    assert sorted(expected) == sorted(folders_of(watched))


def test_a_snapshot_leaves_out_what_editors_leave_behind(tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("a.html", "in/b.html", ".hidden", "c~", "d.swp"):
        (tmp_path / name).write_text("")
    assert {str(tmp_path / "a.html"), str(tmp_path / "in/b.html")} == set(snapshot([str(tmp_path), "/no/such/folder"]))
