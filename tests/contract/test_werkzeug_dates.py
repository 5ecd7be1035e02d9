"""Dates and ages, read and written beside Werkzeug."""

from __future__ import annotations

import time
import typing as t
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
import werkzeug.http
from hypothesis import given
from hypothesis import strategies as st

from costrel.http import dates

zones = st.none() | st.just(UTC) | st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(timezones=zones) | st.dates()
seconds = st.integers(-(10**11), 10**12) | st.floats(-(10**11), 10**12) | st.sampled_from([float("nan"), float("inf")])


def outcome(call: t.Callable[..., t.Any], *args: t.Any) -> t.Any:
    try:
        return call(*args)
    except (ValueError, TypeError, OverflowError) as error:
        return type(error)


def zone_of(moment: t.Any) -> t.Any:
    return moment.utcoffset() if isinstance(moment, datetime) else None


def agree(name: str, *args: t.Any) -> None:
    expected = outcome(getattr(werkzeug.http, name), *args)
    actual = outcome(getattr(dates, name), *args)
    assert (expected, zone_of(expected)) == (actual, zone_of(actual)), (name, args)


@given(moments | seconds | st.booleans() | st.text(max_size=3))
def test_dates_are_written_alike(moment: t.Any) -> None:
    agree("http_date", moment)


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kolkata"])
def test_local_times_are_written_alike(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    for second in range(0, 2 * 10**9, 10**8):
        agree("http_date", time.localtime(second))
        agree("http_date", time.gmtime(second))
    monkeypatch.undo()
    time.tzset()


def test_now_is_written_alike() -> None:
    before = werkzeug.http.http_date()
    assert dates.http_date() in (before, werkzeug.http.http_date())


FORMATS = [
    "%a, %d %b %Y %H:%M:%S GMT",
    "%A, %d-%b-%y %H:%M:%S GMT",
    "%a %b %d %H:%M:%S %Y",
    "%d %b %Y %H:%M:%S",
    "%a, %d %b %Y %H:%M GMT",
    "%a, %d %b %Y %H:%M:%S %z",
    "%Y-%m-%dT%H:%M:%S",
    "%a, %d %b %y %H:%M:%S EST",
    "%a, %d %b %Y %H.%M.%S +0100",
]


@given(st.datetimes(timezones=zones), st.sampled_from(FORMATS))
def test_wellformed_dates_read_alike(moment: datetime, form: str) -> None:
    agree("parse_date", moment.strftime(form))


DATE_PARTS = ["Sun", ", ", " ", "06", "6", "31", "Nov", "Feb", "1994", "94", "0", "99999", "08:49:37", "24:00:00", ":"]
DATE_PARTS += ["GMT", "+0100", "-0000", "+99999", "EST", "-", ",", "(", ")", "٣", "Sun, 06 Nov 1994 08:49:37 GMT"]


@given(st.none() | st.lists(st.sampled_from(DATE_PARTS), max_size=9).map("".join) | st.text(max_size=30))
def test_malformed_dates_read_alike(text: str | None) -> None:
    agree("parse_date", text)


@given(st.none() | st.integers().map(str) | st.text("0123456789-+_ .e٣x", max_size=12) | st.text(max_size=5))
def test_ages_read_alike(text: str | None) -> None:
    agree("parse_age", text)


@given(st.none() | st.integers() | st.timedeltas() | st.floats() | st.text("0123456789x-", max_size=4))
def test_ages_are_written_alike(age: t.Any) -> None:
    agree("dump_age", age)


@given(st.dates() | st.datetimes(timezones=zones))
def test_what_is_written_reads_as_the_same_second(moment: date) -> None:
    expected = outcome(dates.datetime_as_utc, moment)
    if isinstance(expected, datetime) and expected.year >= 1000:
        assert expected.replace(microsecond=0) == dates.parse_date(dates.http_date(moment))
