"""Reads and writes the pieces that header fields are built from: tokens, quoted strings, lists, parameters.

The grammar is RFC 9110 §5.6; parameters may also be split over continuations (RFC 2231 §3) and carry a charset
(RFC 8187). Every function here takes time linear in the length of its input.
"""

from __future__ import annotations

import re
import typing as t
from urllib.parse import unquote

from ..support.patterns import LatePattern

# RFC 9110 §5.6.2: tchar.
TOKEN_CHARS = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_TCHAR = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]"
_is_token = LatePattern(f"{_TCHAR}+").fullmatch

_LIST_BLANKS = " \t"
_unescape = LatePattern(r"\\(.)").sub

# One member of a list: up to a comma that stands outside of quotes. The possessive quantifiers keep it linear.
_match_list_member = LatePattern(r'((?:[^",]++|"(?:[^"\\]++|\\.)*+")*+)(?:(,)|\Z)', re.DOTALL).match

# One parameter after its semicolon; other text is skipped. A lone quote begins a string without an end.
_find_parameters = LatePattern(
    rf"""(?:^|;)[ \t]*+({_TCHAR}++)=("(?:[^"\\]++|\\.)*+"|{_TCHAR}++|")""", re.DOTALL
).findall

# Most fields have one parameter, which is a token. The pattern above finds the same name and value with four times as
# many instructions.
_match_usual_parameter = LatePattern(r"[ \t]*+([!#$&'+\-.^_`|~0-9A-Za-z]++)=([!#$&'*+\-.^_`|~0-9A-Za-z]++)").fullmatch

# RFC 8187 §3.2.1: charset'language'value. An apostrophe is no attr-char, but senders leave it in the value.
_EXT_CHAR = r"[!#$%&*+\-.^_`|~0-9A-Za-z]"
_match_charset_value = LatePattern(rf"({_EXT_CHAR}*)'{_EXT_CHAR}*'({_TCHAR}+)$").match
_match_continuation = LatePattern(r"(.*)\*[0-9]+", re.DOTALL).fullmatch

# RFC 8187 §3.2 asks for UTF-8; older senders use the others. Text in any other charset is left encoded.
_CHARSETS = frozenset({"ascii", "us-ascii", "utf-8", "iso-8859-1"})

_match_plain_int = LatePattern(r"-?[0-9]+").fullmatch


