"""The PIN that unlocks the consoles: new at each start, with a limit on wrong attempts, and remembered in a cookie."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import threading
import time
import typing as t

PIN_TIME: t.Final = 60 * 60 * 24 * 7
"""The seconds for which a browser may use the consoles after the PIN was entered."""

MAX_TRIES: t.Final = 10

SECRET_VARIABLE: t.Final = "COSTREL_DEBUG_START"  # noqa: S105 - a name
"""The environment variable that passes the secret to the serving process, so that a reload keeps the PIN."""

_PIN_VARIABLES = ("COSTREL_DEBUG_PIN", "WERKZEUG_DEBUG_PIN")
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
_GROUPS, _GROUP = 4, 4  # 31 ** 16: 79 bits

_lock = threading.Lock()
_secret: bytes | None = None


def start_secret() -> bytes:
    """The secret of this start: 32 random bytes, from the parent process or generated here."""
    global _secret
    with _lock:
        if _secret is None:
            inherited = os.environ.pop(SECRET_VARIABLE, "")
            _secret = bytes.fromhex(inherited) if len(inherited) == 64 else secrets.token_bytes(32)
        return _secret


def environment_for_child() -> dict[str, str]:
    """Environment variables for a child process, so that it shares the secret of this start."""
    return {SECRET_VARIABLE: start_secret().hex()}


def make_pin() -> str:
    """The PIN of this start: sixteen random letters and digits (79 bits)."""
    number = int.from_bytes(_keyed(b"pin"), "big")
    letters = []
    for _ in range(_GROUPS * _GROUP):
        number, index = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[index])
    text = "".join(letters)
    return "-".join(text[start : start + _GROUP] for start in range(0, len(text), _GROUP))


def chosen_pin() -> str | None:
    """The PIN from the environment: digits and hyphens, or "off" for no PIN. None if no variable is set."""
    for name in _PIN_VARIABLES:
        value = os.environ.get(name)
        if value == "off" or (value is not None and value.replace("-", "").isdecimal()):
            return value
    return None


def get_pin_and_cookie_name(app: object) -> tuple[str, str] | tuple[None, None]:
    """The PIN and the name of its cookie; both None if the environment turns the PIN off."""
    pin = chosen_pin()
    if pin == "off":
        return None, None
    return pin or make_pin(), f"__costrel_{_keyed(b'cookie').hex()[:16]}"


def get_machine_id() -> str | bytes | None:
    """Return None, since the PIN is not derived from the machine."""
    return None


def hash_pin(pin: str) -> str:
    """A digest of `pin`, keyed with the secret of this start."""
    return hmac.new(start_secret(), pin.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def _keyed(purpose: bytes) -> bytes:
    return hmac.new(start_secret(), b"costrel debugger " + purpose, hashlib.sha256).digest()


def is_same_pin(entered: str, pin: str) -> bool:
    """Whether the entered PIN is correct, regardless of hyphens and case. Compares in constant time."""
    left, right = (text.strip().replace("-", "").lower().encode() for text in (entered, pin))
    return hmac.compare_digest(left, right)


def make_ticket(pin: str) -> str:
    """The value of the cookie for a browser in which the PIN was entered."""
    now = int(time.time())
    return f"{now}|{hash_pin(f'{now}|{pin}')}"


def check_ticket(ticket: str, pin: str) -> bool:
    """Whether `make_ticket` made a cookie's value for this PIN, less than PIN_TIME ago."""
    stamp, _, digest = ticket.partition("|")
    if not stamp.isascii() or not stamp.isdecimal() or len(stamp) > 12:
        return False
    expected = hash_pin(f"{int(stamp)}|{pin}")
    return hmac.compare_digest(expected.encode(), digest.encode("utf-8", "replace")) and (
        0 <= time.time() - int(stamp) < PIN_TIME
    )


class Tries:
    """Counts wrong PINs in all threads. After MAX_TRIES, no PIN is accepted until the program restarts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left = MAX_TRIES

    @property
    def exhausted(self) -> bool:
        """Whether no PIN is accepted any more."""
        with self._lock:
            return self._left <= 0

    def take(self) -> bool:
        """Use up one attempt before the PIN is compared. Returns False if none is left."""
        with self._lock:
            if self._left <= 0:
                return False
            self._left -= 1
            return True

    def reset(self) -> None:
        """Allow all attempts again, after a correct PIN."""
        with self._lock:
            self._left = MAX_TRIES
