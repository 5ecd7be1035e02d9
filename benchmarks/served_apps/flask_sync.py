"""Flask's."""

from __future__ import annotations

import os

import flask

from ..peers.flask_api import build
from .bodies import add_bodies

app = add_bodies(build(flask, flask.Flask, os.environ.get("BENCH_SCENARIO", "")), flask)
