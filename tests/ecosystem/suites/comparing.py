"""The comparison of two runs of a suite, test by test."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from .definitions import Suite
from .runs import Run

GOOD = frozenset({"passed", "skipped", "xfailed"})


@dataclass(frozen=True)
class Comparison:
    """How the outcomes of a suite differ between Flask and Costrel."""

    suite: Suite
    on_flask: int
    on_costrel: int
    listed: dict[str, str] = field(default_factory=dict)
    """Test → reason, for the differences that `suites.toml` explains."""
    unlisted: dict[str, str] = field(default_factory=dict)
    """Test → both outcomes, for all others."""
    stale: tuple[str, ...] = ()
    """Listed differences that do not occur."""
    output: str = ""
    """The output of the run on Costrel."""

    @property
    def holds(self) -> bool:
        """Whether each difference is listed, and each listed one is there."""
        return bool(self.on_flask) and not self.unlisted and not self.stale

    def confirmed_by(self, again: Comparison) -> Comparison:
        """A second comparison, with those differences alone that both have."""
        both = {test: outcomes for test, outcomes in again.unlisted.items() if test in self.unlisted}
        stale = tuple(test for test in again.stale if test in self.stale)
        return replace(again, unlisted=both, stale=stale)

    def lines(self) -> list[str]:
        """The comparison for a terminal."""
        verdict = "ok" if self.holds else "FAILED"
        head = f"{self.suite.name:<20} {self.suite.version:<8} {self.on_flask:>5} {self.on_costrel:>5}  {verdict}"
        details = [f"    {test}: {outcomes}" for test, outcomes in self.unlisted.items()]
        details += [f"    {test}: listed in suites.toml, but does not differ" for test in self.stale]
        if not self.on_flask:
            details.append("    no test passes on Flask: see its output in the cache")
        return [head, *details]


def compare(suite: Suite, flask: Run, costrel: Run) -> Comparison:
    """Compare the two runs of a suite.

    A test that passes or is skipped on Flask has to do the same on Costrel. A test that fails on Flask may have any
    outcome: it says nothing about Flask's behaviour.
    """
    differing = {
        test: f"{outcome} on Flask, {costrel.outcomes.get(test, 'missing')} here"
        for test, outcome in flask.outcomes.items()
        if outcome in GOOD and costrel.outcomes.get(test) != outcome
    }
    new = [test for test, outcome in costrel.outcomes.items() if outcome not in GOOD and test not in flask.outcomes]
    differing |= {test: f"missing on Flask, {costrel.outcomes[test]} here" for test in new}
    listed = {test: reason for test in differing if (reason := suite.reason(test)) is not None}
    found = {pattern for pattern in suite.differences if any(_fits(pattern, test) for test in differing)}
    return Comparison(
        suite=suite,
        on_flask=flask.passed,
        on_costrel=costrel.passed,
        listed=listed,
        unlisted={test: outcomes for test, outcomes in differing.items() if test not in listed},
        stale=tuple(pattern for pattern in suite.differences if pattern not in found),
        output=costrel.output,
    )


def _fits(pattern: str, test: str) -> bool:
    return test == pattern or (pattern.endswith("*") and test.startswith(pattern[:-1]))
