"""``python -m costrel.as_flask app.py`` or ``… -m module``: run a program with Costrel in Flask's place."""

from __future__ import annotations

import os
import runpy
import sys

from . import activate

USAGE = """\
usage: python -m costrel.as_flask app.py [arguments]
       python -m costrel.as_flask -m module [arguments]

Runs a Python program, or a module as `python -m` does, with Costrel in the place of flask and werkzeug:

    python -m costrel.as_flask app.py
    python -m costrel.as_flask -m flask --app hello run
    python -m costrel.as_flask -m pytest
"""


def main(arguments: list[str]) -> int:
    """Run the program of the arguments as ``__main__`` of this process. Returns the exit status."""
    if arguments[:1] in (["-h"], ["--help"]):
        sys.stdout.write(USAGE)
        return 0
    if not arguments or arguments == ["-m"]:
        sys.stderr.write(USAGE)
        return 2
    activate()
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        return 0
    if not os.path.exists(arguments[0]):
        sys.stderr.write(f"There is no file {arguments[0]!r} in {os.getcwd()}. For a module, use -m {arguments[0]}.\n")
        return 2
    sys.argv = arguments
    sys.path[0] = os.path.dirname(os.path.abspath(arguments[0]))  # where `python app.py` looks first
    runpy.run_path(arguments[0], run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
