"""The Cookie field of a request, and the Set-Cookie field of a response (RFC 6265).

Values may hold any text: characters that a cookie cannot contain are written as octal escapes of their UTF-8 bytes in a
quoted string, as Python's `http.cookies` does, and read back. Reading takes time linear in the length of the field.
"""

from __future__ import annotations

import datetime as dt
import re
import time
import typing as t
import warnings
from functools import lru_cache
from urllib.parse import quote

from ..support.patterns import LatePattern
from .dates import http_date, whole_seconds
from .multidict import MultiDict, empty, list_in, own_constructor

_BLANK = r"[ \t]*+"
_QUOTED = r'"((?:[^"\\]++|\\.)*+)"'

# For a field with quotes, since a value that is quoted as a whole may contain semicolons. Any other value is read as
# browsers send it: a script may have stored JSON. Possessive, so that nothing is tried twice.
_find_pairs = LatePattern(
    rf"{_BLANK}(?:([^;=]++)(?:={_BLANK}(?:{_QUOTED}{_BLANK}(?=;|\Z)|([^;]*+)))?+|[^;]*+)(?:;|\Z)"
).findall

_replace_escapes = LatePattern(rb"\\(?:([0-3][0-7]{2})|(.))", re.DOTALL).sub

# RFC 6265 §4.1.1 allows fewer, but these are read by all browsers and servers.
_is_plain_value = LatePattern(r"[A-Za-z0-9_!#$%&'()*+\-./:<=>?@\[\]^`{|}~]*").fullmatch
_escapes = {byte: b"\\%03o" % byte for byte in (*range(0x20), ord(","), ord(";"), *range(0x7F, 0x100))}
_escapes |= {ord('"'): b'\\"', ord("\\"): b"\\\\"}
_bytes_to_escape = LatePattern(rb'[\x00-\x1f",;\\\x7f-\xff]').sub

# Characters that would end the field, the attribute or the name, and let an attacker begin another.
_find_unsafe_in_name = LatePattern(r"[\x00-\x1f\x7f;=]").search
_find_unsafe_in_domain = LatePattern(r"[\x00-\x20\x7f;,]").search
_find_unsafe_in_attribute = LatePattern(r"[\x00-\x1f\x7f;]").search

# `urllib.parse.quote` does not quote these characters in a path, nor letters and digits.
_SAFE_IN_PATH = "%!$&'()*+,/:=@"


def parse_cookie(cookie: str | None = None, cls: t.Any = None) -> t.Any:
    """Read the Cookie field (RFC 6265 §5.4) into a `MultiDict`.

    A name that occurs several times keeps all its values, in order. A value ends at the next semicolon, and the blanks
    around it are stripped; a value that is quoted as a whole is unquoted. Pairs without a name, or with a quote in the
    name, are skipped.

    :param cls: The class to make instead. One with its own constructor gets a list of pairs.
    """
    storage = MultiDict if cls is None else cls
    if not cookie:
        return storage()
    if '"' in cookie:
        return storage(_quoted_pairs(cookie))
    if storage.__init__ is not own_constructor:
        return storage([item for pair in cookie.split(";") for item in parse_cookie(pair).items()])
    found = empty(storage)
    cookie = cookie.replace("; ", ";")
    has_blanks = " " in cookie or "\t" in cookie
    for pair in cookie.split(";"):
        name, _, value = pair.partition("=")
        if has_blanks:
            name, value = name.strip(" \t"), value.strip(" \t")
        # A pair without a name is none: browsers send it for a cookie whose value a script chose, so that it could be
        # taken for any other cookie.
        if name:
            list_in(found, name, []).append(value)
    return found


def find_cookie(cookie: str, name: str) -> str | None:
    """The first value of a name in the Cookie field, as `parse_cookie` reads it; None if it has none."""
    start = _start_of(name)
    if start is not None and '"' not in cookie:
        before, found, after = f"; {cookie}".partition(start)
        if name not in before:
            return after.partition(";")[0].strip(" \t") if found else None
    # Another name or value contains this name, or its pair is written with other blanks.
    value: str | None = parse_cookie(cookie).get(name)
    return value


@lru_cache(maxsize=64)
def _start_of(name: str) -> str | None:
    """The beginning of a pair after another one, up to its value; None if no pair has this name."""
    return f"; {name}=" if name and name == name.strip(" \t") and not {";", "="} & {*name} else None


def _quoted_pairs(cookie: str) -> list[tuple[str, str]]:
    """The pairs of a field with quotes. A pair with a quote in its name or a line break in its value is skipped."""
    return [
        (name, _unquote(quoted) if quoted else plain.rstrip(" \t"))
        for untrimmed, quoted, plain in _find_pairs(cookie)
        if (name := untrimmed.strip(" \t")) and '"' not in name and "\n" not in plain
    ]


def _unquote(text: str) -> str:
    if "\\" not in text:
        return text
    return _replace_escapes(_unescape, text.encode()).decode(errors="replace")


