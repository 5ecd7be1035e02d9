"""Cycles in a directed graph: its strongly connected components."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import TypeVar

N = TypeVar("N", bound=Hashable)


def components(start: N, neighbours: Callable[[N], Iterable[N]]) -> Iterator[list[N]]:
    """Yield the strongly connected components that can be reached from `start`, each after those that it leads to.

    The nodes of a cycle are one component. Takes linear time, without recursion (Tarjan 1972).
    """
    numbers: dict[N, int] = {start: 0}
    lowest: dict[N, int] = {start: 0}
    pending, is_pending = [start], {start}
    path = [(start, iter(neighbours(start)))]
    while path:
        node, following = path[-1]
        for other in following:
            if other not in numbers:
                numbers[other] = lowest[other] = len(numbers)
                pending.append(other)
                is_pending.add(other)
                path.append((other, iter(neighbours(other))))
                break
            if other in is_pending:
                lowest[node] = min(lowest[node], numbers[other])
        else:
            path.pop()
            if path:
                lowest[path[-1][0]] = min(lowest[path[-1][0]], lowest[node])
            if lowest[node] == numbers[node]:
                component = [pending.pop()]
                while component[-1] != node:
                    component.append(pending.pop())
                is_pending.difference_update(component)
                yield component
