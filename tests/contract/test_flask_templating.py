"""Templates are found, filled and explained as Flask does it."""

import logging
import re

import flask
import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st

import costrel
from costrel.app.application import Flask
from costrel.app.blueprint import Blueprint

SOURCES = {
    "hello.html": "<p>{{ name }} {{ g.user }} {{ config.NAME }} {{ a }}</p>",
    "mail.txt": "{{ name }}",
    "macro.html": "{% macro hi(x) %}{{ x }} {{ request.path }} {{ session.a }}{% endmacro %}",
    "uses.html": "{% from 'macro.html' import hi %}{{ hi(name) }}",
    "child.html": "{% extends 'base.html' %}{% block body %}{{ super() }}{{ name }}{% endblock %}",
    "base.html": "<b>{% block body %}base {% endblock %}</b>",
    "json.html": "{{ {'b': name, 'a': '</script>'}|tojson }}",
    "loop.html": "{% for x in [3, 1, 2]|sort %}{{ loop.index }}{{ x }},{% endfor %}",
    "both.html": "application",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    for place, sources in (("templates", SOURCES), ("admin/templates", {"both.html": "blueprint", "only.html": "o"})):
        (folder / place).mkdir(parents=True)
        for name, source in sources.items():
            (folder / place / name).write_text(source)
    return folder


def make(module, app_class, blueprint_class, folder):
    """The same application with Flask's classes or ours."""
    app = app_class("shop", root_path=str(folder))
    app.secret_key = "key"
    app.testing = True
    app.config["NAME"] = "shop & co"
    app.context_processor(lambda: {"a": "application", "name": "processor"})
    blueprint = blueprint_class("admin", "shop.admin", root_path=str(folder / "admin"), template_folder="templates")
    blueprint.context_processor(lambda: {"a": "blueprint"})
    loaders = blueprint_class("loaders", "shop.loaders")
    loaders.jinja_loader = jinja2.ChoiceLoader([jinja2.DictLoader({"both.html": "", "dict.html": "d"})])

    def view(name):
        values = {"name": module.request.args["name"]} if "name" in module.request.args else {}
        module.g.user = "<me>"
        render = module.stream_template if "stream" in module.request.args else module.render_template
        return render(name, **values)

    def string():
        return module.render_template_string(module.request.args["source"], name=module.request.args.get("name"))

    app.add_url_rule("/string", "string", string)
    app.add_url_rule("/<name>", "view", view)
    blueprint.add_url_rule("/admin/<name>", "view", view)
    app.register_blueprint(blueprint)
    app.register_blueprint(loaders)
    return app


@pytest.fixture(scope="module")
def both(folder):
    return make(flask, flask.Flask, flask.Blueprint, folder), make(costrel, Flask, Blueprint, folder)


def answers(both, *args, **kwargs):
    found = []
    for app in both:
        try:
            response = app.test_client().get(*args, **kwargs)
            found.append((response.status_code, response.data, response.headers.get("Vary")))
        except Exception as error:
            found.append((type(error), str(error)))
    return found


@pytest.mark.parametrize("query", [{}, {"name": "<x>"}, {"name": "<x>", "stream": "1"}])
@pytest.mark.parametrize("prefix", ["/", "/admin/"])
@pytest.mark.parametrize("name", [*SOURCES, "only.html", "dict.html", "missing.html", "no..html"])
def test_files(both, name, prefix, query):
    theirs, ours = answers(both, prefix + name, query_string=query)
    assert ours == theirs


PIECES = """
text |<b>|{{ name }}|{{ name|upper }}|{{ name|safe }}|{{ 1 + 1 }}|{% if name %}|{% endif %}|{{ missing }}|{{|{# x #}|
{{ missing.x }}|{{ name|nofilter }}|{{ request.path }}|{{ g }}|{% set a = name %}|{{ a }}|{{ url_for('string') }}|
{{ session.x }}|{{ {}|tojson }}
"""
pieces = st.lists(st.sampled_from(re.split(r"(?<!name)\|(?!tojson)", PIECES)), max_size=6).map("".join)


@given(source=pieces, name=st.text("<a>&", max_size=4))
def test_strings(both, source, name):
    theirs, ours = answers(both, "/string", query_string={"source": source, "name": name})
    assert ours == theirs


@pytest.mark.parametrize("path", ["/hello.html", "/both.html", "/dict.html", "/missing.html", "/admin/missing.html"])
def test_explanations(both, path, caplog):
    caplog.set_level(logging.INFO)
    messages = []
    for app in both:
        app.jinja_env.cache.clear()
        app.config["EXPLAIN_TEMPLATE_LOADING"] = True
        try:
            answers([app], path)
        finally:
            app.config["EXPLAIN_TEMPLATE_LOADING"] = False
        messages.append([_attempts(message) for message in caplog.messages])
        caplog.clear()
    assert messages[0][0].startswith("Locating template")
    assert messages[1] == messages[0]


def _attempts(message):
    """What was tried, without the verdict at the end, whose words are our own."""
    return re.split(r"\n(?:Warning|Error): ", message)[0]


@pytest.mark.parametrize("setting", [None, True, False])
@pytest.mark.parametrize("debug", [True, False])
def test_environments(setting, debug):
    environments = []
    for app_class in (flask.Flask, Flask):
        app = app_class("shop")
        app.config.update(TEMPLATES_AUTO_RELOAD=setting, DEBUG=debug)
        env = app.jinja_env
        environments.append((env.auto_reload, sorted(env.globals), sorted(env.filters), sorted(env.policies)))
    assert environments[1] == environments[0]
