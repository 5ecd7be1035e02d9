"""The names of endpoints: each may begin with the names of the blueprints that it belongs to."""

from __future__ import annotations


def blueprint_path(name: str) -> list[str]:
    """The blueprint `name` and those that it is nested in: ``a.b.c`` → ``["a.b.c", "a.b", "a"]``."""
    path = [name]
    while "." in name:
        name = name.rpartition(".")[0]
        path.append(name)
    return path
