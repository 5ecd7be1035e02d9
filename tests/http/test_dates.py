"""Dates and ages in header fields."""

import time
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from costrel.http import dates

MOMENT = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Sun, 06 Nov 1994 09:49:37 +0100",
    ],
)
def test_every_form_in_rfc_9110_reads_as_the_same_moment(text):
    assert dates.parse_date(text) == MOMENT


@pytest.mark.parametrize("text", [None, "", "soon", "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT"])
def test_what_is_no_date_is_none(text):
    assert dates.parse_date(text) is None


def test_a_date_is_written_in_utc():
    expected = "Sun, 06 Nov 1994 08:49:37 GMT"
    local = MOMENT.astimezone(timezone(timedelta(hours=5)))
    for moment in (MOMENT, local, MOMENT.replace(tzinfo=None), MOMENT.timestamp(), int(MOMENT.timestamp())):
        assert dates.http_date(moment) == expected
    assert dates.http_date(time.localtime(MOMENT.timestamp())) == expected
    assert dates.parse_date(dates.http_date()) <= datetime.now(UTC)
    assert dates.http_date(date(1994, 11, 6)) == "Sun, 06 Nov 1994 00:00:00 GMT"


def test_a_year_beyond_four_digits_cannot_be_written():
    with pytest.raises(ValueError, match="year 10000 is out of range"):
        dates.http_date(253402300800)


def test_what_has_no_date_stays_none_in_utc():
    assert dates.datetime_as_utc(None) is None


def test_ages_are_whole_seconds():
    assert dates.parse_age("90") == timedelta(seconds=90)
    assert [dates.parse_age(text) for text in (None, "", "-1", "x", "1.5", "9" * 30)] == [None] * 6
    assert [dates.dump_age(age) for age in (None, 0, timedelta(minutes=1.5))] == [None, "0", "90"]


def test_a_negative_age_cannot_be_written():
    with pytest.raises(ValueError, match="age cannot be negative"):
        dates.dump_age(-1)
