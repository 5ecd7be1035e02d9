"""Jinja without a framework: the part of `template` that no framework can save."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, FileSystemLoader, select_autoescape

from . import ROWS, TEMPLATES

PAGES = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=select_autoescape(), auto_reload=False)


def wsgi(scenario: str) -> Any:
    def app(environ, start_response):
        start_response("200 OK", [])
        return [PAGES.get_template("page.html").render(title="Rows", rows=ROWS).encode()]

    return app
