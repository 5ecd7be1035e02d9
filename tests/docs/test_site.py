"""The navigation of the documentation site: every page has one line, in one of the four kinds."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAV = (ROOT / "mkdocs.yml").read_text().partition("\nnav:\n")[2]
LISTED = re.findall(r"- (\S+\.md)$", NAV, re.MULTILINE)


def test_every_page_is_in_the_navigation_once() -> None:
    folders = (ROOT / "docs", ROOT / "docs" / "tutorial")
    pages = sorted(str(path.relative_to(ROOT / "docs")) for folder in folders for path in folder.glob("*.md"))

    assert [] == [page for page in pages if page not in LISTED]
    assert sorted(LISTED) == sorted(set(LISTED))


def test_the_four_kinds() -> None:
    assert re.findall(r"^  - (.+):$", NAV, re.MULTILINE) == ["Tutorial", "How-to", "Reference", "Explanation"]


def test_every_page_has_a_heading_for_its_title() -> None:
    pages = [path for path in (ROOT / "docs").glob("*.md") if not path.read_text().startswith("# ")]

    assert pages == []
