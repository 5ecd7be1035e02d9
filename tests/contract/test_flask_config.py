"""Configuration: the same calls on Flask and on Costrel have the same results."""

import json
import os
from unittest.mock import patch

import flask
import flask.config
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costrel.services import config as ours

names = st.text(st.sampled_from("ABab1_"), max_size=12)
values = st.one_of(st.text(st.sampled_from('abc1.{}[]":,truefalsenull '), max_size=12), st.text(max_size=4))


def outcome(call):
    try:
        return call()
    except Exception as error:
        return type(error)


def on_both(call, *, defaults=None):
    outcomes = []
    for config_class in (flask.Config, ours.Config):
        config = config_class("/nowhere", None if defaults is None else json.loads(json.dumps(defaults)))
        outcomes.append((outcome(lambda: call(config)), dict(config)))  # noqa: B023 - called at once
    return outcomes


@given(st.dictionaries(names.map("P_{}".format), values, max_size=5))
def test_prefixed_environment(variables):
    environment = {name: value.replace("\0", "") for name, value in variables.items()}
    with patch.dict(os.environ, environment, clear=True):
        theirs, mine = on_both(
            lambda config: config.from_prefixed_env("P"), defaults={"A": {"b": 1, "B": {"a": 2}}, "B": "text"}
        )
    assert mine == theirs


@given(st.dictionaries(names, st.integers(), max_size=6))
def test_mapping(mapping):
    theirs, mine = on_both(lambda config: config.from_mapping(mapping))
    assert mine == theirs


@given(st.dictionaries(names, st.integers(), max_size=6), names, st.booleans(), st.booleans())
def test_namespace(mapping, namespace, lowercase, trim):
    theirs, mine = on_both(lambda config: config.get_namespace(namespace, lowercase, trim), defaults=mapping)
    assert mine == theirs


@given(st.dictionaries(names.filter(str.isidentifier), st.integers(), max_size=6))
def test_object(attributes):
    settings = type("Settings", (), attributes)
    theirs, mine = on_both(lambda config: config.from_object(settings))
    assert mine == theirs


@pytest.mark.parametrize("silent", [False, True])
@pytest.mark.parametrize("name", ["settings.py", "broken.py", "missing.py", "folder", "settings.py/inside"])
@pytest.mark.parametrize("method", ["from_pyfile", "from_file", "from_envvar"])
def test_files(tmp_path, monkeypatch, method, name, silent):
    (tmp_path / "folder").mkdir()
    (tmp_path / "settings.py").write_text("A = 1\nb = 2\nC = [1]\n")
    (tmp_path / "broken.py").write_text("A = 1/0\n")
    monkeypatch.setenv("SETTINGS", name)
    calls = {
        "from_pyfile": lambda config: config.from_pyfile(name, silent),
        "from_file": lambda config: config.from_file(name, lambda file: {"A": file.read(), "b": 1}, silent=silent),
        "from_envvar": lambda config: config.from_envvar("SETTINGS", silent),
    }
    outcomes = []
    for config_class in (flask.Config, ours.Config):
        config = config_class(tmp_path)
        try:
            outcomes.append((calls[method](config), dict(config)))
        except Exception as error:
            outcomes.append((type(error), str(error)))
    assert outcomes[1] == outcomes[0]