def quote_header_value(value: t.Any, allow_token: bool = True) -> str:
    """Write a value as a token, or as a quoted string if it is none (RFC 9110 §5.6.4).

    :param allow_token: False quotes in any case.
    """
    text = str(value)
    if allow_token and _is_token(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def unquote_header_value(value: str) -> str:
    """Take the quotes and escapes off a quoted string; return anything else as it is."""
    if len(value) < 2 or not value[0] == value[-1] == '"':
        return value
    value = value[1:-1]
    return _unescape(r"\1", value) if "\\" in value else value


def parse_list_header(value: str) -> list[str]:
    """Split a comma-separated list (RFC 9110 §5.6.1) into its members, unquoted, without empty members.

    A list with a quoted string that does not end is no list at all: the result is empty.
    """
    if '"' not in value:
        members = [member.strip(_LIST_BLANKS) for member in value.split(",")]
        return [member for member in members if member]
    result = []
    position = 0
    while match := _match_list_member(value, position):
        member = match[1].strip(_LIST_BLANKS)
        if member:
            result.append(unquote_header_value(member))
        if match[2] is None:
            return result
        position = match.end()
    return []


def parse_dict_header(value: str) -> dict[str, str | None]:
    """Read a list of `name=value` members; a name that stands alone has the value None.

    A name that ends in `*` is read as RFC 8187 says, and returned without the star.
    """
    result: dict[str, str | None] = {}
    for member in parse_list_header(value):
        name, equals, text = member.partition("=")
        name = name.strip(_LIST_BLANKS)
        if not name:
            continue
        if not equals:
            result[name] = None
            continue
        text = text.strip(_LIST_BLANKS)
        if name[-1] == "*":
            name = name[:-1]
            text = _decode_extended(text, "")[0]
        result[name] = unquote_header_value(text)
    return result


def dump_header(iterable: dict[str, t.Any] | t.Iterable[t.Any]) -> str:
    """Write a comma-separated list, of `name=value` members when a dict is given.

    A value of None writes the name alone; the value of a name ending in `*` is written as it is (RFC 8187).
    """
    if isinstance(iterable, dict):
        return ", ".join([_dump_member(name, value) for name, value in iterable.items()])
    return ", ".join([quote_header_value(member) for member in iterable])


def _dump_member(name: str, value: t.Any) -> str:
    if value is None:
        return name
    return f"{name}={value}" if name[-1:] == "*" else f"{name}={quote_header_value(value)}"


def parse_options_header(value: str | None) -> tuple[str, dict[str, str]]:
    """Split a value from the parameters that follow it (RFC 9110 §5.6.6), as in `text/html; charset=utf-8`.

    Names come back in lower case. Parameters that break the grammar are left out, and all that follow a quoted string
    without an end. Parts of a parameter are joined in the order of the header.
    """
    if value is None:
        return "", {}
    value, _, rest = value.partition(";")
    value = value.strip(_LIST_BLANKS)
    if not rest or not value:
        return value, {}
    return value, _parse_parameters(rest)


def parse_disposition_parameters(value: str) -> dict[str, str]:
    """Read the parameters of the Content-Disposition of a form's part (RFC 7578 §4.2).

    There, `name*` does not replace a `name`: a filter in front of the application would see another field.
    """
    return _parse_parameters(value.partition(";")[2], settled=("name",))


def _parse_parameters(text: str, settled: t.Container[str] = ()) -> dict[str, str]:
    """Read parameters; a plain one that is settled gives no way to an extended or continued one."""
    usual = _match_usual_parameter(text)
    if usual is not None:
        usual_name, value = usual.groups()
        return {usual_name.lower(): value}
    plain: dict[str, str] = {}
    # RFC 2231 §3: the parts of each parameter that goes on, and the charset that its first part named.
    continued: dict[str, list[str]] = {}
    charsets: dict[str, str] = {}
    for name, raw in _find_parameters(text):
        if raw == '"':  # everything from here on may belong to the string
            break
        name = name.lower()
        if "*" not in name:
            # Browsers send the quotes of a file name as %22 (HTML Standard, multipart/form-data encoding).
            is_simple = raw[0] == '"' and "\\" not in raw and "%" not in raw
            plain[name] = raw[1:-1] if is_simple else _plain_value(raw)
            if continued:
                continued.pop(name, None)
            continue
        extended = name[-1] == "*"
        if extended:
            name = name[:-1]
        continuation = _match_continuation(name)
        if continuation is not None:
            name = continuation[1]
        if (extended or continuation) and name in settled and name in plain:
            continue
        if extended:
            part, charset = _decode_extended(raw, charsets.get(name, "") if continuation else "")
            if continuation:
                charsets[name] = charset
        else:
            part = _plain_value(raw)
        if continuation is not None:
            continued.setdefault(name, []).append(part)
        else:
            plain[name] = part
            continued.pop(name, None)
    for name, parts in continued.items():
        plain[name] = "".join(parts)
    return plain


def _plain_value(raw: str) -> str:
    if raw[0] == '"':
        raw = _unescape(r"\1", raw[1:-1]) if "\\" in raw else raw[1:-1]
    return raw.replace("%22", '"')


def _decode_extended(value: str, charset: str) -> tuple[str, str]:
    """Decode `charset'language'value`, or the later part of a value that began so; also tell the charset in force."""
    if match := _match_charset_value(value):
        charset, value = match[1].lower() or charset, match[2]
    if charset in _CHARSETS:
        value = unquote(value, encoding=charset)
    return value, charset


def dump_options_header(header: str | None, options: t.Mapping[str, t.Any]) -> str:
    """Write a value and its parameters; those that are None are left out.

    The value of a name ending in `*` is written as it is (RFC 8187).
    """
    parts = [] if header is None else [header]
    parts += [_dump_member(name, value) for name, value in options.items() if value is not None]
    return "; ".join(parts)


def parse_plain_int(value: str) -> int | None:
    """Read an integer written in ASCII digits alone; None for whatever else `int` would take."""
    text = value.strip()
    if not _match_plain_int(text):
        return None
    try:
        return int(text)
    except ValueError:  # more digits than sys.get_int_max_str_digits() allows
        return None


def is_byte_range_valid(start: int | None, stop: int | None, length: int | None) -> bool:
    """Tell whether start, stop (exclusive) and length, in bytes, can stand in a Content-Range (RFC 9110 §14.4)."""
    if start is None or stop is None:
        return start is stop and (length is None or length >= 0)
    if not 0 <= start < stop:
        return False
    return length is None or start < length
