"""Who may see the debugger: a program on this computer that knows it under one of its own names."""

from __future__ import annotations

import ipaddress
import typing as t
from collections.abc import Collection

from ..http.hosts import host_is_trusted

TRUSTED_HOSTS: t.Final = (".localhost", "127.0.0.1", "[::1]")
"""Names that lead to this computer and nowhere else. A page of another site that has itself led here (DNS rebinding)
sends the name of that site."""

QUIET: t.Final = "costrel.quiet"
"""Set in the ASGI scope of a request that the log of requests is to leave out: one of the developer's pages."""

_FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP")


def is_local(environ: dict[str, t.Any], trusted_hosts: Collection[str] = TRUSTED_HOSTS) -> bool:
    """Whether a request comes from this computer and asks for it under a trusted name."""
    return peer_is_loopback(environ) and host_is_known(environ, trusted_hosts)


def peer_is_loopback(environ: dict[str, t.Any]) -> bool:
    """Whether the other end is on this computer.

    An environ that names no address at all comes from a test: servers give one, though it may be empty. What a proxy
    says to have passed on must come from here as well.
    """
    peer = environ.get("REMOTE_ADDR")
    if peer is not None and not is_loopback(peer):
        return False
    if "HTTP_FORWARDED" in environ:
        return False
    passed_on = ",".join(environ[name] for name in _FORWARDED if name in environ)
    return all(is_loopback(address.strip()) for address in passed_on.split(",")) if passed_on else True


def is_loopback(address: str) -> bool:
    """Whether an IP address is one of this computer's own, also in its IPv6 form."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(ip, "ipv4_mapped", None)
    return ip.is_loopback if mapped is None else bool(mapped.is_loopback)


def host_is_known(environ: dict[str, t.Any], trusted_hosts: Collection[str] = TRUSTED_HOSTS) -> bool:
    """Whether the request asks for this computer under a name that only it has."""
    # Without a list every host would be trusted.
    trusted_hosts = [name for name in trusted_hosts if not name.startswith("unix://")]
    host = environ.get("HTTP_HOST") or _server_name(environ)
    if host.startswith("["):  # a trusted name is compared up to its colon, of which an IPv6 address has several
        return host_is_trusted(host) and f"{host.partition(']')[0]}]" in trusted_hosts
    return bool(trusted_hosts) and host_is_trusted(host, trusted_hosts)


def _server_name(environ: dict[str, t.Any]) -> str:
    name = str(environ.get("SERVER_NAME", ""))
    return f"[{name}]" if ":" in name and not name.startswith("[") else name


def is_same_origin(environ: dict[str, t.Any]) -> bool:
    """Whether no page of another site sent the request, as far as the browser says (Fetch Metadata)."""
    return environ.get("HTTP_SEC_FETCH_SITE", "same-origin") in ("same-origin", "none")