def _unescape(match: re.Match[bytes]) -> bytes:
    octal, character = match.groups()
    return bytes((int(octal, 8),)) if octal else character


def _quote(value: str) -> str:
    if _is_plain_value(value):
        return value
    escaped = _bytes_to_escape(lambda match: _escapes[match[0][0]], value.encode())
    return f'"{escaped.decode("ascii")}"'


def dump_cookie(
    key: str,
    value: str = "",
    max_age: dt.timedelta | int | None = None,
    expires: str | dt.datetime | int | float | None = None,
    path: str | None = "/",
    domain: str | t.Literal[False] | None = None,
    secure: bool = False,
    httponly: bool = False,
    sync_expires: bool = True,
    max_size: int = 4093,
    samesite: str | None = None,
    partitioned: bool = False,
) -> str:
    """Write a Set-Cookie field (RFC 6265 §4.1).

    :param max_age: Seconds to keep the cookie; without it and `expires`, it lasts as long as the browser runs.
    :param expires: A moment, or seconds since 1970.
    :param domain: Without it, or with False, the cookie goes to this host alone.
    :param sync_expires: Derive `expires` from `max_age` if only `max_age` is given.
    :param max_size: Warn about a longer field, in bytes, which browsers may ignore. 0 never warns.
    :param samesite: "Strict", "Lax" or "None".
    :param partitioned: Keep the cookie apart for each site that embeds this one; implies `secure`.
    :raises ValueError: The name is empty, a part contains characters that would end it, or `samesite` is another.
    """
    name = key if key.isidentifier() and key.isascii() else _checked_name(key)
    quoted = _quote(value)
    if isinstance(max_age, (dt.timedelta, float)):
        max_age = whole_seconds(max_age)
    if expires is not None:
        if not isinstance(expires, str):
            expires = http_date(expires)
    elif max_age is not None and sync_expires:
        expires = http_date(time.time() + max_age)

    field = f"{name}={quoted}"
    if domain is not None and domain is not False:
        field += f"; Domain={_dump_domain(domain)}"
    if expires is not None:
        field += f"; Expires={_checked_attribute('Expires', expires)}"
    if max_age is not None:
        field += f"; Max-Age={max_age}" if type(max_age) is int else _dump_flag("Max-Age", max_age)
    field += _dump_flag("Secure", True if partitioned else secure)
    field += _dump_flag("HttpOnly", httponly)
    if path is not None:
        field += f"; Path={path if path == '/' else _dump_path(path)}"
    if samesite is not None:
        field += f"; SameSite={_dump_samesite(samesite)}"
    field += _dump_flag("Partitioned", partitioned)
    if max_size and len(field) > max_size:
        _warn_of_size(key, len(quoted), len(field), max_size)
    return field


def _checked_name(key: str) -> str:
    if not key or (found := _find_unsafe_in_name(key)):
        problem = f"it contains {found[0]!r}" if key and found else "it is empty"
        raise ValueError(f"{key!r} cannot be the name of a cookie: {problem}. Use letters, digits, '-' and '_'.")
    return key if key.isascii() else key.encode().decode("latin1")


def _checked_attribute(attribute: str, setting: str) -> str:
    if found := _find_unsafe_in_attribute(setting):
        raise ValueError(
            f"{setting!r} cannot be the {attribute} of a cookie: {found[0]!r} would end it and begin another attribute."
        )
    return setting


def _dump_flag(attribute: str, setting: t.Any) -> str:
    if setting is False or setting is None:
        return ""
    return f"; {attribute}" if setting is True else f"; {attribute}={_checked_attribute(attribute, str(setting))}"


def _dump_domain(domain: str) -> str:
    # RFC 6265 §5.2.3 has browsers ignore a leading dot, and a cookie knows no port.
    name = domain.partition(":")[0].lstrip(".")
    host = name.encode("idna").decode("ascii")
    if found := _find_unsafe_in_domain(host):
        raise ValueError(f"{domain!r} cannot be the Domain of a cookie: it contains {found[0]!r}. Name a host.")
    return host


def _dump_path(path: str | bytes) -> str:
    _checked_attribute("Path", path if isinstance(path, str) else path.decode("latin1"))
    return quote(path, safe=_SAFE_IN_PATH)


def _dump_samesite(samesite: str) -> str:
    samesite = samesite.title()
    if samesite not in ("Strict", "Lax", "None"):
        raise ValueError("SameSite must be 'Strict', 'Lax', or 'None'.")
    return samesite


def _warn_of_size(key: str, value_size: int, size: int, max_size: int) -> None:
    warnings.warn(
        f"The {key!r} cookie is too large: the value was {value_size} bytes but the header required"
        f" {size - value_size} extra bytes. The final size was {size} bytes but the limit is {max_size} bytes."
        " Browsers may silently ignore cookies larger than this.",
        stacklevel=3,
    )
