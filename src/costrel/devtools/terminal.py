"""Tracebacks for the terminal: the user's frames with source, runs of library frames in one line."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator

from .frames import Frame, Report
from .hints import Hint
from .values import Describer

Paint = Callable[..., str]

_CODES = {"bold": "1", "dim": "2", "red": "31", "yellow": "33", "cyan": "36"}
_INNERMOST_LIBRARY_FRAMES = 3

# Control characters in messages or source lines must not affect the terminal.
_VISIBLE = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0)) if code not in (9, 10)}


def colours(text: str, *styles: str) -> str:
    """`text` in the named styles."""
    return f"\x1b[{';'.join(_CODES[style] for style in styles)}m{text}\x1b[0m" if text else ""


def plain(text: str, *styles: str) -> str:
    """Return `text` unchanged: a `colours` for streams without colours."""
    return text


def painter(stream: object) -> Paint:
    """:func:`colours` if `stream` is a terminal and ``NO_COLOR`` is not set, otherwise :func:`plain`."""
    wanted = not os.environ.get("NO_COLOR") and bool(getattr(stream, "isatty", lambda: False)())
    return colours if wanted else plain


def format_report(
    report: Report, paint: Paint = plain, describer: Describer | None = None, hints: Iterable[Hint] = ()
) -> str:
    """The report as text, followed by the hints. As in Python, the earliest exception comes first."""
    clean = (describer or Describer()).clean
    parts = [_one(item, paint, clean) for item in reversed(list(report.chain()))]
    sentences = [_sentence(item.relation) for item in reversed(list(report.chain())) if item.relation]
    pieces = [parts[0]]
    for sentence, part in zip(sentences, parts[1:], strict=True):
        pieces += ["", paint(sentence, "dim"), "", part]
    for hint in hints:
        pieces += _hint(hint, paint, clean)
    return "\n".join(pieces) + "\n"


def _sentence(relation: str) -> str:
    if "direct cause" in relation:
        return "The above exception was the direct cause of the following exception:"
    return "During handling of the above exception, another exception occurred:"


def _one(report: Report, paint: Paint, clean: Callable[[str], str]) -> str:
    lines = [paint("Traceback (most recent call last):", "dim")]
    for frame, skipped in _shown(report.frames):
        if skipped:
            lines.append(paint(f"  … {skipped} frames in {frame.package}", "dim"))
        else:
            lines += _frame(frame, paint)
    message = clean(report.message).translate(_VISIBLE)
    lines.append(f"{paint(report.kind, 'bold', 'red')}: {message}" if message else paint(report.kind, "bold", "red"))
    lines += [paint(clean(note).translate(_VISIBLE), "yellow") for note in report.notes]
    for number, child in enumerate(report.children, start=1):
        text = format_report(child, paint)
        lines += [paint(f"  {number}.", "bold"), *(f"  │ {line}" for line in text.splitlines())]
    if report.more_children:
        lines.append(f"  … and {report.more_children} more exceptions in the group")
    return "\n".join(lines)


def format_hint(hint: Hint, paint: Paint = plain) -> list[str]:
    """The lines of a hint without an exception."""
    return [*_hint(hint, paint, Describer().clean)]


def _hint(hint: Hint, paint: Paint, clean: Callable[[str], str]) -> Iterator[str]:
    yield f"{paint('Hint:', 'bold', 'cyan')} {clean(hint.text).translate(_VISIBLE)}"
    rows = [tuple(clean(text).translate(_VISIBLE) for text in row) for row in hint.rows]
    width = max((len(name) for name, _ in rows), default=0)
    yield from (f"  {name:{width}}  {remark}" for name, remark in rows)


def _shown(frames: list[Frame]) -> Iterator[tuple[Frame, int]]:
    """The frames to show, with the number 0. A run of library frames is replaced by its first frame and its length."""
    has_own = any(frame.is_user for frame in frames)
    run: list[Frame] = []
    for frame in [*frames, None]:
        if run and (frame is None or frame.package != run[-1].package):
            # At the innermost frame, or if no frame is the user's, the error is in the library.
            keep = _INNERMOST_LIBRARY_FRAMES if frame is None or not has_own else 0
            if len(run) > keep + 1:
                yield run[0], len(run) - keep
                run = run[len(run) - keep :]
            yield from ((kept, 0) for kept in run)
            run = []
        if frame is not None and frame.is_user:
            yield frame, 0
        elif frame is not None:
            run.append(frame)


def _frame(frame: Frame, paint: Paint) -> Iterator[str]:
    function = f", in {frame.function}" if frame.function else ""
    place = f'  File "{frame.filename}", line {frame.lineno}{function}'.translate(_VISIBLE)
    if not frame.is_user:
        yield paint(place, "dim")
        yield paint(f"    {frame.line}".translate(_VISIBLE), "dim")
        return
    mark = paint("  ◀ your code", "bold", "yellow") if frame.is_focus else ""
    yield paint(place, "bold" if frame.is_focus else "cyan") + mark
    for line in frame.source(2, 1) if frame.is_focus else frame.source(0, 0):
        sign = "❱" if line.is_current and frame.is_focus else " "
        yield paint(
            f"  {sign} {line.number:4} │ {line.text}".rstrip().translate(_VISIBLE),
            *(() if line.is_current else ("dim",)),
        )
        if line.pointer and line.pointer.strip() != "^" * len(line.text.strip()):
            yield paint(f"         │ {line.pointer}", "red")
