"""The heaps of a worker: its threads share two of them, unless the environment says otherwise."""

import platform
import subprocess
import sys

import pytest

from ..processes import environ

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc makes heaps for threads")

PROGRAM = """\
import ctypes
import sys
import threading

from costrel.server.allocator import share_heaps

if sys.argv[1:] == ["share"]:
    share_heaps()
libc = ctypes.CDLL(None)
libc.fopen.restype = libc.malloc.restype = ctypes.c_void_p
barrier = threading.Barrier(7)

def allocate():
    libc.malloc(100)
    barrier.wait()

threads = [threading.Thread(target=allocate) for _ in range(6)]
for thread in threads:
    thread.start()
barrier.wait()
file = ctypes.c_void_p(libc.fopen(b"/dev/stdout", b"w"))
libc.malloc_info(0, file)
libc.fclose(file)
"""


def heaps(*arguments, **variables):
    """The number of heaps of a process with six threads."""
    kept = {name: value for name, value in environ().items() if name not in ("MALLOC_ARENA_MAX", "GLIBC_TUNABLES")}
    command = [sys.executable, "-c", PROGRAM, *arguments]
    found = subprocess.run(command, env=kept | variables, capture_output=True, check=True, timeout=60)
    return found.stdout.count(b"<heap nr=")


def test_threads_share_two_heaps():
    assert 2 == heaps("share")


@pytest.mark.parametrize("variables", [{"MALLOC_ARENA_MAX": "4"}, {"GLIBC_TUNABLES": "glibc.malloc.arena_max=4"}])
def test_the_environment_decides_if_it_says_how_many(variables):
    assert 4 == heaps("share", **variables)


def test_without_it_there_are_more():
    assert 2 < heaps()
