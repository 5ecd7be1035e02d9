"""A pytest plugin that runs a Flask project's tests on Costrel: ``pytest -p costrel.as_flask.pytest``.

pytest loads the plugins of ``-p`` before any other plugin and any conftest, so nothing has imported Flask yet.
"""

from __future__ import annotations

from . import activate

activate()


def pytest_report_header() -> str:
    """One line at the top of the report, which tells the run from one on Flask."""
    from .. import version

    return f"flask and werkzeug: served by costrel {version.__version__}"
