"""One weakness, and a text like it for each check."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator


class Finding(t.NamedTuple):
    """One weakness: the setting or place, the problem there, and the remedy."""

    place: str
    problem: str
    remedy: str
    is_hint: bool = False
    """Whether it is worth a thought, and no reason to keep from deploying."""


Findings: t.TypeAlias = Iterator[Finding]
