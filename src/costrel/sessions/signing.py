"""Signed cookie values in itsdangerous' timed, URL-safe format, which Flask's sessions have. Keys are derived once.

A value is ``payload.timestamp.signature``. The payload is a text in base64 or, if that is shorter, a dot and the
compressed text in base64. The signature is an HMAC.
"""

from __future__ import annotations

import time
import typing as t
import zlib
from binascii import a2b_base64, b2a_base64
from functools import lru_cache

if t.TYPE_CHECKING:
    from itsdangerous import TimestampSigner, URLSafeTimedSerializer

INFLATED_LIMIT: t.Final = 4 * 1024 * 1024
"""The maximum size of a decompressed payload in bytes. A payload in a cookie of 4,093 bytes cannot exceed it."""

_MAX_EXPANSION: t.Final = 1032
"""The maximum compression ratio of deflate: two bits can stand for 258 bytes."""

_INCOMPRESSIBLE: t.Final = 27
_MOST_REPEATED: t.Final = 10
"""A text up to this length, in which at most this many bytes repeat others, never becomes shorter by compression.

With `n` bytes, `k` of them different, deflate writes at least `k` literals. A block with fixed codes takes 10 bits, 8
for each literal and, if the other bytes are matches, 12 for the first. A block with codes of its own (RFC 1951 §3.2.7)
takes at least 17 bits for its counts, 36 for the lengths of the length codes (a tree with fewer than 32 leaves has one
at a depth of 4 or less), 16 for the values that are not used, and for the ``k + 1`` that are, one of them the end of
the block, half a bit each in the table and ``(k + 1) * log2(k + 1)`` bits in the text. zlib adds six bytes, and the
result is used if it is two bytes shorter than the text.
"""

_SETTINGS: t.Final = ((34, 9, 1), (250, 9, 8), (762, 10, 8), (1786, 11, 8), (3834, 12, 8))
"""Maximum length of the text, window size and memory level, with which zlib writes the same bytes as with its defaults.

The window is large enough for every distance within the text. The memory level determines which positions share a hash
chain, and zlib tries only the first 32 positions of a chain if it has a good match; in 34 bytes, no chain is longer.
"""

_KEPT: t.Final = 256
_MAX_KEPT: t.Final = 4096
"""The size of the cache of verified values, and the maximum length of a cached value.

A client repeats its session cookie in each request until the session is written. Payloads are cached compressed, since
a small one may inflate to megabytes.
"""

_DOT: t.Final = ord(".")
_TO_URL_SAFE: t.Final = bytes.maketrans(b"+/", b"-_")
_FROM_URL_SAFE: t.Final = bytes.maketrans(b"-_", b"+/")
_INNER: t.Final = bytes(byte ^ 0x36 for byte in range(256))
_OUTER: t.Final = bytes(byte ^ 0x5C for byte in range(256))


class Hash(t.Protocol):
    """The part of a `hashlib` hash object that an HMAC needs."""

    @property
    def block_size(self) -> int: ...
    def copy(self) -> t.Self: ...
    def digest(self) -> bytes: ...
    def update(self, data: bytes, /) -> None: ...


class DigestMethod(t.Protocol):
    """A constructor of `hashlib`."""

    def __call__(self, string: bytes = b"", /) -> Hash: ...


class TextSerializer(t.Protocol):
    """Converts an object to text or bytes and back."""

    def dumps(self, obj: t.Any, /) -> str | bytes: ...
    def loads(self, text: t.Any, /) -> object: ...


class ValueSerializer(t.Protocol):
    """Converts an object to a cookie value, and reads values up to a maximum age in seconds."""

    def dumps(self, obj: dict[str, t.Any], /) -> str | bytes: ...
    def loads(self, value: str, /, max_age: int) -> object: ...


