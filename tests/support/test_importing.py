"""Objects are found by the dotted name that a string gives."""

import os.path
import sys

import pytest

from costrel.support.importing import ImportStringError, find_modules, import_string


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package `pantry` with modules, packages and modules that fail."""
    files = {
        "__init__.py": "",
        "jam.py": "taste = 'sweet'",
        "broken.py": "import no_such_module",
        "failing.py": "raise RuntimeError('spoilt')",
        "shelf/__init__.py": "",
        "shelf/jar.py": "",
        "shelf/box/__init__.py": "",
        "shelf/box/lid.py": "",
    }
    for name, text in files.items():
        path = tmp_path / "pantry" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield tmp_path / "pantry"
    for name in set(sys.modules) - before:
        del sys.modules[name]


@pytest.mark.parametrize("name", ["os.path.join", "os.path:join", "os:path:join"])
def test_an_object_follows_a_dot_or_a_colon(name):
    assert import_string(name) is os.path.join


def test_a_module_is_imported(package):
    assert import_string("pantry.jam").taste == "sweet"
    assert import_string("pantry:jam").taste == "sweet"
    assert import_string("pantry.jam:taste") == "sweet"


def test_what_is_missing_can_be_none():
    assert import_string("no_such_module", silent=True) is None
    assert import_string("os.no_such_name", silent=True) is None


def test_the_error_says_how_far_the_name_leads(package):
    with pytest.raises(ImportStringError) as caught:
        import_string("pantry.shelf.cup")
    error = caught.value
    assert str(error) == (
        "import_string() failed for 'pantry.shelf.cup': ImportError: module 'pantry.shelf' has no attribute 'cup'\n\n"
        f"- 'pantry' was found in {str(package / '__init__.py')!r}.\n"
        f"- 'pantry.shelf' was found in {str(package / 'shelf' / '__init__.py')!r}.\n"
        "- 'pantry.shelf.cup' was not found.\n\n"
        "Check the spelling, that each directory of the name is a package in a directory on sys.path, and that no"
        " other module of the same name comes first there."
    )
    assert error.import_name == "pantry.shelf.cup"
    assert isinstance(error.exception, ImportError)
    assert repr(error) == f"<ImportStringError('pantry.shelf.cup', {error.exception!r})>"


def test_the_error_tells_of_what_the_module_itself_misses(package):
    with pytest.raises(ImportStringError, match="ModuleNotFoundError: No module named 'no_such_module'"):
        import_string("pantry.broken")


def test_a_name_without_dots_that_is_missing():
    with pytest.raises(ImportStringError, match=r"- 'no_such_module' was not found\."):
        import_string("no_such_module")


def test_modules_without_a_file_are_in_the_interpreter():
    with pytest.raises(ImportStringError, match="'sys' was found in 'the interpreter'"):
        import_string("sys.no_such_name")


def test_the_error_can_be_about_something_that_is_there():
    error = ImportStringError("os.path", ImportError("not now"))
    assert "not now" in str(error)
    assert "was not found" not in str(error)


def test_other_errors_come_through(package):
    with pytest.raises(RuntimeError, match="spoilt"):
        import_string("pantry.failing", silent=True)


def test_modules_of_a_package_are_found(package):
    assert list(find_modules("pantry")) == ["pantry.broken", "pantry.failing", "pantry.jam"]
    assert "pantry.jam" not in sys.modules


def test_packages_are_found_when_asked_for(package):
    assert list(find_modules("pantry", include_packages=True))[-1] == "pantry.shelf"
    assert list(find_modules("pantry.shelf", recursive=True)) == ["pantry.shelf.box.lid", "pantry.shelf.jar"]
    assert list(find_modules("pantry.shelf", True, True)) == [
        "pantry.shelf.box",
        "pantry.shelf.box.lid",
        "pantry.shelf.jar",
    ]


def test_a_module_holds_no_modules(package):
    with pytest.raises(ValueError) as error:
        list(find_modules("pantry.jam"))
    assert str(error.value) == ("'pantry.jam' is not a package: find_modules() looks for the modules inside of one.")
