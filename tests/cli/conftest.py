"""An environment, a folder and a runner of each test's own."""

import os

import pytest
from click.testing import CliRunner


@pytest.fixture(autouse=True)
def environ(monkeypatch):
    """The environment without Costrel's variables; changes are undone after the test."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("COSTREL_", "FLASK_", "WERKZEUG_")) and name != "PYTHONSTARTUP"
    }
    monkeypatch.setattr(os, "environ", kept)
    return kept


@pytest.fixture
def invoke():
    """Run a command, and return its exit code, its standard output and its standard error."""

    def invoke(command, *args, input=None):
        result = CliRunner().invoke(command, args, input=input)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke
