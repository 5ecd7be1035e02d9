"""No circle of imports has more than two modules; imports for typing and in functions count."""

import ast
from pathlib import Path

from .graph import circles

PACKAGE = Path(__file__).parents[2] / "src" / "costrel"


def modules() -> dict[str, Path]:
    """The modules of the package by their dotted names."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = ["costrel", *path.relative_to(PACKAGE).with_suffix("").parts]
        found[".".join(parts[:-1] if path.name == "__init__.py" else parts)] = path
    return found


def imports(name: str, path: Path, known: dict[str, Path]) -> set[str]:
    """The modules of the package that a module imports, wherever it does so."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            origin = from_where(node, package)
            for alias in node.names:
                full = f"{origin}.{alias.name}"
                found.add(full if full in known else origin)
    return (found & known.keys()) - {name}


def from_where(node: ast.ImportFrom, package: str) -> str:
    """The module that a ``from … import`` names, with the dots in front resolved."""
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    return ".".join([*parts[: len(parts) - node.level + 1], *([node.module] if node.module else [])])


def test_no_circle_has_more_than_two_modules() -> None:
    known = modules()
    graph = {name: imports(name, path, known) for name, path in known.items()}

    assert [] == sorted(sorted(circle) for circle in circles(graph) if len(circle) > 2)


def test_an_import_is_found_wherever_it_is(tmp_path: Path) -> None:
    path = tmp_path / "here.py"
    path.write_text(
        "import p.first\nfrom .second import name\nfrom .. import third\nif TYPE_CHECKING:\n    from . import fourth\n"
        "def late():\n    from p.fifth import name\n"
    )
    known = dict.fromkeys(["p.first", "p.q.second", "p.third", "p.q.fourth", "p.fifth", "p.q.here"], path)

    assert known.keys() - {"p.q.here"} == imports("p.q.here", path, known)


def test_circles_are_found() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": {"e"}, "e": {"d"}, "f": {"a"}}

    assert [["a", "b", "c"], ["d", "e"]] == sorted(sorted(circle) for circle in circles(graph))
