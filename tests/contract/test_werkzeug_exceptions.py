"""The tree of HTTP errors, beside Werkzeug's: the same classes, texts, pages and headers."""

from __future__ import annotations

import copy
import datetime as dt
import inspect
import pickle
import typing as t

import pytest
import werkzeug.datastructures
import werkzeug.exceptions
import werkzeug.http
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from costrel.http import errors
from costrel.http.authentication import WWWAuthenticate
from costrel.http.status import HTTP_STATUS_CODES

NAMES = [
    name
    for name, value in vars(werkzeug.exceptions).items()
    if inspect.isclass(value) and value.__module__ == "werkzeug.exceptions"
]
ERRORS = [name for name in NAMES if name != "Aborter"]

descriptions = st.none() | st.text(max_size=30) | st.sampled_from(["<b>\n&", "", Markup("<i>\n"), ["a", "b"], 5])


def picture(error: t.Any) -> t.Any:
    """All that an error says."""
    return (
        type(error).__name__,
        error.code,
        error.name,
        error.description,
        error.args,
        str(error),
        repr(error),
        error.get_description(),
        error.get_body(),
        outcome(error.get_headers),
        sorted(vars(error)),
    )


def outcome(call: t.Callable[..., t.Any], *args: t.Any, **kwargs: t.Any) -> t.Any:
    """What a call returns or raises, the errors of HTTP as their pictures."""
    try:
        result = call(*args, **kwargs)
    except Exception as error:
        result = error
    if hasattr(result, "get_body"):
        return picture(result)
    return (type(result), result.args) if isinstance(result, Exception) else result


def agree(name: str, *args: t.Any, **kwargs: t.Any) -> None:
    expected = outcome(getattr(werkzeug.exceptions, name), *args, **kwargs)
    assert expected == outcome(getattr(errors, name), *args, **kwargs)


def test_the_status_codes_are_the_same() -> None:
    assert list(werkzeug.http.HTTP_STATUS_CODES.items()) == list(HTTP_STATUS_CODES.items())


def test_each_code_has_the_same_class() -> None:
    expected = [(code, cls.__name__) for code, cls in werkzeug.exceptions.default_exceptions.items()]
    assert expected == [(code, cls.__name__) for code, cls in errors.default_exceptions.items()]


@pytest.mark.parametrize("name", NAMES)
def test_classes_have_the_same_bases_and_parameters(name: str) -> None:
    theirs, ours = getattr(werkzeug.exceptions, name), getattr(errors, name)
    assert [cls.__name__ for cls in theirs.__mro__] == [cls.__name__ for cls in ours.__mro__]
    for method in ["__init__", "__call__", "get_description", "get_body", "get_headers", "get_response"]:
        if hasattr(theirs, method):
            expected = inspect.signature(getattr(theirs, method)).parameters.values()
            actual = inspect.signature(getattr(ours, method)).parameters.values()
            assert [(p.name, p.kind, p.default) for p in expected] == [(p.name, p.kind, p.default) for p in actual]


@pytest.mark.parametrize("name", ERRORS)
def test_errors_without_arguments_say_the_same(name: str) -> None:
    agree(name)


@given(st.sampled_from(ERRORS), descriptions)
def test_descriptions_are_shown_alike(name: str, description: t.Any) -> None:
    agree(name, description=description)


@given(st.sampled_from(ERRORS), st.lists(st.none() | st.text(max_size=5) | st.integers(0), max_size=4))
def test_positional_arguments_mean_the_same(name: str, args: list[t.Any]) -> None:
    agree(name, *args)


@given(st.none() | st.lists(st.sampled_from(["GET", "POST", "ö"])) | st.sets(st.just("PUT")) | st.just("GET"))
def test_allowed_methods_are_named_alike(methods: t.Any) -> None:
    agree("MethodNotAllowed", methods)
    agree("MethodNotAllowed", valid_methods=methods)


@given(st.none() | st.integers(), st.sampled_from(["bytes", "", "é"]))
def test_ranges_name_the_length_alike(length: int | None, units: str) -> None:
    agree("RequestedRangeNotSatisfiable", length, units)


moments = st.none() | st.integers(0) | st.text(max_size=4)  # others are malformed at Werkzeug, but for datetimes
moments |= st.datetimes(dt.datetime(1, 1, 2), dt.datetime(9999, 12, 30))


@given(st.sampled_from(["TooManyRequests", "ServiceUnavailable", "_RetryAfter"]), moments)
def test_retry_after_is_told_alike(name: str, moment: t.Any) -> None:
    agree(name, retry_after=moment)


