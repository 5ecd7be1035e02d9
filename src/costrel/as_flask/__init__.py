"""Starting programs and tests with Costrel in Flask's place: ``python -m costrel.as_flask app.py``.

The processes that such a program starts get it too: they inherit ``COSTREL_AS_FLASK=1`` and a folder on ``PYTHONPATH``
whose `sitecustomize` acts on it.
"""

from __future__ import annotations

import os
from pathlib import Path

from ..compat.install import install_as_flask

VARIABLE = "COSTREL_AS_FLASK"
CHILD_FOLDER = Path(__file__).parent / "child"


def activate() -> None:
    """Serve Costrel as Flask in this process and in those that it starts."""
    install_as_flask()
    os.environ[VARIABLE] = "1"
    folders = [folder for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep) if folder]
    if str(CHILD_FOLDER) not in folders:
        os.environ["PYTHONPATH"] = os.pathsep.join([str(CHILD_FOLDER), *folders])
