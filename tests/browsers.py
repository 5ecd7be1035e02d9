"""Headless Chromium for the tests that need a real browser."""

import os
import shutil
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

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
PATIENCE = 30
"""How many seconds a test waits for what a page is to show; several browsers share the computer."""

needs_browser = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.skipif(
        os.environ.get("COSTREL_TEST_BROWSER") != "required"
        and not (shutil.which("chromium") and shutil.which("chromedriver")),
        reason="needs chromium and chromedriver (Debian: apt-get install chromium chromium-driver)",
    ),
]


def new_browser(profile: Path) -> webdriver.Chrome:
    """A browser whose data is in `profile`."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))


def see(browser: webdriver.Chrome, text: str, selector: str = "body") -> None:
    """Wait until a part of the page has a text."""
    # The page may be replaced by another while it is looked at.
    waiting = WebDriverWait(browser, PATIENCE, ignored_exceptions=[WebDriverException])
    waiting.until(lambda b: text in b.find_element(By.CSS_SELECTOR, selector).text, f"{text!r} was not seen")


def console(browser: webdriver.Chrome) -> list[str]:
    """The new messages of the browser's console."""
    return [entry["message"] for entry in browser.get_log("browser")]
