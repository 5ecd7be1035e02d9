"""Configuration from files, objects, mappings and the environment."""

import json
import os
import tomllib

import pytest

from costrel.services.config import Config, ConfigAttribute
from costrel.support.importing import ImportStringError


@pytest.fixture
def config(tmp_path):
    return Config(tmp_path, {"DEBUG": False})


def test_a_config_is_a_dict_with_a_root_path(tmp_path):
    config = Config(tmp_path)
    assert config == {}
    assert config.root_path == tmp_path
    config["NAME"] = 1
    assert repr(config) == "<Config {'NAME': 1}>"


class TestAttribute:
    class App:
        secret = ConfigAttribute("SECRET_KEY")
        lifetime = ConfigAttribute("LIFETIME", get_converter=int)

        def __init__(self):
            self.config = {"SECRET_KEY": "k", "LIFETIME": "42"}

    def test_it_reads_the_setting(self):
        assert self.App().secret == "k"

    def test_it_converts_what_it_reads(self):
        app = self.App()
        assert app.lifetime == 42
        assert app.config["LIFETIME"] == "42"

    def test_it_writes_the_setting(self):
        app = self.App()
        app.secret = "new"
        assert app.config["SECRET_KEY"] == "new"

    def test_on_the_class_it_is_itself(self):
        assert self.App.secret.__name__ == "SECRET_KEY"

    def test_a_missing_setting_is_a_key_error(self):
        app = self.App()
        app.config.clear()
        with pytest.raises(KeyError, match="SECRET_KEY"):
            app.secret


class TestPyfile:
    def test_upper_case_names_are_taken(self, config, tmp_path):
        (tmp_path / "settings.py").write_text("NAME = 'x'\nlower = 1\n_PRIVATE = 2\n")
        assert config.from_pyfile("settings.py")
        assert config == {"DEBUG": False, "NAME": "x", "_PRIVATE": 2}

    def test_the_file_knows_where_it_is(self, config, tmp_path):
        (tmp_path / "settings.py").write_text("HERE = __file__\nNAME = __name__\n")
        config.from_pyfile("settings.py")
        assert config["HERE"] == str(tmp_path / "settings.py")
        assert config["NAME"] == "config"

    def test_the_files_own_encoding_counts(self, config, tmp_path):
        (tmp_path / "settings.py").write_bytes("# -*- coding: latin-1 -*-\nNAME = 'föö'\n".encode("latin-1"))
        config.from_pyfile("settings.py")
        assert config["NAME"] == "föö"

    def test_a_missing_file_is_named(self, config, tmp_path):
        with pytest.raises(FileNotFoundError) as error:
            config.from_pyfile("missing.cfg")
        assert (
            str(error.value)
            == f"[Errno 2] Unable to load configuration file (No such file or directory): '{tmp_path}/missing.cfg'"
        )

    @pytest.mark.parametrize("name", ["missing.cfg", "folder", "file/inside"])
    def test_silent_passes_over_what_is_no_file(self, config, tmp_path, name):
        (tmp_path / "folder").mkdir()
        (tmp_path / "file").touch()
        assert config.from_pyfile(name, silent=True) is False

    def test_a_mistake_in_the_file_shows(self, config, tmp_path):
        (tmp_path / "settings.py").write_text("NAME = 1 / 0\n")
        with pytest.raises(ZeroDivisionError):
            config.from_pyfile("settings.py")


class TestEnvvar:
    def test_it_names_a_file(self, config, tmp_path, monkeypatch):
        (tmp_path / "settings.py").write_text("NAME = 'x'\n")
        monkeypatch.setenv("APP_SETTINGS", "settings.py")
        assert config.from_envvar("APP_SETTINGS")
        assert config["NAME"] == "x"

    @pytest.mark.parametrize("value", [None, ""])
    def test_without_it_there_is_an_error(self, config, monkeypatch, value):
        monkeypatch.delenv("APP_SETTINGS", raising=False)
        if value is not None:
            monkeypatch.setenv("APP_SETTINGS", value)
        assert config.from_envvar("APP_SETTINGS", silent=True) is False
        with pytest.raises(RuntimeError) as error:
            config.from_envvar("APP_SETTINGS")
        assert str(error.value) == (
            "The environment variable 'APP_SETTINGS' is not set. It must contain the path of a configuration file."
        )

    def test_a_missing_file_is_an_error_unless_silent(self, config, monkeypatch):
        monkeypatch.setenv("APP_SETTINGS", "missing.cfg")
        assert config.from_envvar("APP_SETTINGS", silent=True) is False
        with pytest.raises(FileNotFoundError):
            config.from_envvar("APP_SETTINGS")


