"""Match a sequence of texts and variables, in time linear in the length of the client's text.

A regular expression defines the match. A backtracking engine finds it fast, until two variables may share the text
between them: for ``<path:a>/x/<path:b>/y/<path:c>`` it tries every place for the first `/x/` with every place for
the `/y/`, which takes minutes for 8 KB. If that can happen and the text is not short, two passes find the same match:
one from the end to the start marks the positions from which the rest still matches; one from the start then lets each
part take the text that the engine would prefer, among those that the marks allow.

Users may write any regular expression. The engine matches all that are not a run of characters, a choice of texts, or a
sequence of these.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterable

from ..support.patterns import LatePattern

_SHORT = 64  # characters; for a shorter text, trying all pairs of places costs less than marking
_MANY = 8  # repetitions; a run that varies by less does not count as long

_ATOM = LatePattern(
    r"""
    (?P<member>
      \[ \^? \]? (?: \\. | [^\]\\] )* \]
      | \\ [dDwWsS] | \\ [^\w] | \. | [^\\.^$*+?{}\[\]|()]
    )
    (?: (?P<sign> [*+?] ) | \{ (?P<least> \d+ ) (?P<comma> , (?P<most> \d* ) )? \} )?
    (?P<lazy> \? )?
    (?! [*+?{] )
    | \(\?: (?P<choices> (?: \\ [^\w] | [^\\.^$*+?{}\[\]()] )* ) \) (?! [*+?{] )
    """,
    re.VERBOSE,
)
_SIGNS: dict[str | None, tuple[int, int | None]] = {None: (1, 1), "*": (0, None), "+": (1, None), "?": (0, 1)}


class Choice(t.NamedTuple):
    """One of some texts, the first ones preferred; a fixed text is a choice of one."""

    texts: tuple[str, ...]

    def starts(self, subject: str, ends: bytearray) -> bytearray:
        """Mark the positions at which one of the texts begins that ends at a mark of `ends`."""
        marks = bytearray(len(ends))
        for text in self.texts:
            start = subject.find(text)
            while start >= 0:
                marks[start] |= ends[start + len(text)]
                start = subject.find(text, start + 1)
        return marks

    def end(self, subject: str, start: int, ends: bytearray) -> int:
        """The mark of `ends` at which the preferred text that begins at `start` ends."""
        return next(
            start + len(text) for text in self.texts if subject.startswith(text, start) and ends[start + len(text)]
        )


class Run(t.NamedTuple):
    """From `least` to `most` characters of one kind."""

    member: re.Pattern[str]
    members: re.Pattern[str]
    least: int
    most: int | None
    lazy: bool

    @property
    def is_long(self) -> bool:
        """Whether it can end at many positions."""
        return self.most is None or self.most - self.least > _MANY

    def starts(self, subject: str, ends: bytearray) -> bytearray:
        """Mark the positions at which such a run begins that can end at a mark of `ends`."""
        marks = bytearray(len(ends)) if self.least else bytearray(ends)
        if self.least == self.most == 1:
            for character in self.member.finditer(subject):
                marks[character.start()] = ends[character.end()]
            return marks
        for run in self.members.finditer(subject):
            self._mark_run(run.start(), run.end(), ends, marks)
        return marks

    def _mark_run(self, first: int, last: int, ends: bytearray, marks: bytearray) -> None:
        end = ends.rfind(1, first + self.least, last + 1)
        if end < 0:
            return
        if self.most is None:  # all that reach the last mark
            marks[first : end - self.least + 1] = b"\1" * (end - self.least + 1 - first)
            return
        for start in range(end - self.least, first - 1, -1):
            if ends[start + self.least]:
                end = start + self.least
            marks[start] |= end <= start + self.most

    def end(self, subject: str, start: int, ends: bytearray) -> int:
        """The mark of `ends` at which the run that begins at `start` ends: the first if lazy, else the last."""
        run = self.members.match(subject, start)
        last = run.end() if run else start
        if self.most is not None:
            last = min(last, start + self.most)
        find = ends.find if self.lazy else ends.rfind
        return find(1, start + self.least, last + 1)


Atom = Choice | Run


def parse_regex(regex: str) -> list[Atom] | None:
    """The atoms of a simple regular expression, or None if it is more than that."""
    atoms: list[Atom] = []
    position = 0
    while position < len(regex):
        match = _ATOM.match(regex, position)
        if match is None:
            return None
        atoms.append(_atom(match))
        position = match.end()
    return atoms


def _atom(match: re.Match[str]) -> Atom:
    if match["choices"] is not None:
        return Choice(_alternatives(match["choices"]))
    if match["least"] is None:
        least, most = _SIGNS[match["sign"]]
    else:
        least = int(match["least"])
        most = least if not match["comma"] else int(match["most"]) if match["most"] else None
    member = match["member"]
    return Run(re.compile(member), re.compile(f"{member}+"), least, most, bool(match["lazy"]))


def _alternatives(choices: str) -> tuple[str, ...]:
    texts = [""]
    for character in re.findall(r"\\.|.", choices, re.DOTALL):
        if character == "|":
            texts.append("")
        else:
            texts[-1] += character[-1]
    return tuple(texts)


#: A text and False, or a variable's regular expression and True.
Piece = tuple[str, bool]


def join_regex(pieces: Iterable[Piece]) -> str:
    """One regular expression for all of them, with a group ``_<index>`` for each variable."""
    return "".join(
        [f"(?P<_{index}>{text})" if variable else re.escape(text) for index, (text, variable) in enumerate(pieces)]
    )


class Sequence:
    """Texts and variables that follow one another."""

    def __init__(self, pieces: tuple[Piece, ...]) -> None:
        self._regex = re.compile(join_regex(pieces))
        self._groups = [self._regex.groupindex[f"_{index}"] for index, (_, variable) in enumerate(pieces) if variable]
        self._atoms: list[Atom] = []
        self._spans: list[tuple[int, int]] = []
        self._contested = _contested(self._atoms) if self._read_atoms(pieces) else 0

    def _read_atoms(self, pieces: tuple[Piece, ...]) -> bool:
        for text, variable in pieces:
            atoms = parse_regex(text) if variable else [Choice((text,))]
            if atoms is None:
                return False
            if variable:
                self._spans.append((len(self._atoms), len(self._atoms) + len(atoms)))
            self._atoms += atoms
        return True

    def match(self, subject: str) -> tuple[str, ...] | None:
        """The texts of the variables, or None."""
        if self._contested == 0 or (self._contested <= 2 and len(subject) <= _SHORT):
            return self.match_by_regex(subject)
        return self.match_by_marks(subject)

    def match_by_regex(self, subject: str) -> tuple[str, ...] | None:
        """The match of the regular expression: the reference."""
        match = self._regex.fullmatch(subject)
        return match and match.group(0, *self._groups)[1:]  # a tuple, even for one group

    def match_by_marks(self, subject: str) -> tuple[str, ...] | None:
        """The same match, found by marking from the end."""
        marks = bytearray(len(subject) + 1)
        marks[-1] = 1
        steps = [marks]
        for atom in reversed(self._atoms):
            marks = atom.starts(subject, marks)
            steps.append(marks)
        if not marks[0]:
            return None
        steps.reverse()
        positions = [0]
        for atom, ends in zip(self._atoms, steps[1:], strict=True):
            positions.append(atom.end(subject, positions[-1], ends))
        return tuple(subject[positions[first] : positions[last]] for first, last in self._spans)


def _contested(atoms: list[Atom]) -> int:
    """The number of long runs before another long one that no text is certain to end."""
    long = [index for index, atom in enumerate(atoms) if isinstance(atom, Run) and atom.is_long]
    return sum(not _is_closed(t.cast(Run, atoms[index]), atoms[index + 1]) for index in long[:-1])


def _is_closed(run: Run, following: Atom) -> bool:
    return isinstance(following, Choice) and not any(not text or run.member.match(text) for text in following.texts)
