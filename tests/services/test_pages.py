"""The pages on configuration, sessions, templates and JSON: their snippets run, and their tables are complete."""

import re
from ast import literal_eval
from datetime import timedelta
from pathlib import Path

import pytest

from costrel.app import profiles

DOCS = Path(__file__).parents[2] / "docs"


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


TEXT = (DOCS / "configuration.md").read_text(encoding="utf-8")
SETTINGS = dict(re.findall(r"^\| `([A-Z_]+)` \| (`[^`]*`|31 days) \| (?!`[^`]*` \|).*\|$", TEXT, re.MULTILINE))
OWN = {
    name: values for name, *values in re.findall(r"^\| `([A-Z_]+)` \| `([^`]*)` \| `([^`]*)` \|", TEXT, re.MULTILINE)
}


def test_every_setting_is_there_with_its_default():
    shown = {
        name: timedelta(days=31) if default == "31 days" else literal_eval(default.strip("`"))
        for name, default in SETTINGS.items()
    }
    assert shown == {name: value for name, value in profiles.FLASK.items() if name not in OWN}


def test_what_differs_is_said():
    said = set(re.findall(r"^\| `([A-Z_]+)` .*`Costrel`:.*\|$", TEXT, re.MULTILINE))
    assert said == {name for name, value in profiles.NATIVE.items() if value != profiles.FLASK.get(name)} - set(OWN)


def test_so_is_what_flask_does_not_have():
    assert (profiles.NATIVE.keys() | profiles.FLASK.keys()) - SETTINGS.keys() <= OWN.keys()
    for name, (flask, native) in OWN.items():
        assert literal_eval(flask) == profiles.FLASK.get(name, literal_eval(flask)), name
        assert literal_eval(native) == profiles.NATIVE.get(name, literal_eval(flask)), name
