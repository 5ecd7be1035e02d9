"""A pytest plugin that writes the outcome of each test to the file named by ``SUITE_OUTCOMES``."""

import json
import os

outcomes = {}


def pytest_runtest_logreport(report):
    if report.outcome == "failed":
        outcomes[report.nodeid] = "failed" if report.when == "call" else "error"
    elif report.when == "call" or report.outcome == "skipped":
        outcomes.setdefault(report.nodeid, "xfailed" if hasattr(report, "wasxfail") else report.outcome)


def pytest_collectreport(report):
    if report.failed:
        outcomes[report.nodeid] = "not collected"


def pytest_sessionfinish():
    with open(os.environ["SUITE_OUTCOMES"], "w") as file:
        json.dump(outcomes, file, indent=0, sort_keys=True)
