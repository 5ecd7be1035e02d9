"""The gallery in a real browser, on both of its servers."""

from pathlib import Path

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from ..browsers import PATIENCE, console, needs_browser, see
from .conftest import fill, png

pytestmark = needs_browser


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
    WebDriverWait(browser, PATIENCE).until(lambda b: b.execute_script(width, shown) == 64)

    fill(browser, text="What a fine boat")
    see(browser, "What a fine boat")

    browser.find_element(By.CSS_SELECTOR, "button.danger").click()
    see(browser, "“My boat” was deleted.")

    browser.find_element(By.CSS_SELECTOR, "button.link").click()
    see(browser, "Sign in")
    browser.get(f"{address}/nowhere")
    see(browser, "Page not found")
    assert [message for message in console(browser) if "404" not in message] == []


def test_the_name_is_shown_on_a_phone_and_comments_are_not_under_the_bar(
    browser: webdriver.Chrome, address: str, tmp_path: Path
) -> None:
    browser.set_window_size(500, 500)
    browser.get(f"{address}/sign-up")
    fill(browser, name="grace", password="a long password")
    see(browser, "Welcome, grace!")
    assert browser.find_element(By.CSS_SELECTOR, ".who").is_displayed()
    browser.find_element(By.CSS_SELECTOR, ".card").click()
    browser.get(f"{browser.current_url}#comments")
    top = "return document.querySelector(arguments[0]).getBoundingClientRect()[arguments[1]]"
    heading, bar = browser.execute_script(top, "#comments", "top"), browser.execute_script(top, ".bar", "bottom")
    assert heading >= bar
