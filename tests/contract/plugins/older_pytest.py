"""A pytest plugin for the Flask suite, written for pytest 8: it imports a name that pytest 9 spells NOTSET."""

import _pytest.monkeypatch

if not hasattr(_pytest.monkeypatch, "notset"):
    _pytest.monkeypatch.notset = _pytest.monkeypatch.NOTSET
