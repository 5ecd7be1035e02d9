"""The host of a request: its syntax, the check against trusted hosts, and the URL of the request."""

from __future__ import annotations

import typing as t
from functools import lru_cache
from urllib.parse import quote

from ..support.patterns import LatePattern
from .errors import SecurityError
from .urls import uri_to_iri

# RFC 9110 §7.2: Host = uri-host [ ":" port ], whose port may be empty (RFC 3986 §3.2.3). Names of services, as in
# Docker Compose, may have underscores. Anything else, such as a slash, could change the meaning of a URL made of it.
_match_host = LatePattern(r"([A-Za-z0-9._-]+|\[[A-Fa-f0-9]*:[A-Fa-f0-9.:]+\])(?::([1-9][0-9]{0,4})?)?").fullmatch

_DEFAULT_PORTS = {"http": ":80", "https": ":443", "ws": ":80", "wss": ":443"}

# RFC 3986 §3.3 and §3.4: the characters of a path and of a query. Text that looks quoted stays as it is, in paths too.
_SAFE_IN_PATH = "%!$&'()*+,/:;=@"
_SAFE_IN_QUERY = "!$&'()*+,/:;=?@%"


def host_is_trusted(hostname: str | None, trusted_list: t.Collection[str] | None = None) -> bool:
    """Tell whether a host, with or without a port, is well-formed and on the list.

    :param trusted_list: Names to compare in any case, never as patterns; ".example.org" also stands for every
        name that ends in it. IPv6 addresses have brackets, and are the same however they are written. Without a list,
        every well-formed host is trusted.
    """
    if not hostname:
        return False
    match = _match_host(hostname)
    if match is None:
        return False
    name, port = match.groups()
    if port is not None and int(port) > 65535:
        return False
    name = name.lower()  # RFC 9110 §4.2.3: hosts are case-insensitive
    if name[0] == "[":
        address = _ipv6(name)
        if address is None:
            return False
        name = address
    if not trusted_list:
        return True
    if isinstance(trusted_list, str):
        trusted_list = [trusted_list]
    for trusted in trusted_list:
        expected, suffix = _trusted_names(trusted)
        if name == expected or (suffix and name.endswith(suffix)):
            return True
    return False


def _ipv6(text: str) -> str | None:
    """An IPv6 address in brackets, in its canonical spelling (RFC 5952); None if it is not valid."""
    from ipaddress import IPv6Address

    # An invalid one could not be read again from the request's URL.
    try:
        return f"[{IPv6Address(text.removeprefix('[').removesuffix(']'))}]"
    except ValueError:
        return None


@lru_cache(maxsize=256)  # of an application's trusted hosts, never of a client's text
def _trusted_names(trusted: str) -> tuple[str, str | None]:
    """The name that an entry of the list stands for, and the end of the others that it does."""
    bracketed, bracket, _ = trusted.partition("]")
    if (address := _ipv6(bracketed + bracket)) is not None:
        return address, None
    name = trusted.removeprefix(".").partition(":")[0].encode("idna").decode("ascii").lower()
    return name, f".{name}" if trusted.startswith(".") else None


def get_host(
    scheme: str,
    host_header: str | None,
    server: tuple[str, int | None] | None = None,
    trusted_hosts: t.Collection[str] | None = None,
) -> str:
    """The host that a request names, without the port if that is the scheme's own.

    :param server: The address of the server, which stands in for a field that is missing.
    :param trusted_hosts: As for `host_is_trusted`.
    :return: An empty string if the host is not known, or malformed while every one is trusted.
    :raises SecurityError: The host is not trusted.
    """
    host = _server_host(server) if host_header is None else host_header
    if host is None:
        return ""
    # As it came: a text that is a host only without its second port is no host.
    if host_is_trusted(host, trusted_hosts):
        return _without_default_port(scheme, host) if ":" in host else host
    if trusted_hosts:
        raise SecurityError(f"Host {host!r} is not trusted.")
    return ""


def _without_default_port(scheme: str, host: str) -> str:
    """The host without a port that is empty or the scheme's default, which means the same (RFC 3986 §6.2.3)."""
    if host.endswith(":"):
        return host.removesuffix(":")
    return host.removesuffix(_DEFAULT_PORTS.get(scheme, ":"))


def _server_host(server: tuple[str, int | None] | None) -> str | None:
    if server is None or server[1] is None:  # an address without a port belongs to a Unix socket
        return None
    name, port = server
    if ":" in name and name[0] != "[":
        name = f"[{name}]"
    return f"{name}:{port}"


def get_current_url(
    scheme: str,
    host: str,
    root_path: str | None = None,
    path: str | None = None,
    query_string: bytes | None = None,
) -> str:
    """The URL of a request as an IRI, from its parts as far as they are given.

    :param root_path: The path at which the application is mounted, unquoted.
    :param path: The path below that, unquoted.
    :param query_string: The query, as it was sent.
    """
    url = f"{scheme}://{host}"
    if root_path is None:
        return uri_to_iri(f"{url}/")
    url += quote(root_path.rstrip("/"), safe=_SAFE_IN_PATH) + "/"
    if path is None:
        return uri_to_iri(url)
    url += quote(path.lstrip("/"), safe=_SAFE_IN_PATH)
    if query_string:
        url += "?" + quote(query_string, safe=_SAFE_IN_QUERY)
    return uri_to_iri(url)
