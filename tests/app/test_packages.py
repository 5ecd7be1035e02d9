"""Where modules and packages lie, installed or not."""

import os
import sys
from pathlib import Path

import pytest

from costrel.app.packages import find_package, get_root_path


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder on the import path; the modules of a test are removed afterwards."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_a_module_lies_in_its_folder(folder):
    (folder / "lone_module.py").write_text("")

    assert get_root_path("lone_module") == str(folder)


def test_a_package_lies_in_its_own_folder(folder):
    package = folder / "some_package"
    package.mkdir()
    (package / "__init__.py").write_text("")

    assert get_root_path("some_package") == str(package)


def test_an_imported_module_says_itself_where_it_lies(folder):
    (folder / "imported_module.py").write_text("")
    __import__("imported_module")
    (folder / "imported_module.py").unlink()

    assert get_root_path("imported_module") == str(folder)


def test_a_made_up_name_lies_in_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert get_root_path("no_such_module") == str(tmp_path)
    assert get_root_path("no_such_package.module") == str(tmp_path)


def test_a_script_that_is_run_lies_in_its_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules["__main__"], "__file__", str(tmp_path / "run.py"), raising=False)

    assert get_root_path("__main__") == str(tmp_path)


@pytest.mark.parametrize("name", ["sys", "namespace_without_file"])
def test_a_module_without_a_file_needs_a_given_path(folder, name):
    (folder / "namespace_without_file").mkdir()
    __import__(name)

    with pytest.raises(RuntimeError) as caught:
        get_root_path(name)

    assert str(caught.value) == (
        f"The module '{name}' has no single folder: it is a namespace package, or its import hook does not report a"
        " file. Set the folder of its templates and files by 'root_path='."
    )


def test_a_package_beside_the_program_is_not_installed(folder):
    package = folder / "local_package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "inner.py").write_text("")

    assert find_package("local_package") == (None, str(folder))
    assert find_package("local_package.inner") == (None, str(folder))


def test_a_package_that_is_not_found_counts_as_one_in_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert find_package("no_such_package") == (None, str(tmp_path))


def test_below_the_prefix_everything_is_installed(folder, monkeypatch):
    (folder / "prefixed_module.py").write_text("")
    monkeypatch.setattr(sys, "prefix", str(folder))

    assert find_package("prefixed_module") == (str(folder), str(folder))


@pytest.mark.parametrize(
    ("site_packages", "prefix"),
    [
        ("env/lib/python3.11/site-packages", "env"),
        ("env/Lib/site-packages", "env"),
        ("somewhere/site-packages", "somewhere"),
    ],
)
def test_site_packages_outside_of_the_prefix_has_a_prefix_of_its_own(
    tmp_path, monkeypatch, folder, site_packages, prefix
):
    home = tmp_path / site_packages
    home.mkdir(parents=True)
    (home / "site_module.py").write_text("")
    monkeypatch.syspath_prepend(home)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "another_environment"))

    assert find_package("site_module") == (str(tmp_path / prefix), str(home))


def test_each_portion_of_a_namespace_package_has_a_place_of_its_own(tmp_path, monkeypatch, folder):
    portions = {}
    for name in ("first", "second"):
        portions[name] = tmp_path / name
        package = portions[name] / "shared_namespace" / name
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("")
        monkeypatch.syspath_prepend(portions[name])

    assert find_package("shared_namespace.first") == (None, str(portions["first"]))
    assert find_package("shared_namespace.second") == (None, str(portions["second"]))
    nearest = Path(next(path for path in sys.path if os.path.basename(path) == "second"))
    assert find_package("shared_namespace") == (None, str(nearest))
    assert find_package("shared_namespace.missing") == (None, str(nearest))
