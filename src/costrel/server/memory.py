"""Measures the memory of a process."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from pathlib import Path


def resident(pid: int | None) -> int:
    """The resident memory of a process in bytes; 0 if it has ended or if the system does not report it."""
    statm = Path(f"/proc/{pid}/statm")
    with suppress(OSError, ValueError):
        if Path("/proc/self/statm").exists():
            return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        ps = subprocess.run(  # noqa: S603 - the argument is a number
            ["/bin/ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, timeout=5, check=False
        )
        return int(ps.stdout) * 1024  # POSIX: ps reports units of 1024 bytes
    return 0
