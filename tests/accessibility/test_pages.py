"""The rules of axe on the site, the gallery, its docs page and the developer pages: wide and narrow, light and dark.

`make accessible` builds the site, installs axe from npm, and runs these tests.
"""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By

from ..browsers import FLAGS, needs_browser, new_browser, see
from ..processes import LoggedProcess, environ

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
SITE = ROOT / "build" / "site"
SHOTS = os.environ.get("COSTREL_SCREENSHOTS")
"""A folder for a picture of each page, if somebody wants to look at them."""

pytestmark = [
    *needs_browser,
    pytest.mark.slow,
    pytest.mark.skipif(os.environ.get("COSTREL_TEST_AXE") != "required", reason="run by make accessible: needs npm"),
]

VIEWS = {"wide-light": (1200, "light"), "narrow-dark": (390, "dark")}
OF_THE_SITE = ["index", "debugging", "rate-limits", "reference/live"]
OF_THE_GALLERY = ["/", "/live", "/sign-up", "/sign-in", "/nowhere"]
OF_DEVELOPERS = ["/nothing-here", "/fails/3", "/__costrel__/console"]

RUN = """\
const done = arguments[arguments.length - 1];
axe.run(document, {resultTypes: ["violations"]}).then(
  found => done(found.violations.map(each => each.id + ": " + each.nodes.slice(0, 4).map(
    node => node.html.slice(0, 150) + " " + (node.any[0] || node.all[0] || node.none[0] || {message: ""}).message
  ).join(" | "))), error => done(["axe failed: " + error]));
"""

PAINT = """\
const button = document.getElementById("theme");
if (button && document.documentElement.dataset.theme !== arguments[0]) button.click();
"""
"""The developer pages choose their colours when they are loaded, and have a button."""


class Page:
    """A page in the browser, in one of `VIEWS`."""

    def __init__(self, browser: webdriver.Chrome, name: str) -> None:
        self.browser = browser
        self.name = name

    def show_as(self, view: str) -> None:
        """Give the page a width and a colour scheme."""
        width, scheme = VIEWS[view]
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        self.browser.execute_script(PAINT, scheme)

    def problems(self, reload: bool = False) -> str:
        """The violations of axe's rules, and horizontal scrolling, in all views.

        :param reload: whether the page chooses its colours only when it is loaded.
        """
        found = []
        for view in VIEWS:
            self.show_as(view)
            if reload:
                self.browser.execute_script("localStorage.clear()")  # it has the colours of before
                self.browser.refresh()
            if SHOTS:
                file = re.sub(r"\W+", "-", f"{self.name} {view}").strip("-")
                self.browser.save_screenshot(str(Path(SHOTS, f"{file}.png")))
            found += [f"{self.name} ({view}): {problem}" for problem in self._violations()]
            widths = "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
            scroll, client = self.browser.execute_script(widths)
            if scroll > client:
                found.append(f"{self.name} ({view}): {scroll} pixels wide in {client}")
        return "\n".join(found)

    def _violations(self) -> list[str]:
        if not self.browser.execute_script("return typeof axe !== 'undefined'"):
            self.browser.execute_script((HERE / "node_modules" / "axe-core" / "axe.min.js").read_text())
        return self.browser.execute_async_script(RUN)


@pytest.fixture(scope="module")
def browser(tmp_path_factory) -> Iterator[webdriver.Chrome]:
    assert "--headless" in FLAGS
    browser = new_browser(tmp_path_factory.mktemp("profile"))
    browser.set_script_timeout(60)
    yield browser
    browser.quit()


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> Iterator[LoggedProcess]:
    folder = tmp_path_factory.mktemp("shop")
    command = [sys.executable, "-m", "costrel", "--app", "tests/accessibility/shop.py", "run", "--debug", "--no-reload"]
    own = environ(SHOP_INSTANCE=str(folder), PYTHONPATH=str(ROOT))
    with LoggedProcess([*command, "--port", "0"], ROOT, own, folder / "log.txt") as served:
        served.pin = served.wait_for(r"Debugger PIN: (\S+)")[1]
        served.url = f"http://127.0.0.1:{served.port}"
        yield served


@pytest.mark.parametrize("name", OF_THE_SITE)
def test_the_site(browser, name):
    browser.get((SITE / f"{name}.html").as_uri())
    see(browser, "Costrel")
    assert "" == Page(browser, f"site/{name}").problems(reload=True)


def test_the_search_of_the_site(browser):
    browser.get((SITE / "index.html").as_uri() + "?q=CSRF")
    see(browser, "CSRF", ".md-search__output")
    assert "" == Page(browser, "site, search").problems()


@pytest.mark.parametrize("path", OF_THE_GALLERY)
def test_the_gallery(browser, shop, path):
    browser.get(shop.url + path)
    see(browser, "Gallery")
    assert "" == Page(browser, f"gallery{path}").problems()


def test_the_docs_page(browser, shop):
    browser.get(shop.url + "/api/docs")
    see(browser, "Gallery", ".info")
    assert "" == Page(browser, "docs page").problems()
    for operation in browser.find_elements(By.CSS_SELECTOR, ".opblock-summary-control")[:2]:
        operation.click()
    assert "" == Page(browser, "docs page, open").problems()


@pytest.mark.parametrize("path", OF_DEVELOPERS)
def test_the_developer_pages(browser, shop, path):
    browser.get(shop.url + path)
    see(browser, "Costrel", "footer")
    for part in browser.find_elements(By.CSS_SELECTOR, "details.request > summary"):
        browser.execute_script("arguments[0].parentNode.open = true", part)
    assert "" == Page(browser, f"developer{path}").problems()


def test_the_inspector(browser, shop):
    browser.get(f"{shop.url}/fails/0?colour=red&note={'long' * 60}")
    browser.get(f"{shop.url}/__costrel__/requests")
    see(browser, "PIN")
    assert "" == Page(browser, "inspector, locked").problems()
    browser.find_element(By.NAME, "pin").send_keys(shop.pin)
    browser.find_element(By.CSS_SELECTOR, ".pin button").click()
    see(browser, "/fails/0?colour=red")
    assert "" == Page(browser, "inspector").problems()
    browser.get(browser.find_element(By.PARTIAL_LINK_TEXT, "/fails/0").get_attribute("href"))
    see(browser, "The basket has 0 apples")
    assert "" == Page(browser, "inspector, request").problems()
    browser.find_element(By.XPATH, "//button[text()='Send again']").click()
    see(browser, "Timing")
    assert browser.current_url.startswith(f"{shop.url}/__costrel__/requests/")
