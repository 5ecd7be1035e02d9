"""Value objects: equality, hashing and representation by their attributes."""

from __future__ import annotations

import pytest

from costrel.support.values import Value


class Place(Value):
    def __init__(self, x: int, y: int) -> None:
        self.__dict__.update(x=x, y=y)


class OtherPlace(Place):
    pass


def test_values_of_one_class_are_compared_by_what_they_hold() -> None:
    assert Place(1, 2) == Place(1, 2)
    assert Place(1, 2) != Place(2, 1)
    assert Place(1, 2) != OtherPlace(1, 2)
    assert {Place(1, 2): "found"}[Place(1, 2)] == "found"


def test_it_says_what_it_holds() -> None:
    assert repr(Place(1, 2)) == "Place(x=1, y=2)"


def test_it_does_not_change() -> None:
    place = Place(1, 2)
    with pytest.raises(AttributeError, match="A Place is immutable, so its 'x' cannot be set: create another"):
        place.x = 3
    with pytest.raises(AttributeError):
        del place.x
    assert place == Place(1, 2)
