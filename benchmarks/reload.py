"""The time from saving a file until the browser shows the change, for Costrel, ``flask run`` and ``fastapi dev``.

Chromium shows a page of each. A line of the Python file, or of the template, is changed. Costrel's page reloads itself;
the peers' pages are reloaded again and again, without a pause. The servers take turns, so that a busy moment of the
machine slows all of them. They import Costrel from the folder of this program. Needs Chromium and chromedriver.
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By

import costrel

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "10"))
LIMIT = 30.0
"""How many seconds a change may take before the run fails."""

PAUSE = 3.0
"""The seconds before each change. After a restart Costrel starts a process for the next one: it must slow no server."""

SOURCES = Path(costrel.__file__).parents[1]

SERVED = {
    "costrel run --debug": """\
from costrel import Costrel, render_template

app = Costrel(__name__)


@app.get("/")
def index():
    return render_template("page.html", word="word-0")
""",
    "flask run --debug": """\
from flask import Flask, render_template

app = Flask(__name__)


@app.get("/")
def index():
    return render_template("page.html", word="word-0")
""",
    "fastapi dev": """\
from fastapi import FastAPI, Request
from fastapi.templating import Jinja2Templates

app = FastAPI()
templates = Jinja2Templates("templates")


@app.get("/")
def index(request: Request):
    return templates.TemplateResponse(request, "page.html", {"word": "word-0"})
""",
}
PAGE = "<!doctype html><title>Words</title><body><p>{{ word }} text-0</p></body>\n"
FILES = {"Python": ("app.py", "word"), "template": ("templates/page.html", "text")}


@dataclass
class Served:
    """A server, the folder of its application, and the window that shows it."""

    name: str
    folder: Path
    url: str
    window: str = ""

    @property
    def reloads_itself(self) -> bool:
        return self.name.startswith("costrel")


def command(name: str, port: int) -> list[str]:
    """The command that starts a server."""
    tool, *arguments = name.split()
    module = {"costrel": ["-m", "costrel", "--app", "app.py"], "flask": ["-m", "flask", "--app", "app.py"]}
    if tool == "fastapi":
        return [sys.executable, "-m", "fastapi", *arguments, "app.py", "--port", str(port)]
    return [sys.executable, *module[tool], *arguments, "--port", str(port)]


@contextmanager
def running(name: str, port: int) -> Iterator[Served]:
    """A development server with an application of its own."""
    with tempfile.TemporaryDirectory() as path:
        folder = Path(path)
        (folder / "templates").mkdir()
        (folder / "app.py").write_text(SERVED[name])
        (folder / "templates" / "page.html").write_text(PAGE)
        log = (folder / "log.txt").open("wb")
        process = subprocess.Popen(
            command(name, port),
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(SOURCES)},
            stdout=log,
            stderr=log,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
        )
        served = Served(name, folder, f"http://127.0.0.1:{port}/")
        try:
            wait_for(served)
            yield served
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            log.close()


def wait_for(served: Served) -> None:
    """Wait until a server answers. Raises TimeoutError with its log."""
    until = time.monotonic() + LIMIT
    while time.monotonic() < until:
        with suppress(OSError), urlopen(served.url, timeout=5) as response:
            response.read()
            return
        time.sleep(0.1)
    raise TimeoutError(f"{served.name}: {(served.folder / 'log.txt').read_text()[-2000:]}")


def seconds_until_shown(browser: webdriver.Chrome, served: Served, file: str, number: int) -> float:
    """Save a change, and return the seconds until the browser shows it."""
    name, word = FILES[file]
    path = served.folder / name
    browser.switch_to.window(served.window)
    text = path.read_text()
    changed = text.replace(f"{word}-{number - 1}", f"{word}-{number}")
    assert changed != text
    begun = time.monotonic()
    path.write_text(changed)
    while time.monotonic() - begun < LIMIT:
        with suppress(WebDriverException):
            if not served.reloads_itself:
                browser.refresh()
            if f"{word}-{number}" in browser.find_element(By.TAG_NAME, "body").text:
                return time.monotonic() - begun
        time.sleep(0.01)
    raise TimeoutError(f"{served.name} has not shown a change of {name} within {LIMIT:.0f} s.")


def new_browser() -> webdriver.Chrome:
    options = webdriver.ChromeOptions()
    for flag in ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"):
        options.add_argument(flag)
    options.binary_location = "/usr/bin/chromium"
    return webdriver.Chrome(options=options, service=webdriver.ChromeService("/usr/bin/chromedriver"))


def main() -> None:
    """Print the medians, and the slowest of each, as a table in Markdown."""
    taken: dict[tuple[str, str], list[float]] = {}
    with ExitStack() as stack:
        all_served = [stack.enter_context(running(name, 5600 + at)) for at, name in enumerate(SERVED)]
        browser = new_browser()
        stack.callback(browser.quit)
        for served in all_served:
            browser.switch_to.new_window("tab")
            served.window = browser.current_window_handle
            browser.get(served.url)
        for number in range(1, ROUNDS + 1):
            for file in FILES:
                for served in all_served:
                    time.sleep(PAUSE)
                    seconds = seconds_until_shown(browser, served, file, number)
                    taken.setdefault((served.name, file), []).append(seconds)
                    print(f"{number:2} {file:8} {served.name:20} {seconds:.2f} s", file=sys.stderr, flush=True)
    print("| server | Python: median | slowest | template: median | slowest |\n|---|--:|--:|--:|--:|")
    for name in SERVED:
        cells = [f"{figure:.2f} s" for file in FILES for figure in figures(taken[name, file])]
        print(f"| `{name}` | {' | '.join(cells)} |")


def figures(seconds: list[float]) -> tuple[float, float]:
    """Median and maximum."""
    return statistics.median(seconds), max(seconds)
