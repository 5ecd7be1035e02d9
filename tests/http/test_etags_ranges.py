"""Entity tags, ranges, and conditions with them."""

from datetime import datetime

import pytest

from costrel.http.conditional import is_resource_modified, remove_entity_headers, remove_hop_by_hop_headers
from costrel.http.etags import ETags, generate_etag, parse_etags, quote_etag, unquote_etag
from costrel.http.headers import Headers
from costrel.http.ranges import ContentRange, IfRange, Range, parse_content_range_header, parse_if_range_header


def test_a_list_of_tags_holds_strong_and_weak_ones():
    tags = parse_etags('"a", W/"b", "c,d", e')
    assert tags.as_set() == {"a", "c,d", "e"}
    assert tags.as_set(include_weak=True) == {"a", "b", "c,d", "e"}
    assert ("a" in tags, "b" in tags, tags.contains_weak("b")) == (True, False, True)
    assert (tags.contains_raw('W/"a"'), tags.contains_raw('"b"'), tags.contains_raw("")) == (True, False, False)
    assert sorted(tags) == ["a", "c,d", "e"]
    assert len(tags) == 3


def test_members_that_are_no_tags_are_left_out():
    assert parse_etags('"a" x, "b", c d, "e').as_set() == {"b"}


def test_the_star_stands_for_every_tag():
    tags = ETags.from_header("*")
    assert tags.contains("anything")
    assert str(tags) == "*"
    assert not tags.is_strong("anything")
    assert tags


def test_tags_are_called_with_a_tag_or_with_data():
    tags = ETags([generate_etag(b"x")], ["w"])
    assert tags(data=b"x")
    assert not tags("w")
    assert tags("w", include_weak=True)
    with pytest.raises(TypeError, match="a tag or with the data"):
        tags()


def test_a_tag_is_written_in_quotes():
    assert (quote_etag("a"), quote_etag("a", weak=True)) == ('"a"', 'W/"a"')
    assert (unquote_etag('W/"a"'), unquote_etag(None)) == (("a", True), (None, None))
    assert repr(ETags(["a"], ["b"])) == '<ETags \'"a", W/"b"\'>'
    with pytest.raises(ValueError, match="invalid etag"):
        quote_etag('a"b')


def test_one_range_tells_what_to_send():
    for header, expected in [("bytes=0-9", (0, 10)), ("bytes=90-", (90, 100)), ("bytes=-5", (95, 100))]:
        wanted = Range.from_header(header)
        assert wanted is not None
        assert wanted.range_for_length(100) == expected
        assert str(wanted) == header
    assert str(Range("bytes", [(0, 10)]).make_content_range(100)) == "bytes 0-9/100"
    assert Range("bytes", [(0, 10)]).to_content_range_header(5) == "bytes 0-4/5"


@pytest.mark.parametrize(
    "wanted", [Range("bytes", [(0, 1), (2, 3)]), Range("items", [(0, 1)]), Range("bytes", [(9, 10)])]
)
def test_several_ranges_other_units_and_what_lies_beyond_the_end_are_not_sent(wanted):
    assert wanted.range_for_length(5) is None
    assert wanted.make_content_range(5) is None
    assert wanted.to_content_range_header(5) is None


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "bytes",
        "bytes=5-2",
        "bytes=-0",
        "bytes=0-,0-,0-",
        "bytes=0-5,3-9",
        "bytes=\u0660-\u0665",
        "bytes=a-b",
        "bytes=1",
        "bytes=1-x",
    ],
)
def test_a_malformed_range_is_none(header):
    # SECURITY C11.
    assert Range.from_header(header) is None


def test_an_empty_range_cannot_be_made():
    with pytest.raises(ValueError, match=r"\(5, 5\) is not a valid range"):
        Range("bytes", [(5, 5)])
    assert repr(Range("bytes", [])) == "<Range 'bytes='>"


def test_if_range_is_a_tag_or_a_date():
    date = "Sun, 06 Nov 1994 08:49:37 GMT"
    assert [str(parse_if_range_header(value)) for value in ('"a"', date, None)] == ['"a"', date, ""]
    assert repr(IfRange("a")) == "<IfRange '\"a\"'>"


def test_a_content_range_reports_its_changes():
    seen = []
    content = ContentRange("bytes", 0, 10, 20, on_update=lambda changed: seen.append(str(changed)))
    content.length = None
    content.stop = 5
    content.unset()
    assert seen == ["bytes 0-9/20", "bytes 0-9/*", "bytes 0-4/*", ""]
    assert not content
    assert repr(content) == "<ContentRange ''>"
    assert ContentRange.units.attr == "_units"


def test_numbers_that_cannot_stand_together_are_refused():
    with pytest.raises(ValueError, match="Bad range: start=5, stop=1, length=None"):
        ContentRange("bytes", 5, 1)


@pytest.mark.parametrize(
    "header", [None, "bytes", "bytes 0-1", "bytes 5-1/9", "bytes 0-1/x", "bytes x-1/9", "bytes 9-9/5"]
)
def test_a_malformed_content_range_is_none(header):
    assert parse_content_range_header(header) is None


def test_a_content_range_of_unknown_extent():
    assert str(parse_content_range_header("bytes */20")) == "bytes */20"


SINCE = "Sun, 06 Nov 1994 08:49:37 GMT"


@pytest.mark.parametrize(
    ("request_headers", "expected"),
    [
        ({}, True),
        ({"http_if_none_match": '"x"'}, False),
        ({"http_if_none_match": 'W/"x"'}, False),
        ({"http_if_none_match": '"y"', "http_if_modified_since": SINCE}, True),
        ({"http_if_modified_since": SINCE}, False),
        ({"http_if_match": '"x"'}, True),
        ({"http_if_match": '"y"'}, False),
        ({"http_range": "bytes=0-1", "http_if_range": '"x"', "ignore_if_range": False}, False),
        ({"http_range": "bytes=0-1", "http_if_range": '"y"', "ignore_if_range": False}, True),
        ({"http_range": "bytes=0-1", "http_if_range": SINCE, "ignore_if_range": False}, False),
    ],
)
def test_conditions_decide_what_is_sent(request_headers, expected):
    moment = datetime(1994, 11, 6, 8, 49, 37, 500_000)
    assert is_resource_modified(**request_headers, etag="x", last_modified=moment) is expected


def test_a_tag_is_made_from_the_data_or_given_not_both():
    assert not is_resource_modified(http_if_none_match=quote_etag(generate_etag(b"x")), data=b"x")
    with pytest.raises(TypeError, match="both data and etag given"):
        is_resource_modified(data=b"x", etag="x")


def test_headers_of_a_body_or_a_connection_are_taken_out_in_place():
    headers = Headers([("Content-Type", "a"), ("Connection", "b"), ("Expires", "c"), ("X", "d")])
    remove_entity_headers(headers)
    remove_hop_by_hop_headers(headers)
    assert list(headers) == [("Expires", "c"), ("X", "d")]
