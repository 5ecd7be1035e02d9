"""Runs one target under atheris: ``python -m tests.fuzz.one TARGET [libFuzzer's arguments and folders]``."""

from __future__ import annotations

import shlex
import sys
import warnings

import atheris


def main() -> None:
    name, *arguments = sys.argv[1:]
    with atheris.instrument_imports(include=["costrel"]):
        from .targets import TARGETS

    warnings.simplefilter("ignore")  # of cookies that are too large, a hundred times a second
    target = TARGETS[name]
    # For -merge, libFuzzer runs its first argument in a shell. Of arguments with one name the last one counts.
    command = f"{shlex.quote(sys.executable)} -m {__spec__.name} {name}"
    atheris.Setup([command, f"-max_len={target.max_length}", *arguments], target.run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
