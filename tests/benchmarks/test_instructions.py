"""All frameworks send the same responses to the counted requests, and the figures become tables."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BENCH = ROOT / ".venv-bench" / "bin" / "python"
PYTHON = str(BENCH) if BENCH.exists() else sys.executable
FRAMEWORKS = [
    "costrel", "costrel-as-flask", "flask", "costrel-async", "costrel-def", "costrel-in-place", "starlette",
    "starlette-def", "by-hand", "typed", "by-hand-async", "typed-async", "fastapi", "litestar",
]  # fmt: skip
CHECK = """
import sys
from benchmarks.instructions.child import checked
from benchmarks.instructions.frameworks import BY_NAME
framework = BY_NAME[sys.argv[1]]
if framework.is_installed:
    print(*(scenario.name for scenario in framework.scenarios([]) if checked(framework, scenario)))
"""


@pytest.fixture(autouse=True)
def benchmarks_can_be_imported(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))


def run(*arguments):
    return subprocess.run(
        [PYTHON, "-W", "ignore", *arguments], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True, timeout=60
    ).stdout


@pytest.mark.ci
@pytest.mark.parametrize("name", FRAMEWORKS)
def test_a_framework_answers_all_its_scenarios(name):
    from benchmarks.instructions.frameworks import BY_NAME

    answered = run("-c", CHECK, name).split()
    if not answered:
        pytest.skip(f"{BY_NAME[name].needs} is not installed: make instructions installs it")
    assert [scenario.name for scenario in BY_NAME[name].scenarios([])] == answered


def test_all_frameworks_are_tested():
    from benchmarks.instructions import frameworks

    assert sorted(FRAMEWORKS) == sorted(framework.name for framework in frameworks.FRAMEWORKS)


@pytest.mark.ci
@pytest.mark.parametrize("name", ["costrel-sampled", "costrel-unsampled-in-place"])
def test_an_application_that_is_traced_answers_alike(name):
    from benchmarks.instructions.frameworks import BY_NAME

    if not BY_NAME[name].is_installed:
        pytest.skip("the SDK of OpenTelemetry is not installed: it is in the dependency group 'ecosystem'")
    assert [scenario.name for scenario in BY_NAME[name].scenarios([])] == run("-c", CHECK, name).split()


def test_a_wrong_answer_is_not_counted(monkeypatch):
    from benchmarks.instructions.child import checked
    from benchmarks.instructions.frameworks import BY_NAME
    from benchmarks.instructions.scenarios import Scenario

    with pytest.raises(ValueError, match=r"costrel answers hello with 200 b'Hello'"):
        checked(BY_NAME["costrel"], Scenario("hello", contains=b"Bye"))


@pytest.mark.ci
@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")
def test_instructions_are_counted_and_shown():
    shown = run("-m", "benchmarks", "instructions", "hello", "--framework", "costrel")
    title, head, line = (text for text in shown.splitlines() if text)
    name, net, gross = line.replace(",", "").split()

    assert ("Costrel, WSGI (--framework costrel)", ["net", "with", "harness"]) == (title, head.split())
    assert "hello" == name
    assert 10_000 < int(net) < int(gross)


@pytest.mark.parametrize(
    ("names", "wanted", "expected"),
    [
        (["pgae"], [], r"Unknown scenario 'pgae'\. Known are hello, page, .*"),
        ([], ["flusk"], r"Unknown framework 'flusk'\. Known are costrel, .*"),
    ],
)
def test_an_unknown_name_is_refused_with_those_that_are_known(names, wanted, expected):
    from benchmarks.instructions.command import chosen

    with pytest.raises(SystemExit, match=expected):
        chosen(names, wanted)


def test_the_table_has_thousands_and_ratios():
    from benchmarks.instructions.tables import table

    figures = {
        "costrel": {"harness": 10_000, "page": 60_000},
        "costrel-as-flask": {"harness": 10_000, "page": 50_000},
        "flask": {"harness": 10_000, "page": 410_000},
    }
    lines = table("wsgi")(figures).splitlines()

    assert (
        "| thousands | Costrel | Costrel, as Flask | Flask | Flask ÷ Costrel | Flask ÷ Costrel, as Flask |" == lines[0]
    )
    assert "| `page` | 50.0 | 40.0 | 400.0 | 8.00 | 10.00 |" in lines
    assert "| `hello` | - | - | - | - | - |" in lines


def test_the_totals_of_all_threads_are_read(tmp_path):
    from benchmarks.instructions.callgrind import figures_in
    from benchmarks.instructions.child import COUNTED

    for number, label in enumerate(["harness", "page"], 1):
        text = f"desc: Trigger: Client Request: {label}\nsummary: 1\n0 1\ntotals: {number * COUNTED * 100}\n"
        (tmp_path / f"out.{number}").write_text(text)

    assert {"harness": 100, "page": 200} == figures_in(tmp_path)
