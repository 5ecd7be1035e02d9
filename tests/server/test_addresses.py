"""Hosts and ports: binding, displayed addresses, and the errors."""

import errno
import os
import socket
from pathlib import Path

import pytest

from costrel.server import addresses
from costrel.server.errors import StartError


def no_addresses(*args, **kwargs):
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


@pytest.mark.parametrize(
    ("host", "family"),
    [
        ("127.0.0.1", socket.AF_INET),
        ("localhost", socket.AF_INET),
        ("0.0.0.0", socket.AF_INET),
        ("::1", socket.AF_INET6),
        ("unix:///tmp/x.sock", socket.AF_UNIX),
    ],
)
def test_the_family_follows_from_how_the_host_is_written(host, family):
    assert addresses.select_address_family(host, 5000) == family


def test_a_host_name_is_resolved():
    assert addresses.get_sockaddr("localhost", 5000, socket.AF_INET) == ("127.0.0.1", 5000)


def test_an_unknown_name_is_left_as_it_is(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", no_addresses)

    assert addresses.get_sockaddr("nowhere", 5000, socket.AF_INET) == ("nowhere", 5000)


def test_a_unix_socket_has_an_absolute_path(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    assert addresses.get_sockaddr("unix://a.sock", 0, socket.AF_UNIX) == str(tmp_path / "a.sock")


def test_the_interface_address_is_one_of_this_computer():
    address = addresses.get_interface_ip(socket.AF_INET)

    addresses.bind(address, 0).close()


def test_without_a_network_the_interface_is_the_loopback_one(monkeypatch):
    class Unreachable(socket.socket):
        def connect(self, address):
            raise OSError(errno.ENETUNREACH, "Network is unreachable")

    monkeypatch.setattr(socket, "socket", Unreachable)

    assert addresses.get_interface_ip(socket.AF_INET) == "127.0.0.1"
    assert addresses.get_interface_ip(socket.AF_INET6) == "::1"


def test_binding_takes_a_name_and_a_port_that_is_text():
    with addresses.bind("localhost", "0") as sock:
        assert sock.getsockname()[0] == "127.0.0.1"
        assert sock.getsockname()[1] > 0


def test_binding_an_ipv6_address():
    with addresses.bind("::1", 0) as sock:
        assert sock.family == socket.AF_INET6


def test_an_empty_host_is_every_interface():
    with addresses.bind("", 0) as sock:
        assert sock.getsockname()[0] == "0.0.0.0"


def test_a_port_in_use_is_refused_with_one_that_is_free():
    with addresses.bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StartError) as caught:
            addresses.bind("127.0.0.1", port)

    free = addresses._free_port("127.0.0.1", port)
    assert str(caught.value) == (
        f"Port {port} on 127.0.0.1 is in use by another program. Stop that program, or choose another port:"
        f" --port {free} is free, in code app.run(port={free})."
    )


def test_a_port_is_in_use_too_where_the_other_program_shares_it():
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()

        with pytest.raises(StartError, match="in use by another program"):
            addresses.bind("127.0.0.1", other.getsockname()[1])


def test_where_no_other_port_is_free_none_is_named(monkeypatch):
    monkeypatch.setattr(addresses, "_PORTS_TRIED", 0)

    assert addresses.explain("127.0.0.1", 80, OSError(errno.EADDRINUSE, "")) == (
        "Port 80 on 127.0.0.1 is in use by another program. Stop that program, or choose another port."
    )


def test_a_port_that_is_taken_is_not_proposed():
    with addresses.bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]

        assert addresses._free_port("127.0.0.1", port - 1) != port


@pytest.mark.parametrize("port", ["http", "", 70000, -1])
def test_what_is_not_a_port(port):
    with pytest.raises(StartError) as caught:
        addresses.bind("127.0.0.1", port)

    assert str(caught.value) == f"{port!r} is not a port. Use a number from 1 to 65535, or 0 for any free port."


