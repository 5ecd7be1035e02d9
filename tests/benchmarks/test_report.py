"""Goals, slopes and tables from the figures, and the errors for missing figures."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def benchmarks_can_be_imported(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))


def test_a_goal_is_reached_at_its_bound():
    from benchmarks.goals import Goal

    assert Goal("faster", 20, 20).is_reached
    assert not Goal("faster", 19.9, 20).is_reached
    assert Goal("smaller", 1.2, 1.2, at_most=True).is_reached
    assert "| smaller | ≤ 1.2 | 1.30 | no |" == Goal("smaller", 1.3, 1.2, at_most=True).row()


@pytest.mark.parametrize(("power", "expected"), [(0, 0.0), (1, 1.0), (2, 2.0)])
def test_a_slope_is_the_exponent(power, expected):
    from benchmarks.growth import slope

    sizes = [2**i for i in range(10)]
    assert expected == pytest.approx(slope(sizes, [3e-6 * size**power for size in sizes]))


def test_a_line_of_growth_is_measured():
    from benchmarks.growth import CASES, line

    import costrel

    found = line(costrel, [2, 4, 8], CASES["cookies"][1])
    assert [2, 4, 8] == found["sizes"]
    assert all(seconds > 0 for seconds in found["seconds"])


def test_a_table_stands_between_its_marks():
    from benchmarks.report import between_marks

    page = "a\n<!-- figures: x -->\nold\n<!-- end: x -->\nb\n"
    assert "a\n<!-- figures: x -->\n\nnew\n\n<!-- end: x -->\nb\n" == between_marks(page, "x", "new")
    with pytest.raises(
        ValueError, match=r"docs/performance\.md has no place for y: <!-- figures: y --> … <!-- end: y -->"
    ):
        between_marks(page, "y", "new")


def test_the_page_has_a_place_for_every_table():
    from benchmarks.report import filled
    from benchmarks.tables import REGIONS

    page = (ROOT / "docs" / "performance.md").read_text()
    assert page.count("<!-- figures: ") == len(REGIONS) == page.count("<!-- end: ")
    assert filled(page).count("<!-- figures: ") == len(REGIONS)


def test_without_wrk_its_package_is_named(monkeypatch):
    from benchmarks.load import wrk

    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(RuntimeError, match=r"wrk is not installed: .* \(Debian: apt-get install wrk\)"):
        wrk("http://127.0.0.1:1/", 1)


def test_a_peer_that_is_not_there_is_told_with_those_that_are():
    from benchmarks.peers import find

    with pytest.raises(
        LookupError, match=r"There is no peer 'flusk' over wsgi: there are jinja, flask, bottle, .*costrel"
    ):
        find("wsgi", "flusk")


def test_the_requests_of_the_load_are_whole():
    from benchmarks.load import MIXED, wire
    from benchmarks.scenarios import BY_NAME

    form = wire(BY_NAME["form"])
    assert form.startswith(b"POST /form HTTP/1.1\r\nHost: 127.0.0.1\r\n")
    assert form.endswith(b"Content-Length: 27\r\n\r\nname=ada&city=london&age=36")
    assert all(b"\r\n\r\n" in wire(BY_NAME[name]) for name in MIXED)
