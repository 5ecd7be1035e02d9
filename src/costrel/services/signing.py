"""Signed cookie values in itsdangerous' timed, URL-safe format, with the keys derived once.

A value is ``payload.timestamp.signature``: the payload is the base64 of a text, or, after a dot, of the text
compressed, where that is shorter; the signature is an HMAC. Flask's sessions are written like this.
"""

from __future__ import annotations

import time
import typing as t
import zlib
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable
from functools import lru_cache

if t.TYPE_CHECKING:
    from itsdangerous import TimestampSigner, URLSafeTimedSerializer

INFLATED_LIMIT: t.Final = 4 * 1024 * 1024
"""How many bytes a payload may inflate to. What fits a cookie's 4,093 bytes cannot exceed it."""

_MOST_EXPANSION: t.Final = 1032
"""How many bytes deflate can make of one: 258 bytes of every two bits."""

_WINDOWS: t.Final = ((250, 9), (762, 10), (1786, 11), (3834, 12))
_TO_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_FROM_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))


class KeptSerializer:
    """Writes and reads the values of one URLSafeTimedSerializer, byte for byte as that does, only faster."""

    def __init__(self, reference: URLSafeTimedSerializer) -> None:
        self.serializer: t.Any = reference.serializer
        self.is_text = reference.is_text_serializer
        self.signer = t.cast("TimestampSigner", reference.make_signer(reference.salt))
        self._is_same = _compare_digest()
        # The newest key stands last in an itsdangerous signer. It signs; the others only read.
        self.macs = [
            Mac(self.signer.derive_key(key), self.signer.digest_method) for key in reversed(self.signer.secret_keys)
        ]

    def dumps(self, obj: t.Any) -> str:
        """The signed value for `obj`. Raises what its serializer raises for what it cannot write."""
        text = self.serializer.dumps(obj)
        signed = _packed(text.encode() if self.is_text else text) + _timestamp(int(time.time()))
        return (signed + b"." + self.macs[0].signature(signed)).decode("ascii")

    def loads(self, value: str, max_age: int) -> t.Any:
        """The object of a signed value that is at most `max_age` seconds old.

        Raises BadSignature for what is not signed, was changed or is too old, BadPayload for what is signed and yet
        unreadable.
        """
        payload = self._verified(value, max_age)
        try:
            text = _unpacked(payload) if payload.startswith(b".") else _decoded(payload)
            return self.serializer.loads(text.decode() if self.is_text else text)
        except Exception as error:
            from itsdangerous import BadPayload, BadSignature

            if isinstance(error, BadSignature):
                raise
            raise BadPayload("The session's cookie is signed, but cannot be read.", original_error=error) from error

    def _verified(self, value: str, max_age: int) -> bytes:
        signed, _, signature = value.encode().rpartition(b".")
        payload, _, stamp = signed.rpartition(b".")
        if payload:
            for mac in self.macs:
                if self._is_same(mac.signature(signed), signature):
                    if _is_young(stamp, max_age):
                        return payload
                    break
        # itsdangerous says what is wrong, and has the last word on what is written in an unusual way.
        try:
            return self.signer.unsign(value, max_age=max_age)
        except (ValueError, OverflowError, OSError) as error:
            from itsdangerous import BadSignature

            # It cannot say of what year the timestamp is.
            raise BadSignature("The session's cookie has a timestamp that is no time.") from error


def _compare_digest() -> Callable[[bytes, bytes], bool]:
    from hmac import compare_digest  # brings OpenSSL: 3 MiB

    return compare_digest


class Mac:
    """HMAC (RFC 2104 §2) with one key, whose two hashes are begun once."""

    # PERF: session. `hmac.new` takes several times as long, and the copy of its object twice as long.

    def __init__(self, key: bytes, digest_method: Callable[..., t.Any]) -> None:
        block_size = digest_method().block_size
        if len(key) > block_size:
            key = digest_method(key).digest()
        key = key.ljust(block_size, b"\0")
        self._inner = digest_method(key.translate(_INNER))
        self._outer = digest_method(key.translate(_OUTER))

    def signature(self, message: bytes) -> bytes:
        """The code for a message, as `_encoded` writes it."""
        inner = self._inner.copy()
        inner.update(message)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return b2a_base64(outer.digest(), newline=False).translate(_TO_URL_SAFE, b"=")


@lru_cache(maxsize=2)
def _timestamp(seconds: int) -> bytes:
    return b"." + _encoded(seconds.to_bytes((seconds.bit_length() + 7) // 8, "big"))


def _is_young(stamp: bytes, max_age: int) -> bool:
    try:
        return 0 <= int(time.time()) - int.from_bytes(_decoded(stamp), "big") <= max_age
    except ValueError:
        return False


def _encoded(data: bytes) -> bytes:
    return b2a_base64(data, newline=False).translate(_TO_URL_SAFE, b"=")


def _decoded(text: bytes) -> bytes:
    return a2b_base64(text.translate(_FROM_URL_SAFE) + b"==")  # padding beyond what is needed is ignored


def _packed(text: bytes) -> bytes:
    for length, window in _WINDOWS:
        if len(text) <= length:
            return _packed_small(text, window)
    return _shorter(text, zlib.compress(text))


def _packed_small(text: bytes, window: int) -> bytes:
    # PERF: session. zlib.compress gets and clears 256 KB for any text, which can take 50 µs. This window is large
    # enough for every distance within the text, so that the same matches are found.
    compressor = zlib.compressobj(wbits=-window, memLevel=7)
    body = compressor.compress(text) + compressor.flush()
    return _shorter(text, b"x\x9c" + body + zlib.adler32(text).to_bytes(4, "big"))


def _shorter(text: bytes, compressed: bytes) -> bytes:
    if len(compressed) < len(text) - 1:
        return b"." + _encoded(compressed)
    return _encoded(text)


def _unpacked(payload: bytes) -> bytes:
    if not payload.startswith(b"."):
        return _decoded(payload)
    compressed = _decoded(payload[1:])
    if len(compressed) * _MOST_EXPANSION <= INFLATED_LIMIT:
        return zlib.decompress(compressed)
    inflater = zlib.decompressobj()
    text = inflater.decompress(compressed, INFLATED_LIMIT)
    if not inflater.eof:
        from itsdangerous import BadSignature

        raise BadSignature(f"The session's cookie inflates to more than {INFLATED_LIMIT:,} bytes.")
    return text
