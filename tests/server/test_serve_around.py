"""Functions around serving under `costrel serve --interface wsgi`: once in each worker."""

import textwrap

import pytest

from ..processes import wait_until
from .served import serving, started

APP = """\
    import os
    import costrel

    app = costrel.Costrel("shop")
    kept = {}

    def note(text):
        with open("notes", "a") as file:
            file.write(text + "\\n")

    @app.while_serving
    async def pool():
        kept["pool"] = os.getpid()
        note(f"open {os.getpid()}")
        yield
        note(f"close {os.getpid()}")

    @app.after_serving
    def after():
        note(f"after {os.getpid()}")

    @app.get("/")
    def index():
        return f"{kept['pool'] == os.getpid()} {os.getpid()}"
"""


def notes(folder):
    return [line.split()[0] for line in (folder / "notes").read_text().splitlines()]


@pytest.mark.parametrize("interface", ["wsgi", "asgi"])
def test_each_worker_opens_and_closes(tmp_path, interface):
    (tmp_path / "shop.py").write_text(textwrap.dedent(APP))
    with serving(tmp_path, "--interface", interface) as served:
        answers = set()
        # A worker that is told to end before it is ready runs no functions after serving.
        wait_until(lambda: len(answers.add(served.get()) or answers) == 2, "both workers have answered")
        assert {(200, "True")} == {(status, text.split()[0]) for status, text in answers}
        assert served.end() == 0
    assert sorted(notes(tmp_path)) == ["after", "after", "close", "close", "open", "open"]


def test_an_error_prevents_the_start(tmp_path):
    broken = textwrap.dedent(APP).replace('kept["pool"] = os.getpid()', 'raise LookupError("no pool")')
    (tmp_path / "shop.py").write_text(broken)
    arguments = ("shop:app", "--bind", "127.0.0.1:0", "--workers", "1", "--interface", "wsgi")
    with started(tmp_path, *arguments) as served:
        served.wait_for("no pool")
