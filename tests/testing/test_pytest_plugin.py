"""The pytest plugin, in a project of its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

CONFTEST = """
import pytest
from costrel import Costrel, render_template_string, session

pytest_plugins = ["costrel.testing.pytest"]


@pytest.fixture
def app():
    app = Costrel("shop", static_folder=None)
    app.config["SECRET_KEY"] = "k" * 32
    app.served = []
    app.before_serving(lambda: app.served.append("began"))
    app.after_serving(lambda: app.served.append("ended"))

    @app.get("/")
    async def index():
        app.logger.info("asked")
        session["visits"] = session.get("visits", 0) + 1
        return render_template_string("Hello")

    @app.cli.command("sync")
    def sync():
        print("synced")

    return app
"""

TESTS = """
import asyncio
import pytest


def test_client(client):
    assert client.get("/").text == "Hello"


def test_templates(client, captured_templates):
    client.get("/")
    assert [each.name for each in captured_templates] == [None]


def test_logs(client, captured_logs):
    client.get("/")
    assert captured_logs.of_level("INFO") == ["asked"]


def test_session(client, client_session):
    client_session["visits"] = 8
    client.get("/")
    assert client_session == {"visits": 9}


def test_commands(cli_runner):
    assert cli_runner.invoke(args=["sync"]).output == "synced\\n"


@pytest.mark.parametrize("times", [1, 2])
async def test_async(app, async_client, captured_templates, times):
    assert app.served == ["began"]
    responses = await asyncio.gather(*[async_client.get("/") for _ in range(times)])
    assert [response.text for response in responses] == ["Hello"] * times
    assert len(captured_templates) == times


class TestInClass:
    async def test_async(self, async_client):
        async with async_client.stream("/") as response:
            assert response.status_code == 200


@pytest.mark.xfail(strict=True, raises=AssertionError)
async def test_async_that_fails(async_client):
    assert (await async_client.get("/")).text == "Bye"


def test_ended(app, async_client):
    assert app.served == []
"""

NO_APP = """
pytest_plugins = ["costrel.testing.pytest"]


def test_client(client):
    pass
"""


def run(folder, **files):
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", "-p", "no:flask", folder]
    # The other plugins here are slow to import, and not of the project that is tested.
    environ = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True).stdout


def test_its_fixtures(tmp_path):
    output = run(tmp_path, conftest=CONFTEST, test_shop=TESTS)

    assert "9 passed, 1 xfailed" in output, output


def test_the_project_of_the_documentation(tmp_path):
    page = Path(__file__).parents[2] / "docs" / "testing.md"
    _, conftest, tests, *_ = re.findall(r"^```python\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)

    output = run(tmp_path, conftest=conftest, test_shop=tests)

    assert "4 passed" in output, output


def test_a_project_without_an_application_is_told_what_to_define(tmp_path):
    output = run(tmp_path, conftest="", test_shop=NO_APP)

    assert "need a fixture 'app' that returns the application. Define it in conftest.py:" in output
