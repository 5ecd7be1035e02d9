"""Circles in a graph of imports."""

from collections.abc import Mapping, Set


def circles(graph: Mapping[str, Set[str]]) -> list[set[str]]:
    """The largest groups of nodes in which each one reaches every other: two nodes or more."""
    reached = {node: reachable(graph, node) for node in graph}
    found: list[set[str]] = []
    seen: set[str] = set()
    for node in graph:
        circle = {other for other in reached[node] if node in reached[other]}
        if len(circle) > 1 and node not in seen:
            found.append(circle)
        seen |= circle
    return found


def reachable(graph: Mapping[str, Set[str]], start: str) -> set[str]:
    """The nodes that paths of one step or more lead to."""
    found: set[str] = set()
    waiting = [*graph[start]]
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting += graph[node]
    return found
