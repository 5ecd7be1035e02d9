"""Every public name of Flask and Werkzeug is there under the alias, takes the same arguments and has the same members.

What differs on purpose stands in ``docs/compatibility.md``, in the table that `known_differences` reads.
"""

import json
import re
import runpy
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PAGE = HERE.parent.parent / "docs" / "compatibility.md"


def read(*arguments, given=None):
    program = [sys.executable, str(HERE / "surface.py"), *arguments]
    done = subprocess.run(program, input=json.dumps(given), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def surfaces():
    """The surface of the installed Flask and Werkzeug, and that of the alias."""
    real = {name: entries for name, entries in read().items() if "._" not in name}
    return real, read("alias", given=list(real))


def known_differences():
    """The first column of the tables on the page of known differences: names, a final ``*`` for any ending."""
    table = PAGE.read_text(encoding="utf-8").partition("## Names that differ")[2].partition("## ")[0]
    return re.findall(r"^\| `([\w.*]+)`", table, re.MULTILINE)


def differences(real, alias):
    """The differences for a program that was written for the real packages: ``{place: difference}``."""
    found = {}
    for module, entries in real.items():
        if "error" in alias[module]:
            found[module] = alias[module]["error"]
            continue
        for name, wanted in entries.items():
            found.update(differing(module, name, wanted, alias[module].get(name)))
    return found


def differing(module, name, wanted, have):
    """How one name differs; a class or function is looked into where it is defined, not wherever it is imported."""
    place = f"{module}.{name}"
    if have is None:
        return {place: "missing"}
    if wanted["kind"] != have["kind"]:
        return {place: f"a {have['kind']} and no {wanted['kind']}"}
    found = {}
    if wanted["kind"] == "value" or (module != wanted["home"] and "." in module):
        return found
    if wanted["home"] != have["home"]:
        found[f"{place}.__module__"] = f"{have['home']} and not {wanted['home']}"
    if wanted["kind"] == "function":
        found.update(signature_differs(place, wanted["parameters"], have["parameters"]))
    if wanted["kind"] == "class":
        for base in set(wanted["bases"]) - set(have["bases"]):
            found[f"{place}:{base}"] = "no base class"
        found.update(signature_differs(f"{place}.__init__", wanted["init"], have["init"]))
        for name, member in wanted["members"].items():
            if name not in have["members"]:
                found[f"{place}.{name}"] = "missing"
            elif isinstance(member, list) and isinstance(have["members"][name], list):
                found.update(signature_differs(f"{place}.{name}", member, have["members"][name]))
    return found


def signature_differs(place, wanted, have):
    if wanted is None or have is None or accepts(wanted, have):
        return {}
    return {place: f"called as {shown(have)} and not {shown(wanted)}"}


def shown(parameters):
    marks = {"VAR_POSITIONAL": "*", "VAR_KEYWORD": "**"}
    return ", ".join(marks.get(kind, "") + name + ("=…" if default else "") for name, kind, default in parameters)


def accepts(wanted, have):
    """Whether every call that suits the parameters `wanted` suits `have`; more parameters with defaults are welcome."""
    kinds = {kind for _, kind, _ in have}
    named = {name: default for name, kind, default in have if kind != "POSITIONAL_ONLY"}
    places = [name for name, kind, _ in have if kind.startswith("POSITIONAL")]
    used = set()
    for index, (name, kind, default) in enumerate(wanted):
        if kind.startswith("VAR"):
            if kind not in kinds:
                return False
            continue
        place = places[index] if index < len(places) else None
        if kind == "POSITIONAL_ONLY":
            used.add(place)
            continue
        by_place = kind == "KEYWORD_ONLY" or place == name or "VAR_POSITIONAL" in kinds
        by_name = name in named or "VAR_KEYWORD" in kinds
        if not by_place or not by_name or (default and not named.get(name, True)):
            return False
        used.add(name)
    return all(default or name in used or kind.startswith("VAR") for name, kind, default in have)


def test_nothing_public_is_missing_or_called_otherwise(surfaces):
    known = known_differences()
    exact = {name for name in known if not name.endswith("*")}
    prefixes = tuple(name[:-1] for name in known if name.endswith("*"))

    found = differences(*surfaces)

    assert {place: what for place, what in found.items() if place not in exact and not place.startswith(prefixes)} == {}


def test_every_known_difference_is_still_there(surfaces):
    found = differences(*surfaces)

    assert [
        name
        for name in known_differences()
        if not any(place.startswith(name[:-1]) if name.endswith("*") else place == name for place in found)
    ] == []


def test_the_alias_is_measured_against_the_releases_that_it_stands_for():
    assert (version("flask"), version("werkzeug")) == ("3.1.3", "3.1.9")


@pytest.mark.parametrize(
    ("wanted", "have", "suits"),
    [
        ("a, b=1", "a, b=1, c=2", True),
        ("a, b=1", "b, a=1", False),
        ("a, b=1", "a, b", False),
        ("a", "a, b", False),
        ("a, *rest", "a", False),
        ("a, **rest", "a, **rest", True),
        ("a, **rest", "a", False),
        ("a, b", "*args, **kwargs", True),
        ("*, a", "a", True),
        ("a", "*, a", False),
        ("a, /", "b", True),
    ],
)
def test_a_signature_is_compared_by_the_calls_that_it_takes(wanted, have, suits):
    parameters = runpy.run_path(str(HERE / "surface.py"))["parameters"]
    both = {}
    exec(f"def wanted({wanted}): ...\ndef have({have}): ...", both)

    assert accepts(parameters(both["wanted"]), parameters(both["have"])) is suits
