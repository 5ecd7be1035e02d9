"""The table in docs/security.md and the tests belong together: no row without a test, no number without a row."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
GROUPS = {"A": 18, "B": 14, "C": 11, "D": 21, "E": 14, "F": 6, "G": 21}
NUMBERS = {f"{group}{number}" for group, last in GROUPS.items() for number in range(1, last + 1)}
ABSENT = {"B11", "G14"}


def numbers_in(cell):
    """The numbers that a cell like "B4, B5" or one with a dash stands for."""
    found = set()
    for part in cell.split(", "):
        first, _, last = part.partition("\N{EN DASH}")
        group, end = first[0], int((last or first)[1:])
        found |= {f"{group}{number}" for number in range(int(first[1:]), end + 1)}
    return found


def test_the_table_has_every_row_and_no_other():
    text = (ROOT / "docs/security.md").read_text()
    cells = re.findall(r"^\| ([A-G][0-9][^|]*) \|", text, re.MULTILINE)
    rows = [number for cell in cells for number in numbers_in(cell)]
    assert sorted(NUMBERS - ABSENT) == sorted(rows)
    absent = text.partition("Not tested: ")[2].partition("\n\n")[0]
    assert set(re.findall(r"\b[A-G][0-9]+\b", absent)) == ABSENT


def test_every_row_has_a_test_that_is_named_after_it():
    named = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        named |= {number.upper() for number in re.findall(r"def test_([a-g][0-9]+)_", path.read_text())}
    framing = (ROOT / "tests/security/test_framing.py").read_text()
    named |= set(re.findall(r'^    "(E[0-9]+)(?: \w+)?": ', framing, re.MULTILINE))
    assert NUMBERS - ABSENT == named & NUMBERS
