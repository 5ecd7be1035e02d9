"""A cached property runs its function once."""

import pytest

from costrel.support.properties import cached_property


class Report:
    runs = 0

    @cached_property
    def total(self):
        """The sum."""
        self.runs += 1
        return 10 * self.runs


def test_the_function_runs_once():
    report = Report()
    assert (report.total, report.total, report.runs) == (10, 10, 1)
    assert report.__dict__["total"] == 10


def test_the_value_can_be_assigned_and_deleted():
    report = Report()
    report.total = 7
    assert report.total == 7
    del report.total
    assert report.total == 10


def test_it_describes_itself():
    assert Report.total.__doc__ == "The sum."
    assert Report.total.__name__ == "total"
    assert Report.total.__module__ == __name__
    described = cached_property(lambda self: 1, name="n", doc="d")
    assert (described.__name__, described.__doc__) == ("n", "d")


def test_it_is_not_made_of_several_functions():
    with pytest.raises(TypeError) as error:
        Report.total.setter(print)
    assert str(error.value) == "The cached property 'total' takes no other functions: assign and delete its value."
    assert (Report.total.fget(Report()), Report.total.fset, Report.total.fdel) == (10, None, None)


def test_one_that_is_added_to_a_finished_class_runs_once_too():
    calls = []

    class Empty:
        pass

    Empty.late = cached_property(lambda self: calls.append("run"), name="other")
    empty = Empty()
    assert (empty.late, empty.late, calls) == (None, None, ["run"])


class Slotted:
    __slots__ = ("_cache_total", "runs")

    def __init__(self):
        self.runs = 0

    @cached_property
    def total(self):
        """The sum."""
        self.runs += 1
        return 10 * self.runs


def test_a_class_with_slots_keeps_the_value_in_one():
    report = Slotted()
    assert (report.total, report.total, report._cache_total) == (10, 10, 10)
    report.total = 7
    assert report.total == 7
    del report.total
    del report.total
    assert report.total == 20
    assert Slotted.total.__doc__ == "The sum."


def test_a_class_with_slots_needs_that_one():
    class Bare:
        __slots__ = ()

        @cached_property
        def total(self):
            return 1

    with pytest.raises(AttributeError, match="_cache_total"):
        Bare().total


def test_a_property_of_a_subclass_with_a_setter_is_not_called_when_the_value_is_stored():
    assigned = []

    class Base:
        @cached_property
        def value(self):
            return ["computed once"]

    class Own(Base):
        @property
        def value(self):
            return super().value

        @value.setter
        def value(self, value):
            assigned.append(value)

    own = Own()
    assert own.value is own.value
    assert assigned == []


def test_the_value_of_a_plain_class_is_stored_in_the_instance():
    class Plain:
        @cached_property
        def value(self):
            return "computed"

    plain = Plain()
    assert plain.value == "computed"
    assert vars(plain) == {"value": "computed"}
