"""The sources, read once: lines of code, uses of `Any`, comments and docstrings."""

from __future__ import annotations

import ast
import io
import re
import tokenize
import typing as t
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src" / "costrel").rglob("*.py"))

_ANY = re.compile(r"\bAny\b")
_DIRECTIVE = re.compile(r"# ?(type:|noqa|fmt:)")
_LAYOUT = {tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER, tokenize.COMMENT}


class Reading(t.NamedTuple):
    """The counts of one source file, and its prose."""

    lines: int
    """The lines with code, without comments and docstrings."""
    anys: int
    """How many times the code says `Any`, in quoted types too; imports do not count."""
    prose: list[str]


def read(source: str) -> Reading:
    """Read one source."""
    texts = [
        node.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    ]
    silent = {line for text in texts for line in range(text.lineno, (text.end_lineno or text.lineno) + 1)}
    prose = [str(text.value) for text in texts]
    lines, anys = set(), 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and not _DIRECTIVE.match(token.string):
            prose.append(token.string)
        if token.type in _LAYOUT or token.start[0] in silent:
            continue
        lines |= set(range(token.start[0], token.end[0] + 1))
        is_import = token.line.lstrip().startswith(("from ", "import "))
        if token.type == tokenize.STRING or (token.type == tokenize.NAME and not is_import):
            anys += len(_ANY.findall(token.string))
    return Reading(len(lines), anys, prose)


@cache
def all_sources() -> list[Reading]:
    """All sources of the package."""
    return [read(path.read_text()) for path in SOURCES]
