"""The suites of `suites.toml`: which releases are tested, how, and which differences from Flask are known."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
TABLE = HERE / "suites.toml"


@dataclass(frozen=True)
class Suite:
    """One package whose source distribution holds its tests."""

    name: str
    version: str
    sha256: str
    """The hash of the source distribution: pip refuses any other file."""
    requires: tuple[str, ...] = ()
    """The requirements of its tests, in addition to the package and `environments.BASE`."""
    tests: tuple[str, ...] = ("tests",)
    """The arguments of pytest: paths, relative to the source distribution, and options."""
    environment: dict[str, str] = field(default_factory=dict)
    """Environment variables for its tests."""
    quick: bool = False
    """Whether continuous integration runs it."""
    differences: dict[str, str] = field(default_factory=dict)
    """Test → the reason why its outcome may differ from Flask's. A name that ends with ``*`` is a prefix."""

    @property
    def lock(self) -> Path:
        """The file with every release of its environment."""
        return HERE / "locks" / f"{self.name}.txt"

    def reason(self, test: str) -> str | None:
        """The listed reason for a difference in that test."""
        for pattern, reason in self.differences.items():
            if test == pattern or (pattern.endswith("*") and test.startswith(pattern[:-1])):
                return reason
        return None


def read(text: str) -> list[Suite]:
    """The suites of a table in TOML. Raises TypeError for a key that a suite does not have."""
    table = tomllib.loads(text)
    return [Suite(name=name, **_frozen(values)) for name, values in table.items()]


def _frozen(values: dict[str, object]) -> dict[str, object]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
