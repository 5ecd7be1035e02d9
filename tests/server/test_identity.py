"""Whose name Costrel goes by."""

import sys
from types import ModuleType

import costrel
from costrel.devserver.identity import replaced_run_simple, served_as_flask


def module(name, **names):
    made = ModuleType(name)
    vars(made).update(names)
    return made


def test_it_goes_by_its_own_name(monkeypatch):
    monkeypatch.delitem(sys.modules, "flask", raising=False)
    assert not served_as_flask()
    monkeypatch.setitem(sys.modules, "flask", module("flask", Flask=type("Flask", (), {})))
    assert not served_as_flask()
    monkeypatch.setitem(sys.modules, "flask", module("flask"))
    assert not served_as_flask()


def test_it_goes_by_flasks(monkeypatch):
    monkeypatch.setitem(sys.modules, "flask", module("flask", Flask=type("Flask", (costrel.Costrel,), {})))

    assert served_as_flask()


def test_run_simple_may_be_replaced_under_flasks_name_only(monkeypatch):
    def own():
        pass

    def other():
        pass

    monkeypatch.setitem(sys.modules, "werkzeug.serving", module("werkzeug.serving", run_simple=other))
    monkeypatch.delitem(sys.modules, "flask", raising=False)
    assert replaced_run_simple(own) is None

    monkeypatch.setitem(sys.modules, "flask", module("flask", Flask=costrel.Costrel))
    assert replaced_run_simple(own) is other
    assert replaced_run_simple(other) is None
