"""Variables out of files, and those that steer Costrel."""

import os
import sys

import pytest

from costrel.services.dotenv import environment_without_files, load_dotenv
from costrel.services.environment import get_debug_flag, get_load_dotenv, read_variable, set_variable


@pytest.fixture(autouse=True)
def environ(monkeypatch):
    """An environment of the test's own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COSTREL_", "FLASK_", "PYTEST_"))}
    monkeypatch.setattr(os, "environ", kept)
    return kept


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_default_files_in_their_order(folder, environ):
    (folder / ".env").write_text("A=env\nE=env\n")
    (folder / ".costrelenv").write_text("A=costrel\nB=costrel\n")
    (folder / ".flaskenv").write_text("A=flask\nB=flask\nC=flask\n")

    assert load_dotenv() is True

    assert [environ[name] for name in "ABCE"] == ["env", "costrel", "flask", "env"]


def test_what_is_set_already_is_left_alone(folder, environ):
    environ["A"] = "set"
    (folder / ".env").write_text("A=file\n")

    load_dotenv()

    assert environ["A"] == "set"


def test_a_process_that_reads_the_files_itself_gets_none_of_their_variables(folder, environ):
    environ["SET"] = "set"
    (folder / ".env").write_text("SET=file\nA=file\nCHANGED=file\nPYTHONUTF8=1\n")

    load_dotenv()
    environ["CHANGED"] = "by an option"

    found = environment_without_files()
    names = ("SET", "A", "CHANGED", "PYTHONUTF8")
    assert {name: found[name] for name in names if name in found} == {
        "SET": "set",
        "CHANGED": "by an option",
        "PYTHONUTF8": "1",
    }


def test_a_named_file_wins_over_the_default_ones(folder, environ):
    (folder / ".env").write_text("A=env\nB=env\n")
    (folder / "test.env").write_text("A=named\n")

    load_dotenv(folder / "test.env")

    assert (environ["A"], environ["B"]) == ("named", "env")


def test_the_default_files_may_be_left_out(folder, environ):
    (folder / ".env").write_text("A=env\n")
    (folder / "test.env").write_text("B=named\n")

    assert load_dotenv("test.env", load_defaults=False) is True

    assert "A" not in environ
    assert environ["B"] == "named"


def test_files_of_the_folders_above_are_found(folder, environ, monkeypatch):
    (folder / ".env").write_text("A=above\n")
    (folder / "below").mkdir()
    monkeypatch.chdir(folder / "below")

    load_dotenv()

    assert environ["A"] == "above"
    assert os.getcwd() == str(folder / "below")


def test_a_file_that_is_not_there(folder):
    assert load_dotenv("none.env", load_defaults=False) is False


def test_a_name_without_a_value_sets_nothing(folder, environ):
    (folder / ".env").write_text("A\n")

    assert load_dotenv() is True
    assert "A" not in environ


def test_files_are_read_as_utf_8(folder, environ):
    (folder / ".env").write_bytes("A=火腿\n".encode())

    load_dotenv()

    assert environ["A"] == "火腿"


def test_without_the_package_a_hint_is_given(folder, environ, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "dotenv", None)
    (folder / ".env").write_text("A=env\n")
    (folder / ".flaskenv").write_text("A=env\n")

    assert load_dotenv("more.env") is False

    assert "A" not in environ
    assert capsys.readouterr().err == (
        " * Not loaded: more.env, .env, .flaskenv. This requires python-dotenv: pip install python-dotenv\n"
    )


def test_without_the_package_and_without_files_nothing_is_said(folder, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "dotenv", None)

    assert load_dotenv() is False

    assert capsys.readouterr().err == ""


def test_costrels_variable_wins_over_flasks(environ):
    assert read_variable("APP") is None
    environ["FLASK_APP"] = "flask"
    assert read_variable("APP") == "flask"
    environ["COSTREL_APP"] = "costrel"
    assert read_variable("APP") == "costrel"


def test_setting_a_variable_takes_effect_whichever_is_read(environ):
    set_variable("DEBUG", "1")
    assert environ["FLASK_DEBUG"] == "1"
    assert "COSTREL_DEBUG" not in environ

    environ["COSTREL_DEBUG"] = "1"
    set_variable("DEBUG", "0")
    assert get_debug_flag() is False


@pytest.mark.parametrize(
    ("value", "debug"),
    [
        ("", False),
        ("0", False),
        ("False", False),
        ("no", False),
        ("NO", False),
        ("1", True),
        ("true", True),
        ("x", True),
    ],
)
def test_debug_mode(environ, value, debug):
    environ["FLASK_DEBUG"] = value

    assert get_debug_flag() is debug


def test_debug_mode_is_off_by_default():
    assert get_debug_flag() is False


@pytest.mark.parametrize(
    ("value", "load"), [("", True), ("0", True), ("False", True), ("no", True), ("1", False), ("x", False)]
)
def test_skipping_the_files(environ, value, load):
    environ["FLASK_SKIP_DOTENV"] = value

    assert get_load_dotenv() is load


def test_skipping_the_files_where_nothing_is_set():
    assert get_load_dotenv() is True
    assert get_load_dotenv(False) is False
