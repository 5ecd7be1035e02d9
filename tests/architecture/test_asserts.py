"""The package contains no `assert`, so it works under ``python -O``."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "src" / "costrel"


def test_e14_no_statement_goes_away_under_python_o() -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Assert) or (isinstance(node, ast.Name) and node.id == "__debug__")
    ]

    assert found == []
