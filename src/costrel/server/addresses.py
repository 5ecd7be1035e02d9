"""Host names and ports: the addresses to bind to, and their URLs."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
import stat
import typing as t
from collections.abc import Callable
from contextlib import suppress

from .errors import StartError

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 5000
"""The port of the development server, unless another one is given."""

SERVE_PORT = 8000
"""The port of `costrel serve` unless another one is given."""

LISTEN_QUEUE = 128
UNIX_SCHEME = "unix://"

af_unix: socket.AddressFamily | None = getattr(socket, "AF_UNIX", None)
"""The address family of Unix sockets; None if the system has none."""

MAX_CONNECTIONS = 1024
"""How many connections one process takes at a time; further connections wait in the socket's queue."""

_MIN_CONNECTIONS = 16

_OTHER_FILES = 40
"""How many files a process has open besides its connections: two dozen of its own, and those of the views."""

_PORTS_TRIED = 20


def select_address_family(host: str, port: int) -> socket.AddressFamily:
    """The address family of a host as it is written: a Unix socket, an IPv6 address, or anything else."""
    if host.startswith(UNIX_SCHEME):
        return socket.AF_UNIX
    if ":" in host and hasattr(socket, "AF_INET6"):
        return socket.AF_INET6
    return socket.AF_INET


def get_sockaddr(host: str, port: int, family: socket.AddressFamily) -> tuple[str, int] | str:
    """What to bind a socket of `family` to; a name that cannot be resolved is left as it is."""
    if family == af_unix:
        return os.path.abspath(host.removeprefix(UNIX_SCHEME))
    try:
        found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    except socket.gaierror:
        return host, port
    return t.cast("tuple[str, int]", found[0][4])


def get_interface_ip(family: socket.AddressFamily) -> str:
    """The address of this computer that others on its network reach it by; the loopback address if there is none."""
    # No packet is sent: connecting a UDP socket only asks the routing table which interface would be used.
    probe, loopback = ("fd31:f903:5ab5:1::1", "::1") if family == socket.AF_INET6 else ("10.253.155.219", "127.0.0.1")
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect((probe, 58162))
        except OSError:
            return loopback
        return t.cast("str", sock.getsockname()[0])


def bind(host: str, port: int | str, option: str = "--host") -> socket.socket:
    """A listening socket, and nobody else on its port.

    ``SO_REUSEPORT`` is not set: with it, a second server on the same port would start, and the two would share its
    requests. Port 0 takes a free one. `option` is that of the command line which took the host; messages name it.
    Raises StartError.
    """
    number = port_number(port)
    family = select_address_family(host, number)
    try:
        address = _resolve(host, number, family)
        if isinstance(address, str):
            _make_room(address, option)
        sock = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise StartError(explain(host, number, error, option)) from error
    try:
        if os.name != "nt":  # there the option lets two programs share a port
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(LISTEN_QUEUE)
    except OSError as error:
        sock.close()
        raise StartError(explain(host, number, error, option)) from error
    sock.setblocking(False)
    return sock


def parse_bind(text: str) -> tuple[str, int]:
    """The host and port of ``host:port``, ``host``, ``:port``, ``[::1]:port`` or ``unix:/path``. Raises StartError."""
    if text.startswith("unix:"):
        path = text.removeprefix("unix:").removeprefix("//")
        if not path:
            raise StartError("There is no path in '--bind unix:'. Write it as --bind unix:/run/app.sock.")
        return UNIX_SCHEME + os.path.abspath(path), 0
    if text.isascii() and text.isdigit() and 1 <= int(text) <= 65535:
        # The system would read the number as an address: 5601 is 0.0.21.225.
        raise StartError(
            f"There is no host in '--bind {text}'. Did you mean --bind 127.0.0.1:{text}? That is for this computer"
            f" alone; 0.0.0.0:{text} is for everyone on its network."
        )
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]") or (":" in host and not host.endswith("]")):
        host, port = text, str(SERVE_PORT)
    return host.removeprefix("[").removesuffix("]"), port_number(port)


def limit_sending(sock: socket.socket, seconds: float | None) -> None:
    """Have the system end connections that come to `sock` and whose clients take nothing for so many seconds.

    This is where an answer waits that is handed over in one piece. Only Linux knows how (RFC 5482 has the idea).
    """
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is not None and sock.family != af_unix:
        sock.setsockopt(socket.IPPROTO_TCP, option, int((seconds or 0) * 1000))


def port_number(port: int | str) -> int:
    """A port, which may have come as text. Raises StartError for what is none."""
    try:
        number = int(port)
    except ValueError:
        number = -1
    if not 0 <= number <= 65535:
        raise StartError(f"{port!r} is not a port. Use a number from 1 to 65535, or 0 for any free port.")
    return number


def is_loopback(host: str) -> bool:
    """Whether only programs on this computer can reach a server at `host`."""
    if host.startswith(UNIX_SCHEME):
        return True
    address = get_sockaddr(host, 0, select_address_family(host, 0))[0]
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def urls(host: str, sock: socket.socket, scheme: str) -> list[str]:
    """Where a browser finds the server: `host` as it was written, with the port that was really taken.

    For a host that means every interface, the addresses are a loopback one and that of the network.
    """
    if host.startswith(UNIX_SCHEME):
        return [host]
    port = sock.getsockname()[1]
    hosts = [host]
    if host in ("0.0.0.0", "::", ""):  # noqa: S104 - compared, not bound
        loopback = "[::1]" if sock.family == socket.AF_INET6 else "127.0.0.1"
        hosts = [loopback, get_interface_ip(sock.family)]
    return [f"{scheme}://{_bracketed(name)}:{port}" for name in dict.fromkeys(hosts)]


