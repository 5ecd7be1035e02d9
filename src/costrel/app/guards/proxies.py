"""Which proxies in front of the application are believed: one setting, by their number or their addresses.

Whoever is not believed may say what they like in ``X-Forwarded-*``: it is taken out before anything reads it.
"""

from __future__ import annotations

import typing as t

from ...http.grammar import parse_list_header
from ...middleware.proxy_fix import ProxyFix

if t.TYPE_CHECKING:
    import ipaddress

FORWARDED: t.Final = (
    "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PREFIX", "HTTP_X_FORWARDED_SSL", "HTTP_FORWARDED", "HTTP_X_REAL_IP",
)  # fmt: skip
_HEADERS: t.Final = ("for", "proto", "host", "port", "prefix")

Network: t.TypeAlias = "ipaddress.IPv4Network | ipaddress.IPv6Network"


class Proxies:
    """The proxies of one application: so many hops, or the networks that they are in, or both."""

    def __init__(self, hops: int, networks: list[Network], headers: t.Collection[str]) -> None:
        self.hops = hops
        self.networks = networks
        self.headers = headers

    @classmethod
    def of(cls, setting: t.Any) -> Proxies | None:
        """The proxies that ``TRUSTED_PROXIES`` names; None, to leave all headers alone, for None.

        A number of hops, addresses or networks such as ``"10.0.0.0/8"``, or a dict with ``hops``, ``networks`` and
        ``headers``: which of for, proto, host, port and prefix the proxies set, the first two unless told.
        Raises ValueError for anything else.
        """
        if setting is None:
            return None
        if isinstance(setting, int):
            setting = {"hops": int(setting)}
        elif not isinstance(setting, dict):
            setting = {"networks": (setting,) if isinstance(setting, str) else tuple(setting)}
        unknown = setting.keys() - {"hops", "networks", "headers"} or set(setting.get("headers", ())) - {*_HEADERS}
        if unknown:
            raise ValueError(
                f"TRUSTED_PROXIES does not know {', '.join(map(repr, sorted(unknown)))}: it is a number, a list of"
                f" networks, or a dict with 'hops', 'networks' and 'headers', which are some of {', '.join(_HEADERS)}."
            )
        from ipaddress import ip_network

        networks = [ip_network(network, strict=False) for network in setting.get("networks", ())]
        return cls(setting.get("hops", 0), networks, setting.get("headers", ("for", "proto")))

    def apply(self, environ: dict[str, t.Any]) -> None:
        """Put what trusted proxies say into the environ, and take out what nobody trusted has said."""
        if "werkzeug.proxy_fix.orig" in environ:
            return  # ProxyFix has judged already
        hops = self._trusted_hops(environ)
        if hops:
            fix = ProxyFix(_nothing, *(hops if header in self.headers else 0 for header in _HEADERS))
            environ["werkzeug.proxy_fix.orig"] = {key: environ.get(key) for key in FORWARDED}
            fix._believe_client(environ)
            fix._believe_host(environ)
        else:
            for key in FORWARDED:
                environ.pop(key, None)

    def _trusted_hops(self, environ: dict[str, t.Any]) -> int:
        """How many proxies, counted from the application, stand in front of it and are trusted."""
        if not self.networks:
            return self.hops
        if not self._has(environ.get("REMOTE_ADDR", "")):
            return 0
        route = parse_list_header(environ.get("HTTP_X_FORWARDED_FOR", ""))
        hops = 1
        while hops < len(route) and self._has(route[-hops]):
            hops += 1
        return min(hops, self.hops) if self.hops else hops

    def _has(self, address: str) -> bool:
        import ipaddress

        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self.networks)


def _nothing(environ: dict[str, t.Any], start_response: t.Any) -> t.Iterable[bytes]:
    return ()
