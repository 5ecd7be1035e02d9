"""Signed cookie values in itsdangerous' timed, URL-safe format, with the keys derived once.

A value is ``payload.timestamp.signature``. The payload is the base64 of a text, or a dot and the base64 of the
compressed text if that is shorter; the signature is an HMAC. Flask's sessions have this format.
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
"""How many bytes a payload may inflate to. A payload that fits into a cookie of 4,093 bytes cannot exceed it."""

_MOST_EXPANSION: t.Final = 1032
"""The highest expansion of deflate: two bits can stand for 258 bytes."""

_INCOMPRESSIBLE: t.Final = 27
_MOST_REPEATED: t.Final = 10
"""Up to this length, a text in which at most this many bytes repeat others is never shorter when it is compressed.

With `n` bytes, `k` of them different, deflate writes at least `k` literals. A block with fixed codes takes 10 bits, 8
for each literal and, if the other bytes are matches, 12 for the first. A block with codes of its own (RFC 1951 §3.2.7)
takes at least 17 bits for its counts, 36 for the lengths of the length codes (a tree with fewer than 32 leaves has one
at a depth of 4 or less), 16 for the values that are not used, and for the ``k + 1`` that are, one of them the end of
the block, half a bit each in the table and ``(k + 1) * log2(k + 1)`` bits in the text. zlib adds six bytes, and the
result is used if it is two bytes shorter than the text.
"""

_SETTINGS: t.Final = ((34, 9, 1), (250, 9, 8), (762, 10, 8), (1786, 11, 8), (3834, 12, 8))
"""Up to which length of the text which window and memory level give the same bytes as zlib's defaults.

The window is large enough for every distance within the text. The memory level decides which positions share a hash
chain, and zlib tries only the first 32 positions of a chain if it has a good match: no chain of 34 bytes is longer.
"""

_KEPT: t.Final = 256
_MAX_KEPT: t.Final = 4096
"""The number of verified values that are kept, and their maximum length.

