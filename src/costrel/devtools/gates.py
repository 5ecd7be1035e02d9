"""Access control for the debugger: only requests from this computer, with a local host name, are allowed."""

from __future__ import annotations

import ipaddress
import typing as t
from collections.abc import Collection

from ..http.hosts import host_is_trusted
from ..middleware.proxy_fix import ORIGINAL
from ..support.asgi_types import Scope

if t.TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

TRUSTED_HOSTS: t.Final = (".localhost", "127.0.0.1", "[::1]")
"""Names that resolve only to this computer. In a DNS rebinding attack, the host is the name of another site."""

QUIET: t.Final = "costrel.quiet"
"""The ASGI scope key of requests for developer pages, which are not logged."""

_OF_PROXIES: t.Final = frozenset({"forwarded", "via", "x-real-ip"})

_FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP")


def is_local(environ: WSGIEnvironment, trusted_hosts: Collection[str] = TRUSTED_HOSTS) -> bool:
    """Whether a request comes from this computer, and its host is a trusted name."""
    return peer_is_loopback(environ) and host_is_known(environ, trusted_hosts)


def peer_is_loopback(environ: WSGIEnvironment) -> bool:
    """Whether the client is on this computer.

    An environ without an address comes from a test, since servers always set it, possibly to an empty string; or a
    proxy has reported an invalid one. Addresses that proxies report must be loopback addresses as well.
    """
    peer = environ.get("REMOTE_ADDR")
    if peer is None and ORIGINAL in environ:
        return False
    if peer is not None and not is_loopback(peer):
        return False
    if "HTTP_FORWARDED" in environ:
        return False
    forwarded = ",".join(environ[name] for name in _FORWARDED if name in environ)
    return all(is_loopback(address.strip()) for address in forwarded.split(",")) if forwarded else True


def is_loopback(address: str) -> bool:
    """Whether an IP address is a loopback address, possibly mapped to IPv6."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(ip, "ipv4_mapped", None)
    return ip.is_loopback if mapped is None else bool(mapped.is_loopback)


def host_is_known(environ: WSGIEnvironment, trusted_hosts: Collection[str] = TRUSTED_HOSTS) -> bool:
    """Whether the host of the request is one of `trusted_hosts`."""
    # An empty list would mean that every host is trusted.
    trusted_hosts = [name for name in trusted_hosts if not name.startswith("unix://")]
    host = environ.get("HTTP_HOST") or _server_name(environ)
    if host.startswith("["):  # host_is_trusted compares names up to the first colon, but IPv6 addresses contain colons
        return host_is_trusted(host) and f"{host.partition(']')[0]}]" in trusted_hosts
    return bool(trusted_hosts) and host_is_trusted(host, trusted_hosts)


def _server_name(environ: WSGIEnvironment) -> str:
    name = str(environ.get("SERVER_NAME", ""))
    return f"[{name}]" if ":" in name and not name.startswith("[") else name


def was_forwarded(scope: Scope) -> bool:
    """Whether a header shows that a proxy has forwarded the request, regardless of its address."""
    names = {name.decode("latin-1").lower().replace("_", "-") for name, _ in scope["headers"]}
    return not names.isdisjoint(_OF_PROXIES) or any(name.startswith("x-forwarded") for name in names)


def own_origin(environ: WSGIEnvironment) -> bool:
    """Whether a page of the same origin has sent the request. Unlike for `is_same_origin`, a header has to prove it."""
    origin, site = environ.get("HTTP_ORIGIN"), environ.get("HTTP_SEC_FETCH_SITE")
    expected = f"{environ['wsgi.url_scheme']}://{environ.get('HTTP_HOST') or _server_name(environ)}"
    return (origin, site) != (None, None) and origin in (None, expected) and site in (None, "same-origin")


def is_same_origin(environ: WSGIEnvironment) -> bool:
    """Whether the request was not sent by a page of another site, according to the browser (Fetch Metadata)."""
    return environ.get("HTTP_SEC_FETCH_SITE", "same-origin") in ("same-origin", "none")
