"""Signed cookie values, as itsdangerous writes them."""

import hashlib
import hmac
import json
import random
import string
import time
from base64 import urlsafe_b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import BadPayload, BadSignature, SignatureExpired, TimestampSigner, URLSafeTimedSerializer
from itsdangerous.encoding import base64_encode

from costrel.sessions import signing
from costrel.sessions.signing import KeptSerializer, Mac
from costrel.sessions.tagged_json import TaggedJSONSerializer

from ..shapes import assert_linear

NOW = 1_700_000_000


class Clock:
    """Stands in for the module `time` where the two read it."""

    def __init__(self, now=NOW):
        self.now = now

    def time(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(signing, "time", clock)
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda self: clock.now)
    return clock


def serializers(keys="secret", serializer=None, salt="cookie-session", derivation="hmac", digest=hashlib.sha1):
    reference = URLSafeTimedSerializer(
        keys,
        salt=salt,
        serializer=serializer or TaggedJSONSerializer(),
        signer_kwargs={"key_derivation": derivation, "digest_method": digest},
    )
    return reference, KeptSerializer(reference)


sessions = st.dictionaries(
    st.text(max_size=6),
    st.one_of(st.integers(), st.booleans(), st.text(max_size=60), st.lists(st.text("ab", max_size=30)), st.binary()),
    max_size=6,
)


@given(data=sessions, now=st.one_of(st.just(NOW), st.integers(1, 2**37)))
def test_the_same_value_as_itsdangerous_to_the_byte(data, now):
    clock = Clock(now)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(signing, "time", clock)
        patch.setattr(TimestampSigner, "get_timestamp", lambda self: clock.now)
        reference, kept = serializers()
        value = reference.dumps(data)
        assert kept.dumps(data) == value
        assert kept.loads(value, 10) == reference.loads(value, 10) == data


class Raw:
    """A serializer that writes a text as it is."""

    dumps = loads = staticmethod(str)


def assert_same_bytes(text):
    reference, kept = serializers(serializer=Raw())
    value = kept.dumps(text)
    assert value.rsplit(".", 2)[0] == reference.dumps(text).rsplit(".", 2)[0]
    assert kept.loads(value, 60) == reference.loads(value) == text


@given(st.text(max_size=300).map(lambda text: text * 40), st.integers(0, 5000))
def test_compressed_to_the_same_bytes(text, length):
    assert_same_bytes(text[:length])


@given(st.text("ab#", max_size=60), st.sampled_from(["", "abcabc", '{"user_id":1}']))
def test_so_are_short_texts_of_few_letters(text, other):
    assert_same_bytes(text + other)


@pytest.mark.parametrize("length", range(1, 29))
def test_no_short_text_of_different_letters_is_shorter(length):
    """These are not compressed, since zlib could not make them shorter."""
    choice = random.Random(length)
    for repeated in range(min(length, 12)):
        letters = choice.sample(string.printable, length - repeated)
        for again in (letters * 11, letters[:1] * 11, choice.choices(letters, k=11)):
            text = letters + again[:repeated]
            assert_same_bytes("".join(text))
            assert_same_bytes("".join(choice.sample(text, k=length)))


def test_so_is_a_text_whose_positions_share_hash_chains():
    """With another memory level, zlib finds other matches here."""
    assert_same_bytes("###s####\x19#########s####\x19######s###s######s####\x19######s###s################s#######ss")


@given(
    st.one_of(st.binary(), st.binary(min_size=65, max_size=200)),
    st.binary(max_size=200),
    st.sampled_from([hashlib.sha1, hashlib.sha256, hashlib.sha512]),
)
def test_the_code_is_hmac(key, message, digest):
    mac = Mac(key, digest)
    for _ in range(2):
        assert urlsafe_b64decode(mac.signature(message) + b"==") == hmac.digest(key, message, digest)


