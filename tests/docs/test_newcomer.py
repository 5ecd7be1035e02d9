"""The path of a newcomer, from an empty folder: the commands and the code are those of README.md.

`make newcomer` runs this test, and prints the time that the path takes.
"""

import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By

from ..browsers import needs_browser, new_browser, see
from ..processes import LoggedProcess, environ

ROOT = Path(__file__).parents[2]

pytestmark = [
    *needs_browser,
    pytest.mark.slow,
    pytest.mark.skipif(os.environ.get("COSTREL_TEST_NEWCOMER") != "required", reason="run by make newcomer"),
]

BLOCK = re.compile(r"""^```(console|python)(?: title="([^"]+)")?\n(.*?)^```""", re.MULTILINE | re.DOTALL)
INSTALLING = re.compile(r"^(python3 -m venv|pip install) ")
"""What `make dist` tries in a fresh environment. Here Costrel is installed already."""


class Newcomer:
    """Types the commands of the README, and saves its files."""

    def __init__(self, folder: Path) -> None:
        text = (ROOT / "README.md").read_text()
        section = text.partition("\n## First steps\n")[2].partition("\n## ")[0]
        self.steps = [(file, block) for _, file, block in BLOCK.findall(section)]
        self.folder = folder
        self.environ = environ(PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}", PYTHONDONTWRITEBYTECODE="")

    def commands(self) -> list[str]:
        """The commands of the next block, without their comments."""
        _, block = self.steps.pop(0)
        return [line[2:].partition("  #")[0].strip() for line in block.splitlines() if line.startswith("$ ")]

    def save(self) -> None:
        """Save the file of the next block, whose name follows the language."""
        file, block = self.steps.pop(0)
        (self.folder / file).write_text(block)

    def type(self, command: str) -> None:
        """Run a command of the shell to its end, and stay in the folder that it goes to."""
        done = subprocess.run(
            ["bash", "-c", f"{command} && pwd > {shlex.quote(str(self.folder.parent / 'pwd'))}"],
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=100,
        )
        assert done.returncode == 0, command + done.stdout + done.stderr
        self.folder = Path((self.folder.parent / "pwd").read_text().strip())

    def start(self, command: str, *more: str) -> LoggedProcess:
        """Start a server, on a free port."""
        return LoggedProcess(
            [*shlex.split(command), *more],
            self.folder,
            self.environ,
            self.folder.parent / f"{shlex.split(command)[1]}.txt",
        )


def test_from_an_empty_folder_to_a_server(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    newcomer = Newcomer(tmp_path / "empty")
    begun = time.monotonic()
    *commands, run = newcomer.commands()
    assert [True, True] == [bool(INSTALLING.match(command)) for command in commands[:2]]
    for command in commands[2:]:
        newcomer.type(command)
    browser = new_browser(tmp_path / "profile")
    try:
        with newcomer.start(run, "--port", "0") as served:
            url = f"http://127.0.0.1:{served.port}"
            browser.get(url)
            see(browser, "There are no notes yet.")
            (change,) = newcomer.commands()
            newcomer.type(change)
            see(browser, "My shop", "h1")
            newcomer.save()
            (test,) = newcomer.commands()
            newcomer.type(test)
            newcomer.save()
            open_docs(browser, f"{url}/docs")
        (serve,) = newcomer.commands()
        with newcomer.start(serve, "--bind", "127.0.0.1:0") as served:
            browser.get(f"http://127.0.0.1:{served.port}/")
            see(browser, "My shop", "h1")
    finally:
        browser.quit()
    assert [] == newcomer.steps
    with capsys.disabled():
        print(f"\nFrom the empty folder to the server: {time.monotonic() - begun:.1f} s")


def open_docs(browser, url: str) -> None:
    """Wait until the server has started again with the docs page, which shows the typed view."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        browser.get(url)
        if browser.find_elements(By.CSS_SELECTOR, ".opblock, #swagger-ui"):
            break
        time.sleep(0.2)
    see(browser, "/orders")
