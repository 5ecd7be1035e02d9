"""Costrel's, with `def` views."""

from __future__ import annotations

import os

import costrel

from ..peers.flask_api import build
from .bodies import add_bodies

app = add_bodies(build(costrel, costrel.Costrel, os.environ.get("BENCH_SCENARIO", "")), costrel)
asgi = app.asgi