@pytest.mark.parametrize("derivation", ["hmac", "concat", "django-concat", "none"])
@pytest.mark.parametrize("digest", [hashlib.sha1, hashlib.sha512])
def test_any_derivation_and_digest(clock, derivation, digest):
    reference, kept = serializers(derivation=derivation, digest=digest)
    assert kept.dumps({"a": 1}) == reference.dumps({"a": 1})


def test_a_serializer_may_write_bytes(clock):
    class Bytes:
        def dumps(self, value):
            return json.dumps(value).encode()

        def loads(self, data):
            assert type(data) is bytes
            return json.loads(data)

    reference, kept = serializers(serializer=Bytes())
    assert kept.dumps([1]).encode() == reference.dumps([1])
    assert kept.loads(kept.dumps([1]), 10) == [1]


def test_the_newest_key_signs_and_the_older_ones_read(clock):
    _, old = serializers("old")
    _, both = serializers(["old", "new"])
    _, new = serializers("new")
    assert both.loads(old.dumps({"a": 1}), 10) == {"a": 1}
    assert new.loads(both.dumps({"a": 1}), 10) == {"a": 1}
    with pytest.raises(BadSignature):
        old.loads(both.dumps({"a": 1}), 10)


def test_salt_and_key_do_not_run_together(clock):
    _, one = serializers("ab", salt="c")
    _, other = serializers("a", salt="bc")
    with pytest.raises(BadSignature):
        other.loads(one.dumps({"a": 1}), 10)


class TestRefused:
    def test_every_changed_character(self, clock):
        _, kept = serializers()
        value = kept.dumps({"user": 1})
        # The last character of a signature carries two bits of its own only, which base64 lets differ.
        for index in range(len(value) - 1):
            changed = value[:index] + ("A" if value[index] != "A" else "B") + value[index + 1 :]
            with pytest.raises(BadSignature):
                kept.loads(changed, 10)

    @pytest.mark.parametrize("value", ["", ".", "..", "a", "a.b", "a.b.c", "é.é.é", ".a.b", "a..b", "\x00.\x00.\x00"])
    def test_what_is_no_value(self, clock, value):
        reference, kept = serializers()
        with pytest.raises(BadSignature) as expected:
            reference.loads(value, 10)
        with pytest.raises(BadSignature) as found:
            kept.loads(value, 10)
        assert (type(found.value), str(found.value)) == (type(expected.value), str(expected.value))

    def test_what_is_too_old_or_from_the_future(self, clock):
        _, kept = serializers()
        value = kept.dumps({"a": 1})
        clock.now = NOW + 10
        assert kept.loads(value, 10) == {"a": 1}
        clock.now = NOW + 11
        with pytest.raises(SignatureExpired, match="Signature age 11 > 10 seconds"):
            kept.loads(value, 10)
        clock.now = NOW - 1
        with pytest.raises(SignatureExpired):
            kept.loads(value, 10)

    def test_a_timestamp_that_is_none(self, clock):
        reference, kept = serializers()
        value = reference.make_signer(reference.salt).get_signature(b"e30.A")
        with pytest.raises(BadSignature, match="Malformed timestamp"):
            kept.loads(f"e30.A.{value.decode()}", 10)

    def test_what_inflates_without_end(self, clock):
        _, kept = serializers()
        huge = "a" * (signing.INFLATED_LIMIT + 100)
        value = kept.dumps(huge)
        assert len(value) < 10_000
        with pytest.raises(BadSignature, match=r"inflates to more than 4,194,304 bytes"):
            kept.loads(value, 10)

    def test_what_is_large_and_below_the_limit_is_read(self, clock):
        _, kept = serializers()
        large = "a" * (signing.INFLATED_LIMIT - 100)
        assert kept.loads(kept.dumps(large), 10) == large

    def test_a_signed_payload_that_is_none(self, clock):
        reference, kept = serializers()
        for payload in (b".AAAA", b"bm8ganNvbg", b"_"):
            value = reference.make_signer(reference.salt).sign(payload).decode()
            with pytest.raises(BadPayload):
                reference.loads(value, 10)
            with pytest.raises(BadPayload):
                kept.loads(value, 10)

    def test_a_timestamp_that_is_no_time(self, clock):
        reference, kept = serializers()
        for stamp in (b"awEzuQ.IHcDqA", b"_" * 20, b"AA"):
            signed = b"e30." + stamp
            value = reference.make_signer(reference.salt).get_signature(signed).decode()
            with pytest.raises(BadSignature):
                kept.loads(f"{signed.decode()}.{value}", 10)