class KeptSerializer:
    """Writes and reads the same values as a URLSafeTimedSerializer, but faster."""

    def __init__(self, reference: URLSafeTimedSerializer) -> None:
        from hmac import compare_digest  # imports OpenSSL, which takes 3 MiB

        self.serializer: TextSerializer = reference.serializer
        self.is_text = reference.is_text_serializer
        self.signer = t.cast("TimestampSigner", reference.make_signer(reference.salt))
        self._is_same = compare_digest
        self._kept = lru_cache(maxsize=_KEPT)(self._signed)
        # In an itsdangerous signer, the newest key is the last one. It signs; the others only verify.
        self.macs = [
            Mac(self.signer.derive_key(key), self.signer.digest_method) for key in reversed(self.signer.secret_keys)
        ]

    def dumps(self, obj: object) -> str:
        """Return the signed value for `obj`.

        :raises TypeError: if the serializer does not support `obj`. It may raise other errors.
        """
        text = self.serializer.dumps(obj)
        signed = _packed(text.encode() if isinstance(text, str) else text) + _timestamp(int(time.time()))
        return (signed + b"." + self.macs[0].signature(signed)).decode("ascii")

    def loads(self, value: str, max_age: int) -> object:
        """Return the object of a signed value that is at most `max_age` seconds old.

        :raises BadSignature: if the value is not signed, has been changed or is too old.
        :raises BadPayload: if the value is signed but cannot be read.
        """
        payload = self._verified(value, max_age)
        try:
            text = _unpacked(payload)
            return self.serializer.loads(text.decode() if self.is_text else text)
        except Exception as error:
            from itsdangerous import BadPayload, BadSignature

            if isinstance(error, BadSignature):
                raise
            raise BadPayload("The session cookie is signed but cannot be read.", original_error=error) from error

    def _verified(self, value: str, max_age: int) -> bytes:
        """Return the payload of a signed value, in padded base64."""
        try:
            payload, signed_at = self._kept(value) if len(value) <= _MAX_KEPT else self._signed(value)
            if 0 <= int(time.time()) - signed_at <= max_age:
                return payload
        except ValueError:
            pass
        # itsdangerous also reads unusually encoded values, and raises the appropriate error for invalid ones.
        try:
            return _padded(self.signer.unsign(value, max_age=max_age))
        except (ValueError, OverflowError, OSError) as error:
            from itsdangerous import BadSignature

            # itsdangerous fails to format the year of such a timestamp.
            raise BadSignature("The session cookie has an invalid timestamp.") from error

    def _signed(self, value: str) -> tuple[bytes, int]:
        """Return a value's payload and the time of its signature. Raises ValueError if it is not signed."""
        signed, _, signature = value.encode().rpartition(b".")
        payload, _, stamp = signed.rpartition(b".")
        if payload:
            for mac in self.macs:
                if self._is_same(mac.signature(signed), signature):
                    return _padded(payload), int.from_bytes(decode(stamp), "big")
        raise ValueError("The value is not signed.")


class Mac:
    """HMAC (RFC 2104 §2) with one key. The two hash states of the key are computed once.

    `hmac.new` would take several times as long, and `hmac.HMAC.copy` twice as long. PERF: session_read
    """

    def __init__(self, key: bytes, digest_method: DigestMethod) -> None:
        block_size = digest_method().block_size
        if len(key) > block_size:
            key = digest_method(key).digest()
        key = key.ljust(block_size, b"\0")
        self._inner = digest_method(key.translate(_INNER))
        self._outer = digest_method(key.translate(_OUTER))

    def signature(self, message: bytes) -> bytes:
        """Return the authentication code of a message in URL-safe base64."""
        inner = self._inner.copy()
        inner.update(message)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return encode(outer.digest())


def fragments(text: bytes) -> tuple[str, str, str]:
    """Return the base64 characters of `text` inside a longer text, for each of the three alignments.

    A payload that contains none of them does not contain `text`.
    """

    def at(offset: int) -> str:
        characters = encode(bytes(offset) + text).decode("ascii")
        return characters[-(-offset * 8 // 6) : (offset + len(text)) * 8 // 6]

    return at(0), at(1), at(2)


@lru_cache(maxsize=2)
def _timestamp(seconds: int) -> bytes:
    return b"." + encode(seconds.to_bytes((seconds.bit_length() + 7) // 8, "big"))


def encode(data: bytes) -> bytes:
    """Encode `data` as URL-safe base64 without padding."""
    return b2a_base64(data).rstrip(b"=\n").translate(_TO_URL_SAFE)


def decode(text: bytes) -> bytes:
    """Decode URL-safe base64 without padding.

    :raises ValueError: if the length is invalid.
    """
    return a2b_base64(_padded(text))


def _padded(text: bytes) -> bytes:
    """Convert URL-safe base64 to the standard alphabet, with padding. Excess padding is ignored."""
    return text.translate(_FROM_URL_SAFE) + b"=="


def _packed(text: bytes) -> bytes:
    size = len(text)
    if size <= _INCOMPRESSIBLE and size - len(set(text)) <= _MOST_REPEATED:
        return encode(text)
    compressed = _compressed(text)
    return b"." + encode(compressed) if len(compressed) < size - 1 else encode(text)


def _compressed(text: bytes) -> bytes:
    """Like `zlib.compress`, but without clearing 256 KB of memory for each text. PERF: session_write"""
    size = len(text)
    for length, window, memory in _SETTINGS:
        if size <= length:
            compressor = zlib.compressobj(wbits=-window, memLevel=memory)
            return b"x\x9c%b%b%b" % (
                compressor.compress(text),
                compressor.flush(),
                zlib.adler32(text).to_bytes(4, "big"),
            )
    return zlib.compress(text)


def _unpacked(payload: bytes) -> bytes:
    if payload[0] != _DOT:
        return a2b_base64(payload)
    compressed = a2b_base64(payload[1:])
    if len(compressed) * _MAX_EXPANSION <= INFLATED_LIMIT:
        return zlib.decompress(compressed)
    inflater = zlib.decompressobj()
    text = inflater.decompress(compressed, INFLATED_LIMIT)
    if not inflater.eof:
        from itsdangerous import BadSignature

        raise BadSignature(f"The session cookie inflates to more than {INFLATED_LIMIT:,} bytes.")
    return text