def running_on(host: str, sock: socket.socket, scheme: str) -> str:
    """The lines that say where a server is."""
    found = urls(host, sock, scheme)
    lines = [f" * Running on all addresses ({host})"] if len(found) > 1 else []
    return "\n".join([*lines, *(f" * Running on {url}" for url in found)])


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def _resolve(host: str, port: int, family: socket.AddressFamily) -> tuple[str, int] | str:
    """Like get_sockaddr, but an unknown name is an error here."""
    if family == af_unix:
        return get_sockaddr(host, port, family)
    found = socket.getaddrinfo(host or None, port, family, socket.SOCK_STREAM, socket.IPPROTO_TCP, socket.AI_PASSIVE)
    return t.cast("tuple[str, int]", found[0][4])


def _make_room(path: str, option: str) -> None:
    """Remove the socket of a server that has ended. Raises StartError if anything else is at `path`."""
    try:
        mode = os.lstat(path).st_mode  # a link is never followed: the file at its end belongs to another program
    except FileNotFoundError:
        return
    fix = f"choose another path with {option} {_unix_example(option)}."
    if not stat.S_ISSOCK(mode):
        kind = _KINDS_OF_FILES.get(stat.S_IFMT(mode), "special file")
        raise StartError(
            f"There is a {kind} at {path}, and the server would put its Unix socket there. Remove it, or {fix}"
        )
    if _has_listener(path):
        raise StartError(f"Another process listens on the Unix socket {path}. Stop that process, or {fix}")
    with suppress(FileNotFoundError):
        os.unlink(path)


_KINDS_OF_FILES = {
    stat.S_IFREG: "regular file",
    stat.S_IFDIR: "directory",
    stat.S_IFLNK: "symbolic link",
    stat.S_IFIFO: "FIFO",
}


def _has_listener(path: str) -> bool:
    """Whether a process listens on the socket at `path`, or may do so."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)  # a listener whose queue is full would keep a blocking connect waiting
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            return False
        except OSError:
            return True
    return True


def removal_of(path: str) -> Callable[[], None]:
    """A function that removes the file that is at `path` now, and no other one that takes its place."""
    bound = os.lstat(path)

    def remove() -> None:
        with suppress(FileNotFoundError):
            if os.path.samestat(bound, os.lstat(path)):
                os.unlink(path)

    return remove


def _unix_example(option: str) -> str:
    return "unix:///run/app.sock" if option == "--host" else "unix:/run/app.sock"


def explain(host: str, port: int, error: OSError, option: str = "--host") -> str:
    """Why a server cannot listen there, and what to do."""
    if host.startswith(UNIX_SCHEME):
        return f"The Unix socket {host.removeprefix(UNIX_SCHEME)} cannot be used: {error.strerror}."
    if isinstance(error, socket.gaierror):
        return (
            f"The host {host!r} is not known here. Use {option} with a name or an address of this computer:"
            " 127.0.0.1 for this computer alone, 0.0.0.0 for everyone on its network."
        )
    if error.errno == errno.EADDRINUSE:
        free = _free_port(host, port)
        in_code = f", in code app.run(port={free})" if option == "--host" else ""
        hint = f": {_spell(option, host, free)} is free{in_code}" if free else ""
        return f"Port {port} on {host} is in use by another program. Stop that program, or choose another port{hint}."
    if error.errno == errno.EADDRNOTAVAIL:
        return (
            f"The host {host!r} is not an address of this computer. Use {option} 127.0.0.1 for this computer alone,"
            f" or {option} 0.0.0.0 for everyone on its network."
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        example = _spell(option, host, 5000)
        return f"You may not use port {port} on {host}. Choose a port above 1023, for example {example}."
    return f"The server cannot listen at {host}, port {port}: {error.strerror or error}."


def _spell(option: str, host: str, port: int) -> str:
    """How to ask for another port."""
    if option == "--host":
        return f"--port {port}"
    return f"{option} {_bracketed(host)}:{port}"


def _free_port(host: str, port: int) -> int | None:
    family = select_address_family(host, port)
    for candidate in range(port + 1, min(port + 1 + _PORTS_TRIED, 65536)):
        with socket.socket(family, socket.SOCK_STREAM) as sock:
            try:
                sock.bind(get_sockaddr(host, candidate, family))
            except OSError:
                continue
            return candidate
    return None


def connections_at_most(wanted: int = MAX_CONNECTIONS) -> int:
    """The number `wanted`, or less if the process may not have so many files open."""
    try:
        import resource
    except ImportError:  # Windows
        return wanted
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit == resource.RLIM_INFINITY:
        return wanted
    # A worker that may open no more files would try without a pause to take the next connection.
    return max(_MIN_CONNECTIONS, min(wanted, limit * 3 // 4, limit - _OTHER_FILES))