class TestReadAgain:
    """A value that was verified once is not verified again."""

    def test_it_ends_all_the_same(self, clock):
        _, kept = serializers()
        value = kept.dumps({"a": 1})
        for now, age in ((NOW, 10), (NOW + 10, 10), (NOW, 0)):
            clock.now = now
            assert kept.loads(value, age) == {"a": 1}
        for now, age in ((NOW + 11, 10), (NOW - 1, 10), (NOW + 1, 0)):
            clock.now = now
            with pytest.raises(SignatureExpired):
                kept.loads(value, age)

    @pytest.mark.parametrize("text", ["short", "long" * 100])
    def test_each_time_as_an_object_of_its_own(self, clock, text):
        _, kept = serializers()
        value = kept.dumps({"a": [text]})
        kept.loads(value, 10)["a"].append("changed")
        assert kept.loads(value, 10) == {"a": [text]}

    def test_other_keys_and_other_values_have_no_part_in_it(self, clock):
        _, kept = serializers()
        _, other = serializers("other")
        value = kept.dumps({"a": 1})
        assert kept.loads(value, 10) == {"a": 1}
        with pytest.raises(BadSignature):
            other.loads(value, 10)
        for changed in (value[:-3] + "AAA", "A" + value[1:], value.upper()):
            with pytest.raises(BadSignature):
                kept.loads(changed, 10)

    def test_values_do_not_pile_up(self, clock):
        _, kept = serializers()
        for number in range(600):
            kept.loads(kept.dumps(number), 10)
            with pytest.raises(BadSignature):
                kept.loads(f"{number}.ZVPxAA.AAAA", 10)
        long = kept.dumps(random.Random(1).randbytes(5000).hex())
        before = kept._kept.cache_info()
        assert kept.loads(long, 10) == kept.loads(long, 10)
        assert (before.currsize, before.maxsize) == (256, 256)
        assert kept._kept.cache_info() == before


def test_a_value_that_is_written_in_an_unusual_way_is_read_as_itsdangerous_does(clock):
    reference, kept = serializers()
    value = kept.dumps({"a": 1})
    assert kept.loads(value + "=", 10) == reference.loads(value + "=", 10) == {"a": 1}


@pytest.mark.parametrize("size", [5, 8, 500])
def test_a_signed_value_of_no_time_is_no_session(clock, size):
    """Of a timestamp with so many bytes itsdangerous cannot say the year, which it puts into its error."""
    reference, kept = serializers()
    signed = reference.dump_payload({"a": 1}) + b"." + base64_encode(b"\xff" * size)
    value = signed + b"." + reference.make_signer("cookie-session").get_signature(signed)

    with pytest.raises(BadSignature):
        kept.loads(value.decode(), 10)


def test_without_a_standing_clock_it_reads_what_it_wrote():
    _, kept = serializers()
    assert kept.loads(kept.dumps({"now": int(time.time())}), 60)["now"] > NOW


def test_reading_takes_time_in_proportion(clock):
    _, kept = serializers()

    def read(values):
        for value in values * 20:
            with pytest.raises(BadSignature):
                kept.loads(value, 10)

    assert_linear(read, 40_000, lambda size: ["A" * size + ".ZVPxAA.AAAA", "." * size])
