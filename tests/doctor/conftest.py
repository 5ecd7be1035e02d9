"""An application's folder, and the report about it."""

import json

import pytest
from click.testing import CliRunner

from costrel.cli import cli


@pytest.fixture
def doctor(folder):
    """Run `costrel doctor` with arguments; gives click's result."""
    return lambda *arguments: CliRunner().invoke(cli, ["doctor", *arguments], catch_exceptions=False)


@pytest.fixture
def report(doctor):
    """Run `costrel doctor --json`; gives the report."""
    return lambda *arguments: json.loads(doctor("--json", *arguments).stdout)


@pytest.fixture
def findings(write, report):
    """Write a module, and give the levels and problems that are found in it."""

    def findings(code, name="app.py"):
        write(name, code)
        return [(finding["level"], finding["problem"]) for finding in report()["findings"]]

    return findings
