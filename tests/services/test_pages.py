"""The pages on configuration, sessions, templates and JSON: their snippets run, and their tables are complete."""

import re
from ast import literal_eval
from datetime import timedelta
from pathlib import Path

import pytest

from costrel.services.settings import GROUPS

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


ROW = re.compile(r"^\| `([A-Z_]+)` \| (`[^`]*`|31 days) \| (`[^`]*`|31 days) \| (.*) \|$", re.MULTILINE)


def value_of(cell):
    return timedelta(days=31) if cell == "31 days" else literal_eval(cell.strip("`"))


def plain(text):
    """A cell without Markdown: links and code as their texts alone."""
    return re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", text).replace("`", "")


def test_the_page_on_configuration_shows_the_table_of_settings():
    page = (DOCS / "configuration.md").read_text(encoding="utf-8")
    shown = {}
    for section in page.split("\n### ")[1:]:
        shown[section.partition("\n")[0]] = [
            (name, value_of(flask), value_of(native), plain(text)) for name, flask, native, text in ROW.findall(section)
        ]

    expected = {
        group: [(setting.name, setting.flask, setting.native, setting.text) for setting in settings]
        for group, settings in GROUPS.items()
    }
    assert expected == shown
