"""The rules of axe on the site, the gallery, its docs page and the developer pages: wide and narrow, light and dark.

`make accessible` builds the site, installs axe from npm, and runs these tests.
"""

import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from ..browsers import FLAGS, PATIENCE, needs_browser, new_browser, see
from ..processes import LoggedProcess, environ

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
SITE = ROOT / "build" / "site"
SHOTS = os.environ.get("COSTREL_SCREENSHOTS")
"""A folder for a picture of each page, if one is given."""

pytestmark = [
    *needs_browser,
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(os.environ.get("COSTREL_TEST_AXE") != "required", reason="run by make accessible: needs npm"),
]

WIDTHS = (1200, 390)
SCHEMES = ("light", "dark")
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

LUMINANCE = """\
const channels = element => getComputedStyle(element).backgroundColor.match(/[\\d.]+/g).map(Number);
const found = [document.body, document.documentElement].map(channels).find(each => each.length === 3 || each[3] === 1);
if (!found) return null;
const [red, green, blue] = found.slice(0, 3).map(each => each / 255).map(
  each => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4);
return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
"""
"""The relative luminance (WCAG 2.2) of the page's background: 0 is black, 1 is white. `null` if nothing is painted."""

FORGET = "try { localStorage.clear() } catch {}"
"""Run before the scripts of each page: no page has the colours that an earlier one stored."""

Ready = Callable[[], None]
"""Waits until a page that was loaded can be looked at, and opens the parts that are to be checked."""


def emulate(browser: webdriver.Chrome, width: int, scheme: str) -> None:
    """Give the next page a width and a preferred colour scheme."""
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)


def problems(browser: webdriver.Chrome, name: str, url: str, ready: Ready) -> str:
    """The violations of axe's rules, wrong colours and horizontal scrolling of a page, loaded again for each view."""
    found = []
    for scheme in SCHEMES:
        for width in WIDTHS:
            browser.get("about:blank")  # the page of before cannot react to the change
            emulate(browser, width, scheme)
            browser.get(url)
            ready()
            picture(browser, f"{name} {width} {scheme}")
            found += [f"{name} ({width}, {scheme}): {problem}" for problem in faults(browser, scheme)]
    return "\n".join(found)


def picture(browser: webdriver.Chrome, name: str) -> None:
    """Keep a picture of the page, if there is a folder for it."""
    if SHOTS:
        file = re.sub(r"\W+", "-", name).strip("-")
        browser.save_screenshot(str(Path(SHOTS, f"{file}.png")))


def faults(browser: webdriver.Chrome, scheme: str) -> list[str]:
    """The faults of the page that is shown."""
    browser.execute_script((HERE / "node_modules" / "axe-core" / "axe.min.js").read_text())
    found = list(browser.execute_async_script(RUN))
    luminance = browser.execute_script(LUMINANCE)
    if luminance is None or not (luminance < 0.05 if scheme == "dark" else luminance > 0.8):
        found.append(f"its background has a luminance of {luminance}")
    widths = "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    scroll, client = browser.execute_script(widths)
    if scroll > client:
        found.append(f"{scroll} pixels wide in {client}")
    return found


@pytest.fixture(scope="module")
def browser(tmp_path_factory) -> Iterator[webdriver.Chrome]:
    assert "--headless" in FLAGS
    browser = new_browser(tmp_path_factory.mktemp("profile"))
    browser.set_script_timeout(60)
    browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": FORGET})
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


def palette_follows(browser: webdriver.Chrome) -> None:
    """Wait until the site's palette is that of the preferred colour scheme."""
    prefers = browser.execute_script("return matchMedia('(prefers-color-scheme: dark)').matches")
    palette = "slate" if prefers else "default"
    WebDriverWait(browser, PATIENCE).until(
        lambda b: b.find_element(By.TAG_NAME, "body").get_attribute("data-md-color-scheme") == palette,
        f"the palette {palette!r} was not seen",
    )


@pytest.mark.parametrize("name", OF_THE_SITE)
def test_the_site(browser, name):
    def ready():
        see(browser, "Costrel")
        palette_follows(browser)

    assert "" == problems(browser, f"site/{name}", (SITE / f"{name}.html").as_uri(), ready)


def test_the_search_of_the_site(browser):
    def ready():
        see(browser, "CSRF", ".md-search__output")
        palette_follows(browser)

    assert "" == problems(browser, "site, search", (SITE / "index.html").as_uri() + "?q=CSRF", ready)


@pytest.mark.parametrize("path", OF_THE_GALLERY)
def test_the_gallery(browser, shop, path):
    assert "" == problems(browser, f"gallery{path}", shop.url + path, lambda: see(browser, "Gallery"))


@pytest.mark.parametrize("opened", [0, 2])
def test_the_docs_page(browser, shop, opened):
    def ready():
        see(browser, "Gallery", ".info")
        for operation in browser.find_elements(By.CSS_SELECTOR, ".opblock-summary-control")[:opened]:
            operation.click()

    assert "" == problems(browser, f"docs page, {opened} open", shop.url + "/api/docs", ready)


@pytest.mark.parametrize("path", OF_DEVELOPERS)
def test_the_developer_pages(browser, shop, path):
    def ready():
        see(browser, "Costrel", "footer")
        for part in browser.find_elements(By.CSS_SELECTOR, "details.request > summary"):
            browser.execute_script("arguments[0].parentNode.open = true", part)

    assert "" == problems(browser, f"developer{path}", shop.url + path, ready)


def test_the_inspector(browser, shop):
    inspector = f"{shop.url}/__costrel__/requests"
    browser.get(f"{shop.url}/fails/0?colour=red&note={'long' * 60}")
    assert "" == problems(browser, "inspector, locked", inspector, lambda: see(browser, "PIN"))
    browser.find_element(By.NAME, "pin").send_keys(shop.pin)
    browser.find_element(By.CSS_SELECTOR, ".pin button").click()
    see(browser, "/fails/0?colour=red")
    assert "" == problems(browser, "inspector", inspector, lambda: see(browser, "/fails/0?colour=red"))
    request = browser.find_element(By.PARTIAL_LINK_TEXT, "/fails/0").get_attribute("href")
    assert "" == problems(browser, "inspector, request", request, lambda: see(browser, "The basket has 0 apples"))
    browser.find_element(By.XPATH, "//button[text()='Send again']").click()
    see(browser, "Timing")
    assert browser.current_url.startswith(f"{inspector}/")
