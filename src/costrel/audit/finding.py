"""The result of a check: one weakness, and its remedy."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator


class Finding(t.NamedTuple):
    """One weakness: the setting or place, the problem there, and the remedy."""

    place: str
    problem: str
    remedy: str
    is_hint: bool = False
    """Whether it is only a suggestion, which does not make `costrel check` fail."""


Findings: t.TypeAlias = Iterator[Finding]
