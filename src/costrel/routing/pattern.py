"""Read a rule's text into tokens, and its tokens into the segments of the matching tree."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from functools import lru_cache
from operator import attrgetter

from ..support.patterns import LatePattern
from ..support.properties import cached_property
from .sequence import Piece, Sequence, join_regex

if t.TYPE_CHECKING:
    from .converters import BaseConverter


class Variable(t.NamedTuple):
    """`<converter(arguments):name>` in a rule."""

    name: str
    converter: str
    arguments: str


_SLASH = "/"

Token = str | Variable  # "/", a text without slashes, or a variable
TracedToken = tuple[bool, str]  # a text; or True, and the name of a variable
Argument = str | float | bool | None  # of a converter

_TOKEN = LatePattern(
    r"""
    /
    | [^</]+
    | <
      (?: (?P<converter> [a-zA-Z_][a-zA-Z0-9_]* ) (?: \( (?P<arguments> .*? ) \) )? : )?
      (?P<name> [a-zA-Z_][a-zA-Z0-9_]* )
      >
    """,
    re.VERBOSE,
)


def parse_rule(rule: str) -> list[Token]:
    """The tokens of a rule's text; raises `ValueError` if it is malformed."""
    tokens: list[Token] = []
    position = 0
    while position < len(rule):
        match = _TOKEN.match(rule, position)
        if match is None:
            raise ValueError(
                f"malformed url rule: {rule!r}. There is no variable like '<name>', '<converter:name>' or"
                f" '<converter(arguments):name>' at {rule[position:]!r}; a name has only ASCII letters, digits and '_'."
            )
        converter, arguments, name = match.groups()
        tokens.append(match[0] if name is None else Variable(name, converter or "default", arguments or ""))
        position = match.end()
    return tokens


def trace(text: str) -> list[TracedToken]:
    """The texts in a rule's text, and the names of its variables."""
    return [(True, token.name) if isinstance(token, Variable) else (False, token) for token in parse_rule(text)]


# "1,2" without a blank is one text, since any character may stand for the point of a decimal number, as in Werkzeug.
_ARGUMENT = LatePattern(
    r"""
    \s* (?: (?P<name> \w+ ) \s* = \s* )?
    (?P<value>
      True | False
      | \d+ . \d+ | \d+ . | \d+
      | [\w.]+
      | [urUR]? (?: "(?P<double> [^"]* )" | '(?P<single> [^']* )' )
    )
    \s* ,
    """,
    re.VERBOSE,
)
_CONSTANTS: dict[str, Argument] = {"None": None, "True": True, "False": False}


def parse_converter_args(argstr: str) -> tuple[tuple[Argument, ...], dict[str, Argument]]:
    """The positional and the named arguments in a converter's parentheses; raises `ValueError` if it cannot be read."""
    text = f"{argstr},"
    positional: list[Argument] = []
    named: dict[str, Argument] = {}
    position = 0
    for match in _ARGUMENT.compile().finditer(text):
        if match.start() != position:
            raise ValueError(f"Cannot parse converter argument '{text[position : match.start()]}'")
        position = match.end()
        if match["name"]:
            named[match["name"]] = _argument_value(match)
        else:
            positional.append(_argument_value(match))
    if text[position:].strip(", \t\n"):
        raise ValueError(f"Cannot parse converter argument '{text[position:-1]}'")
    return tuple(positional), named


def _argument_value(match: re.Match[str]) -> Argument:
    quoted: str | None = match["double"] if match["single"] is None else match["single"]
    if quoted is not None:
        return quoted
    text: str = match["value"]
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    for convert in (int, float):
        try:
            return convert(text)
        except ValueError:
            pass
    return text