def test_challenges_are_sent_alike() -> None:
    for count in range(3):
        theirs = [werkzeug.datastructures.WWWAuthenticate("basic", {"realm": f"a {i}"}) for i in range(count)]
        ours = [WWWAuthenticate("basic", {"realm": f"a {i}"}) for i in range(count)]
        expected = werkzeug.exceptions.Unauthorized(www_authenticate=theirs).get_headers()
        assert expected == errors.Unauthorized(www_authenticate=ours).get_headers()
    one = werkzeug.exceptions.Unauthorized(www_authenticate=theirs[0])
    actual = errors.Unauthorized(www_authenticate=ours[0])
    assert one.get_headers() == actual.get_headers()
    assert isinstance(actual.www_authenticate, tuple)


@given(st.none() | st.text(max_size=4) | st.integers() | st.tuples(st.integers()), descriptions, st.booleans())
def test_missing_keys_are_told_alike(key: t.Any, description: t.Any, show: bool) -> None:
    pictures = []
    for module in (werkzeug.exceptions, errors):
        error = module.BadRequestKeyError(key, description)  # type: ignore[attr-defined]
        error.show_exception = show
        before = picture(error)
        error.description = "other"
        pictures.append((before, picture(error)))
    assert pictures[0] == pictures[1]


def test_one_handler_catches_a_missing_key_as_either_error() -> None:
    error = errors.BadRequestKeyError("k")
    assert isinstance(error, KeyError)
    assert isinstance(error, errors.BadRequest)
    assert errors.BadRequest.description == errors.BadRequestKeyError("x").description


@pytest.mark.parametrize("name", ERRORS)
def test_copies_say_the_same(name: str) -> None:
    for make in (copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))):
        expected = outcome(make, getattr(werkzeug.exceptions, name)("text"))
        assert expected == outcome(make, getattr(errors, name)("text"))


def short(found: t.Any) -> t.Any:
    """An outcome without the advice that Costrel adds to the message of a LookupError."""
    if found[0] is not LookupError:
        return found
    return LookupError, found[1][0].partition(":")[0]


codes = st.sampled_from([*werkzeug.exceptions.default_exceptions, 200, 999, "404", 404.0, None, True, (), [], 0])


@given(codes, st.lists(st.text(max_size=3), max_size=2), st.dictionaries(st.just("description"), st.text(max_size=3)))
def test_abort_raises_alike(code: t.Any, args: list[str], kwargs: dict[str, str]) -> None:
    assert short(outcome(werkzeug.exceptions.abort, code, *args, **kwargs)) == short(
        outcome(errors.abort, code, *args, **kwargs)
    )


@given(
    st.none() | st.dictionaries(st.integers(400, 410), st.sampled_from(ERRORS)),
    st.none() | st.dictionaries(st.integers(400, 410), st.sampled_from(ERRORS)),
    st.integers(399, 411),
)
def test_aborters_raise_alike(mapping: dict[int, str] | None, extra: dict[int, str] | None, code: int) -> None:
    outcomes = []
    for module in (werkzeug.exceptions, errors):
        tables = [
            None if table is None else {code: getattr(module, name) for code, name in table.items()}
            for table in (mapping, extra)
        ]
        aborter = module.Aborter(*tables)  # type: ignore[attr-defined]
        outcomes.append((sorted(aborter.mapping), short(outcome(aborter, code))))
    assert outcomes[0] == outcomes[1]


def test_overridden_parts_are_called_alike() -> None:
    calls: list[t.Any] = []

    def record(base: t.Any) -> t.Any:
        class Recorded(base):  # type: ignore[misc]
            code = 404

            def get_description(self, *args: t.Any, **kwargs: t.Any) -> str:
                calls.append(("description", args, kwargs))
                return "d"

            def get_headers(self, *args: t.Any, **kwargs: t.Any) -> list[tuple[str, str]]:
                calls.append(("headers", args, kwargs))
                return []

        return Recorded()

    environ: dict[str, t.Any] = {}
    record(werkzeug.exceptions.HTTPException).get_response(environ, {"s": 1})
    expected = list(calls)
    calls.clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(errors, "response_class", lambda *args: args)
        body, status, headers = record(errors.HTTPException).get_response(environ, {"s": 1})
    assert expected == calls
    assert (status, headers) == (404, [])
    assert body.endswith("\nd\n")
