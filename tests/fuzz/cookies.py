"""Targets: session cookies, forged by a client or signed with the key."""

from __future__ import annotations

import re
import time
import typing as t
from contextlib import suppress

from itsdangerous import BadData, BadPayload, BadSignature, URLSafeTimedSerializer

from costrel.sessions.interface import SecureCookieSessionInterface
from costrel.sessions.signing import KeptSerializer, _timestamp, encode
from costrel.sessions.stores.cookies import PREFIX, Box
from costrel.sessions.stores.cookies import _of_message as key_of_message
from costrel.sessions.tagged_json import TaggedJSONSerializer

KEY = "k" * 32
DAY = 86_400

_interface = SecureCookieSessionInterface()
_reference = URLSafeTimedSerializer(
    KEY,
    salt=_interface.salt,
    serializer=_interface.serializer,
    signer_kwargs={"key_derivation": "hmac", "digest_method": _interface.digest_method},
)
_kept = KeptSerializer(_reference)
_tagged = TaggedJSONSerializer()


def signed(data: bytes) -> None:
    """Compare with itsdangerous: the raw input, with a valid signature, and with a valid timestamp."""
    text = data.decode("latin-1")
    signature = _kept.macs[0].signature
    stamped = data + _timestamp(int(time.time()))
    for value in (text, *((body + b"." + signature(body)).decode("latin-1") for body in (data, stamped))):
        # What is no good base64 and was signed all the same may be read in more than one way.
        assert _outcome(_reference, value) in (_outcome(_kept, value), "BadPayload") or not _is_base64(text)


_is_base64 = re.compile(r"[A-Za-z0-9_.-]*").fullmatch


def _outcome(serializer: t.Any, value: str) -> str:
    try:
        return repr(serializer.loads(value, max_age=DAY))
    except BadData as error:
        return "BadPayload" if isinstance(error, BadPayload) else "BadSignature"
    except (ValueError, OverflowError, OSError):
        assert serializer is _reference  # which cannot say of what year the timestamp is
        return "BadSignature"


def encrypted(data: bytes) -> None:
    """Only values that were encrypted with the key are read, and only if they are sessions."""
    box = Box((KEY, "an old key"), "session")
    with suppress(BadSignature):
        box.loads(data.decode("latin-1"), DAY)
        raise AssertionError("a made-up value was opened")
    with suppress(BadSignature):
        box.loads(PREFIX + data.decode("latin-1"), DAY)
        raise AssertionError("a made-up value was opened")
    for text in (data, int(time.time()).to_bytes(8, "big") + data):
        salt, nonce = b"s" * 16, b"n" * 12
        sealed = box._cipher(key_of_message(box._keys[0], salt)).encrypt(nonce, text, box._context)
        with suppress(BadSignature):
            box.loads(PREFIX + encode(salt + nonce + sealed).decode("ascii"), DAY)


def tagged_json(data: bytes) -> None:
    """What can be read is written and read as the same again."""
    try:
        value = _tagged.loads(data.decode("utf-8", "replace"))
    except Exception:  # a cookie that is ours and cannot be read is no session, whatever is wrong with it
        return
    try:
        text = _tagged.dumps(value)
    except (ValueError, TypeError):  # of text that is no Unicode, or keys that are no text
        return
    assert text == _tagged.dumps(_tagged.loads(text))
