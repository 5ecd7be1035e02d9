"""Flask's."""

import flask

from .flask_api import build

app = build(flask, flask.Flask)