A client repeats the cookie of its session in each request until the session is written. The payload is kept as it was
signed: it may be small, and inflate to megabytes.
"""

_DOT: t.Final = ord(".")
_TO_URL_SAFE: t.Final = bytes.maketrans(b"+/", b"-_")
_FROM_URL_SAFE: t.Final = bytes.maketrans(b"-_", b"+/")
_INNER: t.Final = bytes(byte ^ 0x36 for byte in range(256))
_OUTER: t.Final = bytes(byte ^ 0x5C for byte in range(256))


class Hash(t.Protocol):
    """A hash object of `hashlib`, as far as an HMAC needs it."""

    @property
    def block_size(self) -> int: ...
    def copy(self) -> t.Self: ...
    def digest(self) -> bytes: ...
    def update(self, data: bytes, /) -> None: ...


class DigestMethod(t.Protocol):
    """A constructor of `hashlib`."""

    def __call__(self, string: bytes = b"", /) -> Hash: ...


class TextSerializer(t.Protocol):
    """Writes an object as text or bytes, and reads it."""

    def dumps(self, obj: t.Any, /) -> str | bytes: ...
    def loads(self, text: t.Any, /) -> object: ...


class ValueSerializer(t.Protocol):
    """Writes an object as the value of a cookie, and reads values up to an age in seconds."""

    def dumps(self, obj: dict[str, t.Any], /) -> str | bytes: ...
    def loads(self, value: str, /, max_age: int) -> object: ...


class KeptSerializer:
    """Writes and reads the values of one URLSafeTimedSerializer: the same bytes in less time."""

    def __init__(self, reference: URLSafeTimedSerializer) -> None:
        from hmac import compare_digest  # loads OpenSSL: 3 MiB

        self.serializer: TextSerializer = reference.serializer
        self.is_text = reference.is_text_serializer
        self.signer = t.cast("TimestampSigner", reference.make_signer(reference.salt))
        self._is_same = compare_digest
        self._kept = lru_cache(maxsize=_KEPT)(self._signed)
        # The newest key stands last in an itsdangerous signer. It signs; the others only read.
        self.macs = [
            Mac(self.signer.derive_key(key), self.signer.digest_method) for key in reversed(self.signer.secret_keys)
        ]

    def dumps(self, obj: object) -> str:
        """Return the signed value for `obj`.

        :raises TypeError: or another error of the serializer, if it cannot write `obj`.
        """
        text = self.serializer.dumps(obj)
        signed = _packed(text.encode() if isinstance(text, str) else text) + _timestamp(int(time.time()))
        return (signed + b"." + self.macs[0].signature(signed)).decode("ascii")

    def loads(self, value: str, max_age: int) -> object:
        """Return the object of a signed value that is at most `max_age` seconds old.

        :raises BadSignature: if the value is not signed, was changed or is too old.
        :raises BadPayload: if it is signed and cannot be read.
        """
        payload = self._verified(value, max_age)
        try:
            text = _unpacked(payload)
            return self.serializer.loads(text.decode() if self.is_text else text)
        except Exception as error:
            from itsdangerous import BadPayload, BadSignature

            if isinstance(error, BadSignature):
                raise
            raise BadPayload("The session's cookie is signed, but cannot be read.", original_error=error) from error

    def _verified(self, value: str, max_age: int) -> bytes:
        """Return the payload of a signed value, in padded base64."""
        try:
            payload, signed_at = self._kept(value) if len(value) <= _MAX_KEPT else self._signed(value)
            if 0 <= int(time.time()) - signed_at <= max_age:
                return payload
        except ValueError:
            pass
        # itsdangerous reads values that are written in an unusual way, and has the error message for all others.
        try:
            return _padded(self.signer.unsign(value, max_age=max_age))
        except (ValueError, OverflowError, OSError) as error:
            from itsdangerous import BadSignature

            # itsdangerous fails to format the year of such a timestamp.
            raise BadSignature("The session's cookie has a timestamp that is no time.") from error

    def _signed(self, value: str) -> tuple[bytes, int]:
        """Return the payload of a value, and when it was signed. Raises ValueError if it was not."""
        signed, _, signature = value.encode().rpartition(b".")
        payload, _, stamp = signed.rpartition(b".")
        if payload:
            for mac in self.macs:
                if self._is_same(mac.signature(signed), signature):
                    return _padded(payload), int.from_bytes(decode(stamp), "big")
        raise ValueError("The value is not signed.")


class Mac:
    """HMAC (RFC 2104 §2) with one key: both hashes of the key are computed once.

    `hmac.new` takes several times as long, and `hmac.HMAC.copy` twice as long. PERF: session_read
    """

    def __init__(self, key: bytes, digest_method: DigestMethod) -> None:
        block_size = digest_method().block_size
        if len(key) > block_size:
            key = digest_method(key).digest()
        key = key.ljust(block_size, b"\0")
        self._inner = digest_method(key.translate(_INNER))
        self._outer = digest_method(key.translate(_OUTER))

    def signature(self, message: bytes) -> bytes:
        """Return the code for a message, in URL-safe base64."""
        inner = self._inner.copy()
        inner.update(message)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return encode(outer.digest())


def fragments(text: bytes) -> tuple[str, str, str]:
    """Return the base64 characters of `text` within a longer text, for each of the three alignments.

    A payload without any of them does not contain `text`.
    """

    def at(offset: int) -> str:
        characters = encode(bytes(offset) + text).decode("ascii")
        return characters[-(-offset * 8 // 6) : (offset + len(text)) * 8 // 6]

    return at(0), at(1), at(2)


@lru_cache(maxsize=2)
def _timestamp(seconds: int) -> bytes:
    return b"." + encode(seconds.to_bytes((seconds.bit_length() + 7) // 8, "big"))


def encode(data: bytes) -> bytes:
    """Return `data` in URL-safe base64 without padding."""
    return b2a_base64(data).rstrip(b"=\n").translate(_TO_URL_SAFE)


def decode(text: bytes) -> bytes:
    """Return the data of URL-safe base64.

    :raises ValueError: if the length is not possible.
    """
    return a2b_base64(_padded(text))


def _padded(text: bytes) -> bytes:
    """Return URL-safe base64 in the standard alphabet. More padding than needed is ignored."""
    return text.translate(_FROM_URL_SAFE) + b"=="


def _packed(text: bytes) -> bytes:
    size = len(text)
    if size <= _INCOMPRESSIBLE and size - len(set(text)) <= _MOST_REPEATED:
        return encode(text)
    compressed = _compressed(text)
    return b"." + encode(compressed) if len(compressed) < size - 1 else encode(text)


def _compressed(text: bytes) -> bytes:
    """Return the bytes of `zlib.compress`, which clears 256 KB of memory for each text. PERF: session_write"""
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
    if len(compressed) * _MOST_EXPANSION <= INFLATED_LIMIT:
        return zlib.decompress(compressed)
    inflater = zlib.decompressobj()
    text = inflater.decompress(compressed, INFLATED_LIMIT)
    if not inflater.eof:
        from itsdangerous import BadSignature

        raise BadSignature(f"The session's cookie inflates to more than {INFLATED_LIMIT:,} bytes.")
    return text
