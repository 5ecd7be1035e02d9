"""JSON: the same output as Flask to the byte, and the same values to the type."""

import datetime
import decimal
import json
import math
import uuid

import flask
import flask.json.tag
import markupsafe
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costrel.app.application import Flask
from costrel.sessions.tagged_json import TaggedJSONSerializer

THEIRS = flask.Flask("shop")
OURS = Flask("shop")

any_text = st.text(st.characters(exclude_categories=()), max_size=8)  # with lone surrogates
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    any_text,
    st.decimals(),
    st.uuids(),
    st.dates(),
    st.datetimes(datetime.datetime(1000, 1, 1)),
)
keys = st.one_of(any_text, st.integers(-3, 3), st.none(), st.booleans(), st.floats())


def nested(leaves, keys=any_text):
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=4),
            st.lists(inner, max_size=3).map(tuple),
            st.dictionaries(keys, inner, max_size=4),
        ),
        max_leaves=8,
    )


def outcome(call):
    try:
        return call()
    except Exception as error:
        return type(error), str(error)


@given(
    nested(leaves, keys),
    st.booleans(),
    st.booleans(),
    st.sampled_from(
        [{}, {"indent": 2}, {"separators": (",", ":")}, {"sort_keys": False}, {"indent": 1, "separators": (",", ":")}]
    ),
)
def test_dumps(value, ensure_ascii, sort_keys, arguments):
    for provider in (THEIRS.json, OURS.json):
        provider.ensure_ascii, provider.sort_keys = ensure_ascii, sort_keys
    theirs = outcome(lambda: THEIRS.json.dumps(value, **arguments))
    ours = outcome(lambda: OURS.json.dumps(value, **arguments))
    if theirs[0] is TypeError and "'<' not supported" in theirs[1]:  # keys of several types, which we sort as text
        assert normal(ours) == normal(THEIRS.json.dumps(value, sort_keys=False))
    else:
        assert ours == theirs


def normal(text):
    return json.dumps(json.loads(text), sort_keys=True)


@given(nested(leaves), st.booleans(), st.sampled_from([None, True, False]))
def test_response(value, debug, compact):
    answers = []
    for app in (THEIRS, OURS):
        app.debug, app.json.compact = debug, compact
        with app.app_context():
            answers.append(outcome(lambda: (r := app.json.response(value)) and (r.data, list(r.headers))))  # noqa: B023
    if answers[0][0] is UnicodeEncodeError:  # half of a surrogate pair, which we replace
        assert "\ufffd".encode() in answers[1][0]
    else:
        assert answers[1] == answers[0]


def same(mine, theirs):
    """Equal, of the same types, the signs of zeros and NaN included."""
    if type(mine) is not type(theirs):
        return False
    if isinstance(mine, dict):
        return list(mine) == list(theirs) and all(same(mine[key], theirs[key]) for key in mine)
    if isinstance(mine, list):
        return len(mine) == len(theirs) and all(map(same, mine, theirs))
    if isinstance(mine, float):
        return repr(mine) == repr(theirs)
    return mine == theirs


def reads_the_same(text):
    mine, theirs = outcome(lambda: OURS.json.loads(text)), outcome(lambda: THEIRS.json.loads(text))
    if not same(mine, theirs):
        assert mine == theirs


numbers = st.one_of(
    st.from_regex(r"\A-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,25})?([eE][-+]?[0-9]{1,3})?\Z", fullmatch=True),
    st.floats().map(json.dumps),
    st.integers().map(str),
    st.sampled_from(["-0", "-0.0", "0e0", "1E400", "-1e-400", "NaN", "-Infinity", "01", "1.", ".5", "+1", "1e", "--1"]),
)
documents = nested(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), any_text))
pieces = st.lists(
    st.one_of(
        numbers,
        st.sampled_from(
            [
                "{",
                "}",
                "[",
                "]",
                ",",
                ":",
                '"',
                '"a"',
                '"a":',
                "true",
                "null",
                " ",
                "\n",
                "\t",
                "\x0b",
                "\ufeff",
                "\x00",
            ]
        ),
        st.sampled_from(
            ['"\\u0041"', '"\\ud83d\\ude00"', '"\\ud83d"', '"\\x"', '"\\"', '"\x01"', '"\x7f"', '"é"', "'a'"]
        ),
    ),
    max_size=8,
).map("".join)


