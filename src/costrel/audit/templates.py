"""Templates that turn escaping off, and forms that put secrets into the URL."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterator

from jinja2 import TemplateError

from .finding import Finding, Findings

if t.TYPE_CHECKING:
    from ..context import AppContract

_switches_escaping_off = re.compile(r"\{%[-+]?\s*autoescape\s+false\b", re.IGNORECASE).search
_looks_like_html = re.compile(r"<(?:!doctype|html|head|body|div|form|a\s|p>)", re.IGNORECASE).search


_form = re.compile(r"<form\b([^>]*)>(.*?)(?:</form|\Z)", re.IGNORECASE | re.DOTALL).finditer
_method = re.compile(r"\bmethod\s*=\s*[\"']?\s*([a-z{]+)", re.IGNORECASE).search
_secret_field = re.compile(r"(type\s*=\s*[\"']?password\b|csrf_token\b|hidden_tag\()", re.IGNORECASE).search


def sources(app: AppContract) -> Iterator[tuple[str, str]]:
    """The templates of an application by their names, as far as they can be read."""
    env = app.jinja_env
    if env.loader is None:
        return
    for name in sorted(env.list_templates()):
        try:
            yield name, env.loader.get_source(env, name)[0]
        except (TemplateError, UnicodeDecodeError):
            continue


def check_escaping(app: AppContract) -> Findings:
    env = app.jinja_env
    for name, source in sources(app):
        if _switches_escaping_off(source):
            yield Finding(name, "it turns escaping off.", "Mark safe values with |safe instead.")
        escape = env.autoescape(name) if callable(env.autoescape) else env.autoescape
        if not escape and _looks_like_html(source):
            yield Finding(name, "it looks like HTML, but its name turns escaping off.", "Rename it to end with .html.")


def check_forms(app: AppContract) -> Findings:
    """Forms that send a password or token by GET, which puts it into the URL, into logs and into the history."""
    for name, source in sources(app):
        for form in _form(source):
            method = _method(form[1])
            secret = _secret_field(form[2])
            if secret and (method is None or method[1].lower() == "get"):
                line = source.count("\n", 0, form.start()) + 1
                yield Finding(
                    name,
                    f"the form in line {line} sends a secret ({secret[0]}) by GET, in the URL.",
                    'Add method="post".',
                )
