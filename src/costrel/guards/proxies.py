"""Trusted proxies: applies the ``X-Forwarded-*`` headers of the proxies that the setting TRUSTED_PROXIES names.

The same headers from other senders are removed before anything reads them.
"""

from __future__ import annotations

import typing as t

from ..http.errors import BadRequest
from ..http.forwarded import last_vouched_for, parse_address, split_forwarded
from ..messages.source import Fields
from ..middleware.proxy_fix import ORIGINAL, apply_place, set_client

if t.TYPE_CHECKING:
    import ipaddress

    from _typeshed.wsgi import WSGIEnvironment

    from ..context import RequestContext

FORWARDED: t.Final = (
    "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PREFIX", "HTTP_X_FORWARDED_SSL", "HTTP_FORWARDED", "HTTP_X_REAL_IP",
)  # fmt: skip
REMOVED: t.Final = "costrel.forwarded_removed"
"""The environ key of requests whose headers were removed. Without the headers, they may look like local requests."""

_HEADERS: t.Final = ("for", "proto", "host", "port", "prefix")

Network: t.TypeAlias = "ipaddress.IPv4Network | ipaddress.IPv6Network"


class Proxies:
    """The trusted proxies of one application: their number, their networks, or both."""

    fields: t.Final = Fields(*FORWARDED)
    """The header fields without which a request is left alone."""

    def __init__(self, hops: int, networks: list[Network], headers: t.Collection[str]) -> None:
        self.hops = hops
        self.networks = networks
        self.headers = headers

    @classmethod
    def of(cls, setting: int | str | t.Iterable[str] | dict[str, t.Any] | None) -> Proxies | None:
        """The proxies of the setting ``TRUSTED_PROXIES``; None if it is None, in which case headers are left alone.

        The setting is a number of hops, a list of addresses or networks such as ``"10.0.0.0/8"``, or a dict with
        ``hops``, ``networks`` and ``headers``: which of for, proto, host, port and prefix the proxies set, by default
        for and proto. Raises ValueError for anything else.
        """
        if setting is None:
            return None
        options: dict[str, t.Any]
        if isinstance(setting, int):
            options = {"hops": int(setting)}
        elif isinstance(setting, dict):
            options = setting
        else:
            options = {"networks": (setting,) if isinstance(setting, str) else tuple(setting)}
        unknown = options.keys() - {"hops", "networks", "headers"} or set(options.get("headers", ())) - {*_HEADERS}
        if unknown:
            raise ValueError(
                f"TRUSTED_PROXIES has an unknown entry: {', '.join(map(repr, sorted(unknown)))}. It must be a number, a"
                " list of networks, or a dict with 'hops', 'networks' and 'headers'. The headers can be"
                f" {', '.join(_HEADERS)}."
            )
        from ipaddress import ip_network

        try:
            networks = [_unmapped(ip_network(network, strict=False)) for network in options.get("networks", ())]
        except ValueError as error:
            message = f"TRUSTED_PROXIES has an invalid address: {error}. Use, for example, '10.0.0.0/8' or '192.0.2.1'."
            raise ValueError(message) from None
        return cls(options.get("hops", 0), networks, options.get("headers", ("for", "proto")))

    def arrive(self, ctx: RequestContext) -> None:
        """Apply the headers of trusted proxies. If they are malformed, the response will be a 400."""
        try:
            self.apply(ctx.request._source)
        except BadRequest as error:
            ctx.refuse(error)

    def apply(self, environ: WSGIEnvironment) -> None:
        """Apply the headers of trusted proxies to the environ, and remove the headers of other senders.

        Raises BadRequest if a trusted proxy sends a prefix that is not a path.
        """
        if ORIGINAL in environ:
            return  # the middleware ProxyFix has already applied them
        route = environ.get("HTTP_X_FORWARDED_FOR")
        entries = [] if route is None else split_forwarded(route)
        hops = self._trusted_hops(environ, entries)
        if not hops:
            for key in FORWARDED:
                environ.pop(key, None)
            environ[REMOVED] = True
            return
        environ[ORIGINAL] = {key: environ.get(key) for key in FORWARDED}
        if route is not None and "for" in self.headers:
            set_client(environ, last_vouched_for(entries, hops))
        apply_place(environ, *(hops if header in self.headers else 0 for header in _HEADERS[1:]))

    def _trusted_hops(self, environ: WSGIEnvironment, entries: list[str]) -> int:
        """The number of trusted proxies that the request has passed through, counted from the application."""
        if not self.networks:
            return self.hops
        if not self._has(environ.get("REMOTE_ADDR") or ""):
            return 0
        hops = 1
        while hops < len(entries) and self._has(entries[-hops]):
            hops += 1
        return min(hops, self.hops) if self.hops else hops

    def _has(self, entry: str) -> bool:
        """Whether the address in an entry of ``X-Forwarded-For`` is in a trusted network."""
        address = parse_address(entry)
        return address is not None and any(address in network for network in self.networks)


def _unmapped(network: Network) -> Network:
    """Convert a network of IPv4-mapped IPv6 addresses to IPv4. Other networks are returned unchanged."""
    from ipaddress import IPv4Network, IPv6Network

    if isinstance(network, IPv6Network) and network.prefixlen >= 96:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            return IPv4Network((mapped, network.prefixlen - 96))
    return network
