"""Types carry meaning, and special code for speed names the benchmark that justifies it."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src" / "costrel").rglob("*.py"))

LINES_PER_ANY = 35.0
"""The lowest number of code lines for each `Any`; raise it when there are fewer of them."""

MAX_PERF_TAGS = 59
"""Lower this number with each tag that goes."""

TAG = re.compile(r"PERF: ?([^.\n\"]*)")
IN_TEXT = re.compile(r"\bAny\b")
LAYOUT = {tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER, tokenize.COMMENT}


def docstrings(source: str) -> set[int]:
    """The lines that texts are on which stand for themselves."""
    texts = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    ]
    return {line for node in texts for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)}


def code_and_anys(source: str) -> tuple[int, int]:
    """The number of lines with code, and how many times it says `Any`, in quoted types too; imports do not count."""
    silent, lines, anys = docstrings(source), set(), 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in LAYOUT or token.start[0] in silent:
            continue
        lines |= set(range(token.start[0], token.end[0] + 1))
        is_import = token.line.lstrip().startswith(("from ", "import "))
        if token.type == tokenize.STRING or (token.type == tokenize.NAME and not is_import):
            anys += len(IN_TEXT.findall(token.string))
    return len(lines), anys


def tags() -> Iterator[tuple[str, list[str]]]:
    """Where each tag is, and the names in it; a name may be followed by what is measured there, in brackets."""
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
    found = [code_and_anys(path.read_text()) for path in SOURCES]
    lines, anys = (sum(numbers) for numbers in zip(*found, strict=True))

    assert lines / anys >= LINES_PER_ANY, f"{lines} lines with {anys} Any: {lines / anys:.2f}"


def test_lines_of_code_are_counted_without_texts_and_comments() -> None:
    source = (
        '"""Any."""\nfrom t import Any\n\n# Any\ndef f(a: Any) -> "Any":\n    """Any."""\n    return cast("Any", a)\n'
    )

    assert (3, 3) == code_and_anys(source)


def test_tags_for_speed_stay_few() -> None:
    found = [place for place, _ in tags()]

    assert len(found) <= MAX_PERF_TAGS, f"{len(found)} tags"


def test_a_tag_for_speed_names_a_benchmark(benchmarks: set[str]) -> None:
    unknown = [f"{place}: {', '.join(names)}" for place, names in tags() if not benchmarks.issuperset(names)]

    assert [] == unknown