def test_an_unknown_host(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", no_addresses)
    with pytest.raises(StartError) as caught:
        addresses.bind("nowhere.invalid", 5000)

    assert str(caught.value) == (
        "The host 'nowhere.invalid' cannot be resolved. Use --host with a name or an address of this computer:"
        " 127.0.0.1 to be reachable from this computer only, 0.0.0.0 from its whole network."
    )


def test_the_address_of_another_computer():
    with pytest.raises(StartError) as caught:
        addresses.bind("192.0.2.77", 0)  # of a block that is reserved for documentation (RFC 5737)

    assert str(caught.value) == (
        "The host '192.0.2.77' is not an address of this computer. Use --host 127.0.0.1 to be reachable from this"
        " computer only, or --host 0.0.0.0 from its whole network."
    )


def test_a_port_that_is_not_allowed():
    assert addresses.explain("127.0.0.1", 80, OSError(errno.EACCES, "Permission denied")) == (
        "No permission to use port 80 on 127.0.0.1. Choose a port above 1023, for example --port 5000."
    )


def test_any_other_reason_is_the_systems():
    assert addresses.explain("127.0.0.1", 5000, OSError(errno.ENOBUFS, "No buffer space available")) == (
        "The server cannot listen at 127.0.0.1, port 5000: No buffer space available."
    )


def test_the_file_of_a_dead_unix_socket_is_replaced(tmp_path):
    path = tmp_path / "a.sock"
    addresses.bind(f"unix://{path}", 0).close()
    assert path.exists()

    addresses.bind(f"unix://{path}", 0).close()


def test_a_unix_socket_in_use_is_refused(tmp_path):
    path = tmp_path / "a.sock"
    with addresses.bind(f"unix://{path}", 0), pytest.raises(StartError) as caught:
        addresses.bind(f"unix://{path}", 0, "--bind")

    assert path.is_socket()
    assert str(caught.value) == (
        f"Another process listens on the Unix socket {path}. Stop that process, or choose another path with --bind"
        " unix:/run/app.sock."
    )


def test_a_unix_socket_whose_queue_is_full_is_in_use(tmp_path):
    path = tmp_path / "a.sock"
    with socket.socket(socket.AF_UNIX) as busy, socket.socket(socket.AF_UNIX) as first:
        busy.bind(str(path))
        busy.listen(0)
        first.connect(str(path))
        with pytest.raises(StartError, match="Another process listens"):
            addresses.bind(f"unix://{path}", 0)


def put_file(path):
    path.write_text("kept")


def put_link(path):
    path.with_suffix(".txt").write_text("kept")
    path.symlink_to(path.with_suffix(".txt"))


def put_broken_link(path):
    path.symlink_to("nowhere")


def put_link_to_dead_socket(path):
    target = path.with_suffix(".dead")
    addresses.bind(f"unix://{target}", 0).close()
    path.symlink_to(target)


@pytest.mark.parametrize(
    ("put", "kind"),
    [
        (put_file, "regular file"),
        (Path.mkdir, "directory"),
        (put_link, "symbolic link"),
        (put_broken_link, "symbolic link"),
        (put_link_to_dead_socket, "symbolic link"),
        (os.mkfifo, "FIFO"),
    ],
)
def test_only_a_socket_is_removed_to_make_room_for_one(tmp_path, put, kind):
    path = tmp_path / "a.sock"
    put(path)
    before = sorted((each.name, each.lstat().st_ino) for each in tmp_path.iterdir())

    with pytest.raises(StartError) as caught:
        addresses.bind(f"unix://{path}", 0)

    assert before == sorted((each.name, each.lstat().st_ino) for each in tmp_path.iterdir())
    assert str(caught.value) == (
        f"The server cannot create its Unix socket at {path}, because a {kind} is there. Remove it, or choose another"
        " path with --host unix:///run/app.sock."
    )


def test_the_end_of_a_server_removes_its_own_socket_alone(tmp_path):
    path = tmp_path / "a.sock"
    with addresses.bind(f"unix://{path}", 0):
        remove = addresses.removal_of(str(path))
        remove()
        assert not path.exists()
        path.write_text("kept")
        remove()
    assert path.read_text() == "kept"


@pytest.mark.parametrize(
    ("host", "alone"),
    [
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("localhost", True),
        ("::1", True),
        ("unix:///tmp/x", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.0.2.1", False),
        ("", False),
    ],
)
def test_who_can_reach_a_host(host, alone):
    assert addresses.is_loopback(host) is alone


def test_an_unknown_host_is_not_taken_for_the_loopback_one(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", no_addresses)

    assert addresses.is_loopback("nowhere.invalid") is False


def test_where_a_server_is_running():
    with addresses.bind("localhost", 0) as sock:
        port = sock.getsockname()[1]

        assert addresses.running_on("localhost", sock, "http") == f" * Running on http://localhost:{port}"
        assert addresses.running_on("localhost", sock, "https") == f" * Running on https://localhost:{port}"


def test_where_a_server_on_every_interface_is_running(monkeypatch):
    monkeypatch.setattr(addresses, "get_interface_ip", lambda family: "192.0.2.1")
    with addresses.bind("0.0.0.0", 0) as sock:
        port = sock.getsockname()[1]

        assert addresses.running_on("0.0.0.0", sock, "http") == (
            " * Running on all addresses (0.0.0.0)\n"
            f" * Running on http://127.0.0.1:{port}\n"
            f" * Running on http://192.0.2.1:{port}"
        )


def test_ipv6_addresses_stand_in_brackets(monkeypatch):
    monkeypatch.setattr(addresses, "get_interface_ip", lambda family: "fd00::2")
    with addresses.bind("::", 0) as sock:
        port = sock.getsockname()[1]

        assert addresses.urls("::1", sock, "http") == [f"http://[::1]:{port}"]
        assert addresses.urls("::", sock, "http") == [f"http://[::1]:{port}", f"http://[fd00::2]:{port}"]


def test_a_unix_socket_is_shown_by_its_path(tmp_path):
    host = f"unix://{tmp_path}/a.sock"
    with addresses.bind(host, 0) as sock:
        assert addresses.urls(host, sock, "http") == [host]
