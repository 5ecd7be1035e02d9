"""The head of a response: its status and its headers, each as a typed attribute."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from ..http.authentication import WWWAuthenticate
from ..http.cache_control import ResponseCacheControl
from ..http.callback import CallbackDict
from ..http.cookies import dump_cookie
from ..http.dates import dump_age, dump_retry_after, http_date, parse_age, parse_date, whole_seconds
from ..http.etags import quote_etag, unquote_etag
from ..http.grammar import dump_header, dump_options_header, parse_options_header
from ..http.header_set import HeaderSet
from ..http.headers import Headers
from ..http.policies import COEP, COOP, ContentSecurityPolicy
from ..http.ranges import ContentRange
from ..http.status import HTTP_STATUS_CODES
from .properties import header_property

if TYPE_CHECKING:
    from http import HTTPStatus

Pairs = list[tuple[str, str]]
HeadersInput = Mapping[str, "str | Iterable[str]"] | Iterable[tuple[str, str]]

STATUS_LINES = {code: f"{code} {phrase.upper()}" for code, phrase in HTTP_STATUS_CODES.items()}

_has_control = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]").search
_is_status_code = re.compile(r"-?[0-9]+").fullmatch

# What is text although its type does not say so.
_TEXT_TYPES = frozenset(
    {
        "application/ecmascript",
        "application/javascript",
        "application/sql",
        "application/xml",
        "application/xml-dtd",
        "application/xml-external-parsed-entity",
    }
)


def get_content_type(mimetype: str, charset: str) -> str:
    """Add the charset to a media type that is text."""
    if mimetype.startswith("text/") or mimetype in _TEXT_TYPES or mimetype.endswith("+xml"):
        return f"{mimetype}; charset={charset}"
    return mimetype


# PERF: page. A content type is checked and written out once, not for each response. The table is
# bounded, since an application may take types from its clients.
known_types: dict[str | None, tuple[str, str]] = {}
_MAX_KNOWN_TYPES = 256


def type_header(mimetype: str) -> tuple[str, str]:
    """The ``Content-Type`` header for a media type. Raises ValueError for a control character in it."""
    header = known_types.get(mimetype)
    if header is None:
        header = _content_type_header(get_content_type(mimetype, "utf-8"))
        if len(known_types) < _MAX_KNOWN_TYPES:
            known_types[mimetype] = header
    return header


@lru_cache(maxsize=256)
def _content_type_header(content_type: str) -> tuple[str, str]:
    # Going through `Headers` raises ValueError for what no header may contain.
    return Headers([("Content-Type", content_type)])[0]


# Names of headers that were found to be tokens (RFC 9110 §5.1), and how they are spelled in lower case.
_known_names: dict[str, str] = {}
_MAX_KNOWN_NAMES = 1024
_is_token = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch


def lower_names(headers: Iterable[tuple[str, str]]) -> set[str]:
    """The names of headers in lower case.

    :raises ValueError: if one is not a token: with a blank or a colon in it, it would be another header.
    """
    return {_known_names.get(name) or _lower_name(name) for name, _ in headers}


def fields_without(headers: Iterable[tuple[str, str]], removed: frozenset[str]) -> Pairs:
    """The headers without those of these names, which are in lower case. Raises ValueError as `lower_names` does."""
    return [field for field in headers if (_known_names.get(field[0]) or _lower_name(field[0])) not in removed]


def _lower_name(name: str) -> str:
    if not _is_token(name):
        raise ValueError(f"{name!r} cannot be the name of a header: use letters, digits and any of !#$%&'*+-.^_`|~.")
    lower = name.lower()
    if len(_known_names) < _MAX_KNOWN_NAMES:
        _known_names[name] = lower
    return lower


def has_plain_headers(response: ResponseHead) -> bool:
    """Whether a response has only fields that Costrel has written, with the names spelled as it spells them.

    So it is until `response.headers` is used. No `Headers` has to be made to look for a name or to add a field.
    """
    return response._headers is None


def field_of(response: ResponseHead, name: str) -> str | None:
    """The first value of a field, or None."""
    if response._headers is not None:
        return response._headers.get(name)
    for found, value in response._header_pairs or ():
        if found == name:
            return value
    return None


class HeaderFields(Protocol):
    """Finds the first value of a field by its name, as Costrel spells it."""

    def get(self, name: str, /) -> str | None: ...


def fields_of(response: ResponseHead) -> HeaderFields:
    """The current fields of a response by name: faster than `field_of` for several look-ups."""
    if response._headers is not None:
        return response._headers
    return {name: value for name, value in reversed(response._header_pairs or ())}  # noqa: C416 - dict() takes twice as long


def add_missing(response: ResponseHead, name: str, value: str) -> str | None:
    """Add a field, whose value is known to be valid, or return the value that it has already."""
    pairs = response._header_pairs
    if response._headers is None and pairs is not None:
        for known, text in pairs:
            if known == name:
                return text
        pairs.append((name, value))
        return None
    found = response.headers.get(name)
    if found is None:
        append(response, name, value)
    return found


def put(response: ResponseHead, name: str, value: str) -> None:
    """Set a field, whose name is spelled as Costrel spells it. Raises ValueError for a value that no field may have."""
    if response._headers is None and value.isascii() and value.isprintable() and field_of(response, name) is None:
        append(response, name, value)
    else:
        response.headers[name] = value


def append(response: ResponseHead, name: str, value: str) -> None:
    """Add a field, whose value is known to be valid, beside others of its name."""
    pairs = response._header_pairs
    if pairs is None:
        response.headers.add(name, value)
    else:
        pairs.append((name, value))


def _dump_set(words: str | Iterable[str] | None) -> str | None:
    if words is None or isinstance(words, str):
        return words
    # A set has no order, and equal responses should be identical.
    return dump_header(sorted(words) if isinstance(words, (set, frozenset)) else words)


def _dump_length(length: int | str | None) -> str | None:
    if length is None or isinstance(length, str):
        return length
    if not isinstance(length, (int, float)) or int(length) != length or length < 0:
        raise ValueError(f"Content-Length is a number of bytes, and cannot be {length!r}.")
    return str(int(length))


def _dump_span(span: timedelta | float | str | None) -> str | None:
    return str(whole_seconds(span)) if isinstance(span, (timedelta, int, float)) else span


def _live_set(name: str, doc: str) -> property:
    """A property over a header that is a set of words; a change of the set changes the header."""

    def read(self: ResponseHead) -> HeaderSet:
        def on_update(header_set: HeaderSet) -> None:
            _store(self, name, header_set)

        return HeaderSet.from_header(self.headers.get(name), on_update)

    def write(self: ResponseHead, value: str | Iterable[str] | None) -> None:
        if not value:
            del self.headers[name]
        else:
            self.headers[name] = _dump_set(value)

    return property(read, write, doc=doc)


def _live_policy(name: str, doc: str) -> property:
    """A property over a header that is a content security policy; a change of the policy changes the header."""

    def read(self: ResponseHead) -> ContentSecurityPolicy:
        def on_update(policy: ContentSecurityPolicy) -> None:
            _store(self, name, policy)

        return ContentSecurityPolicy.from_header(self.headers.get(name), on_update)

    def write(self: ResponseHead, value: ContentSecurityPolicy | str | None) -> None:
        if not value:
            del self.headers[name]
        elif isinstance(value, str):
            self.headers[name] = value
        else:
            self.headers[name] = value.to_header()

    return property(read, write, doc=doc)


def _store(response: ResponseHead, name: str, value: Any) -> None:
    """Write a changed header value back; an empty one goes away."""
    if value:
        response.headers[name] = value.to_header()
    elif name in response.headers:
        del response.headers[name]


class ResponseHead:
    """A response without its body.

    :param status: a code, ``HTTPStatus`` or status line; :attr:`default_status` if None.
    :param headers: pairs, a mapping to one value or several, or a ``Headers`` object that is then used itself.
    :param mimetype: the content type without a charset; ``; charset=utf-8`` is added to a type of text.
    :param content_type: the content type as it stands.
    :raises ValueError: for a control character in any of them.
    """

    #: The status of a response that is given none.
    default_status = 200
    #: The media type of a response that is given none; None leaves the header out.
    default_mimetype: str | None = "text/plain"
    #: Warn about cookies longer than this, in bytes; 0 never warns.
    max_cookie_size = 4093

    # The headers are a plain list of pairs until `headers` is used, then a `Headers` around that same list. The list is
    # None only if `headers` was set to an object of another class.
    _header_pairs: Pairs | None
    _headers: Headers | None
    _status: str
    _status_code: int

    def __init__(
        self,
        status: int | str | HTTPStatus | None = None,
        headers: HeadersInput | None = None,
        mimetype: str | None = None,
        content_type: str | None = None,
    ) -> None:
        self._headers = None
        if headers is not None and (headers or isinstance(headers, Headers)):
            self._take_headers(headers, mimetype, content_type)
        elif content_type is not None:
            self._header_pairs = [_content_type_header(content_type)]
        else:
            if mimetype is None:
                mimetype = self.default_mimetype
            self._header_pairs = [] if mimetype is None else [known_types.get(mimetype) or type_header(mimetype)]
        if status is None:
            status = self.default_status
        if status.__class__ is int and status in STATUS_LINES:
            self._status, self._status_code = STATUS_LINES[status], status
        else:
            self.status = status

    def _take_headers(self, headers: HeadersInput, mimetype: str | None, content_type: str | None) -> None:
        if headers.__class__ is list and len(headers) == 1 and mimetype is content_type is None:
            name, value = headers[0]
            if name == "Content-Type" and value.__class__ is str:  # PERF: missing. As if it were `content_type`.
                self._header_pairs = [_content_type_header(value)]
                return
        self.headers = taken = headers if isinstance(headers, Headers) else Headers(headers)
        if content_type is not None:
            taken["Content-Type"] = content_type
        elif mimetype is not None:
            taken["Content-Type"] = get_content_type(mimetype, "utf-8")
        elif self.default_mimetype is not None and "content-type" not in taken:
            taken.add(*type_header(self.default_mimetype))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} [{self.status}]>"

    # -- headers and status

    def take_fields(self, pairs: Pairs) -> None:
        """Replace the header fields by these, which are known to be valid and spelled as Costrel spells them.

        Fields that a subclass has set in its constructor stay, unless they are among these.
        """
        if self._headers is None:
            self._header_pairs = pairs
        else:
            for name, value in pairs:
                self._headers[name] = value

    @property
    def headers(self) -> Headers:
        """All headers."""
        headers = self._headers
        if headers is None:
            pairs = self._header_pairs
            headers = self._headers = Headers() if pairs is None else Headers.adopt(pairs)
        return headers

    @headers.setter
    def headers(self, value: Headers) -> None:
        self._headers = value
        self._header_pairs = value._list if type(value) is Headers else None

    @property
    def status_code(self) -> int:
        """The status as a number."""
        return self._status_code

    @status_code.setter
    def status_code(self, code: int) -> None:
        self.status = code

    @property
    def status(self) -> str:
        """The status line: a code and a phrase."""
        return self._status

    @status.setter
    def status(self, value: str | int | HTTPStatus) -> None:
        if value.__class__ is int and value in STATUS_LINES:
            self._status, self._status_code = STATUS_LINES[value], value
        else:
            self._status, self._status_code = self._clean_status(value)

    def _clean_status(self, value: str | int | HTTPStatus) -> tuple[str, int]:
        """Make a status line and its code of either; a line without a code gets 0."""
        if isinstance(value, int):
            code = int(value)
            return STATUS_LINES.get(code) or f"{code} UNKNOWN", code
        line = value.strip()
        if not line:
            raise ValueError("Empty status argument")
        if _has_control(line):
            raise ValueError(f"A status line must not contain control characters, but this one does: {line!r}.")
        number, _, phrase = line.partition(" ")
        if not _is_status_code(number):
            return f"0 {line}", 0
        code = int(number)
        return (line if phrase else STATUS_LINES.get(code) or f"{code} UNKNOWN"), code

    # -- cookies

    def set_cookie(
        self,
        key: str,
        value: str = "",
        max_age: timedelta | int | None = None,
        expires: str | datetime | int | float | None = None,
        path: str | None = "/",
        domain: str | None = None,
        secure: bool = False,
        httponly: bool = False,
        samesite: str | None = None,
        partitioned: bool = False,
    ) -> None:
        """Add a ``Set-Cookie`` header (RFC 6265 §4.1).

        :param max_age: seconds, or a timedelta; None for a cookie that ends with the browser.
        :param expires: a date, a timestamp, or the text of a date.
        :param path: None limits the cookie to the path of the response.
        :param domain: None limits it to the host of the response.
        :param secure: send it over HTTPS only.
        :param httponly: keep it from JavaScript.
        :param samesite: ``Strict``, ``Lax`` or ``None``.
        :param partitioned: keep one for each top-level site; makes it secure.
        """
        self.headers.add(
            "Set-Cookie",
            dump_cookie(
                key,
                value=value,
                max_age=max_age,
                expires=expires,
                path=path,
                domain=domain,
                secure=secure,
                httponly=httponly,
                max_size=self.max_cookie_size,
                samesite=samesite,
                partitioned=partitioned,
            ),
        )

    def delete_cookie(
        self,
        key: str,
        path: str | None = "/",
        domain: str | None = None,
        secure: bool = False,
        httponly: bool = False,
        samesite: str | None = None,
        partitioned: bool = False,
    ) -> None:
        """Let a cookie expire; path, domain and flags must be those that it was set with."""
        self.set_cookie(
            key,
            expires=0,
            max_age=0,
            path=path,
            domain=domain,
            secure=secure,
            httponly=httponly,
            samesite=samesite,
            partitioned=partitioned,
        )

    # -- the content

    content_type = header_property[str | None]("Content-Type")
    content_length = header_property[int | None]("Content-Length", None, int, _dump_length)
    content_location = header_property[str | None]("Content-Location")
    content_encoding = header_property[str | None]("Content-Encoding")
    content_md5 = header_property[str | None]("Content-MD5")
    content_language = _live_set("Content-Language", "The languages of the content; a live ``HeaderSet``.")

    @property
    def mimetype(self) -> str | None:
        """The content type without its parameters; setting it adds the charset to a type of text."""
        content_type = self.headers.get("content-type")
        return content_type.split(";", 1)[0].strip() if content_type else None

    @mimetype.setter
    def mimetype(self, value: str) -> None:
        self.headers["Content-Type"] = get_content_type(value, "utf-8")

    @property
    def mimetype_params(self) -> dict[str, str]:
        """The parameters of the content type; a change of the dictionary changes the header."""

        def on_update(params: CallbackDict[str, str]) -> None:
            self.headers["Content-Type"] = dump_options_header(self.mimetype, params)

        options = parse_options_header(self.headers.get("content-type", ""))[1]
        return CallbackDict(options, on_update)

    @property
    def is_json(self) -> bool:
        """Whether the content type is ``application/json`` or ``application/*+json``."""
        mimetype = self.mimetype
        return mimetype is not None and (
            mimetype == "application/json" or (mimetype.startswith("application/") and mimetype.endswith("+json"))
        )

    # -- dates, places, caching

    location = header_property[str | None]("Location")
    age = header_property[timedelta | None]("Age", None, parse_age, dump_age)
    date = header_property[datetime | None]("Date", None, parse_date, http_date)
    expires = header_property[datetime | None]("Expires", None, parse_date, http_date)
    last_modified = header_property[datetime | None]("Last-Modified", None, parse_date, http_date)

    @property
    def retry_after(self) -> datetime | None:
        """When to try again; set as a date, a timedelta or a number of seconds from now. None if unknown."""
        value = self.headers.get("retry-after")
        if value is None:
            return None
        try:
            return datetime.now(UTC) + timedelta(seconds=int(value))
        except ValueError:
            return parse_date(value)
        except OverflowError:
            return None

    @retry_after.setter
    def retry_after(self, value: datetime | timedelta | float | str | None) -> None:
        if value is None:
            if "retry-after" in self.headers:
                del self.headers["retry-after"]
        else:
            self.headers["Retry-After"] = dump_retry_after(value)

    vary = _live_set("Vary", "The request headers that the response depends on; a live ``HeaderSet``.")
    allow = _live_set("Allow", "The methods that the resource has; a live ``HeaderSet``.")

    @property
    def cache_control(self) -> ResponseCacheControl:
        """What caches may do (RFC 9111 §5.2.2); a change of it changes the header."""

        def on_update(cache_control: Any) -> None:
            _store(self, "Cache-Control", cache_control)

        return ResponseCacheControl.from_header(self.headers.get("cache-control"), on_update)

    def set_etag(self, etag: str, weak: bool = False) -> None:
        """Set the ``ETag``, quoted (RFC 9110 §8.8.3)."""
        put(self, "ETag", quote_etag(etag, weak))

    def get_etag(self) -> tuple[str, bool] | tuple[None, None]:
        """The ``ETag`` and whether it is weak; two Nones if there is none."""
        return unquote_etag(self.headers.get("ETag"))

    accept_ranges = header_property[str | None]("Accept-Ranges")

    @property
    def content_range(self) -> ContentRange:
        """The part of the whole that this is (RFC 9110 §14.4); a change of it changes the header."""

        def on_update(content_range: ContentRange) -> None:
            _store(self, "Content-Range", content_range)

        found = ContentRange.from_header(self.headers.get("content-range"), on_update)
        return ContentRange(None, None, None, on_update=on_update) if found is None else found

    @content_range.setter
    def content_range(self, value: ContentRange | str | None) -> None:
        if not value:
            del self.headers["content-range"]
        elif isinstance(value, str):
            self.headers["Content-Range"] = value
        else:
            self.headers["Content-Range"] = value.to_header()

    # -- authentication, policies

    @property
    def www_authenticate(self) -> WWWAuthenticate:
        """The first challenge (RFC 9110 §11.6.1), an empty ``Basic`` one if there is none; live. Set one or a list."""
        value = WWWAuthenticate.from_header(self.headers.get("WWW-Authenticate")) or WWWAuthenticate("basic")
        value._on_update = self._store_challenge
        return value

    @www_authenticate.setter
    def www_authenticate(self, value: WWWAuthenticate | list[WWWAuthenticate] | None) -> None:
        if not value:
            del self.www_authenticate
        elif isinstance(value, list):
            self.headers.setlist("WWW-Authenticate", [challenge.to_header() for challenge in value])
        else:
            self._store_challenge(value)
            value._on_update = self._store_challenge

    @www_authenticate.deleter
    def www_authenticate(self) -> None:
        self.headers.pop("WWW-Authenticate", None)

    def _store_challenge(self, challenge: WWWAuthenticate) -> None:
        self.headers["WWW-Authenticate"] = challenge.to_header()

    content_security_policy = _live_policy(
        "Content-Security-Policy", "The content security policy; a live ``ContentSecurityPolicy``."
    )
    content_security_policy_report_only = _live_policy(
        "Content-Security-Policy-Report-Only", "The policy that is only reported about; live as the other."
    )
    cross_origin_opener_policy = header_property[COOP](
        "Cross-Origin-Opener-Policy", COOP.UNSAFE_NONE, COOP, lambda value: str(value.value)
    )
    cross_origin_embedder_policy = header_property[COEP](
        "Cross-Origin-Embedder-Policy", COEP.UNSAFE_NONE, COEP, lambda value: str(value.value)
    )

    # -- sharing across origins

    @property
    def access_control_allow_credentials(self) -> bool:
        """Whether scripts of the other origin see responses to requests with credentials."""
        return "Access-Control-Allow-Credentials" in self.headers

    @access_control_allow_credentials.setter
    def access_control_allow_credentials(self, value: bool | None) -> None:
        if value is True:
            self.headers["Access-Control-Allow-Credentials"] = "true"
        else:
            self.headers.pop("Access-Control-Allow-Credentials", None)

    access_control_allow_headers = header_property[HeaderSet | None](
        "Access-Control-Allow-Headers", None, HeaderSet.from_header, _dump_set
    )
    access_control_allow_methods = header_property[HeaderSet | None](
        "Access-Control-Allow-Methods", None, HeaderSet.from_header, _dump_set
    )
    access_control_allow_origin = header_property[str | None]("Access-Control-Allow-Origin")
    access_control_expose_headers = header_property[HeaderSet | None](
        "Access-Control-Expose-Headers", None, HeaderSet.from_header, _dump_set
    )
    access_control_max_age = header_property[int | None]("Access-Control-Max-Age", None, int, _dump_span)