_MEMBER = LatePattern(r"\\[dDwWsS/]|\\.|\.|/|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_LOOKS_AROUND = LatePattern(r"\(\?<?[=!]")


@lru_cache
def takes_slash(regex: str) -> bool | None:
    """Whether a text that a regular expression matches may have a slash; None if a look-around may prevent it.

    It may if one of its characters, character classes or dots matches a slash.
    """
    members = [member for member in _MEMBER.compile().findall(regex) if member[0] != "\\" or member[1:] in "dDwWsS/"]
    if not any(re.fullmatch(member, "/", re.DOTALL) for member in members):
        return False
    return None if _LOOKS_AROUND.search(regex) else True


@lru_cache
def regex_error(regex: str) -> str | None:
    """The error in a variable's regular expression, or None."""
    try:
        re.compile(f"({regex})")
    except re.error as error:
        return str(error)
    return None


class Weighting(t.NamedTuple):
    """The order of the variable parts that may follow one place of the tree: the walk tries the least one first.

    More fixed texts come first, then longer ones, then more variables, then lighter converters. Counts are negative.
    """

    number_static_weights: int
    static_weights: list[tuple[int, int]]
    number_argument_weights: int
    argument_weights: list[int]


class RulePart:
    """One variable segment of a rule; or, if a converter accepts slashes, the segment and all that follow it.

    `final` marks the latter. A `suffixed` part is a final one whose rule ends with a slash, which is left to the tree.
    `content` is the regular expression for the whole part, `pieces` are its texts and its variables' regular
    expressions.
    """

    static = False

    def __init__(self, pieces: tuple[Piece, ...], final: bool, suffixed: bool, weight: Weighting) -> None:
        self.pieces = pieces
        self.final = final
        self.suffixed = suffixed
        self.weight = weight
        self.content = join_regex(pieces)

    @cached_property
    def key(self) -> Hashable:
        """Equal for parts that match alike, whatever the names of their variables: they share a branch of the tree."""
        counts = self.weight.number_static_weights, self.weight.number_argument_weights
        return self.pieces, self.final, self.suffixed, counts, tuple(self.weight.argument_weights)

    @cached_property
    def test(self) -> Callable[[str], object] | None:
        """A function that tells whether a text matches as a whole; None unless the part is a single variable."""
        if len(self.pieces) > 1:
            return None
        regex = self.pieces[0][0]
        # PERF: routing. C functions, or an expression without backtracking, for the commonest converters.
        return _TESTS.get(regex) or re.compile(_GREEDY.get(regex) or f"({regex})").fullmatch

    @cached_property
    def ascii_test(self) -> Callable[[str], object] | None:
        """The same for a text that is known to be ASCII."""
        return self.test and _ASCII_TESTS.get(self.pieces[0][0], self.test)

    @cached_property
    def fills_segment(self) -> bool:
        """Whether the part is a single variable, and takes a segment unless that is empty."""
        return not self.final and self.test is not None and not self.test("")

    @cached_property
    def match(self) -> Callable[[str], tuple[str, ...] | None]:
        """A function from a text to the texts of the variables, or None. Compiled at its first use."""
        test = self.test
        return Sequence(self.pieces).match if test is None else lambda text: (text,) if test(text) else None

    def take(self, segments: list[str], index: int) -> tuple[tuple[str, ...] | None, int]:
        """The texts of the variables, or None, in the segments from `index` on; and the index after the part."""
        if not self.final:
            return self.match(segments[index]), index + 1
        rest, end = "/".join(segments[index:]), len(segments)
        if self.suffixed and rest.endswith("/"):
            rest, end = rest[:-1], end - 1
            if rest.endswith("/"):
                return None, end
        return self.match(rest), end


_TESTS: dict[str, Callable[[str], object]] = {
    "[^/]{1,}": bool,  # a segment has no slash
    "[^/]+": bool,
    r"\d+": str.isdecimal,
    "[0-9]+": re.compile("[0-9]+").fullmatch,
}
_ASCII_TESTS: dict[str, Callable[[str], object]] = {**_TESTS, "[0-9]+": str.isdecimal}
_GREEDY = {"[^/].*?": "[^/].*"}


Part = str | RulePart  # a fixed segment, or a variable one


def split_parts(
    tokens: Iterable[Token],
    converters: Mapping[str, BaseConverter],
    isolates: Callable[[BaseConverter], bool] = attrgetter("part_isolating"),
) -> Iterator[Part]:
    """The segments between a rule's slashes. `isolates` tells whether the texts of a converter have no slash."""
    pieces: list[Piece] = []
    weights: list[int] = []
    final = False
    for token in tokens:
        if token == _SLASH and not final:
            yield _part(tuple(pieces), tuple(weights), False)
            pieces, weights = [], []
        elif isinstance(token, str):
            pieces.append((token, False))
        else:
            converter = converters[token.name]
            pieces.append((converter.regex, True))
            weights.append(converter.weight)
            final = final or not isolates(converter)
    yield (part := _part(tuple(pieces), tuple(weights), final))
    if isinstance(part, RulePart) and part.suffixed:
        yield ""


def texts_of(parts: Iterable[Part], segments: list[str]) -> list[str] | None:
    """The texts of the variables in the segments, or None if the parts do not take exactly these."""
    texts: list[str] = []
    index = 0
    for part in parts:
        if index == len(segments):
            return None
        if isinstance(part, str):
            if segments[index] != part:
                return None
            index += 1
        else:
            found, index = part.take(segments, index)
            if found is None:
                return None
            texts += found
    return texts if index == len(segments) else None


@lru_cache(maxsize=1024)  # the rules of an application repeat a few segments
def _part(pieces: tuple[Piece, ...], weights: tuple[int, ...], final: bool) -> Part:
    if not weights:
        return "".join([text for text, _ in pieces])
    suffixed = final and pieces[-1] == ("/", False)
    if suffixed:
        pieces = pieces[:-1]
    lengths = [-len(text) for text, variable in pieces if not variable and text != "/"]
    weight = Weighting(-len(lengths), list(enumerate(lengths)), -len(weights), list(weights))
    return RulePart(pieces, final, suffixed, weight)
