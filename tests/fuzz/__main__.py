"""Runs the targets under atheris, one after the other: ``python -m tests.fuzz [--keep] [TARGET …]``.

Each has FUZZ_SECONDS (60) of time. What it learns stays in ``.fuzz/TARGET/corpus`` for the next run; ``--keep`` brings
from there into ``tests/fuzz/corpus`` what reaches code that nothing there reaches. A finding is an input in
``.fuzz/TARGET``: mend it, and put it into ``tests/fuzz/corpus/TARGET``, where the ordinary tests replay it.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

from .targets import TARGETS

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
WORK = ROOT / ".fuzz"
# An input that takes longer, or more memory, is a finding.
LIMITS = ("-timeout=10", "-rss_limit_mb=2048")
_find_coverage = re.compile(r"cov: (\d+) ft: (\d+) corp: (\d+)").findall
_find_runs = re.compile(r"Done (\d+) runs").search


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.partition("\n")[0])
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"all of them, or some of: {', '.join(TARGETS)}")
    parser.add_argument("--keep", action="store_true", help="bring what was learned into tests/fuzz/corpus")
    options = parser.parse_args()
    unknown = set(options.targets) - set(TARGETS)
    if unknown:
        parser.error(f"there is no target {', '.join(sorted(unknown))}; there are: {', '.join(TARGETS)}")
    names = options.targets or list(TARGETS)
    if options.keep:
        for name in names:
            keep(name)
        return
    seconds = int(os.environ.get("FUZZ_SECONDS", "60"))
    print(f"{len(names)} targets, {seconds} seconds each")
    failed = [name for name in names if not run(name, seconds)]
    if failed:
        sys.exit(f"findings: {', '.join(failed)}")


def run(name: str, seconds: int) -> bool:
    """Fuzz one target, and print its coverage and its findings. Return whether there were none."""
    learned = WORK / name / "corpus"
    learned.mkdir(parents=True, exist_ok=True)
    log = WORK / name / "log"
    arguments = [f"-max_total_time={seconds}", *LIMITS, f"-artifact_prefix={WORK / name}/"]
    with log.open("wb") as output:
        code = _atheris(name, [*arguments, str(learned), str(HERE / "corpus" / name)], output)
    text = log.read_text(errors="replace")
    runs, reached = _find_runs(text), _find_coverage(text)
    first, last = (reached[0], reached[-1]) if reached else (("?",) * 3,) * 2
    print(
        f"{name:17} {runs[1] if runs else '?':>9} runs  edges {first[0]} → {last[0]}  features {first[1]} → {last[1]}"
        f"  inputs {last[2]}",
        flush=True,
    )
    if code:
        _, _, story = text.partition("=== Uncaught Python exception: ===")
        print((story or text)[-3_000:])
        print(f"The input is in {WORK / name}. When it is mended, put it into {HERE / 'corpus' / name}.")
    return code == 0


def keep(name: str) -> None:
    """Bring those inputs that reach more into the corpus that is in the repository."""
    kept = HERE / "corpus" / name
    kept.mkdir(parents=True, exist_ok=True)
    _atheris(name, ["-set_cover_merge=1", *LIMITS, str(kept), str(WORK / name / "corpus")], subprocess.DEVNULL)
    files = list(kept.iterdir())
    print(f"{name:17} {len(files)} inputs, {sum(file.stat().st_size for file in files):,} bytes")


def _atheris(name: str, arguments: list[str], output: object) -> int:
    command = [sys.executable, "-m", "tests.fuzz.one", name, *arguments]
    return subprocess.run(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, check=False).returncode


if __name__ == "__main__":
    main()