class TestPrefixedEnv:
    @pytest.fixture(autouse=True)
    def empty_environment(self, monkeypatch):
        monkeypatch.setattr(os, "environ", {})

    def test_values_are_read_as_json_where_they_are(self, config):
        os.environ.update(FLASK_TEXT="text", FLASK_FLAG="true", FLASK_LIST="[1, 2]", FLASK_PY="True", OTHER="x")
        assert config.from_prefixed_env()
        assert config == {"DEBUG": False, "TEXT": "text", "FLAG": True, "LIST": [1, 2], "PY": "True"}

    def test_variables_of_costrel_win_over_those_of_flask(self, config):
        os.environ.update(COSTREL_NAME="ours", FLASK_NAME="theirs", FLASK_ONLY="flask", COSTREL_ALONE="costrel")
        config.from_prefixed_env()
        assert (config["NAME"], config["ONLY"], config["ALONE"]) == ("ours", "flask", "costrel")

    def test_another_prefix_is_read_alone(self, config):
        os.environ.update(SHOP_NAME="shop", COSTREL_NAME="ours", FLASK_NAME="theirs")
        config.from_prefixed_env("SHOP")
        assert config["NAME"] == "shop"

    def test_the_prefix_and_the_reader_are_yours(self, config):
        os.environ.update(SHOP_NAME="x", FLASK_NAME="y")
        config.from_prefixed_env("SHOP", loads=str.upper)
        assert config["NAME"] == "X"

    def test_double_underscores_enter_dicts(self, config):
        config["CACHE"] = {"ttl": 1, "inner": {"a": 1}}
        os.environ.update(FLASK_CACHE__ttl="60", FLASK_CACHE__inner__b="2", FLASK_NEW__a__b="3")
        config.from_prefixed_env()
        assert config["CACHE"] == {"ttl": 60, "inner": {"a": 1, "b": 2}}
        assert config["NEW"] == {"a": {"b": 3}}

    def test_a_key_inside_of_what_is_no_dict_is_explained(self, config):
        config["NAME"] = "x"
        os.environ.update(FLASK_NAME__first="1")
        with pytest.raises(TypeError) as error:
            config.from_prefixed_env()
        assert str(error.value) == (
            "The environment variable 'FLASK_NAME__first' sets a key in config['NAME'], which is of type 'str', not a"
            " dict. Rename the variable, or make config['NAME'] a dict."
        )

    def test_so_is_one_further_inside(self, config):
        config["CACHE"] = {"ttl": 1}
        os.environ.update(FLASK_CACHE__ttl__seconds__x="1")
        with pytest.raises(
            TypeError, match=r"sets a key in config\['CACHE'\]\['ttl'\], which is of type 'int', not a dict"
        ):
            config.from_prefixed_env()

    def test_anything_that_takes_keys_will_do(self, config):
        config["LIST"] = type("Keyed", (), {"__setitem__": lambda self, key, value: setattr(self, key, value)})()
        os.environ.update(FLASK_LIST__a="1")
        config.from_prefixed_env()
        assert config["LIST"].a == 1


class TestObject:
    def test_upper_case_attributes_are_taken_with_those_inherited(self, config):
        class Base:
            NAME = "x"

        class Settings(Base):
            PORT = 1
            lower = 2

        config.from_object(Settings)
        assert config == {"DEBUG": False, "NAME": "x", "PORT": 1}

    def test_an_instance_gives_its_properties(self, config):
        class Settings:
            @property
            def URI(self):
                return "made"

        config.from_object(Settings())
        assert config["URI"] == "made"

    def test_a_string_is_imported(self, config):
        config.from_object("errno")
        assert config["ENOENT"] == 2

    def test_a_string_that_leads_nowhere_is_explained(self, config):
        with pytest.raises(ImportStringError, match=r"import_string\(\) failed for 'no.such.module'"):
            config.from_object("no.such.module")

    def test_a_dict_has_no_such_attributes(self, config):
        config.from_object({"NAME": "x"})
        assert "NAME" not in config


class TestFile:
    def test_json(self, config, tmp_path):
        (tmp_path / "settings.json").write_text('{"NAME": "é", "lower": 1}', encoding="utf-8")
        assert config.from_file("settings.json", load=json.load)
        assert config == {"DEBUG": False, "NAME": "é"}

    def test_toml_is_bytes(self, config, tmp_path):
        (tmp_path / "settings.toml").write_text("NAME = 'x'")
        assert config.from_file("settings.toml", load=tomllib.load, text=False)
        assert config["NAME"] == "x"

    def test_a_missing_file_is_named(self, config):
        with pytest.raises(FileNotFoundError, match=r"Unable to load configuration file \(No such file"):
            config.from_file("missing.json", load=json.load)
        assert config.from_file("missing.json", load=json.load, silent=True) is False

    def test_silent_is_silent_about_files_only(self, config, tmp_path):
        (tmp_path / "settings.json").write_text("no json")
        with pytest.raises(json.JSONDecodeError):
            config.from_file("settings.json", load=json.load, silent=True)


def test_a_mapping_pairs_and_keywords_are_taken(config):
    assert config.from_mapping({"NAME": 1, "lower": 2}, PORT=3)
    assert config.from_mapping([("HOST", "h")])
    assert config.from_mapping()
    assert config == {"DEBUG": False, "NAME": 1, "PORT": 3, "HOST": "h"}


def test_a_namespace_becomes_keyword_arguments(config):
    config.from_mapping(STORE_TYPE="fs", STORE_PATH="/x", STORAGE="no")
    assert config.get_namespace("STORE_") == {"type": "fs", "path": "/x"}
    assert config.get_namespace("STORE_", lowercase=False) == {"TYPE": "fs", "PATH": "/x"}
    assert config.get_namespace("STORE_", trim_namespace=False) == {"store_type": "fs", "store_path": "/x"}


@pytest.mark.parametrize(
    "change",
    [
        lambda config: config.__setitem__("NAME", 2),
        lambda config: config.pop("NAME"),
        lambda config: config.popitem(),
        lambda config: config.clear(),
        lambda config: config.setdefault("OTHER", 1),
        lambda config: config.update(NAME=2),
        lambda config: config.__ior__({"NAME": 2}),
        lambda config: config.__delitem__("NAME"),
        lambda config: config.from_mapping(NAME=2),
        lambda config: config.from_object(type("Settings", (), {"NAME": 2})),
    ],
)
def test_the_state_tells_of_each_change(config, change):
    config["NAME"] = 1
    before = config.state
    assert config.state is before
    change(config)
    assert config.state is not before


def test_the_state_tells_of_a_change_that_fails_half_way(config):
    before = config.state
    with pytest.raises(TypeError):
        config.update([("NAME", 1), None])
    assert "NAME" in config
    assert config.state is not before
