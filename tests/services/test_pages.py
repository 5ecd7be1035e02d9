"""The pages on configuration, sessions, templates and JSON: their snippets run, and their tables are complete."""

import re
from ast import literal_eval
from datetime import timedelta
from pathlib import Path

import pytest

from costrel.app import profiles

DOCS = Path(__file__).parents[2] / "docs"
OWN = {"SECRET_KEY_MIN_BYTES", "SESSION_COOKIE_STRICT_SIZE", "SESSION_CACHE_PRIVATE"}


@pytest.mark.parametrize("name", ["configuration", "json", "sessions", "templates"])
def test_the_snippets_of_a_page_run_one_after_the_other(name, monkeypatch):
    page = DOCS / f"{name}.md"
    monkeypatch.setenv("FLASK_SHOP_PORT", "")  # set by a snippet, and taken back after the test
    monkeypatch.setenv("FLASK_SHOP_CACHE__TTL", "")
    names = {"__name__": f"page_{name}"}
    text = page.read_text(encoding="utf-8")
    for found in re.finditer(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        line = text.count("\n", 0, found.start(1))
        exec(compile("\n" * line + found[1], str(page), "exec"), names)


def settings_of_the_page():
    text = (DOCS / "configuration.md").read_text(encoding="utf-8")
    return dict(re.findall(r"^\| `([A-Z_]+)` \| (.*?) \| .*\|$", text, re.MULTILINE))


def test_every_setting_is_there_with_its_default():
    shown = {
        name: timedelta(days=31) if default == "31 days" else literal_eval(default.strip("`"))
        for name, default in settings_of_the_page().items()
        if name not in OWN
    }
    assert shown == {name: value for name, value in profiles.FLASK.items() if name not in OWN}


def test_what_differs_is_said():
    text = (DOCS / "configuration.md").read_text(encoding="utf-8")
    said = set(re.findall(r"^\| `([A-Z_]+)` .*`Costrel`:.*\|$", text, re.MULTILINE))
    assert said == {name for name, value in profiles.NATIVE.items() if value != profiles.FLASK.get(name)} - OWN
