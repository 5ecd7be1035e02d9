"""The errors that handlers can be registered for, and the handler that is selected."""

import pytest

from costrel.app.error_handlers import class_and_code, find_handler
from costrel.http.errors import Forbidden, HTTPException, NotFound

RULE = "An error handler is for a class of exceptions, or for the code of an HTTP error."


def test_a_code_stands_for_its_error_class():
    assert class_and_code(404) == (NotFound, 404)


def test_an_http_error_class_has_a_code():
    assert class_and_code(Forbidden) == (Forbidden, 403)


def test_another_exception_has_none():
    assert class_and_code(ZeroDivisionError) == (ZeroDivisionError, None)


@pytest.mark.parametrize(
    ("subject", "error", "message"),
    [
        (
            999,
            ValueError,
            "There is no HTTP error with the code 999. Use a subclass of HTTPException that has it as its 'code'.",
        ),
        (int, ValueError, f"'int' is not a subclass of Exception. {RULE}"),
        (KeyboardInterrupt, ValueError, f"'KeyboardInterrupt' is not a subclass of Exception. {RULE}"),
        (ValueError("x"), TypeError, f"ValueError('x') is an instance, not a class. {RULE}"),
        ("404", TypeError, f"'404' is neither a class nor a number. {RULE}"),
        (None, TypeError, f"None is neither a class nor a number. {RULE}"),
    ],
)
def test_nothing_else_has_handlers(subject, error, message):
    with pytest.raises(error) as caught:
        class_and_code(subject)

    assert str(caught.value) == message


class Teapot(HTTPException):
    code = 418


class Kettle(Teapot):
    pass


def test_the_nearest_class_wins():
    handlers = {None: {None: {Exception: "any", ArithmeticError: "arithmetic"}}}

    assert find_handler(handlers, ZeroDivisionError, []) == "arithmetic"
    assert find_handler(handlers, KeyError, []) == "any"
    assert find_handler({None: {None: {KeyError: "key"}}}, ZeroDivisionError, []) is None


def test_an_inner_blueprint_wins_over_outer_ones():
    handlers = {
        None: {418: {Teapot: "application"}},
        "outer": {418: {Teapot: "outer"}},
        "outer.inner": {418: {Teapot: "inner"}},
    }

    assert find_handler(handlers, Teapot, ["outer.inner", "outer"]) == "inner"
    assert find_handler(handlers, Teapot, ["outer"]) == "outer"
    assert find_handler(handlers, Teapot, ["another"]) == "application"


def test_a_handler_for_the_code_wins_over_one_for_a_class_wherever_it_stands():
    handlers = {"blueprint": {None: {Exception: "any"}}, None: {418: {Teapot: "teapot"}}}

    assert find_handler(handlers, Kettle, ["blueprint"]) == "teapot"
    assert find_handler(handlers, Forbidden, ["blueprint"]) == "any"


def test_looking_for_a_handler_adds_no_entries():
    handlers = {}

    assert find_handler(handlers, Teapot, ["blueprint"]) is None
    assert handlers == {}
