"""The header grammar, conditions and the rest of `werkzeug.http`, called beside Werkzeug's own."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime, timedelta, timezone

import pytest
import werkzeug.datastructures
import werkzeug.http
import werkzeug.sansio.http
import werkzeug.user_agent
from hypothesis import assume, given
from hypothesis import strategies as st

from costrel.compat.werkzeug.http import parse_set_header
from costrel.http import conditional, etags, grammar, policies, user_agent

FRAGMENTS = [
    *"ab=;,\"\\ \t*01'%2é",
    "utf-8''",
    "UTF-8'en'",
    "iso-8859-1''",
    "latin1''",
    "%22",
    "%41",
    "%e9",
    "a*0=",
    "a*1*=",
    "a*=",
    'b="',
    "; ",
    ", ",
]
header_like = st.lists(st.sampled_from(FRAGMENTS), max_size=14).map("".join)
headers = header_like | st.text(max_size=20)
tokens = st.text("abzAZ09!#$%&'*+-.^_`|~", min_size=1, max_size=6)
scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | tokens


def outcome(call: t.Callable[..., t.Any], *args: t.Any, **kwargs: t.Any) -> t.Any:
    """What a call returns, or the kind of error that it raises."""
    try:
        return call(*args, **kwargs)
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        return type(error)


def agree(ours: t.Any, theirs: t.Any, name: str, *args: t.Any, **kwargs: t.Any) -> None:
    expected = outcome(getattr(theirs, name), *args, **kwargs)
    actual = outcome(getattr(ours, name), *args, **kwargs)
    assert expected == actual, (name, args, kwargs)


@given(headers)
def test_lists_split_alike(value: str) -> None:
    agree(grammar, werkzeug.http, "parse_list_header", value)


@given(headers)
def test_dicts_read_alike(value: str) -> None:
    agree(grammar, werkzeug.http, "parse_dict_header", value)


@given(headers)
def test_options_read_alike(value: str) -> None:
    agree(grammar, werkzeug.http, "parse_options_header", value)


@given(
    tokens,
    st.lists(st.tuples(tokens, st.text("ab \"\\;,'%é", max_size=8))),
    st.sampled_from([";", "; ", " ; ", ";;"]),
)
def test_wellformed_options_read_alike(value: str, options: list[tuple[str, str]], separator: str) -> None:
    header = separator.join([value, *(f"{name}={werkzeug.http.quote_header_value(text)}" for name, text in options)])
    agree(grammar, werkzeug.http, "parse_options_header", header)


@given(headers)
def test_values_unquote_alike(value: str) -> None:
    agree(grammar, werkzeug.http, "unquote_header_value", value)


@given(scalars | headers, st.booleans())
def test_values_quote_alike(value: t.Any, allow_token: bool) -> None:
    agree(grammar, werkzeug.http, "quote_header_value", value, allow_token)


names = tokens | tokens.map("{}*".format)


@given(st.dictionaries(names, scalars, max_size=4) | st.lists(scalars, max_size=4))
def test_headers_are_written_alike(members: t.Any) -> None:
    agree(grammar, werkzeug.http, "dump_header", members)


@given(st.none() | headers, st.dictionaries(names, scalars, max_size=4))
def test_options_are_written_alike(header: str | None, options: dict[str, t.Any]) -> None:
    agree(grammar, werkzeug.http, "dump_options_header", header, options)


small = st.none() | st.integers(-3, 9)


@given(small, small, small)
def test_byte_ranges_are_judged_alike(start: int | None, stop: int | None, length: int | None) -> None:
    agree(grammar, werkzeug.http, "is_byte_range_valid", start, stop, length)


@given(st.binary(max_size=30))
def test_tags_are_generated_alike(data: bytes) -> None:
    agree(etags, werkzeug.http, "generate_etag", data)


HEADER_NAMES = [
    *conditional.ENTITY_HEADERS,
    *conditional.HOP_BY_HOP_HEADERS,
    "x",
    "Host",
    "CONTENT-TYPE",
    "Te",
    "set-cookie",
]
pairs = st.lists(st.tuples(st.sampled_from(HEADER_NAMES), st.just("v")), max_size=6)


@given(st.sampled_from(HEADER_NAMES) | st.text(max_size=10))
def test_headers_are_classified_alike(name: str) -> None:
    agree(conditional, werkzeug.http, "is_entity_header", name)
    agree(conditional, werkzeug.http, "is_hop_by_hop_header", name)


@given(pairs, st.lists(st.sampled_from(HEADER_NAMES), max_size=2))
def test_headers_are_removed_alike(headers: list[tuple[str, str]], allowed: list[str]) -> None:
    for call in ("remove_entity_headers", "remove_hop_by_hop_headers"):
        expected, actual = headers.copy(), headers.copy()
        getattr(werkzeug.http, call)(expected)
        getattr(conditional, call)(actual)
        assert expected == actual
    expected, actual = headers.copy(), headers.copy()
    werkzeug.http.remove_entity_headers(expected, allowed)
    conditional.remove_entity_headers(actual, allowed)
    assert expected == actual


DATES = ["Sun, 06 Nov 1994 08:49:36 GMT", "Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:38 GMT", "never"]
MOMENTS = [
    datetime(1994, 11, 6, 8, 49, 37),
    datetime(1994, 11, 6, 8, 49, 37, 5, tzinfo=UTC),
    datetime(1994, 11, 6, 9, 49, 37, tzinfo=timezone(timedelta(hours=1))),
    datetime(1994, 11, 6, 8, 49, 38),
]
conditions = st.none() | st.sampled_from(['"x"', 'W/"x"', '"y"', '"y", "x"', "", "x", 'W/"x", "y"'])
tag = st.none() | st.sampled_from(["x", '"x"', 'W/"x"', "y", "", "a,b"])


@given(
    http_range=st.none() | st.sampled_from(["", "bytes=0-1", "x"]),
    http_if_range=conditions | st.sampled_from(DATES),
    http_if_modified_since=st.none() | st.sampled_from(DATES),
    http_if_none_match=conditions,
    http_if_match=conditions,
    etag=tag,
    data=st.none() | st.just(b"x"),
    last_modified=st.none() | st.sampled_from([*DATES, *MOMENTS]),
    ignore_if_range=st.booleans(),
)
def test_conditions_are_decided_alike(**request: t.Any) -> None:
    """Apart from requests that Werkzeug does not answer as RFC 9110 §13 says."""
    if_match, if_none_match, etag = request["http_if_match"], request["http_if_none_match"], request["etag"]
    assume(not if_match)  # of the star, of weak tags, before the others
    assume(etag or request["data"] is not None or not if_none_match)  # the date does not count
    if_range = request["http_if_range"]
    if not request["ignore_if_range"] and request["http_range"] is not None and if_range is not None:
        # Only the same strong tag, or exactly the same date.
        assume(if_range in {'"x"', '"y"', "x"} and etag and not etag.startswith("W/"))
    agree(conditional, werkzeug.sansio.http, "is_resource_modified", **request)


@given(st.text(max_size=10))
def test_user_agents_are_alike(text: str) -> None:
    ours, theirs = user_agent.UserAgent(text), werkzeug.user_agent.UserAgent(text)
    assert vars(theirs) == vars(ours)
    assert (str(theirs), repr(theirs), bool(theirs), theirs.to_header()) == (
        str(ours),
        repr(ours),
        bool(ours),
        ours.to_header(),
    )


policy_like = st.lists(
    st.sampled_from(["default-src", "img-src", "'self'", "a b", ";", "; ", " ", "  ", "\t", "https://x"]), max_size=10
).map("".join)


@given(st.none() | policy_like | st.text(max_size=20))
def test_content_security_policies_read_and_print_alike(value: str | None) -> None:
    theirs, ours = werkzeug.http.parse_csp_header(value), policies.parse_csp_header(value)
    assert dict(theirs) == dict(ours)
    assert (str(theirs), repr(theirs), theirs.provided) == (str(ours), repr(ours), ours.provided)
    assert werkzeug.http.dump_csp_header(theirs) == policies.dump_csp_header(ours)


DIRECTIVES = sorted(
    name for name, member in vars(werkzeug.datastructures.ContentSecurityPolicy).items() if isinstance(member, property)
)


@pytest.mark.parametrize("directive", DIRECTIVES)
def test_every_directive_of_a_policy_is_a_property(directive: str) -> None:
    histories = []
    for cls in (werkzeug.datastructures.ContentSecurityPolicy, policies.ContentSecurityPolicy):
        history: list[t.Any] = []
        policy = cls({}, on_update=lambda policy, history=history: history.append(str(policy)))
        for value in ("'self'", "", None):
            setattr(policy, directive, value)
            history.append(getattr(policy, directive))
        setattr(policy, directive, "x")
        delattr(policy, directive)
        delattr(policy, directive)
        history.append(getattr(policy, directive))
        histories.append(history)
    assert histories[0] == histories[1]


def test_policies_for_opening_and_embedding_are_alike() -> None:
    for name in ("COOP", "COEP"):
        theirs, ours = getattr(werkzeug.http, name), getattr(policies, name)
        assert [(member.name, member.value) for member in theirs] == [(member.name, member.value) for member in ours]


@given(st.none() | st.text('aB,; "\\=é', max_size=12))
def test_sets_of_words_are_read_alike(value: str | None) -> None:
    wanted, found = werkzeug.http.parse_set_header(value), parse_set_header(value)
    assert (list(wanted), str(wanted), sorted(wanted.as_set())) == (list(found), str(found), sorted(found.as_set()))
