"""Entity tags and ranges: parsing, conditions and output are the same as in Werkzeug."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime

import werkzeug.datastructures
import werkzeug.http
from hypothesis import assume, given
from hypothesis import strategies as st

from costrel.http import etags, ranges


def outcome(call: t.Callable[..., t.Any], *args: t.Any, **kwargs: t.Any) -> t.Any:
    try:
        return call(*args, **kwargs)
    except (ValueError, TypeError, AttributeError) as error:
        return type(error)


TAG_PARTS = [*'ab"*W/w, \t;\\é', "W/", ", ", '"a"', 'W/"b"', '"a,b"', "\n", "\x0b"]
tag_lists = st.lists(st.sampled_from(TAG_PARTS), max_size=10).map("".join) | st.text(max_size=12)
tags = st.text('abW/" ,*', max_size=4)


def fields(tags: t.Any) -> t.Any:
    return set(tags._strong), set(tags._weak), tags.star_tag


@given(st.none() | tag_lists)
def test_tag_lists_read_alike(value: str | None) -> None:
    # An empty tag, which RFC 9110 §8.8.3 allows, is None among Werkzeug's.
    assume('""' not in (value or ""))
    assert fields(werkzeug.http.parse_etags(value)) == fields(etags.parse_etags(value))


def test_an_empty_tag_is_a_tag() -> None:
    assert {""} == etags.parse_etags('""').as_set()


@given(
    strong=st.none() | st.lists(tags, max_size=2),
    weak=st.none() | st.lists(tags, max_size=2),
    star=st.booleans(),
    tag=tags,
    other=st.none() | tags,
    data=st.none() | st.just(b"x"),
    include_weak=st.booleans(),
)
def test_tag_sets_answer_alike(
    strong: list[str] | None,
    weak: list[str] | None,
    star: bool,
    tag: str,
    other: str | None,
    data: bytes | None,
    include_weak: bool,
) -> None:
    expected, actual = werkzeug.datastructures.ETags(strong, weak, star), etags.ETags(strong, weak, star)
    for question in ("is_weak", "is_strong", "contains", "contains_weak", "contains_raw", "__contains__"):
        assert getattr(expected, question)(tag) == getattr(actual, question)(tag), question
    assert outcome(expected, other, data, include_weak) == outcome(actual, other, data, include_weak)
    assert (bool(expected), len(expected), set(expected)) == (bool(actual), len(actual), set(actual))
    assert expected.as_set(include_weak) == actual.as_set(include_weak)
    assert sorted(str(expected).split(", ")) == sorted(str(actual).split(", "))
    if len(expected.as_set(include_weak=True)) < 2:
        assert repr(expected) == repr(actual)


@given(st.none() | tags | tag_lists, st.booleans())
def test_single_tags_read_and_print_alike(value: str | None, weak: bool) -> None:
    assert werkzeug.http.unquote_etag(value) == etags.unquote_etag(value)
    if value is not None:
        assert outcome(werkzeug.http.quote_etag, value, weak) == outcome(etags.quote_etag, value, weak)


RANGE_PARTS = [
    *"0123456789-,= *",
    "bytes=",
    "bytes ",
    "-",
    "-",
    "/",
    ", ",
    "0-",
    "-5",
    "items",
    "٣",
    "+",
    "_",
    "\t",
    "Bytes",
]
range_like = st.lists(st.sampled_from(RANGE_PARTS), max_size=12).map("".join)
range_headers = st.none() | range_like | range_like.map("bytes={}".format) | st.text(max_size=12)
small = st.integers(-3, 12)
maybe_small = st.none() | small


def spans(value: t.Any, lengths: t.Iterable[int | None]) -> t.Any:
    if value is None or isinstance(value, type):
        return value
    answers = [
        (value.range_for_length(n), value.to_content_range_header(n), str(value.make_content_range(n))) for n in lengths
    ]
    return value.units, list(value.ranges), str(value), repr(value), answers


LENGTHS = [None, 10**15]  # of a shorter body, Werkzeug does not send a suffix that is longer


@given(range_headers, st.booleans())
def test_ranges_read_alike(value: str | None, inclusive: bool) -> None:
    expected = werkzeug.http.parse_range_header(value, inclusive)
    assert spans(expected, LENGTHS) == spans(ranges.parse_range_header(value, inclusive), LENGTHS)


specs = st.tuples(small, maybe_small).map(lambda pair: f"{pair[0]}-{'' if pair[1] is None else pair[1]}")


@given(st.lists(specs | small.map("-{}".format), min_size=1, max_size=3).map(",".join))
def test_wellformed_ranges_read_alike(specs: str) -> None:
    expected = werkzeug.http.parse_range_header(f"bytes={specs}")
    assert spans(expected, LENGTHS) == spans(ranges.parse_range_header(f"bytes={specs}"), LENGTHS)


@given(st.sampled_from(["bytes", "items"]), st.lists(st.tuples(maybe_small, maybe_small), max_size=2))
def test_ranges_are_made_alike(units: str, pairs: t.Any) -> None:
    expected = outcome(werkzeug.datastructures.Range, units, pairs)
    assert spans(expected, LENGTHS) == spans(outcome(ranges.Range, units, pairs), LENGTHS)


def content(value: t.Any) -> t.Any:
    if value is None:
        return None
    return value.units, value.start, value.stop, value.length, str(value), bool(value), repr(value)


content_like = st.tuples(maybe_small, maybe_small, maybe_small).map(lambda n: f"bytes {n[0]}-{n[1]}/{n[2]}")
starred = st.sampled_from(["bytes */5", "bytes */*", "bytes 0-1/*", "bytes 0-4/5", "bytes  0-4/5 ", "items 0-4/5"])


@given(range_headers | content_like | content_like.map(lambda text: text.replace("None", "*")) | starred)
def test_content_ranges_read_alike(value: str | None) -> None:
    expected = werkzeug.http.parse_content_range_header(value)
    assert content(expected) == content(ranges.parse_content_range_header(value))


numbers = st.integers(0, 6)
changes = st.lists(
    st.tuples(st.just("set"), st.sampled_from([(0, 1), (1, 5, 9), (None, None, 4), (0, 2, None, "items")]))
    # Werkzeug cannot print a start without a stop.
    | st.tuples(st.just("stop"), numbers)
    | st.tuples(st.just("length"), st.none() | numbers)
    | st.tuples(st.just("units"), st.sampled_from([None, "bytes", "items"]))
    | st.tuples(st.just("unset"), st.just(())),
    max_size=5,
)


def history(cls: t.Any, changes: t.Any) -> list[t.Any]:
    seen: list[t.Any] = []
    value = cls("bytes", 0, 10, 20, on_update=lambda changed: seen.append(content(changed)))
    for what, arguments in changes:
        if what in ("set", "unset"):
            getattr(value, what)(*arguments)
        else:
            setattr(value, what, arguments)
        seen.append(content(value))
    return seen


@given(changes)
def test_content_ranges_change_alike(changes: t.Any) -> None:
    assert history(werkzeug.datastructures.ContentRange, changes) == history(ranges.ContentRange, changes)


@given(maybe_small, maybe_small, maybe_small)
def test_content_ranges_refuse_the_same_numbers(start: t.Any, stop: t.Any, length: t.Any) -> None:
    def make(cls: t.Any) -> t.Any:
        try:
            return content(cls("bytes", start, stop, length))
        except (ValueError, AssertionError):  # Werkzeug asserts
            return "refused"

    assert make(werkzeug.datastructures.ContentRange) == make(ranges.ContentRange)


conditions = st.sampled_from(["Sun, 06 Nov 1994 08:49:37 GMT", '"x"', "*", "06 Nov 1994", ""])


@given(st.none() | conditions | tags | tag_lists)
def test_if_range_reads_alike(value: str | None) -> None:
    expected, actual = werkzeug.http.parse_if_range_header(value), ranges.parse_if_range_header(value)
    assert vars(expected) == vars(actual)
    assert (outcome(str, expected), outcome(repr, expected)) == (outcome(str, actual), outcome(repr, actual))


@given(st.none() | st.just("x"), st.none() | st.just(datetime(2020, 1, 1, tzinfo=UTC)))
def test_if_range_prints_alike(etag: str | None, date: datetime | None) -> None:
    assert str(werkzeug.datastructures.IfRange(etag, date)) == str(ranges.IfRange(etag, date))
