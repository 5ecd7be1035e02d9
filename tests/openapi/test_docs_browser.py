"""The docs page in a real browser: in the strict profile it works, and reaches no other host."""

import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

from ..browsers import PATIENCE, console, needs_browser, see
from ..processes import LoggedProcess, environ

pytestmark = needs_browser

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "costrel", "--app", "tests/openapi/docs_app.py", "run", "--port", "0"]


@pytest.fixture
def address(tmp_path) -> Iterator[str]:
    with LoggedProcess(COMMAND, ROOT, environ(), tmp_path / "log.txt") as served:
        served.wait_for("Press CTRL")
        yield f"http://127.0.0.1:{served.port}"


def click(browser: webdriver.Chrome, selector: str) -> None:
    """Click on a part of the page when it is there; Swagger UI replaces its parts as it draws them."""
    script = "const part = document.querySelector(arguments[0]); part?.click(); return part !== null"
    WebDriverWait(browser, PATIENCE).until(lambda b: b.execute_script(script, selector), f"{selector} was not there")


def post(browser: webdriver.Chrome, body: str) -> None:
    """Write a body, and send it."""
    area = browser.find_element(By.CSS_SELECTOR, "textarea.body-param__text")
    area.clear()
    area.send_keys(body)
    click(browser, "button.execute")


def look(browser: webdriver.Chrome, width: int, scheme: str) -> None:
    """Set the width of the screen, and whether it is light or dark."""
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


WIDTHS = "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
PAPER = "return getComputedStyle(document.body).backgroundColor"


def test_requests_are_tried_out_and_shown(address: str, browser: webdriver.Chrome):
    browser.get(f"{address}/docs")
    see(browser, "Take an order.")
    click(browser, ".opblock-post .opblock-summary-control")
    click(browser, ".try-out__btn")
    see(browser, "Execute")
    assert console(browser) == []

    post(browser, '{"customer": 7, "lines": [{"sku": "x", "qty": 0}]}')
    see(browser, "3 values are invalid.", ".live-responses-table")
    shown = browser.find_element(By.CSS_SELECTOR, ".live-responses-table").text
    assert [each for each in ("#/customer", "#/lines/0/sku", "#/lines/0/qty") if each not in shown] == []
    # Chromium reports each response from 400 on.
    (reported,) = console(browser)
    assert reported.endswith("status of 422 (Unprocessable Entity)")

    for number in (1, 2):  # the session lasts, and each token belongs to it
        post(browser, '{"customer": "Ada", "lines": [{"sku": "pen"}]}')
        see(browser, f'"number": {number}', ".live-responses-table")
    assert console(browser) == []
    urls = browser.execute_script("return performance.getEntriesByType('resource').map((each) => each.name)")
    assert {urlsplit(url).netloc for url in urls} == {urlsplit(address).netloc}


def test_versions_have_a_menu_and_small_and_dark_screens_their_style(address: str, browser: webdriver.Chrome):
    look(browser, 1200, "light")
    browser.get(f"{address}/docs")
    see(browser, "Take an order.")
    menu = Select(browser.find_element(By.ID, "versions"))
    assert [option.text for option in menu.options] == ["v2", "v1"]
    assert browser.execute_script(PAPER) == "rgb(250, 248, 244)"
    menu.select_by_value("v1")
    see(browser, "The newest orders.")
    look(browser, 390, "dark")
    browser.refresh()
    see(browser, "The newest orders.")
    click(browser, ".opblock-get .opblock-summary-control")
    click(browser, ".try-out__btn")
    see(browser, "Execute")
    width, visible = browser.execute_script(WIDTHS)
    assert width == visible
    assert browser.execute_script(PAPER) == "rgb(23, 21, 18)"
    assert console(browser) == []
