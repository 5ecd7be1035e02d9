"""Functions that take an environ or two header fields, instead of the one field of Costrel's own types."""

import pytest

from costrel.compat import older_names
from costrel.http.header_set import HeaderSet


def test_cookies_are_read_from_an_environ():
    environ = {"HTTP_COOKIE": "name=\xc3\xa9; two=2"}

    assert older_names.parse_cookie(environ).to_dict() == {"name": "é", "two": "2"}
    assert older_names.parse_cookie("name=\xc3\xa9").to_dict() == {"name": "é"}
    assert older_names.parse_cookie({}).to_dict() == {}
    assert older_names.parse_cookie(None, dict) == {}


@pytest.mark.parametrize("header", ["a=\xff", "a=\u4e2d"])
def test_cookies_are_utf_8(header):
    with pytest.raises(UnicodeError):
        older_names.parse_cookie(header)


def test_a_set_header_is_read():
    seen = []
    found = older_names.parse_set_header("a, B", seen.append)
    found.add("c")

    assert (type(found), found.to_header(), seen) == (HeaderSet, "a, B, c", [found])


def test_conditions_are_read_from_an_environ():
    environ = {"HTTP_IF_NONE_MATCH": '"tag"'}

    assert older_names.is_resource_modified(environ, etag='"tag"') is False
    assert older_names.is_resource_modified(environ, etag='"other"') is True
    assert older_names.is_resource_modified(environ, data=b"body") is True


def test_a_length_is_read_from_two_fields():
    assert older_names.get_content_length("5") == 5
    assert older_names.get_content_length("5", "chunked") is None
    assert older_names.get_content_length() is None
