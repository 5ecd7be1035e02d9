"""Packages' own tests on Flask and on Costrel: ``python -m tests.ecosystem.suites [--quick] [SUITE …]``.

Each suite runs once on Flask, whose outcomes are kept in the cache, and once with Costrel under Flask's name. A test
with another outcome than on Flask has to be listed in `suites.toml` with its reason. ``--lock`` writes the lock files,
``--table`` the table of docs/compatibility.md.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from . import environments, page
from .comparing import Comparison, compare
from .definitions import TABLE, Suite, read
from .fetching import Unavailable
from .runs import on_costrel, on_flask

AT_ONCE = 2
EACH_RUN = 1200
"""The seconds that one run of a suite may take."""
MINUTES = 60.0
QUICK_MINUTES = 4.0
"""How long suites are started; those that have begun are finished."""


def main() -> int:
    """Run, lock or list the suites of the command line. Returns the exit status."""
    options = arguments()
    suites = chosen(options.suites, options.quick)
    if options.lock:
        for suite in suites:
            environments.lock(suite)
            print(f"{suite.name}: {suite.lock.name}")
        return 0
    limit = options.minutes or (QUICK_MINUTES if options.quick else MINUTES)
    comparisons, failures, late = run(suites, time.monotonic() + 60 * limit)
    if options.verbose:
        for comparison in comparisons:
            print(f"\n{comparison.suite.name}\n{comparison.output}")
    if options.table:
        page.write(comparisons)
    return report(comparisons, failures, late, tolerant=options.quick)


def arguments() -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.ecosystem.suites", description=__doc__.partition("\n")[0])
    parser.add_argument("suites", nargs="*", metavar="SUITE", help="run these only")
    parser.add_argument("--quick", action="store_true", help="run those of continuous integration")
    parser.add_argument("--lock", action="store_true", help="write the lock files, with the newest releases that fit")
    parser.add_argument("--table", action="store_true", help="write the results into docs/compatibility.md")
    parser.add_argument("--minutes", type=float, help="start no suite after this time")
    parser.add_argument("--verbose", action="store_true", help="show the output of the runs on Costrel")
    return parser.parse_args()


def chosen(names: list[str], quick: bool) -> list[Suite]:
    """The suites of those names, or all, or the quick ones."""
    suites = {suite.name: suite for suite in read(TABLE.read_text())}
    unknown = sorted(set(names) - set(suites))
    if unknown:
        sys.exit(f"Unknown suite {', '.join(unknown)}. The suites are: {', '.join(suites)}.")
    return [suite for suite in suites.values() if (suite.name in names or not names) and (suite.quick or not quick)]


def run(suites: list[Suite], end: float) -> tuple[list[Comparison], dict[str, str], list[str]]:
    """Compare the suites, two at a time: the comparisons, suite → why it could not run, and those without time."""
    comparisons: list[Comparison] = []
    failures: dict[str, str] = {}
    late: list[str] = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for suite, result in zip(suites, pool.map(partial(outcome, end=end), suites), strict=True):
            match result:
                case Comparison():
                    comparisons.append(result)
                    print("\n".join(result.lines()), flush=True)
                case str():
                    failures[suite.name] = result
                    print(f"{suite.name:<20} {suite.version:<8} could not run", flush=True)
                case None:
                    late.append(suite.name)
    return comparisons, failures, late


def outcome(suite: Suite, end: float) -> Comparison | str | None:
    """The comparison of a suite; the reason if it could not run; None if the time is over."""
    if time.monotonic() > end:
        return None
    try:
        found = compare(suite, on_flask(suite, EACH_RUN), on_costrel(suite, EACH_RUN))
        if found.unlisted:  # a test that fails now and then says nothing
            found = found.confirmed_by(compare(suite, on_flask(suite, EACH_RUN), on_costrel(suite, EACH_RUN)))
        return found
    except Unavailable as error:
        return str(error)


def report(comparisons: list[Comparison], failures: dict[str, str], late: list[str], tolerant: bool) -> int:
    """Print the summary, and return the exit status. If tolerant, a package that cannot be fetched is no failure."""
    bad = [comparison for comparison in comparisons if not comparison.holds]
    for line in summary(comparisons, failures, late):
        print(line)
    return 1 if bad or (failures and not tolerant) or not comparisons else 0


def summary(comparisons: list[Comparison], failures: dict[str, str], late: list[str]) -> Iterator[str]:
    """The last lines of the output."""
    for name, reason in failures.items():
        yield f"\n{name} could not run: {reason}"
    if late:
        yield f"\nNot run, because the time was over: {', '.join(late)}."
    good = sum(comparison.holds for comparison in comparisons)
    tests = sum(comparison.on_costrel for comparison in comparisons)
    listed = sum(len(comparison.listed) for comparison in comparisons)
    yield f"\n{tests} tests of {len(comparisons)} packages pass on Costrel; {listed} listed differences from Flask."
    yield f"suites: {good} passed, {len(comparisons) - good} failed"


if __name__ == "__main__":
    sys.exit(main())
