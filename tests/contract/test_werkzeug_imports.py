"""Imports by string find the same objects as Werkzeug's, and cached properties keep the same values."""

import pytest
import werkzeug.utils
from hypothesis import given
from hypothesis import strategies as st

from costrel.legacy import cached_property
from costrel.support import importing, properties

words = st.sampled_from(["os", "path", "join", "json", "decoder", "no_such", "", "sys", "version_info", "é", "a b"])
names = st.lists(st.tuples(words, st.sampled_from([".", ":"])), min_size=1, max_size=4).map(
    lambda pairs: "".join(word + mark for word, mark in pairs)[:-1]
)


def outcome(call, *args, **kwargs):
    try:
        return call(*args, **kwargs)
    except Exception as error:
        return type(error).__name__, getattr(error, "import_name", None), type(getattr(error, "exception", None))


@given(names | st.text("osjn.:", max_size=8), st.booleans())
def test_imports(name, silent):
    if name.startswith((".", ":")):
        return  # the interpreter itself answers differently the second time
    theirs = outcome(werkzeug.utils.import_string, name, silent=silent)
    assert outcome(importing.import_string, name, silent=silent) == theirs


@pytest.mark.parametrize("include_packages", [True, False])
@pytest.mark.parametrize("recursive", [True, False])
@pytest.mark.parametrize("package", ["json", "importlib", "werkzeug"])
def test_modules_of_packages(package, include_packages, recursive):
    theirs = list(werkzeug.utils.find_modules(package, include_packages, recursive))
    assert list(importing.find_modules(package, include_packages, recursive)) == theirs


@given(st.lists(st.sampled_from(["get", "set", "delete"]), max_size=8), st.booleans())
def test_cached_properties(steps, slotted):
    def run(cached_property):
        calls = []
        namespace = {"__slots__": ("_cache_value",)} if slotted else {}
        cls = type("Example", (), namespace | {"value": cached_property(lambda self: len(calls))})
        if not slotted:  # a class made by type() and a lambda: Werkzeug goes by the function's name
            cls.value.__name__ = "value"
        example, seen = cls(), []
        for step in steps:
            calls.append(step)
            if step == "get":
                seen.append(example.value)
            elif step == "set":
                example.value = "assigned"
            else:
                try:
                    del example.value
                except (AttributeError, KeyError) as error:
                    seen.append(type(error))
        return seen

    def named(make):
        def decorate(fget):
            fget.__name__ = "value"
            return make(fget)

        return decorate

    expected = run(named(werkzeug.utils.cached_property))
    assert run(named(cached_property.cached_property)) == expected
    # Costrel's own is stored as an attribute: without a value, deleting it raises AttributeError.
    own = [KeyError if each is AttributeError else each for each in run(properties.cached_property)]
    assert own == expected
