"""Cookies, read and written beside Werkzeug's own functions."""

from __future__ import annotations

import datetime as dt
import inspect
import time
import typing as t
import warnings

import pytest
import werkzeug.datastructures
import werkzeug.http
import werkzeug.sansio.http
from hypothesis import assume, given
from hypothesis import strategies as st

from costrel.http import cookies, multidict

FRAGMENTS = [
    *'ab=;,"\\ \té\n\r\x00\x7f',
    "a=",
    "b=",
    '="',
    '";',
    "; ",
    "\\012",
    "\\303\\244",
    "\\377",
    "\\400",
    '\\"',
    "\\\\",
    "\u1234",
    "\x0b",
    "\xa0",
]
cookie_like = st.lists(st.sampled_from(FRAGMENTS), max_size=25).map("".join)
texts = st.text(max_size=20) | st.text(st.characters(max_codepoint=255), max_size=20)
safe_texts = st.text("abzAZ09 -._~,%é☃", max_size=12)


def plain(value: t.Any) -> t.Any:
    if isinstance(value, (werkzeug.datastructures.MultiDict, multidict.MultiDict)):
        return list(value.items(multi=True))
    return value


def outcome(call: t.Callable[..., t.Any], *args: t.Any, **kwargs: t.Any) -> t.Any:
    """What a call returns and warns of, or the name of the error that it raises."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = plain(call(*args, **kwargs))
        except Exception as error:
            return "raised", type(error).__name__
    return result, [(warning.category, str(warning.message), warning.filename) for warning in caught]


@given(st.none() | cookie_like | texts)
def test_cookies_are_read_alike(header: str | None) -> None:
    """Costrel reads all cookies that Werkzeug reads, and values with spaces or quotes, which Werkzeug drops."""
    assume("\n" not in (header or ""))  # no server lets a line break into a field
    theirs, ours = plain(werkzeug.sansio.http.parse_cookie(header)), plain(cookies.parse_cookie(header))
    assert set(theirs) <= set(ours)
    if '"' not in (header or ""):  # a name whose first value only Costrel reads stands further in front
        found = iter(ours)
        assert all(pair in found for pair in theirs)
    assert dict(plain(cookies.parse_cookie(header))) == cookies.parse_cookie(header, dict)


@given(st.lists(st.tuples(st.text("ab", min_size=1), texts), max_size=4))
def test_what_is_written_is_read(pairs: list[tuple[str, str]]) -> None:
    header = "; ".join(cookies.dump_cookie(name, value, path=None, max_size=0) for name, value in pairs)
    expected = list(multidict.MultiDict(pairs).items(multi=True))
    assert expected == list(cookies.parse_cookie(header).items(multi=True))


# Werkzeug sends the controls from 0x1a to 0x1f as they are, which no header field may contain; here they are escaped.
all_but_late_controls = texts.map(lambda text: "".join(char for char in text if not "\x1a" <= char <= "\x1f"))


@given(st.text("ab-é☃ ,\"'/\\()", min_size=1, max_size=8), all_but_late_controls)
def test_values_are_written_alike(name: str, value: str) -> None:
    assert outcome(werkzeug.http.dump_cookie, name, value) == outcome(cookies.dump_cookie, name, value)


@given(st.none() | safe_texts | st.text("ab/%?#&=\"'<>\\^`{}|~!$()*+@:[]é☃ ", max_size=12))
def test_paths_are_written_alike(path: str | None) -> None:
    for given_path in (path, None if path is None else path.encode()):
        theirs = outcome(werkzeug.http.dump_cookie, "a", path=given_path)
        assert theirs == outcome(cookies.dump_cookie, "a", path=given_path)


hosts = st.lists(st.sampled_from(["a", ".", "ü", ":", "80", "-", "_", "xn--tda", "[", "A" * 64]), max_size=6).map(
    "".join
)


@given(st.none() | st.just(False) | hosts)
def test_domains_are_written_alike(domain: str | bool | None) -> None:
    assert outcome(werkzeug.http.dump_cookie, "a", domain=domain) == outcome(cookies.dump_cookie, "a", domain=domain)


moments = st.none() | st.text("Thu, 01:GMé-", max_size=8) | st.integers(0, 2**33) | st.floats(0, 2**33)
moments |= st.datetimes(dt.datetime(1970, 1, 2), timezones=st.none() | st.just(dt.UTC)) | st.dates(dt.date(1970, 1, 2))
ages = st.none() | st.integers(-(2**31), 2**31) | st.just("5") | st.booleans()
ages |= st.timedeltas(dt.timedelta(-(10**4)), dt.timedelta(10**4))
flags = st.sampled_from([True, False, None, 0, 1, "", "x"])


@given(
    age=ages,
    expires=moments,
    sync=st.booleans(),
    secure=flags,
    httponly=flags,
    samesite=st.sampled_from([None, "lax", "STRICT", "None", "other", "", 5]),
    partitioned=flags,
    max_size=st.sampled_from([4093, 0, 5, 60, -1]),
)
def test_attributes_are_written_alike(
    age: t.Any,
    expires: t.Any,
    sync: bool,
    secure: t.Any,
    httponly: t.Any,
    samesite: t.Any,
    partitioned: t.Any,
    max_size: int,
) -> None:
    args = ("name", "value", age, expires, "/", "a.com", secure, httponly, sync, max_size, samesite, partitioned)
    with pytest.MonkeyPatch.context() as patch:
        now = time.time()
        patch.setattr(time, "time", lambda: now)
        assert outcome(werkzeug.http.dump_cookie, *args) == outcome(cookies.dump_cookie, *args)


@pytest.mark.parametrize("size", [4000, 4082, 4083, 4084, 5000])
@pytest.mark.parametrize("char", ["a", "é", ";"])
def test_long_cookies_warn_alike(size: int, char: str) -> None:
    value = char * (size // len(cookies._quote(char)))
    assert outcome(werkzeug.http.dump_cookie, "a", value) == outcome(cookies.dump_cookie, "a", value)
    assert outcome(werkzeug.http.dump_cookie, "é", value) == outcome(cookies.dump_cookie, "é", value)


@pytest.mark.parametrize(
    "args", [(b"a", "b"), ("a", b"b"), ("a", 5), ("a", None), ("a", "\ud800"), (None, "b"), (5, "b")], ids=repr
)
def test_wrong_types_fail_alike(args: tuple[t.Any, ...]) -> None:
    assert outcome(werkzeug.http.dump_cookie, *args)[0] == outcome(cookies.dump_cookie, *args)[0] == "raised"


def test_functions_have_the_same_parameters() -> None:
    for theirs, ours in [
        (werkzeug.http.dump_cookie, cookies.dump_cookie),
        (werkzeug.sansio.http.parse_cookie, cookies.parse_cookie),
    ]:
        expected = inspect.signature(theirs).parameters.values()
        actual = inspect.signature(ours).parameters.values()
        assert [(p.name, p.kind, p.default) for p in expected] == [(p.name, p.kind, p.default) for p in actual]
