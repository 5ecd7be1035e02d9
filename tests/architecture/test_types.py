"""Types carry meaning, and special code for speed names the benchmark that justifies it."""

import re
from collections.abc import Iterator

import pytest

from .reading import ROOT, SOURCES, all_sources, read

pytestmark = pytest.mark.xdist_group("sources")  # in the process that has read them

LINES_PER_ANY = 35.0
"""The lowest number of code lines for each `Any`; raise it when there are fewer of them."""

MAX_PERF_TAGS = 59
"""Lower this number with each tag that goes."""

TAG = re.compile(r"PERF: ?([^.\n\"]*)")


def tags() -> Iterator[tuple[str, list[str]]]:
    """The place of each tag and the names in it; brackets may name the measured value."""
    for path in SOURCES:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            for found in TAG.findall(line):
                names = [re.sub(r"\(.*?\)?$", "", name).strip() for name in re.sub(r"\([^)]*\)", "", found).split(",")]
                yield f"{path.relative_to(ROOT)}:{number}", names


@pytest.fixture
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The names of the scenarios, with ASGI before those of this edge, and of the modules of benchmarks."""
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks.instructions.scenarios import ASGI, WSGI
    from benchmarks.scenarios import SCENARIOS

    modules = {path.stem for path in (ROOT / "benchmarks").glob("*.py")} - {"__init__", "__main__"}
    return modules | {each.name for each in [*WSGI, *SCENARIOS]} | {f"ASGI {each.name}" for each in [*ASGI, *SCENARIOS]}


def test_an_any_has_many_lines_around_it() -> None:
    lines = sum(source.lines for source in all_sources())
    anys = sum(source.anys for source in all_sources())

    assert lines / anys >= LINES_PER_ANY, f"{lines} lines with {anys} Any: {lines / anys:.2f}"


def test_lines_of_code_are_counted_without_texts_and_comments() -> None:
    source = (
        '"""Any."""\nfrom t import Any\n\n# Any\ndef f(a: Any) -> "Any":\n    """Any."""\n    return cast("Any", a)\n'
    )

    assert (3, 3) == read(source)[:2]


def test_tags_for_speed_stay_few() -> None:
    found = [place for place, _ in tags()]

    assert len(found) <= MAX_PERF_TAGS, f"{len(found)} tags"


def test_a_tag_for_speed_names_a_benchmark(benchmarks: set[str]) -> None:
    unknown = [f"{place}: {', '.join(names)}" for place, names in tags() if not benchmarks.issuperset(names)]

    assert [] == unknown
