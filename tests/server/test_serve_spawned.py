"""`costrel serve` with spawned workers, as on macOS: they inherit nothing, so that all they need is sent to them."""

import sys
import textwrap

import pytest

from ..processes import environ
from .served import Served
from .test_serve_around import AROUND_SERVER, notes

pytestmark = pytest.mark.ci

START = """\
    import multiprocessing
    import sys

    from costrel.cli import main

    if __name__ == "__main__":
        multiprocessing.set_start_method("spawn")
        sys.argv = ["costrel", "serve", *sys.argv[1:]]
        main()
"""


@pytest.mark.parametrize("interface", ["wsgi", "asgi"])
def test_it_serves_and_ends(tmp_path, interface):
    (tmp_path / "shop.py").write_text(textwrap.dedent(AROUND_SERVER))
    (tmp_path / "start.py").write_text(textwrap.dedent(START))
    options = ["shop:app", "--bind", "127.0.0.1:0", "--workers", "1", "--interface", interface]
    command = [sys.executable, "start.py", *options]
    with Served(command, tmp_path, environ(PYTHONDONTWRITEBYTECODE="1")) as served:
        served.port = int(served.wait_for(r"Listening at http://127\.0\.0\.1:(\d+)")[1])
        served.wait_for("Serving, with the processes")
        assert served.get()[0] == 200
        assert served.end() == 0
    assert notes(tmp_path) == ["schedule", "migrate", "before", "after", "migrated", "scheduled"]
