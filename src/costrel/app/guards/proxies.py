"""Trusted proxies: one setting names the proxies whose ``X-Forwarded-*`` headers are used.

The headers of all other senders are removed before anything reads them.
"""

from __future__ import annotations

import typing as t

from ...http.grammar import parse_list_header
from ...middleware.proxy_fix import ProxyFix

if t.TYPE_CHECKING:
    import ipaddress

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

FORWARDED: t.Final = (
    "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PREFIX", "HTTP_X_FORWARDED_SSL", "HTTP_FORWARDED", "HTTP_X_REAL_IP",
)  # fmt: skip
_HEADERS: t.Final = ("for", "proto", "host", "port", "prefix")

Network: t.TypeAlias = "ipaddress.IPv4Network | ipaddress.IPv6Network"


class Proxies:
    """The trusted proxies of one application: their number, the networks that they are in, or both."""

    def __init__(self, hops: int, networks: list[Network], headers: t.Collection[str]) -> None:
        self.hops = hops
        self.networks = networks
        self.headers = headers

    @classmethod
    def of(cls, setting: int | str | t.Iterable[str] | dict[str, t.Any] | None) -> Proxies | None:
        """The proxies of ``TRUSTED_PROXIES``. If that is None, the result is None, and headers are left alone.

        The setting is a number of hops, addresses or networks such as ``"10.0.0.0/8"``, or a dict with ``hops``,
        ``networks`` and ``headers``. `headers` are those of for, proto, host, port and prefix that the proxies set; by
        default, for and proto. Raises ValueError for anything else.
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
                f"TRUSTED_PROXIES does not know {', '.join(map(repr, sorted(unknown)))}. It is a number, a list of"
                " networks, or a dict with 'hops', 'networks' and 'headers'. The headers can be"
                f" {', '.join(_HEADERS)}."
            )
        from ipaddress import ip_network

        networks = [ip_network(network, strict=False) for network in options.get("networks", ())]
        return cls(options.get("hops", 0), networks, options.get("headers", ("for", "proto")))

    def apply(self, environ: WSGIEnvironment) -> None:
        """Apply the headers of trusted proxies to the environ, and remove those of other senders."""
        if "werkzeug.proxy_fix.orig" in environ:
            return  # the middleware ProxyFix has applied them already
        hops = self._trusted_hops(environ)
        if hops:
            fix = ProxyFix(_no_app, *(hops if header in self.headers else 0 for header in _HEADERS))
            environ["werkzeug.proxy_fix.orig"] = {key: environ.get(key) for key in FORWARDED}
            fix._believe_client(environ)
            fix._believe_host(environ)
        else:
            for key in FORWARDED:
                environ.pop(key, None)

    def _trusted_hops(self, environ: WSGIEnvironment) -> int:
        """The number of trusted proxies that the request passed, counted from the application."""
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


def _no_app(environ: WSGIEnvironment, start_response: StartResponse) -> t.Iterable[bytes]:
    return ()
