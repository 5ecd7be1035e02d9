"""The table of settings: all that Costrel reads is in it, with the defaults that it is read with."""

import ast
import importlib
from datetime import timedelta
from pathlib import Path

import flask
import pytest

import costrel
from costrel.app import profiles
from costrel.app.application import Costrel, Flask
from costrel.audit import audit
from costrel.services.settings import DEFAULTS, GROUPS, SETTINGS

ROOT = Path(costrel.__file__).parent

ABSENT = object()


class Reads(ast.NodeVisitor):
    """The settings that a module reads from a name or an attribute `config`, each with its default there."""

    def __init__(self):
        self.found = []

    def visit_BoolOp(self, node):
        first, *others = node.values
        if isinstance(node.op, ast.Or) and (name := self.name_of(first)) and not getattr(first, "args", [0])[1:]:
            self.found.append((name, others[0], node.lineno, True))
        else:
            self.generic_visit(node)

    def visit_Call(self, node):
        if name := self.name_of(node):
            self.found.append((name, node.args[1] if len(node.args) > 1 else ABSENT, node.lineno, False))
        self.generic_visit(node)

    def visit_Subscript(self, node):
        if name := self.name_of(node):
            self.found.append((name, None, node.lineno, False))
        self.generic_visit(node)

    def name_of(self, node):
        """The setting that an expression reads, or None."""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get":
            mapping, key = node.func.value, node.args[0] if node.args else None
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
            mapping, key = node.value, node.slice
        else:
            return None
        is_config = "config" in (getattr(mapping, "id", ""), getattr(mapping, "attr", "")) or (
            isinstance(mapping, ast.Call) and getattr(mapping.func, "attr", "") == "_config"
        )
        if is_config and isinstance(key, ast.Constant) and isinstance(key.value, str) and key.value.isupper():
            return key.value
        return None


def reads():
    for path in sorted(ROOT.rglob("*.py")):
        module = ".".join(("costrel", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__")
        source = path.read_text(encoding="utf-8")
        if "config" not in source:
            continue
        visitor = Reads()
        visitor.visit(ast.parse(source))
        for name, default, line, is_or in visitor.found:
            yield pytest.param(name, default, is_or, module, id=f"{module}:{line}:{name}")


def evaluated(node, module):
    """The value of a default: a literal, or an expression of names that the module has."""
    return eval(ast.unparse(node), vars(importlib.import_module(module)))


@pytest.mark.parametrize(("name", "default", "is_or", "module"), list(reads()))
def test_all_that_is_read_is_in_the_table_with_its_default(name, default, is_or, module):
    assert name in SETTINGS
    if default is ABSENT:  # then it is read as None, which must mean the same as the default
        assert not DEFAULTS[name]
    elif isinstance(default, ast.AST):
        expected = DEFAULTS[name]
        try:
            found = evaluated(default, module)
        except NameError:  # an expression with local variables, in place of "not set"
            assert is_or
            return
        assert expected == found or (is_or and not expected)
    else:
        assert SETTINGS[name].is_flasks


def test_flask_has_exactly_its_own_settings():
    assert dict(flask.Flask.default_config) == dict(profiles.FLASK)
    assert flask.Flask("a").config == Flask("a").config


def test_costrel_has_those_and_the_settings_that_differ():
    expected = {name: it.native for name, it in SETTINGS.items() if it.is_flasks or it.flask != it.native}
    assert expected == profiles.NATIVE
    assert expected.keys() == Costrel("a").config.keys()


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
def test_each_default_is_allowed_and_each_text_is_one_sentence(setting):
    for default in (setting.flask, setting.native):
        assert isinstance(default, setting.types)
        assert not setting.values or default in setting.values
        assert setting.least is None or default is None or default >= setting.least
    assert setting.text.endswith(".")
    assert ". " not in setting.text


def test_no_setting_is_there_twice():
    assert sum(map(len, GROUPS.values())) == len(SETTINGS)


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("SESSION_REFRESH_EACH_REQUEST", "no", "it is of type str, but must be bool."),
        ("MAX_FORM_PARTS", "1000", "it is of type str, but must be int or None."),
        ("MAX_FORM_PARTS", -1, "it is -1, but must be at least 0."),
        ("SESSION_STORE_DOWN", "retry", "it is 'retry', but must be one of 'refuse', 'read-only'."),
    ],
)
def test_the_check_finds_wrong_values(name, value, problem):
    app = Costrel("a")
    app.config[name] = value
    assert [problem] == [finding.problem for finding in audit(app) if finding.place == name]


@pytest.mark.parametrize("cls", [Costrel, Flask])
def test_the_check_finds_no_wrong_value_in_a_new_application(cls):
    app = cls("a")
    app.config.update(DEFAULTS, SECRET_KEY=b"k" * 32, PERMANENT_SESSION_LIFETIME=timedelta(days=1))
    assert not [finding for finding in audit(app) if "should be" in finding.problem or "can be" in finding.problem]
