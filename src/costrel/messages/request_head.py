"""The head of a request: the request line and headers, and everything that can be read from them without the body."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ..http.accept import Accept, CharsetAccept, LanguageAccept, MIMEAccept
from ..http.authentication import Authorization
from ..http.cache_control import RequestCacheControl
from ..http.cookies import parse_cookie
from ..http.dates import parse_date
from ..http.errors import RequestURITooLarge, SecurityError
from ..http.etags import ETags
from ..http.forwarded import split_forwarded
from ..http.framing import body_length
from ..http.grammar import parse_options_header
from ..http.header_set import HeaderSet
from ..http.headers import Headers
from ..http.hosts import get_current_url, get_host
from ..http.immutable import ImmutableList
from ..http.multidict import ImmutableMultiDict, MultiDict
from ..http.ranges import IfRange, Range
from ..http.user_agent import UserAgent
from ..support.properties import cached_property
from .properties import header_property
from .urlencoded import decode_form, load_query


class RequestHead:
    """A request without its body, made from what any protocol can tell.

    :param method: made upper-case.
    :param server: host and port (None for a Unix socket), or None if unknown.
    :param query_string: the bytes after the ``?``.
    :param remote_addr: the peer's address, which may be a proxy's.
    """

    #: Limit of the number of parameters of the query (``MAX_QUERY_PARAMS``). More is answered with 414.
    max_query_params: int | None = None
    #: The class of :attr:`args` and ``form``.
    parameter_storage_class: type[MultiDict[str, Any]] = ImmutableMultiDict
    #: The class of :attr:`cookies`.
    dict_storage_class: type[MultiDict[str, Any]] = ImmutableMultiDict
    #: The class of :attr:`access_route`.
    list_storage_class: type[list[Any]] = ImmutableList
    #: The class of :attr:`user_agent`.
    user_agent_class: type[UserAgent] = UserAgent
    #: The hosts that :attr:`host` accepts, ``.example.com`` with its subdomains; None accepts any.
    trusted_hosts: list[str] | None = None

    _parsed_content_type: tuple[str, dict[str, str]] | None = None
    _cookies: MultiDict[str, str] | None = None

    def __init__(
        self,
        method: str,
        scheme: str,
        server: tuple[str, int | None] | None,
        root_path: str,
        path: str,
        query_string: bytes,
        headers: Headers,
        remote_addr: str | None,
    ) -> None:
        self.method = method.upper()
        self.scheme = scheme
        self.server = server
        self.root_path = root_path.rstrip("/")
        self.path = "/" + path.lstrip("/")
        self.query_string = query_string
        self.headers = headers
        self.remote_addr = remote_addr

    def __repr__(self) -> str:
        try:
            url = self.url
        except Exception as error:
            url = f"(invalid URL: {error})"
        return f"<{type(self).__name__} {url!r} [{self.method}]>"

    # -- what the URL says

    @cached_property
    def args(self) -> MultiDict[str, str]:
        """The parameters of the query string."""
        raw = self.query_string
        query = raw.decode() if raw.isascii() else decode_form(raw)
        if "&" in query and (limit := self.max_query_params) is not None and query.count("&") >= limit:
            raise RequestURITooLarge(f"The query has more than the {limit:,} parameters that MAX_QUERY_PARAMS allows.")
        return load_query(query, self.parameter_storage_class)

    @cached_property
    def access_route(self) -> list[str]:
        """The addresses in ``X-Forwarded-For``, else :attr:`remote_addr`: any client can claim the former."""
        if "X-Forwarded-For" in self.headers:
            return self.list_storage_class(filter(None, split_forwarded(self.headers["X-Forwarded-For"])))
        if self.remote_addr is not None:
            return self.list_storage_class([self.remote_addr])
        return self.list_storage_class()

    @cached_property
    def full_path(self) -> str:
        """Path and query string, with a ``?`` even if the query is empty."""
        return f"{self.path}?{decode_form(self.query_string)}"

    @property
    def is_secure(self) -> bool:
        """Whether the request came over HTTPS or a secure WebSocket."""
        return self.scheme in {"https", "wss"}

    @cached_property
    def url(self) -> str:
        """The whole URL as an IRI."""
        return get_current_url(self.scheme, self.host, self.root_path, self.path, self.query_string)

    @cached_property
    def base_url(self) -> str:
        """:attr:`url` without the query string."""
        return get_current_url(self.scheme, self.host, self.root_path, self.path)

    @cached_property
    def root_url(self) -> str:
        """The URL at which the application is mounted."""
        return get_current_url(self.scheme, self.host, self.root_path)

    @cached_property
    def host_url(self) -> str:
        """Scheme and host."""
        return get_current_url(self.scheme, self.host)

    @cached_property
    def host(self) -> str:
        """The host that was addressed, with the port unless it is the scheme's own.

        :raises SecurityError: if it is malformed, or :attr:`trusted_hosts` is set and does not have it.
        """
        header = self.headers.get("host")
        host = get_host(self.scheme, header, self.server if header is None else None, self.trusted_hosts)
        if header and not host:
            raise SecurityError(f"The request's Host header is {header[:100]!r}, which is not the name of a host.")
        return host

    # -- what the headers say

    # Not a cached property, so that a session sees whether the cookies were read or assigned.
    @property
    def cookies(self) -> MultiDict[str, str]:
        """The cookies that were sent."""
        cookies = self._cookies
        if cookies is None:
            cookies = self._cookies = self._parse_cookies()
        return cookies

    @cookies.setter
    def cookies(self, value: MultiDict[str, str]) -> None:
        self._cookies = value

    @cookies.deleter
    def cookies(self) -> None:
        self._cookies = None

    def _parse_cookies(self) -> MultiDict[str, str]:
        header = ";".join(self.headers.getlist("Cookie"))
        cookies: MultiDict[str, str] = parse_cookie(header, cls=self.dict_storage_class)
        return cookies

    content_type = header_property[str | None]("Content-Type", read_only=True)

    @cached_property
    def content_length(self) -> int | None:
        """Length of the body in bytes; None if unknown or sent in chunks, 0 if the header is malformed."""
        return body_length(self.headers.get("Content-Length"), self.headers.get("Transfer-Encoding"))

    content_encoding = header_property[str | None]("Content-Encoding", read_only=True)
    content_md5 = header_property[str | None]("Content-MD5", read_only=True)
    referrer = header_property[str | None]("Referer", read_only=True)
    date = header_property[datetime | None]("Date", None, parse_date, read_only=True)
    max_forwards = header_property[int | None]("Max-Forwards", None, int, read_only=True)

    def _parse_content_type(self) -> tuple[str, dict[str, str]]:
        """Read the content type and its parameters, and keep them."""
        parsed = self._parsed_content_type = parse_options_header(self.headers.get("Content-Type", ""))
        return parsed

    @property
    def mimetype(self) -> str:
        """The content type without parameters, in lower case."""
        return (self._parsed_content_type or self._parse_content_type())[0].lower()

    @property
    def mimetype_params(self) -> dict[str, str]:
        """The parameters of the content type."""
        return (self._parsed_content_type or self._parse_content_type())[1]

    @cached_property
    def pragma(self) -> HeaderSet:
        """The directives of ``Pragma``."""
        return HeaderSet.from_header(self.headers.get("Pragma", ""))

    @cached_property
    def accept_mimetypes(self) -> MIMEAccept:
        """The media types that the client accepts (RFC 9110 §12.5.1)."""
        return MIMEAccept.from_header(self.headers.get("Accept"))

    @cached_property
    def accept_charsets(self) -> CharsetAccept:
        """The charsets that the client accepts (RFC 9110 §12.5.2)."""
        return CharsetAccept.from_header(self.headers.get("Accept-Charset"))

    @cached_property
    def accept_encodings(self) -> Accept:
        """The content codings that the client accepts (RFC 9110 §12.5.3)."""
        return Accept.from_header(self.headers.get("Accept-Encoding"))

    @cached_property
    def accept_languages(self) -> LanguageAccept:
        """The languages that the client accepts (RFC 9110 §12.5.4)."""
        return LanguageAccept.from_header(self.headers.get("Accept-Language"))

    @cached_property
    def cache_control(self) -> RequestCacheControl:
        """The client's wishes about caching (RFC 9111 §5.2.1)."""
        return RequestCacheControl.from_header(self.headers.get("Cache-Control"))

    @cached_property
    def if_match(self) -> ETags:
        """The tags of ``If-Match`` (RFC 9110 §13.1.1)."""
        return ETags.from_header(self.headers.get("If-Match"))

    @cached_property
    def if_none_match(self) -> ETags:
        """The tags of ``If-None-Match`` (RFC 9110 §13.1.2)."""
        return ETags.from_header(self.headers.get("If-None-Match"))

    @cached_property
    def if_modified_since(self) -> datetime | None:
        """The time in ``If-Modified-Since``, in UTC (RFC 9110 §13.1.3)."""
        return parse_date(self.headers.get("If-Modified-Since"))

    @cached_property
    def if_unmodified_since(self) -> datetime | None:
        """The time in ``If-Unmodified-Since``, in UTC (RFC 9110 §13.1.4)."""
        return parse_date(self.headers.get("If-Unmodified-Since"))

    @cached_property
    def if_range(self) -> IfRange:
        """The tag or time in ``If-Range`` (RFC 9110 §13.1.5)."""
        return IfRange.from_header(self.headers.get("If-Range"))

    @cached_property
    def range(self) -> Range | None:
        """The ranges in ``Range`` (RFC 9110 §14.2); None if absent or malformed."""
        return Range.from_header(self.headers.get("Range"))

    @cached_property
    def user_agent(self) -> UserAgent:
        """The client's description of itself."""
        return self.user_agent_class(self.headers.get("User-Agent", ""))

    @cached_property
    def authorization(self) -> Authorization | None:
        """The credentials in ``Authorization`` (RFC 9110 §11.6.2); None if absent or malformed."""
        return Authorization.from_header(self.headers.get("Authorization"))

    origin = header_property[str | None]("Origin", read_only=True)
    access_control_request_headers = header_property[HeaderSet | None](
        "Access-Control-Request-Headers", None, HeaderSet.from_header, read_only=True
    )
    access_control_request_method = header_property[str | None]("Access-Control-Request-Method", read_only=True)

    @property
    def is_json(self) -> bool:
        """Whether the content type is ``application/json`` or ``application/*+json``."""
        mimetype = self.mimetype
        return mimetype == "application/json" or (mimetype.startswith("application/") and mimetype.endswith("+json"))
