"""The comparison of packages' own tests on Flask and on Costrel; `make ecosystem` runs the suites themselves."""

import re

import pytest

from .suites import page
from .suites.__main__ import main, summary
from .suites.comparing import compare
from .suites.definitions import TABLE, read
from .suites.runs import Run

SUITE = """
[shop]
version = "1.0"
sha256 = "00"
tests = ["tests"]
[shop.differences]
"tests/test_a.py::test_listed" = "its text is our own"
"tests/test_b.py::*" = "needs a release that is not there"
"""


def compared(flask, costrel):
    (suite,) = read(SUITE)
    listed = {"tests/test_a.py::test_listed": "passed", "tests/test_b.py::test_1": "passed"}
    differing = dict.fromkeys(listed, "failed")
    return compare(suite, Run({**listed, **flask}, ""), Run({**differing, **costrel}, ""))


def test_listed_differences_hold():
    comparison = compared({"t::same": "passed"}, {"t::same": "passed"})

    assert comparison.holds
    assert (3, 1) == (comparison.on_flask, comparison.on_costrel)
    assert {"its text is our own", "needs a release that is not there"} == set(comparison.listed.values())


@pytest.mark.parametrize(
    ("flask", "costrel", "outcomes"),
    [
        ({"t": "passed"}, {"t": "failed"}, "passed on Flask, failed here"),
        ({"t": "passed"}, {}, "passed on Flask, missing here"),
        ({"t": "passed"}, {"t": "skipped"}, "passed on Flask, skipped here"),
        ({"t": "skipped"}, {"t": "error"}, "skipped on Flask, error here"),
        ({"t": "xfailed"}, {"t": "passed"}, "xfailed on Flask, passed here"),
        ({}, {"t": "not collected"}, "missing on Flask, not collected here"),
    ],
)
def test_any_other_difference_fails(flask, costrel, outcomes):
    comparison = compared(flask, costrel)

    assert not comparison.holds
    assert f"    t: {outcomes}" in comparison.lines()


@pytest.mark.parametrize("here", ["passed", "failed", "error"])
def test_tests_that_fail_on_flask_say_nothing(here):
    assert compared({"t": "failed"}, {"t": here}).holds


def test_a_listed_difference_that_is_gone_fails():
    comparison = compared({}, {"tests/test_a.py::test_listed": "passed"})

    assert ("tests/test_a.py::test_listed",) == comparison.stale
    assert not comparison.holds


def test_a_difference_counts_if_it_occurs_twice():
    first = compared({"t": "passed", "u": "passed"}, {"t": "failed", "u": "failed"})
    again = compared({"t": "passed", "u": "passed"}, {"t": "passed", "u": "failed"})

    assert {"u": "passed on Flask, failed here"} == first.confirmed_by(again).unlisted


def test_the_summary_ends_with_counts():
    good, bad = compared({}, {}), compared({"t": "passed"}, {"t": "failed"})

    assert "suites: 1 passed, 1 failed" == [*summary([good, bad], {}, [])][-1]


def test_an_unknown_suite_is_named(monkeypatch):
    monkeypatch.setattr("sys.argv", ["suites", "flask-logn"])

    with pytest.raises(SystemExit, match="Unknown suite flask-logn"):
        main()


def test_each_suite_has_a_lock_file_a_hash_and_a_row_in_the_documentation():
    suites = read(TABLE.read_text())
    rows = page.rows(page.PAGE.read_text())

    assert len(suites) >= 60
    assert [] == [suite.name for suite in suites if not re.fullmatch("[0-9a-f]{64}", suite.sha256)]
    assert [] == [suite.name for suite in suites if f"{suite.version}\n" not in suite.lock.read_text()]
    assert {suite.name: suite.version for suite in suites} == {name: row[0] for name, row in rows.items()}
    assert len([suite for suite in suites if suite.quick]) >= 10
