"""On the second visit, the browser loads all static files from its cache."""

import re
from collections import Counter
from pathlib import Path

from selenium import webdriver

from ..browsers import needs_browser, see
from ..processes import wait_until
from .conftest import SERVE, Served, serving

pytestmark = needs_browser

FILES = """
return performance.getEntriesByType("resource")
    .filter(entry => new URL(entry.name).pathname.startsWith("/static/"))
    .map(entry => [new URL(entry.name).pathname, entry.transferSize, entry.decodedBodySize])
"""
HASHED = re.compile(r"/static/.+\.[0-9a-f]{12}\.\w+")


def visit(browser: webdriver.Chrome, served: Served) -> dict[str, tuple[int, int]]:
    """Open the front page; path → bytes that were transferred, and bytes that were used, of each static file."""
    before = requests(served)["/"]
    browser.get("about:blank")
    browser.get(served.address)
    see(browser, "Pictures from along the way")
    # The line of the access log comes after the response.
    wait_until(lambda: requests(served)["/"] > before, "the access log has the page")
    wait_until(lambda: browser.execute_script("return document.readyState") == "complete", "the page is complete")
    return {path: (transferred, used) for path, transferred, used in browser.execute_script(FILES)}


def requests(served: Served) -> Counter[str]:
    """How often the access log has each path."""
    return Counter(re.findall(r'"GET (\S+) HTTP', served.text()))


def test_a_second_visit_takes_static_files_from_the_cache_only(browser: webdriver.Chrome, tmp_path: Path) -> None:
    with serving(tmp_path, [*SERVE, "--access-log"]) as served:
        first = visit(browser, served)
        wait_until(lambda: requests(served).keys() >= first.keys(), "the access log has the files")
        second = visit(browser, served)

        assert first.keys() == second.keys() != set()
        assert [] == [path for path in first if not HASHED.fullmatch(path)]
        assert any(transferred > 0 for transferred, _ in first.values()), first
        assert {(0, True)} == {(transferred, used > 0) for transferred, used in second.values()}, second
        counted = {path: count for path, count in requests(served).items() if path.startswith("/static/")}
        assert dict.fromkeys(first, 1) == counted
