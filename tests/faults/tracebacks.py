"""The tracebacks and panics in the log of a server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

ON_PURPOSE = "ZeroDivisionError: on purpose"
"""What the application of these tests raises itself."""

_BEGIN = "Traceback (most recent call last)"
_KEPT = 60


def unexpected_tracebacks(lines: Iterable[str], expected: str = ON_PURPOSE) -> list[str]:
    """The text of each traceback whose error is not the `expected` one, and of each panic of Granian."""
    return [text for text in _blocks(lines) if text.splitlines()[-1] != expected]


def _blocks(lines: Iterable[str]) -> Iterator[str]:
    """Each traceback with the line that ends it, and each line that reports a panic."""
    block: list[str] = []
    for line in lines:
        if block:
            block.append(line.rstrip("\n"))
            if line.strip() and not line.startswith((" ", "\t")):
                yield _shortened(block)
                block = []
        elif _BEGIN in line:
            block = [line.rstrip("\n")]
        elif "panicked" in line:
            yield line.rstrip("\n")
    if block:
        yield _shortened(block)


def _shortened(block: list[str]) -> str:
    return "\n".join(block if len(block) <= _KEPT else [*block[:5], "  ...", *block[-_KEPT:]])
