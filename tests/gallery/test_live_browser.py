"""Chat and live feed between two windows of a real browser: in one process, and through Redis with two."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from ..browsers import console, needs_browser, new_browser, see
from ..processes import wait_until
from .conftest import RUN, SERVE, Served, fill, png, serving

pytestmark = needs_browser

KINDS = {"run": (RUN, False), "run-redis": (RUN, True), "serve-redis": (SERVE, True)}
ALONE = "This gallery runs without Redis: chat and feed reach the visitors of one process only."


@pytest.fixture(params=KINDS)
def gallery(request, tmp_path) -> Iterator[Served]:
    command, with_redis = KINDS[request.param]
    url = request.getfixturevalue("redis").url if with_redis else ""
    with serving(tmp_path, command, REDIS_URL=url) as served:
        yield served


@pytest.fixture
def windows(tmp_path) -> Iterator[list[webdriver.Chrome]]:
    """Two browsers, each with cookies of its own."""
    with contextlib.ExitStack() as stack:
        found = []
        for name in ("one", "two"):
            found.append(new_browser(tmp_path / name))
            stack.callback(found[-1].quit)
        yield found


def test_two_visitors_chat_and_see_what_happens(
    gallery: Served, windows: list[webdriver.Chrome], tmp_path: Path, request: pytest.FixtureRequest
):
    ada, grace = windows
    for browser, name in ((ada, "ada"), (grace, "grace")):
        browser.get(f"{gallery.address}/sign-up?next=/live")
        fill(browser, name=name, password="a long password")
        see(browser, "Connected", "#chat .state")
        see(browser, "Connected", "#feed .state")
        see(browser, "Dunes, just before the heat", "#feed ol")

    # They chat.
    say(ada, "Is anybody <b>here</b>?")
    see(grace, "Is anybody <b>here</b>?", "#chat ol")
    say(grace, "I am: schön, dich zu hören \u2014 grace")
    see(ada, "I am: schön, dich zu hören \u2014 grace", "#chat ol")
    assert [name.text for name in ada.find_elements(By.CSS_SELECTOR, "#chat li .who")] == ["ada", "grace"]

    # Who comes later is told what was said.
    grace.refresh()
    see(grace, "Is anybody <b>here</b>?", "#chat ol")

    # One hangs up a picture and comments on it: the other sees both as it happens.
    picture = tmp_path / "boat.png"
    picture.write_bytes(png(64, 48))
    ada.get(f"{gallery.address}/upload")
    fill(ada, title="A boat at noon", picture=str(picture))
    see(grace, "ada uploaded A boat at noon", "#feed ol")
    fill(ada, text="What a fine boat")
    see(grace, "ada commented on A boat at noon", "#feed ol")
    grace.find_element(By.PARTIAL_LINK_TEXT, "commented on A boat").click()
    see(grace, "What a fine boat", "#comments")

    # It says whom it reaches, and nothing went wrong on the way.
    ada.get(f"{gallery.address}/live")
    see(ada, "Connected", "#feed .state")
    if "redis" not in request.node.name:
        gallery.wait_for("REDIS_URL is not set")
    said = (ALONE in ada.find_element(By.TAG_NAME, "main").text, "REDIS_URL is not set" in gallery.text())
    assert said == ((False, False) if "redis" in request.node.name else (True, True))
    assert [console(ada), console(grace)] == [[], []]


def test_too_many_messages_are_refused_and_none_is_lost(tmp_path, windows):
    with serving(tmp_path, RUN) as gallery:
        ada = windows[0]
        ada.get(f"{gallery.address}/sign-up?next=/live")
        fill(ada, name="ada", password="a long password")
        see(ada, "Connected", "#chat .state")
        for number in range(6):
            say(ada, f"message {number}")
        see(ada, "Please slow down: at most 5 messages in 10 seconds are allowed.", "#chat .problem")
        see(ada, "message 4", "#chat ol")
        assert ada.find_element(By.NAME, "text").get_property("value") == "message 5"


def test_the_windows_connect_again_by_themselves(tmp_path, redis, windows):
    ada = windows[0]
    with serving(tmp_path, SERVE, REDIS_URL=redis.url) as gallery:
        ada.get(f"{gallery.address}/sign-up?next=/live")
        fill(ada, name="ada", password="a long password")
        see(ada, "Connected", "#chat .state")
        say(ada, "before")
        see(ada, "before", "#chat ol")

        # Redis goes: what is said is not taken, and the one who said it gets it back.
        redis.end()
        say(ada, "into the void")
        see(ada, "The chat is not available right now.", "#chat .problem")
        assert ada.find_element(By.NAME, "text").get_property("value") == "into the void"

        # Redis comes back, without what it knew: the windows need no help.
        redis.start()
        wait_until(lambda: "answers again" in gallery.text(), "the workers have found Redis again")

        def again() -> bool:
            field = ada.find_element(By.NAME, "text")
            if "into the void" not in ada.find_element(By.CSS_SELECTOR, "#chat ol").text:
                field.send_keys(Keys.ENTER)
            return "into the void" in ada.find_element(By.CSS_SELECTOR, "#chat ol").text

        wait_until(again, "what was said is heard")


def say(browser: webdriver.Chrome, text: str) -> None:
    field = browser.find_element(By.CSS_SELECTOR, "#chat input")
    field.send_keys(text + Keys.ENTER)
