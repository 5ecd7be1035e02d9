"""Which methods of a class have been replaced, and by whom."""

from unittest import mock

import pytest

from costrel.support.seams import Seams


class Base:
    def open(self) -> str:
        return "open"

    def close(self) -> str:
        return "close"

    @property
    def size(self) -> int:
        return 0


class Quiet(Base):
    pass


class Loud(Base):
    def close(self) -> str:
        return "CLOSE"


class Resized(Base):
    size = 3  # type: ignore[assignment]  # an attribute in place of a property


@pytest.fixture
def seams() -> Seams:
    return Seams(Base, "open", "close", "size")


def test_a_subclass_that_replaces_nothing_is_original(seams: Seams) -> None:
    assert seams.are_original(Quiet())
    assert seams.are_original_in(Quiet)
    assert seams.replaced(Quiet()) == frozenset()


def test_a_subclass_replaces_a_method_or_a_property(seams: Seams) -> None:
    assert not seams.are_original(Loud())
    assert seams.replaced_in(Loud) == {"close"}
    assert seams.replaced_in(Resized) == {"size"}


def test_an_instance_replaces_a_method(seams: Seams) -> None:
    base = Base()
    base.open = lambda: "mine"  # type: ignore[method-assign]  # what applications do
    assert not seams.are_original(base)
    assert seams.replaced(base) == {"open"}
    assert seams.are_original(Base())


def test_a_class_is_patched_while_it_is_used(seams: Seams) -> None:
    quiet = Quiet()
    with mock.patch.object(Base, "open", return_value="patched"):
        assert seams.replaced(quiet) == {"open"}
    with mock.patch.object(Quiet, "close", return_value="patched"):
        assert not seams.are_original(quiet)
    assert seams.are_original(quiet)


def test_the_names_can_be_listed_and_asked_for(seams: Seams) -> None:
    assert list(seams) == ["open", "close", "size"]
    assert "open" in seams
    assert "read" not in seams


def test_names_that_are_only_assigned() -> None:
    class Owner:
        def open(self) -> None: ...
        def close(self) -> None: ...

    seams = Seams(Owner, "open", "close", assigned_only=("mark",))

    assert "mark" in seams
    assert ["open", "close", "mark"] == list(seams)
    assert frozenset({"mark", "open"}) == seams.among(frozenset({"mark", "open", "other"}))
    assert frozenset({"mark"}) == seams.replaced_in(Owner, frozenset({"mark"}))
    changed = type("Changed", (Owner,), {"close": lambda self: None})
    assert frozenset({"mark", "close"}) == seams.replaced_in(changed, frozenset({"mark"}))
