"""The gallery in a real browser, on both of its servers."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from .conftest import png

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1200,900",
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.skipif(
        os.environ.get("COSTREL_TEST_BROWSER") != "required"
        and not (shutil.which("chromium") and shutil.which("chromedriver")),
        reason="needs chromium and chromedriver (Debian: apt-get install chromium chromium-driver)",
    ),
]


@pytest.fixture
def browser(tmp_path) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in (*FLAGS, f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        yield driver
    finally:
        driver.quit()


def fill(browser: webdriver.Chrome, **fields: str) -> None:
    for name, value in fields.items():
        browser.find_element(By.NAME, name).send_keys(value)
    browser.find_element(By.CSS_SELECTOR, "main form.stack button").click()


def see(browser: webdriver.Chrome, text: str) -> None:
    waiting = WebDriverWait(browser, 10, ignored_exceptions=[StaleElementReferenceException, NoSuchElementException])
    waiting.until(lambda b: text in b.find_element(By.TAG_NAME, "body").text)


def test_sign_up_upload_comment_and_delete(browser: webdriver.Chrome, address: str, tmp_path: Path) -> None:
    picture = tmp_path / "my boat.png"
    picture.write_bytes(png(64, 48))

    browser.get(address)
    see(browser, "Pictures from along the way")
    assert len(browser.find_elements(By.CSS_SELECTOR, ".card img")) == 6

    browser.find_element(By.LINK_TEXT, "Sign up").click()
    fill(browser, name="ada", password="a long password")
    see(browser, "Welcome, ada!")

    browser.find_element(By.LINK_TEXT, "Upload").click()
    fill(browser, title="My boat", picture=str(picture))
    see(browser, "“My boat” is in the gallery.")
    shown = browser.find_element(By.CSS_SELECTOR, ".picture > img")
    width = "return arguments[0].complete && arguments[0].naturalWidth"
    WebDriverWait(browser, 10).until(lambda b: b.execute_script(width, shown) == 64)

    fill(browser, text="What a fine boat")
    see(browser, "What a fine boat")

    browser.find_element(By.CSS_SELECTOR, "button.danger").click()
    see(browser, "“My boat” was deleted.")

    browser.find_element(By.CSS_SELECTOR, "button.link").click()
    see(browser, "Sign in")
    browser.get(f"{address}/nowhere")
    see(browser, "Nothing here")
    errors = [entry for entry in browser.get_log("browser") if "404" not in entry["message"]]
    assert errors == []
