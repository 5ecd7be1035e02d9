"""The cost of an attribute or an item through a context-local proxy: ``python -m benchmarks.proxy_access``.

Prints nanoseconds per access: of the object itself, through Costrel's proxy, and through Werkzeug's if it is installed.
"""

from __future__ import annotations

import timeit
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from costrel.support.local import LocalProxy

LOOPS = 200_000
ROUNDS = 7


class Target:
    """Something with attributes and items, as a request or a session has."""

    method = "GET"

    def __getitem__(self, key: str) -> str:
        return key


def nanoseconds(call: Callable[[], Any]) -> float:
    return min(timeit.repeat(call, number=LOOPS, repeat=ROUNDS)) / LOOPS * 1e9


def peers() -> dict[str, Any]:
    """Name → object whose attribute and item are read."""
    variable: ContextVar[Target] = ContextVar("target")
    variable.set(Target())
    found = {"object itself": variable.get(), "costrel": LocalProxy(variable)}
    try:
        from werkzeug.local import LocalProxy as Theirs
    except ImportError:
        return found
    return found | {"werkzeug": Theirs(variable)}


def main() -> None:
    for name, target in peers().items():
        attribute = nanoseconds(lambda: target.method)  # noqa: B023 - called before the loop continues
        item = nanoseconds(lambda: target["key"])  # noqa: B023 - as above
        print(f"{name:14} attribute {attribute:6.0f} ns   item {item:6.0f} ns")


if __name__ == "__main__":
    main()
