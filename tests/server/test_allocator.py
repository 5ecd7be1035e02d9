"""The heaps of a worker: its threads share two by default, and free memory is returned."""

import platform
import subprocess
import sys
import threading

import pytest

from costrel.server import allocator

from ..processes import environ, wait_until

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


FRAGMENTED = """\
from costrel.server.allocator import trim

def size():
    with open("/proc/self/status") as status:
        return int(dict(line.split(":") for line in status)["RssAnon"].split()[0])

blocks = [bytearray(b"x" * size) for _ in range(1000) for size in (100_000, 1000)]
del blocks[::2]
before = size()
trim()
print(before - size())
"""


def test_free_memory_between_blocks_in_use_is_returned():
    found = subprocess.run([sys.executable, "-c", FRAGMENTED], capture_output=True, check=True, timeout=60)
    assert int(found.stdout) > 80_000  # KB


def test_memory_is_trimmed_while_it_is_scarce_and_afterwards(monkeypatch):
    trims, scarce = [], iter([True, True, False, True])
    monkeypatch.setattr(allocator, "_INTERVAL", 0)
    monkeypatch.setattr(allocator, "trim", lambda: trims.append(threading.current_thread()))
    trimming = allocator.Trimming()

    trimming.begin(lambda: next(scarce, False))
    wait_until(lambda: len(trims) >= 6, "it trims")
    wait_until(lambda: not trims[0].is_alive(), "it ends")
    assert 6 == len(trims)
    trimming.begin(lambda: False)
    wait_until(lambda: len(trims) == 8 and not trims[-1].is_alive(), "it begins again")


def test_one_thread_trims(monkeypatch):
    monkeypatch.setattr(allocator, "_INTERVAL", 0.1)
    trimming = allocator.Trimming()

    for _ in range(5):
        trimming.begin(lambda: False)
    assert 1 == sum(thread.name == "costrel-trimming" for thread in threading.enumerate())
