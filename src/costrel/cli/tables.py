"""Tables for the terminal: columns if they fit, otherwise a block of lines per row."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence

import click


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table, without columns that are empty in all rows."""
    kept = [number for number in range(len(head)) if any(row[number] for row in rows)]
    head = [head[number] for number in kept]
    rows = [[row[number] for number in kept] for row in rows]
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    width = terminal_width()
    if width is not None and sum(widths) + 2 * (len(widths) - 1) > width:
        _print_blocks(head, rows)
        return
    click.secho(_line(head, widths), bold=True)
    click.echo(_line(["-" * each for each in widths], widths))
    for row in rows:
        click.echo(_line(row, widths))


def _print_blocks(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    for number, row in enumerate(rows):
        if number:
            click.echo()
        for name, cell in zip(head, row, strict=True):
            if cell:
                click.echo(f"{click.style(name, bold=True)}: {cell}")


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def terminal_width() -> int | None:
    """The width in the variable COLUMNS or of the terminal; None if the output goes to a file or another program."""
    if not os.environ.get("COLUMNS") and not sys.stdout.isatty():
        return None
    return shutil.get_terminal_size().columns
