"""Credentials and challenges, read, changed and written beside Werkzeug."""

from __future__ import annotations

import copy
import typing as t
from base64 import b64encode

import pytest
import werkzeug.datastructures
from hypothesis import given
from hypothesis import strategies as st

from costrel.http import authentication

PARTS = [
    "Basic ",
    "basic",
    "Bearer ",
    "Digest ",
    "Foo",
    " ",
    "=",
    "==",
    ",",
    '"',
    "a",
    "b=c",
    'realm="x y"',
    "\\",
    "\t",
]
PARTS += ["dXNlcjpwYXNz", "nonce=n", "qop=auth", "token", ";", "a*=utf-8''%41", "!", "\n", ".-_~+/"]
header_like = st.lists(st.sampled_from(PARTS), max_size=10).map("".join)
headers = st.none() | header_like | header_like.map("Digest {}".format) | st.text(max_size=15)
credentials = st.text("ab:é\n %", max_size=8)
names = st.sampled_from(["realm", "nonce", "qop", "algorithm", "domain", "opaque", "stale", "uri", "a", "a*"])
values = st.none() | st.text('ab "\\,=é', max_size=5)
parameters = st.none() | st.dictionaries(names, values, max_size=4)
schemes = st.sampled_from(["basic", "digest", "bearer", "foo", "Foo", "DIGEST", ""])


def is_beyond_werkzeug(value: str | None) -> bool:
    """Werkzeug fails, with a ValueError, on basic credentials that are no ASCII; they are None here."""
    return value is not None and value.lower().startswith("basic ") and not value.isascii()


def outcome(call: t.Callable[..., t.Any], *args: t.Any) -> t.Any:
    try:
        return call(*args)
    except (ValueError, TypeError, AttributeError) as error:
        return type(error)


def summary(value: t.Any) -> t.Any:
    if value is None:
        return None
    return value.type, dict(value.parameters), value.token, outcome(str, value), outcome(repr, value)


@given(headers)
def test_authorization_reads_and_prints_alike(value: str | None) -> None:
    actual = authentication.Authorization.from_header(value)
    if is_beyond_werkzeug(value):
        assert actual is None
    else:
        assert summary(werkzeug.datastructures.Authorization.from_header(value)) == summary(actual)


@given(credentials, st.sampled_from(["utf-8", "latin1"]), st.sampled_from(["Basic", "basic", "BASIC "]))
def test_basic_credentials_read_alike(text: str, charset: str, scheme: str) -> None:
    header = f"{scheme} {b64encode(text.encode(charset)).decode()}"
    expected = werkzeug.datastructures.Authorization.from_header(header)
    assert summary(expected) == summary(authentication.Authorization.from_header(header))


@given(schemes, parameters, st.none() | st.text("ab=", max_size=4))
def test_authorization_is_made_alike(scheme: str, data: t.Any, token: str | None) -> None:
    expected = werkzeug.datastructures.Authorization(scheme, data, token)
    actual = authentication.Authorization(scheme, data, token)
    assert summary(expected) == summary(actual)
    for name in ("realm", "a", "nonesuch"):
        assert getattr(expected, name) == getattr(actual, name)
        assert expected[name] == actual[name]
        assert expected.get(name, "default") == actual.get(name, "default")
        assert (name in expected) == (name in actual)


@given(headers)
def test_challenges_read_and_print_alike(value: str | None) -> None:
    expected = werkzeug.datastructures.WWWAuthenticate.from_header(value)
    assert summary(expected) == summary(authentication.WWWAuthenticate.from_header(value))


attributes = st.sampled_from(["realm", "qop", "a", "type", "token", "parameters"])
changes = st.lists(
    st.tuples(st.sampled_from(["setattr", "setitem"]), attributes, st.none() | st.just("v w"))
    | st.tuples(st.sampled_from(["delattr", "delitem", "pop"]), attributes),
    max_size=5,
)


def apply(challenge: t.Any, what: str, name: str, *value: t.Any) -> None:
    if what == "setattr":
        setattr(challenge, name, *value)
    elif what == "setitem":
        challenge[name] = value[0]
    elif what == "delattr":
        delattr(challenge, name)
    elif what == "delitem":
        del challenge[name]
    else:
        challenge.parameters.pop(name, None)


def history(cls: t.Any, scheme: str, data: t.Any, token: t.Any, changes: t.Any) -> list[t.Any]:
    challenge, reports = cls(scheme, data, token), []
    challenge._on_update = lambda changed: reports.append(str(changed))
    seen = [summary(challenge)]
    for change in changes:
        reports.clear()
        before = dict(challenge.parameters)
        apply(challenge, *change)
        seen.append(summary(challenge))
        # Werkzeug reports some changes twice, and some that were none.
        if before != dict(challenge.parameters):
            seen.append(reports[-1])
    return seen


@given(schemes, parameters, st.none() | st.text("ab=", max_size=4), changes)
def test_challenges_change_alike(scheme: str, data: t.Any, token: str | None, changes: t.Any) -> None:
    expected = history(werkzeug.datastructures.WWWAuthenticate, scheme, data, token, changes)
    assert expected == history(authentication.WWWAuthenticate, scheme, data, token, changes)


@given(schemes, schemes, parameters, parameters)
def test_equality_is_alike(scheme: str, other_scheme: str, data: t.Any, other_data: t.Any) -> None:
    for kind in ("Authorization", "WWWAuthenticate"):
        answers = []
        for module in (werkzeug.datastructures, authentication):
            cls = getattr(module, kind)
            value, other = cls(scheme, data), cls(other_scheme, other_data)
            answers.append((value == other, value != other, value == "x", value == cls(scheme, data)))
        assert answers[0] == answers[1], kind


@pytest.mark.parametrize("kind", ["Authorization", "WWWAuthenticate"])
def test_neither_can_be_hashed(kind: str) -> None:
    for module in (werkzeug.datastructures, authentication):
        with pytest.raises(TypeError, match="unhashable"):
            hash(getattr(module, kind)("basic"))


@pytest.mark.parametrize("kind", ["Authorization", "WWWAuthenticate"])
def test_copies_work_which_fail_in_werkzeug(kind: str) -> None:
    value = getattr(authentication, kind)("digest", {"realm": "x"})
    assert value == copy.copy(value) == copy.deepcopy(value)
    with pytest.raises(RecursionError):
        copy.copy(getattr(werkzeug.datastructures, kind)("digest", {"realm": "x"}))
