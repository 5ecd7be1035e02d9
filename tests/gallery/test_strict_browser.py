"""The strict profile in a real browser: pages with forms, sessions, uploads, sockets and streams work without a word in
the console, and a page of another site gets nowhere."""

import sqlite3
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from ..browsers import console, needs_browser, see
from .conftest import ROOT, Served, fill, png, serving

pytestmark = needs_browser

COMMAND = [
    sys.executable,
    "-m",
    "costrel",
    "--app",
    str(ROOT / "tests/gallery/strict_app.py"),
    "run",
    "--port",
    "0",
]

ATTACKS = {
    "a form": """<form method="post" action="{target}">{fields}</form><script>document.forms[0].submit()</script>""",
    "a form with a file": """<form method="post" action="{target}" enctype="multipart/form-data">{fields}</form>
        <script>document.forms[0].submit()</script>""",
    "a form in text": """<form method="post" action="{target}" enctype="text/plain">{fields}</form>
        <script>document.forms[0].submit()</script>""",
}


@pytest.fixture(params=["costrel", "flask"])
def gallery(request, tmp_path) -> Iterator[Served]:
    with serving(tmp_path, COMMAND, GALLERY_PROFILE=request.param) as served:
        yield served


class OtherSite(ThreadingHTTPServer):
    """A site at http://localhost:…, which to a browser is another one than http://127.0.0.1:…"""

    page = ""
    daemon_threads = False

    def __enter__(self) -> "OtherSite":
        self.thread = threading.Thread(target=self.serve_forever)
        self.thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.shutdown()
        self.thread.join()
        self.server_close()

    @property
    def address(self) -> str:
        return f"http://localhost:{self.server_port}/"


class Answer(BaseHTTPRequestHandler):
    server: OtherSite
    timeout = 1  # browsers open connections that they do not use

    def do_GET(self) -> None:
        body = self.server.page.encode() if self.path == "/" else b""
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def other_site() -> Iterator[OtherSite]:
    with OtherSite(("127.0.0.1", 0), Answer) as site:
        yield site


def stored(gallery: Served, table: str) -> int:
    """How many rows a table has."""
    with sqlite3.connect(gallery.folder / "project/examples/gallery/instance/gallery.sqlite") as connection:
        count: int = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    connection.close()
    return count


def test_everything_works_and_the_console_is_silent(gallery: Served, browser: webdriver.Chrome, tmp_path: Path):
    picture = tmp_path / "boat.png"
    picture.write_bytes(png(64, 48))

    browser.get(f"{gallery.address}/sign-up")
    fill(browser, name="ada", password="a long password")
    see(browser, "Welcome, ada!")
    browser.get(f"{gallery.address}/upload")
    fill(browser, title="My boat", picture=str(picture))
    see(browser, "“My boat” is in the gallery.")
    fill(browser, text="What a fine boat")
    see(browser, "What a fine boat", "#comments")

    browser.find_element(By.LINK_TEXT, "Live").click()
    see(browser, "ada commented on My boat", "#feed ol")
    see(browser, "Connected", "#chat .state")
    browser.find_element(By.CSS_SELECTOR, "#chat input").send_keys("hello" + Keys.ENTER)
    see(browser, "hello", "#chat ol")

    browser.find_element(By.PARTIAL_LINK_TEXT, "uploaded My boat").click()
    see(browser, "Comments")
    browser.find_element(By.CSS_SELECTOR, "button.danger").click()
    see(browser, "“My boat” was deleted.")
    browser.find_element(By.CSS_SELECTOR, "button.link").click()
    see(browser, "Sign in")
    fetched = browser.execute_async_script(HEADERS, gallery.address)
    assert [] == console(browser)
    assert EXPECTED.items() <= fetched.items()


HEADERS = """
const [address, done] = arguments;
fetch(address).then((answer) => done(Object.fromEntries(answer.headers)));
"""
EXPECTED = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "strict-origin-when-cross-origin",
    "cross-origin-opener-policy": "same-origin",
    "content-security-policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "object-src 'none'",
}


def test_a_form_of_another_site_stores_nothing(gallery: Served, browser: webdriver.Chrome, other_site: OtherSite):
    browser.get(f"{gallery.address}/sign-up")
    fill(browser, name="ada", password="a long password")
    see(browser, "Welcome, ada!")
    before = (stored(gallery, "user"), stored(gallery, "comment"))

    for kind, form in ATTACKS.items():
        for path, fields in (
            ("/sign-up", {"name": "mallory", "password": "a long password"}),
            ("/picture/1/comments", {"text": "buy here"}),
            ("/sign-out", {}),
        ):
            inputs = "".join(f'<input name="{name}" value="{value}">' for name, value in fields.items())
            other_site.page = form.format(target=gallery.address + path, fields=inputs)
            browser.get(other_site.address)
            see(browser, "Forbidden", "h1")
            status = "return performance.getEntriesByType('navigation')[0].responseStatus"
            assert browser.execute_script(status) == 403, (kind, path)

    assert (stored(gallery, "user"), stored(gallery, "comment")) == before
    browser.get(gallery.address)
    see(browser, "Sign out")  # and whoever was signed in still is


def test_a_page_of_another_site_opens_no_socket(gallery: Served, browser: webdriver.Chrome, other_site: OtherSite):
    socket_address = gallery.address.replace("http", "ws") + "/live/chat"
    other_site.page = f"""<h1>Trying</h1><script>
        const socket = new WebSocket("{socket_address}");
        socket.onopen = () => document.querySelector("h1").textContent = "Open";
        socket.onclose = () => document.querySelector("h1").textContent = "Refused";
    </script>"""
    browser.get(other_site.address)
    see(browser, "Refused", "h1")
    assert any("403" in message for message in console(browser))


def test_a_page_of_another_site_shows_none_of_it_in_a_frame(
    gallery: Served, browser: webdriver.Chrome, other_site: OtherSite
):
    other_site.page = f'<h1>Frame</h1><iframe src="{gallery.address}"></iframe>'
    browser.get(other_site.address)
    see(browser, "Frame", "h1")
    refusal = "violates the following Content Security Policy directive: \"frame-ancestors 'none'\""
    assert any(refusal in message for message in console(browser))
