"""Where the production server is to listen, and with how much."""

import os
import resource

import pytest

from costrel.server import addresses
from costrel.server.addresses import parse_bind
from costrel.server.errors import StartError
from costrel.server.serve_options import default_workers, refuse_debug


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:80", ("127.0.0.1", 80)),
        ("localhost", ("localhost", 8000)),
        ("localhost:0", ("localhost", 0)),
        (":8080", ("", 8080)),
        ("[::1]:8080", ("::1", 8080)),
        ("[::1]", ("::1", 8000)),
        ("0", ("0", 8000)),
        ("65536", ("65536", 8000)),
        ("²", ("²", 8000)),
        ("::1", ("::1", 8000)),
        ("unix:/run/a.sock", ("unix:///run/a.sock", 0)),
        ("unix:///run/a.sock", ("unix:///run/a.sock", 0)),
    ],
)
def test_where_to_listen(text, expected):
    assert parse_bind(text) == expected


def test_a_socket_in_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert parse_bind("unix:a.sock") == (f"unix://{tmp_path}/a.sock", 0)


def test_a_port_alone_is_no_place():
    with pytest.raises(StartError) as caught:
        parse_bind("5601")

    assert str(caught.value) == (
        "'--bind 5601' has no host. Did you mean --bind 127.0.0.1:5601? Only this computer can reach that address;"
        " with 0.0.0.0:5601 its whole network can."
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("localhost:http", "'http' is not a port. Use a number from 1 to 65535, or 0 for any free port."),
        ("unix:", "'--bind unix:' has no path. Write, for example, --bind unix:/run/app.sock."),
    ],
)
def test_what_is_no_place(text, message):
    with pytest.raises(StartError) as caught:
        parse_bind(text)

    assert str(caught.value) == message


@pytest.mark.parametrize(("cpus", "expected"), [(1, 2), (4, 4), (64, 8)])
def test_one_worker_a_cpu_within_bounds(monkeypatch, cpus, expected):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(cpus)))

    assert default_workers() == expected


@pytest.mark.parametrize(
    ("files", "expected"), [(resource.RLIM_INFINITY, 1024), (65_536, 1024), (1024, 768), (64, 24), (8, 16)]
)
def test_connections_leave_room_for_other_files(monkeypatch, files, expected):
    monkeypatch.setattr(resource, "getrlimit", lambda what: (files, files))

    assert addresses.connections_at_most() == expected


def test_debug_mode_is_refused():
    refuse_debug(False)
    with pytest.raises(StartError):
        refuse_debug(True)