@given(numbers)
def test_numbers(text):
    reads_the_same(text)
    reads_the_same(f"[{text}]")


@given(documents, st.booleans(), st.sampled_from([None, 1]))
def test_documents(value, ensure_ascii, indent):
    text = json.dumps(value, ensure_ascii=ensure_ascii, indent=indent)
    reads_the_same(text)
    reads_the_same(text.encode("utf-8", "surrogatepass"))
    reads_the_same(bytearray(text.encode("utf-8", "surrogatepass")))


@given(documents, st.sampled_from(["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"]))
def test_encodings(value, encoding):
    reads_the_same(json.dumps(value, ensure_ascii=False).encode(encoding, "surrogatepass"))


@given(pieces)
def test_malformed_text(text):
    reads_the_same(text)
    reads_the_same(text.encode("utf-8", "surrogatepass"))


@given(st.binary(max_size=12))
def test_any_bytes(data):
    reads_the_same(data)
    reads_the_same(b'"' + data + b'"')


@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), st.integers()), max_size=5))
def test_repeated_keys(pairs):
    reads_the_same("{" + ",".join(f'"{key}":{value}' for key, value in pairs) + "}")


def test_digits_up_to_the_limit():
    for count in (19, 20, 309, 4299, 4300, 4301):
        reads_the_same("1" * count)
        reads_the_same("1" * count + ".5")
    assert math.isinf(OURS.json.loads("1" * 4000 + ".5"))


# -- tagged JSON

taggable = nested(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False),
        st.text(max_size=8),
        st.binary(max_size=8),
        st.uuids(),
        st.datetimes(datetime.datetime(1000, 1, 1), timezones=st.just(datetime.UTC)),
        st.text(max_size=4).map(markupsafe.Markup),
    ),
    st.one_of(st.text(max_size=3), st.sampled_from([" t", " di", " b", " m", " u", " d", " t__"])),
)


@given(taggable)
def test_tagged_text(value):
    theirs, mine = flask.json.tag.TaggedJSONSerializer(), TaggedJSONSerializer()
    text = theirs.dumps(value)
    assert mine.dumps(value) == text
    assert same_tagged(mine.loads(text), theirs.loads(text))
    with THEIRS.app_context(), OURS.app_context():
        assert mine.dumps(value) == theirs.dumps(value)


def same_tagged(mine, theirs):
    return repr(mine) == repr(theirs) and mine == theirs


tagged_text = st.recursive(
    st.sampled_from(
        ["1", '"x"', "null", '"YQ=="', '"!"', '"Wed, 01 Jan 2020 00:00:00 GMT"', f'"{uuid.UUID(int=5).hex}"']
    ),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from([" t", " di", " b", " m", " u", " z", "a", ""]), inner).map(
            lambda pair: f'{{"{pair[0]}":{pair[1]}}}'
        ),
        st.sampled_from(['{" d":"Wed, 01 Jan 2020 00:00:00 GMT"}', '{" d":"some day"}']),
        st.lists(inner, max_size=3).map(lambda items: f"[{','.join(items)}]"),
        st.lists(inner, min_size=2, max_size=2).map(lambda items: f'{{" t":{items[0]},"b":{items[1]}}}'),
    ),
    max_leaves=6,
)


@given(tagged_text)
def test_any_tagged_text(text):
    theirs, mine = flask.json.tag.TaggedJSONSerializer(), TaggedJSONSerializer()
    expected, found = outcome(lambda: theirs.loads(text)), outcome(lambda: mine.loads(text))
    assert repr(found) == repr(expected)


@pytest.mark.parametrize(
    "value", [{1}, object, decimal.Decimal("1.5"), datetime.date(2020, 1, 1), datetime.time(1), 1j]
)
def test_types_without_a_tag(value):
    theirs, mine = flask.json.tag.TaggedJSONSerializer(), TaggedJSONSerializer()
    assert outcome(lambda: mine.dumps(value)) == outcome(lambda: theirs.dumps(value))
    assert outcome(lambda: mine.dumps({"a": value})) == outcome(lambda: theirs.dumps({"a": value}))
