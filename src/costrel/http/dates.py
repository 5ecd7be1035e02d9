"""Reads and writes the moments and spans of time in header fields (RFC 9110 §5.6.7, RFC 9111 §5.1)."""

from __future__ import annotations

import typing as t
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from math import floor
from time import mktime, struct_time, time

from ..support.patterns import LatePattern

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_TWO_DIGITS = [f"{number:02}" for number in range(60)]
_MONTH_NUMBERS = {name: number for number, name in enumerate(_MONTHS, 1)}

_match_imf_fixdate = LatePattern(
    rf"(?:{'|'.join(_DAYS)}), ([0-9]{{2}}) ({'|'.join(_MONTHS)}) ([1-9][0-9]{{3}})"
    r" ([0-9]{2}):([0-9]{2}):([0-9]{2}) GMT"
).fullmatch

_match_rfc850_date = LatePattern(
    rf"[MTWFS][a-z]{{2,5}}day, ([0-9]{{2}})-({'|'.join(_MONTHS)})-([0-9]{{2}})"
    r" ([0-9]{2}):([0-9]{2}):([0-9]{2}) GMT"
).fullmatch
_match_asctime_date = LatePattern(
    rf"(?:{'|'.join(_DAYS)}) ({'|'.join(_MONTHS)}) ([ 0-9][0-9])"
    r" ([0-9]{2}):([0-9]{2}):([0-9]{2}) ([1-9][0-9]{3})"
).fullmatch


def http_date(timestamp: datetime | date | int | float | struct_time | None = None) -> str:
    """Write a moment as an IMF-fixdate, `Sun, 06 Nov 1994 08:49:37 GMT`.

    :param timestamp: seconds since the epoch, a date (midnight UTC), a datetime (UTC if it has no zone), or a
        `struct_time` in local time. None is now.
    :raises ValueError: the year is not one of 1 to 9999.
    """
    if timestamp is None:
        return _date_of_second(int(time()))
    if isinstance(timestamp, date):
        return _imf_fixdate(datetime_as_utc(timestamp))
    if isinstance(timestamp, struct_time):
        timestamp = mktime(timestamp)
    seconds = floor(timestamp)
    if timestamp - seconds < _ROUNDED_UP:
        return _date_of_second(seconds)
    return _imf_fixdate(datetime.fromtimestamp(timestamp, UTC))


_ROUNDED_UP: t.Final = 0.999999
"""A part of a second above which `datetime`, which knows microseconds, may go to the next."""


@lru_cache(maxsize=1024)
def _date_of_second(seconds: int) -> str:
    # PERF: static. The current second and the times of files are formatted again and again.
    return _imf_fixdate(datetime.fromtimestamp(seconds, UTC))


def _imf_fixdate(moment: datetime) -> str:
    return (
        f"{_DAYS[moment.weekday()]}, {_TWO_DIGITS[moment.day]} {_MONTHS[moment.month - 1]} {moment.year:04}"
        f" {_TWO_DIGITS[moment.hour]}:{_TWO_DIGITS[moment.minute]}:{_TWO_DIGITS[moment.second]} GMT"
    )


@t.overload
def datetime_as_utc(moment: None) -> None: ...
@t.overload
def datetime_as_utc(moment: date) -> datetime: ...
def datetime_as_utc(moment: date | None) -> datetime | None:
    """Turn a date or datetime into a datetime in UTC; one without a zone is taken to be UTC."""
    if moment is None:
        return None
    if not isinstance(moment, datetime):
        return datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def parse_date(value: str | None) -> datetime | None:
    """Read a date in any form that RFC 9110 §5.6.7 or RFC 5322 §3.3 allows; None when it is none of them.

    The result always has a zone: the one in the text, or UTC.
    """
    if value is None:
        return None
    try:
        # PERF: not_modified. Nearly all senders use this format.
        if match := _match_imf_fixdate(value):
            day, month, year, hour, minute, second = match.groups()
            return datetime(int(year), _MONTH_NUMBERS[month], int(day), int(hour), int(minute), int(second), tzinfo=UTC)
        return _parse_other_date(value)
    except (TypeError, ValueError, OverflowError, IndexError):
        return None


def parse_http_date(value: str | None) -> datetime | None:
    """Read a date in one of the three forms of an HTTP-date (RFC 9110 §5.6.7), in UTC; None if it is none of them."""
    if value is None:
        return None
    try:
        if match := _match_imf_fixdate(value):
            day, month, year, hour, minute, second = match.groups()
        elif match := _match_rfc850_date(value):
            day, month, year, hour, minute, second = match.groups()
            year = str(_full_year(int(year)))
        elif match := _match_asctime_date(value):
            month, day, hour, minute, second, year = match.groups()
        else:
            return None
        return datetime(int(year), _MONTH_NUMBERS[month], int(day), int(hour), int(minute), int(second), tzinfo=UTC)
    except ValueError:
        return None


def _full_year(last_digits: int) -> int:
    """RFC 9110 §5.6.7: a year that seems more than 50 years ahead is the last past year with these digits."""
    this_year = datetime.now(UTC).year
    year = this_year - this_year % 100 + last_digits
    return year - 100 if year > this_year + 50 else year


def _parse_other_date(value: str) -> datetime:
    from email.utils import parsedate_to_datetime  # takes 6 ms to load, and is rarely needed

    moment = parsedate_to_datetime(value)
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    moment.astimezone(UTC)  # raises OverflowError in the first and last hours of the calendar
    return moment


def parse_age(value: str | None = None) -> timedelta | None:
    """Read a span in whole seconds; None when it is missing, negative, no number or too long for a timedelta."""
    if not value:
        return None
    try:
        seconds = int(value)
        return None if seconds < 0 else timedelta(seconds=seconds)
    except (ValueError, OverflowError):
        return None


def dump_age(age: timedelta | int | None = None) -> str | None:
    """Write a span in whole seconds.

    :raises ValueError: the span is negative.
    """
    if age is None:
        return None
    seconds = int(age.total_seconds()) if isinstance(age, timedelta) else int(age)
    if seconds < 0:
        raise ValueError("age cannot be negative")
    return str(seconds)


def whole_seconds(value: timedelta | float) -> int:
    """Return a duration, or a number of seconds, in whole seconds."""
    return int(value.total_seconds() if isinstance(value, timedelta) else value)


def dump_retry_after(value: date | timedelta | float | str) -> str:
    """Write a `Retry-After` (RFC 9110 §10.2.3) from a moment, a duration or a number of seconds; text stays as it is.

    A negative duration becomes 0.
    """
    if isinstance(value, date):
        return http_date(value)
    if isinstance(value, (timedelta, int, float)):
        return str(max(0, whole_seconds(value)))
    return str(value)
