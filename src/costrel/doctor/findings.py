"""One finding of `costrel doctor`, and the levels that it may have."""

from __future__ import annotations

import typing as t

Level = t.Literal["blocker", "change", "note"]

LEVELS: t.Final[tuple[Level, ...]] = ("blocker", "change", "note")
"""A blocker fails on Costrel. A change works, but differently, or it may fail. A note is only worth knowing."""


class Finding(t.NamedTuple):
    """One finding: its level, its place (``file:line``, or a file), the problem, and the remedy."""

    level: Level
    place: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.place}: {self.problem} {self.remedy}".rstrip()


Findings: t.TypeAlias = t.Iterator[Finding]
