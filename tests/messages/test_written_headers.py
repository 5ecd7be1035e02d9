"""Attributes of a response that write headers: dates, durations, numbers and sets."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from costrel import Costrel, Response, abort, send_file
from costrel.app.application import Flask
from costrel.http.errors import ServiceUnavailable, TooManyRequests

EAST = timezone(timedelta(hours=2))
NEW_YEAR = "Wed, 01 Jan 2020 00:00:00 GMT"

WRITTEN = [
    ("retry_after", timedelta(minutes=5), "300"),
    ("retry_after", timedelta(seconds=1.5), "1"),
    ("retry_after", 5, "5"),
    ("retry_after", 5.7, "5"),
    ("retry_after", date(2020, 1, 1), NEW_YEAR),
    ("retry_after", datetime(2020, 1, 1), NEW_YEAR),
    ("retry_after", datetime(2020, 1, 1, 2, tzinfo=EAST), NEW_YEAR),
    ("retry_after", NEW_YEAR, NEW_YEAR),
    ("retry_after", timedelta(seconds=-5), "0"),
    ("retry_after", None, None),
    ("age", timedelta(minutes=1), "60"),
    ("age", 5.7, "5"),
    ("age", None, None),
    ("access_control_max_age", timedelta(hours=1), "3600"),
    ("access_control_max_age", 60.0, "60"),
    ("access_control_max_age", -1, "-1"),
    ("access_control_max_age", None, None),
    ("content_length", 5, "5"),
    ("content_length", 5.0, "5"),
    ("content_length", None, None),
    ("content_type", None, None),
    ("location", None, None),
    ("access_control_allow_origin", None, None),
    ("last_modified", datetime(2020, 1, 1), NEW_YEAR),
    ("last_modified", datetime(2020, 1, 1, 2, tzinfo=EAST), NEW_YEAR),
    ("expires", date(2020, 1, 1), NEW_YEAR),
    ("date", 1577836800, NEW_YEAR),
    ("access_control_allow_methods", {"PUT", "GET", "DELETE"}, "DELETE, GET, PUT"),
    ("access_control_allow_headers", "X-A, X-B", "X-A, X-B"),
    ("access_control_allow_headers", ["X-B", "X-A"], "X-B, X-A"),
    ("access_control_expose_headers", None, None),
    ("vary", {"Cookie", "Accept"}, "Accept, Cookie"),
    ("allow", ["GET", "POST"], "GET, POST"),
    ("content_language", {"en", "de"}, "de, en"),
]


@pytest.mark.parametrize(("attribute", "value", "header"), WRITTEN)
def test_a_value_is_written_as_its_field_has_it(attribute, value, header):
    response = Response()
    setattr(response, attribute, value)
    assert response.headers.get(attribute.replace("_", "-")) == header


@pytest.mark.parametrize(("attribute", "value"), [
    ("age", -1),
    ("content_length", -1),
    ("content_length", 5.5),
])  # fmt: skip
def test_a_value_that_no_field_can_have_is_refused(attribute, value):
    with pytest.raises(ValueError, match=r"negative|a number of bytes"):
        setattr(Response(), attribute, value)


DIRECTIVES = ["max_age", "s_maxage", "stale_while_revalidate", "stale_if_error"]


@pytest.mark.parametrize("directive", DIRECTIVES)
def test_a_span_of_time_is_a_directive_in_seconds(directive):
    response = Response()
    setattr(response.cache_control, directive, timedelta(minutes=2))
    assert response.headers["Cache-Control"].endswith("=120")


def test_a_cookie_lives_for_whole_seconds():
    response = Response()
    response.set_cookie("a", "b", max_age=59.9)
    assert "; Max-Age=59;" in response.headers["Set-Cookie"]


def test_a_time_that_is_too_far_away_is_not_known():
    assert Response(headers={"Retry-After": "9" * 30}).retry_after is None


def test_what_is_written_is_read():
    response = Response()
    response.retry_after = timedelta(hours=1)
    moment = response.retry_after
    assert moment is not None
    assert timedelta(minutes=59) < moment - datetime.now(UTC) <= timedelta(hours=1)


@pytest.mark.parametrize("edge", ["wsgi", "asgi"])
@pytest.mark.parametrize("cls", [Costrel, Flask])
def test_errors_and_files_take_a_span_of_time(cls, edge, tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("x")
    app = cls("written")
    app.add_url_rule("/file", "file", lambda: send_file(path, max_age=timedelta(hours=1)))
    app.add_url_rule("/busy", "busy", lambda: abort(429, retry_after=timedelta(minutes=5)))

    @app.get("/down")
    def down():
        raise ServiceUnavailable(retry_after=timedelta(minutes=1))

    client = app.test_client(edge=edge)
    with client.get("/file") as answer:
        assert answer.headers["Cache-Control"] == "public, max-age=3600"
    assert client.get("/busy").headers["Retry-After"] == "300"
    assert client.get("/down").headers["Retry-After"] == "60"
    assert dict(TooManyRequests(retry_after=date(2020, 1, 1)).get_headers())["Retry-After"] == NEW_YEAR


def test_a_tag_is_set_once_whatever_was_set_before():
    response = Response("text")
    response.set_etag("first")
    response.set_etag("second", weak=True)
    response.headers["X-Own"] = "1"
    response.set_etag("third")
    assert response.headers.getlist("ETag") == ['"third"']
    assert response.headers.getlist("Content-Length") == ["4"]


@pytest.mark.parametrize("tag", ["a\nb", "a\rb", "a\x00b", "a\x7fb", 'a"b'])
def test_a_tag_that_no_field_may_have_is_refused(tag):
    response = Response("text")
    with pytest.raises(ValueError, match=r"must not contain|invalid etag"):
        response.set_etag(tag)
    assert response.get_etag() == (None, None)


def test_a_tag_outside_of_latin_1_is_no_answer():
    app = Flask(__name__)
    app.testing = False

    @app.get("/")
    def view():
        response = Response("text")
        response.set_etag("\u20ac")
        return response

    assert app.test_client().get("/").status_code == 500


def test_a_body_without_a_type_has_one_length():
    class Untyped(Response):
        default_mimetype = None

    response = Untyped(b"abc")
    response.set_data(b"abcd")
    response.set_etag("v1")
    response.data = b"abcde"
    assert list(response.headers) == [("Content-Length", "5"), ("ETag", '"v1"')]
