"""The frameworks in the benchmarks send the same responses, and the runner measures them; no test checks a time."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.ci  # each test starts processes with other frameworks

ROOT = Path(__file__).parents[2]
BENCH = ROOT / ".venv-bench" / "bin" / "python"
PYTHON = str(BENCH) if BENCH.exists() else sys.executable
PEERS = {
    "wsgi": ["bottle", "django", "falcon", "as_flask", "costrel"],
    "asgi": [
        "flask", "quart", "django", "falcon", "starlette", "fastapi", "litestar", "blacksheep", "sanic", "costrel_sync",
        "costrel",
    ],
}  # fmt: skip


def run(*arguments, **environ):
    """The output of a module of the benchmarks, with the interpreter that has the peers, where there is one."""
    return subprocess.run(
        [PYTHON, "-W", "ignore", "-m", *arguments],
        cwd=ROOT,
        env={**os.environ, **environ},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
    ).stdout


def missing():
    """The packages that PYTHON does not have."""
    code = (
        "import json; from benchmarks.peers import GATEWAYS;"
        "print(json.dumps([peer.needs for group in GATEWAYS.values() for peer in group if not peer.is_installed]))"
    )
    return json.loads(
        subprocess.run([PYTHON, "-c", code], cwd=ROOT, check=True, stdout=subprocess.PIPE, timeout=60).stdout
    )


@pytest.fixture(scope="module")
def not_installed():
    return missing()


@pytest.fixture(scope="module")
def expected():
    return json.loads(run("benchmarks.calls", "wsgi", "flask", "--answers"))


@pytest.mark.parametrize(("gateway", "peer"), [(gateway, peer) for gateway in PEERS for peer in PEERS[gateway]])
def test_a_peer_answers_as_flask_does(gateway, peer, not_installed, expected):
    if peer in not_installed:
        pytest.skip(f"{peer} is not installed: make bench installs it")
    answers = json.loads(run("benchmarks.calls", gateway, peer, "--answers"))
    assert {name: expected[name] for name in answers} == answers
    assert len(answers) >= len(expected) - 1


def test_a_call_is_measured():
    found = json.loads(run("benchmarks.calls", "wsgi", "costrel", "hello", BENCH_ROUNDS="1", BENCH_SECONDS="0.001"))
    assert ["hello"] == list(found)
    assert 0 < found["hello"] < 1


def test_what_takes_part_is_compared_and_shown():
    peers = ["--peers", "flask,costrel"]
    shown = run(
        "benchmarks", "calls", "hello", "json", *peers, BENCH_TURNS="1", BENCH_ROUNDS="1", BENCH_SECONDS="0.001"
    )
    lines = [line.split() for line in shown.splitlines() if line]
    assert [["WSGI", "flask", "costrel"], ["ASGI", "flask", "costrel"]] == [line[:3] for line in (lines[0], lines[3])]
    assert ["hello", "json", "hello", "json"] == [lines[number][0] for number in (1, 2, 4, 5)]
