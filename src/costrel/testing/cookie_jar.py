"""Cookies as a client keeps them: parsed from Set-Cookie, and matched to requests (RFC 6265 §5)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Self

from ..http.cookies import parse_cookie
from ..http.dates import parse_date
from .environ_builder import origin_of

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment


@dataclasses.dataclass
class Cookie:
    """One cookie of a client: its name and value, as sent and decoded, and its attributes."""

    key: str
    """The name as it is sent."""
    value: str
    """The value as it is sent, quoted if necessary."""
    decoded_key: str
    """The name that the application reads."""
    decoded_value: str
    """The value that the application reads."""
    expires: datetime | None
    """When the cookie expires."""
    max_age: int | None
    """In how many seconds the cookie expires."""
    domain: str
    """The host that set the cookie, or the domain that it was set for."""
    origin_only: bool
    """Whether the cookie is sent only to the host that set it, and not to its subdomains."""
    path: str
    """The cookie is sent to this path and to the paths below it."""
    secure: bool | None
    """Whether the cookie is for HTTPS only. Test clients send it over HTTP, too."""
    http_only: bool | None
    """Whether the cookie is hidden from scripts in the page."""
    same_site: str | None
    """Whether requests that other sites cause carry the cookie: Strict, Lax or None."""

    def _matches_request(self, server_name: str, path: str) -> bool:
        return self._matches_host(server_name) and self._matches_path(path)

    def _matches_host(self, server_name: str) -> bool:
        """RFC 6265 §5.1.3."""
        domain = self.domain.lstrip(".")
        if server_name == domain:
            return True
        return not self.origin_only and bool(domain) and server_name.endswith(f".{domain}")

    def _matches_path(self, path: str) -> bool:
        """RFC 6265 §5.1.4."""
        if not path.startswith(self.path):
            return False
        return self.path.endswith("/") or path[len(self.path) :].startswith("/") or path == self.path

    def _to_request_header(self) -> str:
        return f"{self.key}={self.value}"

    @classmethod
    def _from_response_header(cls, server_name: str, path: str, header: str) -> Self | None:
        """Parse a ``Set-Cookie`` header of a response to `server_name` and `path`; None if it names no cookie."""
        pair, _, rest = header.partition(";")
        key, _, value = pair.partition("=")
        decoded = next(parse_cookie(pair).items(), None)
        if decoded is None:
            return None
        attributes = _attributes(rest)
        return cls(
            key=key.strip(),
            value=value.strip(),
            decoded_key=decoded[0],
            decoded_value=decoded[1],
            expires=parse_date(attributes.get("expires")),
            max_age=_seconds(attributes.get("max-age")),
            domain=attributes.get("domain") or server_name,
            origin_only="domain" not in attributes,
            path=attributes.get("path") or path.rpartition("/")[0] or "/",
            secure="secure" in attributes,
            http_only="httponly" in attributes,
            same_site=attributes.get("samesite"),
        )

    @property
    def _storage_key(self) -> tuple[str, str, str]:
        return self.domain, self.path, self.decoded_key

    @property
    def _should_delete(self) -> bool:
        """Whether the cookie has expired already, which is how a server deletes one."""
        if self.max_age is not None and self.max_age <= 0:
            return True
        return self.expires is not None and self.expires.timestamp() == 0


class CookieJar(dict[tuple[str, str, str], Cookie]):
    """The cookies of one client, by domain, path and name."""

    def keep(self, cookie: Cookie) -> None:
        """Keep `cookie`, or delete it if it has expired."""
        if cookie._should_delete:
            self.pop(cookie._storage_key, None)
        else:
            self[cookie._storage_key] = cookie

    def put(self, domain: str, header: str, origin_only: bool) -> bool:
        """Keep the cookie of one ``Set-Cookie`` header of `domain`; return False if the header names no cookie."""
        cookie = Cookie._from_response_header(domain, "/", header)
        if cookie is None:
            return False
        cookie.origin_only = origin_only
        self.keep(cookie)
        return True

    def receive(self, server_name: str, path: str, headers: Iterable[str]) -> None:
        """Keep the cookies in the ``Set-Cookie`` headers of a response to `server_name` and `path`."""
        for header in headers:
            cookie = Cookie._from_response_header(server_name, path, header)
            if cookie is not None:
                self.keep(cookie)

    def add_to(self, environ: WSGIEnvironment) -> None:
        """Put the cookies that match a request into it, in place of any that are there."""
        host, path = origin_of(environ)
        matching = [cookie._to_request_header() for cookie in self.values() if cookie._matches_request(host, path)]
        if matching:
            environ["HTTP_COOKIE"] = "; ".join(matching)
        else:
            environ.pop("HTTP_COOKIE", None)


def _attributes(header: str) -> dict[str, str]:
    """Return the attributes of a Set-Cookie header by their names in lower case; the last of several wins."""
    attributes = {}
    for part in header.split(";"):
        name, _, value = part.partition("=")
        attributes[name.strip().lower()] = value.strip()
    return attributes


def _seconds(value: str | None) -> int | None:
    """RFC 6265 §5.2.2: a Max-Age that is not a number is ignored."""
    try:
        return None if value is None else int(value)
    except ValueError:
        return None
