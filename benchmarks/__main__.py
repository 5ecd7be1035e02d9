"""Every figure that the project claims, with its peers beside it: ``python -m benchmarks PART [...]``.

calls     one call of each peer, in process; with names of scenarios, only these; --peers flask,costrel
startup   importing, and an application of 10,000 rules
seal      the start of an application with 300 typed views
growth    how the cost grows with the number of headers, fields, rules …; with names, only these
bodies    uploads and downloads of 1 GiB: throughput and memory
memory    a worker's memory over 100,000 mixed requests
served    browsers' requests and TechEmpower's tests on servers, with the load from another core; --peers likewise
where     the share of each function in the time of each scenario
instructions   instructions per request, counted by callgrind; with names, only these; --framework costrel,flask;
          --table typed counts and writes one of the tables: wsgi, asgi, typed
reload    from saving a file until the browser shows the change
report    the tables and plots of docs/performance.md, from the stored figures
all       all of these, and the report

The environment variables BENCH_TURNS, BENCH_ROUNDS and BENCH_SECONDS make `calls` longer or shorter.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import signal
import subprocess
import sys
import time
from collections.abc import Callable

ALONE = ["benchmarks.profiles", "benchmarks.session_stores"]
"""Separate programs that `all` runs as well: each prints its own figures."""


def calls(options: argparse.Namespace) -> None:
    from .comparison import main

    main([name for name in options.peers.split(",") if name], options.names)


def instructions(options: argparse.Namespace) -> None:
    from .instructions.command import main

    main(options.names, [name for name in options.framework.split(",") if name], options.table)


def served(options: argparse.Namespace) -> None:
    from .served import main

    main(options.names, [name for name in options.peers.split(",") if name])


def part(name: str) -> Callable[[argparse.Namespace], None]:
    """A part that takes no names."""
    return lambda options: importlib.import_module(f"benchmarks.{name}").main()


def named_part(name: str) -> Callable[[argparse.Namespace], None]:
    """A part that takes the names of the cases to measure."""
    return lambda options: importlib.import_module(f"benchmarks.{name}").main(options.names)


PARTS: dict[str, Callable[[argparse.Namespace], None]] = {
    "calls": calls,
    "served": served,
    "bodies": part("bodies"),
    "memory": part("memory"),
    "startup": part("startup"),
    "seal": part("seal"),
    "growth": named_part("growth"),
    "where": named_part("where"),
    "instructions": instructions,
    "reload": part("reload"),
    "report": part("report"),
}


def everything(options: argparse.Namespace) -> None:
    """Run all parts, one after the other. A failing part is named, and the others still run."""
    failed = []
    for name, run in PARTS.items():
        started = time.monotonic()
        print(f"\n== {name}", flush=True)
        try:
            run(options)
        except (Exception, SystemExit) as error:
            failed.append(name)
            print(f"{name} failed: {error}", file=sys.stderr)
        print(f"== {name} took {time.monotonic() - started:.0f} s", flush=True)
    for module in ALONE:
        if importlib.util.find_spec(module) is None:
            continue
        print(f"\n== {module}", flush=True)
        if subprocess.run([sys.executable, "-m", module], timeout=600).returncode:
            failed.append(module)
    if failed:
        sys.exit(f"Failed: {', '.join(failed)}.")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("part", choices=[*PARTS, "all"])
    parser.add_argument("names", nargs="*", help="of scenarios or cases; without any: all")
    parser.add_argument("--peers", default="", help="of `calls`: separated by commas; without it: all")
    parser.add_argument("--framework", default="", help="of `instructions`: likewise")
    parser.add_argument("--table", default="", help="of `instructions`: one of them; without it: all")
    options = parser.parse_intermixed_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Ended."))  # so that the servers are stopped, too
    (everything if options.part == "all" else PARTS[options.part])(options)


if __name__ == "__main__":
    main()
