"""The metadata that `importlib.metadata` finds for Flask and Werkzeug while Costrel replaces them, installed or not."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import Distribution, DistributionFinder
from os import PathLike
from pathlib import Path

VERSIONS = {"flask": "3.1.3", "werkzeug": "3.1.9"}
"""The releases whose API Costrel serves."""

_ENTRY_POINTS = {"flask": "[console_scripts]\nflask = flask.cli:main\n"}
_REQUIRES = {
    "flask": ("blinker", "click", "itsdangerous", "jinja2", "markupsafe", "werkzeug"),
    "werkzeug": ("markupsafe",),
}


class AliasDistribution(Distribution):
    """One of the two packages, as if it were installed."""

    def __init__(self, name: str) -> None:
        self._package = name

    def read_text(self, filename: str) -> str | None:
        """The text of a metadata file; None for other files."""
        if filename == "METADATA":
            return self._metadata()
        if filename == "entry_points.txt":
            return _ENTRY_POINTS.get(self._package)
        if filename == "top_level.txt":
            return f"{self._package}\n"
        return None

    def _metadata(self) -> str:
        name = self._package
        lines = ["Metadata-Version: 2.4", f"Name: {name.capitalize()}", f"Version: {VERSIONS[name]}"]
        lines += [f"Requires-Dist: {requirement}" for requirement in _REQUIRES[name]]
        return "\n".join(lines) + "\n"

    def locate_file(self, path: str | PathLike[str]) -> Path:
        """The path of a file of the package."""
        return Path(__file__).parent.joinpath(path)


def find_distributions(context: DistributionFinder.Context) -> Iterator[Distribution]:
    """The two packages, or the requested one; names are compared without regard to case."""
    for name in VERSIONS:
        if context.name is None or context.name.lower() == name:
            yield AliasDistribution(name)
