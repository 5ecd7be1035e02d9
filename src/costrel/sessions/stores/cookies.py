"""Sessions in encrypted cookies."""

from __future__ import annotations

import hmac
import secrets
import time
import typing as t
from collections.abc import Mapping
from functools import lru_cache

from itsdangerous import BadSignature, SignatureExpired

from ..cookie_sessions import CookieSessions
from ..interface import Key, SessionMixin, check_size, session_json_serializer
from ..signing import ValueSerializer, decode, encode
from . import moving

if t.TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    from ...context import AppContract

MISSING: t.Final = "SESSION_STORE = 'encrypted' requires the package cryptography: pip install 'costrel[crypto]'."

PREFIX: t.Final = "e1."
_SALT, _NONCE, _STAMP = 16, 12, 8


class EncryptedCookieSessions(CookieSessions):
    """Cookies that the client cannot read: AES-256-GCM with keys that are derived from the secret key.

    Cookies that Flask has signed are read if ``SESSION_MOVE_FROM`` contains "cookie".

    :raises RuntimeError: if cryptography is not installed.
    """

    def __init__(self) -> None:
        _aesgcm()

    def _session_of(self, app: AppContract, value: str, data: Mapping[str, t.Any]) -> SessionMixin:
        session = super()._session_of(app, value, data)
        if session and not value.startswith(PREFIX):
            session.modified = True  # so that it is sent again, encrypted
        return session

    def _kept_serializer(self, app: AppContract) -> ValueSerializer | None:
        key = app.secret_key
        if not key:
            return None
        check_size(app, key)
        keys = (key, *reversed(app.config["SECRET_KEY_FALLBACKS"] or ()))
        box = _box(keys, self.get_cookie_name(app))
        if "cookie" in moving.sources(app):
            signed = super()._kept_serializer(app)
            return box if signed is None else EitherFormat(box, signed)
        return box


class Box:
    """Writes and reads encrypted values. The first key encrypts; all keys decrypt.

    A value is ``e1.`` followed by salt, nonce and ciphertext in base64. Each value has its own AES key, an HMAC of the
    salt, since with random nonces one key must not encrypt more than 2**32 messages (NIST SP 800-38D §8.3). The
    plaintext starts with the time of writing; the cookie's name is authenticated too.
    """

    def __init__(self, secret_keys: tuple[Key, ...], name: str) -> None:
        from cryptography.exceptions import InvalidTag

        self._cipher, self._invalid = _aesgcm(), InvalidTag
        self._keys = [_derived(key) for key in secret_keys]
        self._context = f"{PREFIX}{name}".encode()

    def dumps(self, data: dict[str, t.Any]) -> str:
        """Return the encrypted value for `data`."""
        salt, nonce = secrets.token_bytes(_SALT), secrets.token_bytes(_NONCE)
        text = int(time.time()).to_bytes(_STAMP, "big") + session_json_serializer.dumps(data).encode()
        sealed = self._cipher(_of_message(self._keys[0], salt)).encrypt(nonce, text, self._context)
        return PREFIX + encode(salt + nonce + sealed).decode("ascii")

    def loads(self, value: str, max_age: int) -> object:
        """Return the data of a value that is at most `max_age` seconds old.

        :raises BadSignature: for any other value.
        """
        text = self._opened(value)
        if int(time.time()) - int.from_bytes(text[:_STAMP], "big") > max_age:
            raise SignatureExpired(f"The session cookie is older than {max_age} seconds.")
        try:
            return session_json_serializer.loads(text[_STAMP:].decode())
        except Exception as error:
            raise BadSignature("The session cookie was decrypted but cannot be read.") from error

    def _opened(self, value: str) -> bytes:
        if not value.startswith(PREFIX):
            raise BadSignature("The session cookie is not encrypted.")
        try:
            sealed = decode(value.removeprefix(PREFIX).encode("ascii"))
        except ValueError as error:
            raise BadSignature("The session cookie is not base64.") from error
        salt, nonce, box = sealed[:_SALT], sealed[_SALT : _SALT + _NONCE], sealed[_SALT + _NONCE :]
        if len(box) >= _STAMP:
            for key in self._keys:
                try:
                    return self._cipher(_of_message(key, salt)).decrypt(nonce, box, self._context)
                except self._invalid:
                    continue
        raise BadSignature("The session cookie was not encrypted with a key of this application.")


class EitherFormat:
    """Writes encrypted values, and reads encrypted and signed ones."""

    def __init__(self, box: Box, signed: ValueSerializer) -> None:
        self._box = box
        self._signed = signed

    def dumps(self, data: dict[str, t.Any]) -> str:
        return self._box.dumps(data)

    def loads(self, value: str, max_age: int) -> object:
        serializer: ValueSerializer = self._box if value.startswith(PREFIX) else self._signed
        return serializer.loads(value, max_age=max_age)


@lru_cache(maxsize=16)
def _box(secret_keys: tuple[Key, ...], name: str) -> Box:
    # Cached, since deriving the keys takes longer than encrypting.
    return Box(secret_keys, name)


def _derived(secret_key: Key) -> bytes:
    """Derive a key for this purpose with HKDF (RFC 5869). It reveals nothing about keys for other purposes."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    secret = secret_key.encode() if isinstance(secret_key, str) else secret_key
    return HKDF(SHA256(), 32, salt=b"costrel", info=b"encrypted session cookie").derive(secret)


def _of_message(key: bytes, salt: bytes) -> bytes:
    return hmac.digest(key, salt, "sha256")


def _aesgcm() -> type[AESGCM]:
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError:
        raise RuntimeError(MISSING) from None
    return AESGCM
