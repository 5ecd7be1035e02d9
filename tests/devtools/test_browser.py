"""A day of development in a real browser: edits, errors, a console, a syntax error."""

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from ..browsers import PATIENCE, console, needs_browser, see
from ..processes import LoggedProcess, free_port

ROOT = Path(__file__).parents[2]

pytestmark = needs_browser

APP = """\
from costrel import Costrel, render_template

app = Costrel(__name__)


@app.get("/")
def index():
    return "<!doctype html><title>Shop</title><body><h1>First words</h1></body>"


@app.get("/page")
def page():
    return render_template("page.html")


@app.get("/basket/<int:number>")
def basket(number):
    apples = number * 7
    return f"{apples / 0}"
"""


class Project:
    """A folder with an application that the development server serves."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "templates").mkdir()
        self.write("app.py", APP)
        self.write("templates/page.html", "<body><h1>A template</h1></body>")

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.process.port}"

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.folder / name).read_text()
        assert old in text
        self.write(name, text.replace(old, new))

    def pin(self) -> str:
        return self.process.wait_for(r"Debugger PIN: (\S+)")[1]

    @contextlib.contextmanager
    def served(self, *command: str) -> Iterator[None]:
        arguments = command or ("-m", "costrel", "--app", "app.py", "run", "--debug", "--port", "0")
        environ = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
        with LoggedProcess([sys.executable, *arguments], self.folder, environ, self.folder / "log.txt") as self.process:
            self.pin()
            yield


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def project(folder):
    project = Project(folder)
    with project.served():
        yield project


def listens(browser: webdriver.Chrome) -> None:
    """Wait until the page has its script; the template watch alone could miss an earlier change."""
    WebDriverWait(browser, PATIENCE).until(lambda b: b.execute_script("return !!window.costrelRefresh"))


def see_after_touching(browser: webdriver.Chrome, text: str, path: Path) -> None:
    """Wait until the page shows a change: one that came before the first look at the templates is made once more."""

    def look(browser: webdriver.Chrome) -> bool:
        path.touch()
        return text in browser.find_element(By.TAG_NAME, "body").text

    waiting = WebDriverWait(browser, PATIENCE, poll_frequency=1, ignored_exceptions=[WebDriverException])
    waiting.until(look, f"{text!r} was not seen")


def test_a_day_of_development(browser: webdriver.Chrome, project: Project) -> None:
    browser.get(project.address)
    see(browser, "First words")
    listens(browser)

    # The program is edited: the page changes by itself.
    project.edit("app.py", "First words", "Second words")
    see(browser, "Second words")

    # A syntax error: its page instead, and back when it is mended.
    project.edit("app.py", "def index():", "def index(:")
    see(browser, "SyntaxError", ".kind")
    see(browser, "def index(:", ".card")
    project.edit("app.py", "def index(:", "def index():")
    see(browser, "Second words", "body > h1:only-of-type")

    # Who follows a link while the page is about to reload gets to where it leads. (Then a template is edited.)
    project.edit("app.py", "Second words", "Third words")
    browser.get(f"{project.address}/page")
    see(browser, "A template")
    project.edit("templates/page.html", "A template", "Another template")
    see_after_touching(browser, "Another template", project.folder / "templates/page.html")

    # An exception: the debugger, with a console that has the values.
    browser.get(f"{project.address}/basket/6")
    see(browser, "division by zero", "h1")
    see(browser, "42", ".variables")
    browser.find_element(By.CSS_SELECTOR, ".card .open-console").click()
    see(browser, "The PIN is in the terminal", ".pin")
    browser.find_element(By.NAME, "pin").send_keys("wrong" + Keys.ENTER)
    see(browser, "That is not the PIN.", ".pin")
    browser.find_element(By.NAME, "pin").send_keys(project.pin() + Keys.ENTER)
    WebDriverWait(browser, PATIENCE).until(lambda b: b.find_elements(By.CSS_SELECTOR, ".card textarea"))
    prompt = browser.find_element(By.CSS_SELECTOR, ".card textarea")
    prompt.send_keys("apples + 1" + Keys.ENTER)
    see(browser, "43", ".card .output")
    prompt.send_keys("[a * apples for a in range(3)]" + Keys.ENTER)
    see(browser, "[0, 42, 84]", ".card .output")
    prompt.send_keys("for i in range(2):" + Keys.ENTER)
    see(browser, "...", ".card .prompt")
    prompt.send_keys("print('<b>', i)" + Keys.ENTER + Keys.ENTER)  # before the answer to the first line
    see(browser, "<b> 1", ".card .output")
    prompt.send_keys("request.path" + Keys.ENTER)
    see(browser, "'/basket/6'", ".card .output")
    screenshot(browser, "console")

    # It is mended, and the page shows the result.
    project.edit("app.py", "apples / 0", "apples / 2")
    see(browser, "21.0")
    severe = [message for message in console(browser) if "Content Security Policy" in message]
    assert [] == severe


def test_a_server_that_was_away_for_long_is_found_again(browser: webdriver.Chrome, folder: Path) -> None:
    project = Project(folder)
    command = ("-m", "costrel", "--app", "app.py", "run", "--debug", "--port", str(free_port()))
    with project.served(*command):
        browser.get(project.address)
        see(browser, "First words")
        listens(browser)
    project.edit("app.py", "First words", "Later words")
    time.sleep(1)  # longer than the browser asks at short intervals
    with project.served(*command):
        see(browser, "Later words")


def test_a_page_that_is_missing_is_explained(browser: webdriver.Chrome, project: Project) -> None:
    browser.get(f"{project.address}/baskets/6")
    see(browser, "/basket/<int:number>", ".rules")
    see(browser, "has 'basket' where the path has 'baskets'", ".rules")
    screenshot(browser, "missing")


def test_a_script_that_ends_is_explained_until_it_is_mended(browser: webdriver.Chrome, folder: Path) -> None:
    script = Project(folder)
    text = f"{APP}\n\napp.run(debug=True, port=0)\n"
    script.write("app.py", text)
    with script.served("app.py"):
        browser.get(script.address)
        see(browser, "First words")
        listens(browser)
        script.edit("app.py", "def index():", "def index(:")
        see(browser, "SyntaxError", ".kind")
        script.write("app.py", f"raise SystemExit(5)\n{APP}")
        see(browser, "The program ended after a change", "h1")
        script.write("app.py", text)
        see(browser, "First words")


def screenshot(browser: webdriver.Chrome, name: str) -> None:
    folder = os.environ.get("COSTREL_SCREENSHOTS")
    if folder:
        browser.save_screenshot(f"{folder}/{name}.png")
