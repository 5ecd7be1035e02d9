"""Benchmarks of servers: the cases, the comparison of responses, and the stored figures."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def benchmarks_can_be_imported(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))


def test_each_peer_runs_on_two_servers_with_and_without_a_log():
    from benchmarks.users import cases

    found = [(case.server, case.logs) for case in cases() if case.title == "Flask"]
    assert found == [("gunicorn", True), ("gunicorn", False), ("granian wsgi", True), ("granian wsgi", False)]


def test_each_server_can_write_a_log():
    from benchmarks.servers import COMMANDS, LOGGING

    for server, change in LOGGING.items():
        command = change(COMMANDS[server])
        assert ("{app}" in command[2:], "--no-access-log" in command) == (True, False)
        assert command != COMMANDS[server]


def test_pages_are_equal_however_they_are_indented_and_escaped():
    from benchmarks.rounds import text_of

    assert text_of(b"<ul>\n  <li>&#34;a b&#34;</li>\n</ul>\n") == text_of(b"<ul><li>&quot;a  b&quot;</li></ul>")
    assert text_of(b"<li>a</li>") != text_of(b"<li>b</li>")


def test_nothing_is_timed_if_two_servers_answer_differently(monkeypatch):
    from benchmarks import rounds

    answers = {"one": b'{"a": 1}', "another": b'{"a": 2}'}
    monkeypatch.setattr(rounds, "asked", lambda server, target: answers[server])
    target = rounds.Target("json", "/json", rounds.json_of)

    rounds.compare({"one": "one", "again": "one"}, [target])
    with pytest.raises(RuntimeError, match=r"/json: one answers .*1}, but another .*2}"):
        rounds.compare({"one": "one", "another": "another"}, [target])


def test_a_row_of_random_numbers_is_checked():
    from benchmarks.databases import worlds

    assert worlds(b'[{"id": 1, "randomNumber": 2}]') == worlds(b'[{"randomNumber": 7, "id": 9}]')
    with pytest.raises(ValueError, match="is not a row"):
        worlds(b'{"id": 0, "randomNumber": 2}')


def figures_of(cpu, rate):
    each = {"per second": rate, "CPU": cpu, "p50": 1.0, "p99": 2.0, "MiB": 50.0, "rounds": [cpu, 2 * cpu]}
    return dict.fromkeys(("json", "params", "page", "form", "query", "queries", "fortunes"), each)


FIGURES = {
    "users": {
        "Costrel, def, costrel serve, access log": figures_of(55, 9000),
        "Costrel, def, costrel serve": figures_of(50, 12_000),
        "Costrel, async def, costrel serve, access log": figures_of(80, 9000),
        "Costrel, async def, costrel serve": figures_of(50, 8000),
        "Flask, granian wsgi": figures_of(200, 3000),
        "Starlette, granian asgi": figures_of(60, 10_000),
    },
    "databases": {
        "Costrel, def, costrel serve": figures_of(110, 900),
        "Costrel, async def, costrel serve": figures_of(100, 800),
        "Starlette, granian asgi": figures_of(98, 1000),
        "Flask, granian wsgi": figures_of(150, 1000),
    },
}


def test_goals_of_browsers_and_databases():
    from benchmarks.goals import of_users

    rows = {goal.text: (round(goal.measured, 2), goal.is_reached) for goal in of_users(FIGURES)}
    assert rows["`json`, `def`, access log: Costrel ÷ Flask, requests a second"] == (3, True)
    assert rows["`page`, `def`, access log: Costrel ÷ Starlette, requests a second"] == (0.9, False)
    assert rows["`json`, `async def`, no log: Costrel ÷ Starlette, requests a second"] == (0.8, False)
    assert rows["`json`, `def`: CPU with the access log ÷ without"] == (1.1, True)
    assert rows["`json`, `async def`: CPU with the access log ÷ without"] == (1.6, False)
    best = "Costrel, async def, costrel serve ÷ Starlette, granian asgi"
    assert rows[f"`fortunes` on PostgreSQL: CPU, {best}"] == (1.02, True)
    assert [] == list(of_users({}))


def test_the_tables_of_the_page():
    from benchmarks.tables import compared, log_cost, served_goals

    lines = compared("users")(FIGURES).splitlines()
    assert lines[2].startswith("| Costrel, def, costrel serve | 12000 | 50 |")  # the fastest first
    assert "| Costrel, def, costrel serve | 1.10 | 1.10 |" in log_cost(FIGURES)
    assert "| yes |" in served_goals(FIGURES)
    assert "Not measured yet." == compared("users")({}) == log_cost({}) == served_goals({})
