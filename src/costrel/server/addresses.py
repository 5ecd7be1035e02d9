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
"""The default port of the development server."""

SERVE_PORT = 8000
"""The default port of `costrel serve`."""

LISTEN_QUEUE = 128
UNIX_SCHEME = "unix://"

af_unix: socket.AddressFamily | None = getattr(socket, "AF_UNIX", None)
"""The address family of Unix sockets; None if the system has none."""

MAX_CONNECTIONS = 1024
"""The number of connections that one process accepts at a time; more connections wait in the socket's queue."""

_MIN_CONNECTIONS = 16

_OTHER_FILES = 40
"""The number of open files to allow for apart from connections: about 24 of the server's, and those of the views."""

_PORTS_TRIED = 20


def select_address_family(host: str, port: int) -> socket.AddressFamily:
    """The address family that the spelling of a host implies: ``AF_UNIX``, ``AF_INET6`` or ``AF_INET``."""
    if host.startswith(UNIX_SCHEME):
        return socket.AF_UNIX
    if ":" in host and hasattr(socket, "AF_INET6"):
        return socket.AF_INET6
    return socket.AF_INET


def get_sockaddr(host: str, port: int, family: socket.AddressFamily) -> tuple[str, int] | str:
    """The address to bind a socket of `family` to. A name that cannot be resolved is returned unchanged."""
    if family == af_unix:
        return os.path.abspath(host.removeprefix(UNIX_SCHEME))
    try:
        found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    except socket.gaierror:
        return host, port
    return t.cast("tuple[str, int]", found[0][4])


def get_interface_ip(family: socket.AddressFamily) -> str:
    """This computer's address in its network; the loopback address if it has no network."""
    # No packet is sent: connecting a UDP socket only asks the routing table which interface would be used.
    probe, loopback = ("fd31:f903:5ab5:1::1", "::1") if family == socket.AF_INET6 else ("10.253.155.219", "127.0.0.1")
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect((probe, 58162))
        except OSError:
            return loopback
        return t.cast("str", sock.getsockname()[0])


def bind(host: str, port: int | str, option: str = "--host") -> socket.socket:
    """A listening socket that has its port to itself. Port 0 selects a free port.

    ``SO_REUSEPORT`` is not set: it would let a second server start on the same port, and the system would spread the
    requests over both. `option` is the command-line option that set the host, for error messages.

    Raises StartError if the host, port or path cannot be used.
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
        if os.name != "nt":  # on Windows the option lets two programs share a port
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
            raise StartError("'--bind unix:' has no path. Write, for example, --bind unix:/run/app.sock.")
        return UNIX_SCHEME + os.path.abspath(path), 0
    if text.isascii() and text.isdigit() and 1 <= int(text) <= 65535:
        # The system would read a bare number as an address: 5601 is 0.0.21.225.
        raise StartError(
            f"'--bind {text}' has no host. Did you mean --bind 127.0.0.1:{text}? Only this computer can reach that"
            f" address; with 0.0.0.0:{text} its whole network can."
        )
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]") or (":" in host and not host.endswith("]")):
        host, port = text, str(SERVE_PORT)
    return host.removeprefix("[").removesuffix("]"), port_number(port)


def limit_sending(sock: socket.socket, seconds: float | None) -> None:
    """Have the system drop connections accepted from `sock` if the client acknowledges no data for `seconds`.

    It covers responses that are already in the kernel's send buffer. Only Linux has the option (see RFC 5482).
    """
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is not None and sock.family != af_unix:
        sock.setsockopt(socket.IPPROTO_TCP, option, int((seconds or 0) * 1000))


def port_number(port: int | str) -> int:
    """The number of a port, which may be given as text. Raises StartError unless it is from 0 to 65535."""
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
    """The server's URLs for a browser: `host` as it was written, with the port that `sock` is bound to.

    For a host that means every interface, the result has the loopback address and the address in the network.
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
    """The lines of the start message that list the server's URLs."""
    found = urls(host, sock, scheme)
    lines = [f" * Running on all addresses ({host})"] if len(found) > 1 else []
    return "\n".join([*lines, *(f" * Running on {url}" for url in found)])


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def _resolve(host: str, port: int, family: socket.AddressFamily) -> tuple[str, int] | str:
    """Like `get_sockaddr`, but an unknown name raises `socket.gaierror`."""
    if family == af_unix:
        return get_sockaddr(host, port, family)
    found = socket.getaddrinfo(host or None, port, family, socket.SOCK_STREAM, socket.IPPROTO_TCP, socket.AI_PASSIVE)
    return t.cast("tuple[str, int]", found[0][4])


def _make_room(path: str, option: str) -> None:
    """Remove the socket of a server that has ended. Raises StartError if `path` is anything else."""
    try:
        mode = os.lstat(path).st_mode  # links are not followed: the target may belong to another program
    except FileNotFoundError:
        return
    fix = f"choose another path with {option} {_unix_example(option)}."
    if not stat.S_ISSOCK(mode):
        kind = _KINDS_OF_FILES.get(stat.S_IFMT(mode), "special file")
        raise StartError(
            f"The server cannot create its Unix socket at {path}, because a {kind} is there. Remove it, or {fix}"
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
        probe.setblocking(False)  # a blocking connect would wait if the listener's queue is full
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            return False
        except OSError:
            return True
    return True


def removal_of(path: str) -> Callable[[], None]:
    """A function that removes the file now at `path`, but not a file that has replaced it since."""
    bound = os.lstat(path)

    def remove() -> None:
        with suppress(FileNotFoundError):
            if os.path.samestat(bound, os.lstat(path)):
                os.unlink(path)

    return remove


def _unix_example(option: str) -> str:
    return "unix:///run/app.sock" if option == "--host" else "unix:/run/app.sock"


def explain(host: str, port: int, error: OSError, option: str = "--host") -> str:
    """The message for an error of `bind`: the cause, and how to fix it."""
    if host.startswith(UNIX_SCHEME):
        return f"The Unix socket {host.removeprefix(UNIX_SCHEME)} cannot be used: {error.strerror}."
    if isinstance(error, socket.gaierror):
        return (
            f"The host {host!r} cannot be resolved. Use {option} with a name or an address of this computer:"
            " 127.0.0.1 to be reachable from this computer only, 0.0.0.0 from its whole network."
        )
    if error.errno == errno.EADDRINUSE:
        free = _free_port(host, port)
        in_code = f", in code app.run(port={free})" if option == "--host" else ""
        hint = f": {_spell(option, host, free)} is free{in_code}" if free else ""
        return f"Port {port} on {host} is in use by another program. Stop that program, or choose another port{hint}."
    if error.errno == errno.EADDRNOTAVAIL:
        return (
            f"The host {host!r} is not an address of this computer. Use {option} 127.0.0.1 to be reachable from this"
            f" computer only, or {option} 0.0.0.0 from its whole network."
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        example = _spell(option, host, 5000)
        return f"No permission to use port {port} on {host}. Choose a port above 1023, for example {example}."
    return f"The server cannot listen at {host}, port {port}: {error.strerror or error}."


def _spell(option: str, host: str, port: int) -> str:
    """The command-line option that selects `port`."""
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
    """`wanted`, or less if the process's limit of open files (``RLIMIT_NOFILE``) does not allow as many."""
    try:
        import resource
    except ImportError:  # Windows
        return wanted
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit == resource.RLIM_INFINITY:
        return wanted
    # A worker at its limit of open files would retry `accept` in a busy loop.
    return max(_MIN_CONNECTIONS, min(wanted, limit * 3 // 4, limit - _OTHER_FILES))
