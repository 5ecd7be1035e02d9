"""Takes the pictures of the tutorial: `python -m tests.examples.pictures [FOLDER] [CHAPTER ...]`.

Without a folder they replace those in docs/pictures/tutorial. In another folder they are taken three times, as PNG, to
be looked at: light, dark, and at the width of a phone. It needs chromium and chromedriver.
"""

import base64
import sys
import tempfile
import time
import typing as t
from pathlib import Path

from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from costrel import generate_password_hash

from ..browsers import PATIENCE, new_browser, see
from ..processes import LoggedProcess, environ

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "docs" / "pictures" / "tutorial"
LOOKS: dict[str, tuple[int, str]] = {"light": (760, "light"), "dark": (760, "dark"), "phone": (390, "light")}
TASKS = (("Book a room for the kickoff", "2027-01-15"), ("Send the agenda", "2027-01-11"), ("Bring the markers", ""))


class Visit(t.NamedTuple):
    """A browser, and the chapter that it visits."""

    browser: Chrome
    address: str

    def go(self, path: str) -> None:
        self.browser.get(self.address + path)

    def fill(self, **fields: str) -> None:
        """Fill in the first form in `main`, and send it without the browser's own checks."""
        self.browser.execute_script("for (const form of document.forms) form.noValidate = true")
        for name, value in fields.items():
            self.browser.execute_script(
                "document.querySelector(`main [name=${arguments[0]}]`).value = arguments[1]", name, value
            )
        self.press("main form button")

    def press(self, selector: str) -> None:
        before = self.browser.find_element(By.TAG_NAME, "html")
        self.browser.find_element(By.CSS_SELECTOR, selector).send_keys(Keys.ENTER)
        WebDriverWait(self.browser, PATIENCE).until(lambda browser: before != browser.find_element(By.TAG_NAME, "html"))

    def sign_in(self) -> None:
        self.go("/sign-in")
        self.fill(name="ada", password="secret")
        see(self.browser, "Signed in as ada")

    def add_tasks(self) -> None:
        for text, due in TASKS:
            self.go("/")
            self.fill(text=text, due=due)


def pages(visit: Visit) -> None:
    visit.go("/")


def forms(visit: Visit) -> None:
    visit.add_tasks()
    visit.fill(text="   ")


def database(visit: Visit) -> None:
    visit.add_tasks()
    visit.press("main li button")


def accounts(visit: Visit) -> None:
    visit.go("/")
    visit.fill(name="ada", password="wrong")


def uploads(visit: Visit) -> None:
    visit.sign_in()
    visit.add_tasks()
    visit.go("/tasks/2")
    for name, size in (("agenda.pdf", 48_200), ("participants.csv", 1_730)):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, name)
            path.write_bytes(bytes(size))
            visit.browser.find_element(By.NAME, "upload").send_keys(str(path))
            visit.press("main form button")


def api(visit: Visit) -> None:
    visit.sign_in()
    visit.go("/docs?api=v1")
    see(visit.browser, "/api/tasks/{number}")
    visit.browser.find_element(By.CSS_SELECTOR, "#operations-api-create_task, .opblock-post").click()
    see(visit.browser, "Try it out")


def live(visit: Visit) -> None:
    visit.sign_in()
    visit.add_tasks()
    visit.browser.execute_script(
        "fetch('/', {method: 'POST', body: new URLSearchParams({text: 'Order lunch', due: '2027-01-15'})})"
    )
    see(visit.browser, "ada added “Order lunch”")
    see(visit.browser, "Order lunch", "#tasks")


def deployed(visit: Visit) -> None:
    live(visit)
    visit.press("main li button")


CHAPTERS = (pages, forms, database, accounts, uploads, api, live, deployed)


class Served(LoggedProcess):
    """A chapter on a server, with an empty database and the user Ada."""

    def __init__(self, number: int, folder: Path) -> None:
        settings = environ(
            TASKS_DATABASE=str(folder / "tasks.sqlite"),
            TASKS_UPLOADS=str(folder / "uploads"),
            TASKS_SECRET_KEY="k" * 32,
            PYTHONPATH=f"{ROOT / 'src'}",
        )
        prepare = folder / "prepare.py"
        prepare.write_text(
            "from tasks import database\nimport tasks\n"
            "app = tasks.create_app() if hasattr(tasks, 'create_app') else tasks.app\n"
            "with app.app_context(), database.opened() as opened:\n"
            "    opened.upgrade()\n"
            f"    if hasattr(opened, 'add_user'): opened.add_user('ada', {generate_password_hash('secret')!r})\n"
        )
        command = f"exec {sys.executable} -m costrel --app tasks run --no-debug --port 0"
        if number >= 3:
            command = f"PYTHONPATH={ROOT / 'src'}:. {sys.executable} {prepare} && {command}"
        chapter = ROOT / "examples" / "tutorial" / f"chapter{number}"
        super().__init__(["sh", "-c", command], chapter, settings, folder / "log.txt")


def take(browser: Chrome, file: Path) -> None:
    """Save the whole page."""
    time.sleep(0.3)  # the page may still move
    size = browser.execute_script("return [innerWidth, document.documentElement.scrollHeight]")
    shot = browser.execute_cdp_cmd(
        "Page.captureScreenshot",
        {
            "format": file.suffix[1:],
            **({"quality": 80} if file.suffix == ".webp" else {}),
            "captureBeyondViewport": True,
            "clip": {"x": 0, "y": 0, "width": size[0], "height": min(size[1], 900), "scale": 1},
        },
    )
    file.write_bytes(base64.b64decode(shot["data"]))
    print(file, file.stat().st_size)


def main(folder: Path, numbers: list[int], looks: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        for look in looks:
            width, scheme = LOOKS[look]
            with tempfile.TemporaryDirectory() as scratch, Served(number, Path(scratch)) as served:
                browser = new_browser(Path(scratch, "profile"))
                try:
                    metrics = {"width": width, "height": 300, "deviceScaleFactor": 1, "mobile": False}
                    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
                    feature = {"name": "prefers-color-scheme", "value": scheme}
                    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
                    CHAPTERS[number - 1](Visit(browser, f"http://127.0.0.1:{served.port}"))
                    take(browser, folder / f"chapter{number}{'.webp' if len(looks) == 1 else f'-{look}.png'}")
                finally:
                    browser.quit()


if __name__ == "__main__":
    given = [Path(each).resolve() for each in sys.argv[1:] if not each.isdigit()]
    wanted = [int(each) for each in sys.argv[1:] if each.isdigit()] or [*range(1, 9)]
    main(given[0] if given else KEPT, wanted, [*LOOKS] if given else ["light"])
