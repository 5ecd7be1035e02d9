"""Starts `child.py` under callgrind, and reads the instructions of each scenario from its dumps."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from .child import COUNTED
from .frameworks import Framework
from .tables import HARNESS

ROOT = Path(__file__).parents[2]
SOURCE = """
#include <valgrind/callgrind.h>
void begin(void) { CALLGRIND_START_INSTRUMENTATION; CALLGRIND_ZERO_STATS; }
void end(const char *label) { CALLGRIND_DUMP_STATS_AT(label); CALLGRIND_STOP_INSTRUMENTATION; }
"""
LABEL = re.compile(r"^desc: Trigger: Client Request: (\w+)", re.MULTILINE)
TOTAL = re.compile(r"^totals: (\d+)", re.MULTILINE)


def instructions(framework: Framework, names: list[str]) -> dict[str, int]:
    """Scenario → instructions per call, those of the harness among them; ``harness`` → these alone.

    Raises RuntimeError if valgrind or a compiler is missing, or if the child fails.
    """
    for program, package in (("valgrind", "valgrind"), ("cc", "gcc")):
        if shutil.which(program) is None:
            raise RuntimeError(f"{program} is not installed (Debian: apt-get install {package}).")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command = [
            "valgrind", "--tool=callgrind", "--instr-atstart=no", "--fair-sched=yes",
            f"--callgrind-out-file={folder}/out",
            sys.executable, "-W", "ignore", "-m", "benchmarks.instructions.child",
            library_in(folder), framework.name, *names,
        ]  # fmt: skip
        environ = {**os.environ, "PYTHONHASHSEED": "0"}
        done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=1800)
        if done.returncode:
            raise RuntimeError(f"{framework.name} under callgrind:\n{done.stderr[-2000:]}")
        return figures_in(folder)


def library_in(folder: Path) -> str:
    """A library with which a program starts and stops callgrind's counting."""
    source, library = folder / "count.c", folder / "count.so"
    source.write_text(SOURCE)
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source], check=True)
    return str(library)


def figures_in(folder: Path) -> dict[str, int]:
    """The figures in the dumps of a run, per call."""
    found = {}
    for path in folder.glob("out*"):
        text = path.read_text(errors="replace")
        label, total = LABEL.search(text), TOTAL.search(text)
        if label and total:
            found[label[1]] = round(int(total[1]) / COUNTED)
    if HARNESS not in found:
        raise RuntimeError("callgrind wrote no figures.")
    return found
