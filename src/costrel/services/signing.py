"""Signed cookie values in itsdangerous' timed, URL-safe format, with the keys derived once.

A value is ``payload.timestamp.signature``: the payload is the base64 of a text, or, after a dot, of the text
compressed, where that is shorter; the signature is an HMAC. Flask's sessions are written like this.
"""

from __future__ import annotations

import hmac
import time
import typing as t
import zlib
from base64 import urlsafe_b64encode

from itsdangerous import BadPayload, BadSignature, URLSafeTimedSerializer
from itsdangerous.encoding import base64_decode

INFLATED_LIMIT: t.Final = 4 * 1024 * 1024
"""How many bytes a payload may inflate to. What fits a cookie's 4,093 bytes cannot exceed it: deflate expands by at
most 1,032 times."""

_WINDOWS: t.Final = ((250, 9), (762, 10), (1786, 11), (3834, 12))


class KeptSerializer:
    """Writes and reads the values of one URLSafeTimedSerializer, byte for byte as that does, only faster."""

    def __init__(self, reference: URLSafeTimedSerializer[str]) -> None:
        self.serializer: t.Any = reference.serializer
        self.is_text = reference.is_text_serializer
        self.signer = reference.make_signer(reference.salt)
        # The newest key stands last in an itsdangerous signer. It signs; the others only read.
        self.macs = [
            hmac.new(self.signer.derive_key(key), digestmod=self.signer.digest_method)
            for key in reversed(self.signer.secret_keys)
        ]

    def dumps(self, obj: t.Any) -> str:
        """The signed value for `obj`. Raises what its serializer raises for what it cannot write."""
        text = self.serializer.dumps(obj)
        signed = b"%b.%b" % (_packed(text.encode() if self.is_text else text), _timestamp(int(time.time())))
        return f"{signed.decode('ascii')}.{_signature(self.macs[0], signed)}"

    def loads(self, value: str, max_age: int) -> t.Any:
        """The object of a signed value that is at most `max_age` seconds old.

        Raises BadSignature for what is not signed, was changed or is too old, BadPayload for what is signed and yet
        unreadable.
        """
        payload = self._verified(value, max_age)
        try:
            text = _unpacked(payload)
            return self.serializer.loads(text.decode() if self.is_text else text)
        except BadSignature:
            raise
        except Exception as error:
            raise BadPayload("The session's cookie is signed, but cannot be read.", original_error=error) from error

    def _verified(self, value: str, max_age: int) -> bytes:
        signed, _, signature = value.encode().rpartition(b".")
        payload, _, stamp = signed.rpartition(b".")
        if payload:
            for mac in self.macs:
                if hmac.compare_digest(_signature(mac, signed).encode("ascii"), signature):
                    if 0 <= int(time.time()) - int.from_bytes(base64_decode(stamp), "big") <= max_age:
                        return payload
                    break
        # itsdangerous says what is wrong, and has the last word on what is written in an unusual way.
        return self.signer.unsign(value, max_age=max_age)  # type: ignore[return-value]  # bytes without a timestamp


def _signature(mac: hmac.HMAC, signed: bytes) -> str:
    mac = mac.copy()
    mac.update(signed)
    return _encoded(mac.digest()).decode("ascii")


def _timestamp(seconds: int) -> bytes:
    return _encoded(seconds.to_bytes((seconds.bit_length() + 7) // 8, "big"))


def _encoded(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")


def _packed(text: bytes) -> bytes:
    compressed = _deflated(text)
    if len(compressed) < len(text) - 1:
        return b"." + _encoded(compressed)
    return _encoded(text)


def _unpacked(payload: bytes) -> bytes:
    if not payload.startswith(b"."):
        return base64_decode(payload)
    inflater = zlib.decompressobj()
    text = inflater.decompress(base64_decode(payload[1:]), INFLATED_LIMIT)
    if not inflater.eof:
        raise BadSignature(f"The session's cookie inflates to more than {INFLATED_LIMIT:,} bytes.")
    return text


def _deflated(text: bytes) -> bytes:
    """``zlib.compress(text)``, with no more memory than the text needs."""
    # PERF: session. zlib.compress takes 50 µs for a short text, nearly all of it to get and clear 256 KB. The window
    # below is large enough for any distance within the text, so that the matches found are the same.
    for length, window in _WINDOWS:
        if len(text) <= length:
            compressor = zlib.compressobj(wbits=-window, memLevel=7)
            body = compressor.compress(text) + compressor.flush()
            return b"x\x9c" + body + zlib.adler32(text).to_bytes(4, "big")
    return zlib.compress(text)
