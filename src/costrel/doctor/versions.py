"""Names and versions of distributions (PEP 503, PEP 440), as far as requirements of applications need them."""

from __future__ import annotations

import re
import typing as t
from itertools import zip_longest

_REQUIREMENT: t.Final = re.compile(
    r"\s*(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[[^\]]*\])?\s*\(?(?P<specifiers>[<>=!~][^;@#)]*)?\)?"
)
_SPECIFIER: t.Final = re.compile(r"(===|==|~=|!=|<=|>=|<|>)\s*([0-9A-Za-z.*+!_-]+)")
_OLDER_PYTHON: t.Final = re.compile(r"python_version\s*(<=|<|==)\s*['\"]([\d.]+)")
_OLDEST_PYTHON: t.Final = (3, 11)
_NUMBERS: t.Final = re.compile(r"[vV]?(?:\d+!)?(\d+(?:\.\d+)*)")


class Requirement(t.NamedTuple):
    """A requirement: the name as it is written, its specifiers such as ``>=2,<3``, and its place."""

    name: str
    specifiers: str
    place: str

    def admits(self, version: str) -> bool:
        """Whether the specifiers admit a version. Suffixes such as ``rc1`` do not count."""
        return all(_admits(operator, wanted, version) for operator, wanted in _SPECIFIER.findall(self.specifiers))


def canonical(name: str) -> str:
    """A name of a distribution in the form in which two names of the same distribution are equal (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def parse_requirement(text: str, place: str) -> Requirement | None:
    """Read a requirement (PEP 508); None for a line that is none, such as an option or a path."""
    text = text.partition(" #")[0].strip()
    if not text or text[0] in "#-./" or "://" in text.partition("@")[0]:
        return None
    match = _REQUIREMENT.match(text)
    if match is None:
        return None
    rest = text[match.end() :].strip()
    if (rest and rest[0] not in ";@#") or _is_for_older_python(rest):
        return None
    return Requirement(match["name"], "".join((match["specifiers"] or "").split()), place)


def _is_for_older_python(marker: str) -> bool:
    """Whether the marker of a requirement excludes the Pythons that Costrel runs on."""
    match = _OLDER_PYTHON.search(marker)
    if match is None:
        return False
    order = _compare(_numbers(match[2]), _OLDEST_PYTHON)
    return order <= 0 if match[1] == "<" else order < 0


def _admits(operator: str, wanted: str, version: str) -> bool:
    exact, prefix = not wanted.endswith(".*"), wanted.removesuffix(".*")
    asked, given = _numbers(prefix), _numbers(version)
    if operator in ("==", "===", "!="):
        equal = _compare(asked, given) == 0 if exact else given[: len(asked)] == asked
        return equal is (operator != "!=")
    if operator == "~=":
        return _compare(given, asked) >= 0 and given[: len(asked) - 1] == asked[:-1]
    order = _compare(given, asked)
    return {"<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0}[operator]


def _numbers(version: str) -> tuple[int, ...]:
    match = _NUMBERS.match(version)
    return tuple(int(part) for part in match[1].split(".")) if match else (0,)


def _compare(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    for left, right in zip_longest(one, other, fillvalue=0):
        if left != right:
            return 1 if left > right else -1
    return 0
