"""Read a rule's text into tokens, and its tokens into the segments that the matching tree is made of."""

from __future__ import annotations

import re
import typing as t
from functools import lru_cache

from ..support.patterns import LatePattern
from ..support.properties import cached_property
from .sequence import Piece, Sequence, join_regex

if t.TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping

    from .converters import BaseConverter


class Variable(t.NamedTuple):
    """`<converter(arguments):name>` in a rule."""

    name: str
    converter: str
    arguments: str


_SLASH = "/"

Token = str | Variable  # "/", a text without slashes, or a variable

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
    """The tokens of a rule's text; raises `ValueError` where it is malformed."""
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


# "1,2" without a blank is one text: the point of a decimal number may be any character. So rules in the wild are read.
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
_CONSTANTS: dict[str, t.Any] = {"None": None, "True": True, "False": False}


def parse_converter_args(argstr: str) -> tuple[tuple[t.Any, ...], dict[str, t.Any]]:
    """The positional and the named arguments in a converter's parentheses; raises `ValueError` where unreadable."""
    text = f"{argstr},"
    positional: list[t.Any] = []
    named: dict[str, t.Any] = {}
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


def _argument_value(match: re.Match[str]) -> t.Any:
    quoted = match["double"] if match["single"] is None else match["single"]
    if quoted is not None:
        return quoted
    text = match["value"]
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    for convert in (int, float):
        try:
            return convert(text)
        except ValueError:
            pass
    return text


@lru_cache
def regex_error(regex: str) -> str | None:
    """Why a variable's regular expression cannot be used, or None."""
    try:
        re.compile(f"({regex})")
    except re.error as error:
        return str(error)
    return None


class Weighting(t.NamedTuple):
    """What orders the variable parts that may follow one place of the tree: the lesser one is tried first.

    So: more fixed texts, then longer ones, then more variables, then lighter converters. The numbers are negative.
    """

    number_static_weights: int
    static_weights: list[tuple[int, int]]
    number_argument_weights: int
    argument_weights: list[int]


class RulePart:
    """One variable segment of a rule; or, where a converter may swallow slashes, all from there to the end.

    `final` says the latter. A `suffixed` part is a final one whose rule ends with a slash, which is left to the tree.
    `content` is the regular expression for all of it, `pieces` are its texts and the variables' regular expressions.
    """

    def __init__(
        self,
        content: str,
        final: bool,
        static: bool,
        suffixed: bool,
        weight: Weighting,
        pieces: tuple[Piece, ...] = (),
    ) -> None:
        self.content = content
        self.final = final
        self.static = static
        self.suffixed = suffixed
        self.weight = weight
        self.pieces = pieces

    @cached_property
    def key(self) -> Hashable:
        """Equal for parts that match alike, whatever their variables are called: they share a branch of the tree."""
        counts = self.weight.number_static_weights, self.weight.number_argument_weights
        return self.pieces, self.final, self.suffixed, counts, tuple(self.weight.argument_weights)

    @cached_property
    def test(self) -> Callable[[str], object] | None:
        """Does this text match as a whole? Only where the part is a single variable."""
        if len(self.pieces) > 1:
            return None
        regex = self.pieces[0][0]
        # PERF: C functions, or a regular expression that does not go back, for the commonest converters
        # (benchmarks: routing).
        return _TESTS.get(regex) or re.compile(_GREEDY.get(regex) or f"({regex})").fullmatch

    @cached_property
    def match(self) -> Callable[[str], tuple[str, ...] | None]:
        """The texts of the variables, or None. Compiled at the first use: most rules never see a request."""
        test = self.test
        return Sequence(self.pieces).match if test is None else lambda text: (text,) if test(text) else None


_TESTS: dict[str, Callable[[str], object]] = {
    "[^/]{1,}": bool,  # a segment has no slash
    "[^/]+": bool,
    r"\d+": str.isdecimal,
}
_GREEDY = {"[^/].*?": "[^/].*"}


def split_parts(tokens: Iterable[Token], converters: Mapping[str, BaseConverter]) -> Iterator[str | RulePart]:
    """The segments between a rule's slashes: fixed ones as text, the others as parts."""
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
            final = final or not converter.part_isolating
    yield (part := _part(tuple(pieces), tuple(weights), final))
    if isinstance(part, RulePart) and part.suffixed:
        yield ""


@lru_cache(maxsize=1024)  # the same few segments come in all rules of an application
def _part(pieces: tuple[Piece, ...], weights: tuple[int, ...], final: bool) -> str | RulePart:
    if not weights:
        return "".join([text for text, _ in pieces])
    suffixed = final and pieces[-1] == ("/", False)
    if suffixed:
        pieces = pieces[:-1]
    lengths = [-len(text) for text, variable in pieces if not variable and text != "/"]
    weight = Weighting(-len(lengths), list(enumerate(lengths)), -len(weights), list(weights))
    return RulePart(join_regex(pieces), final, False, suffixed, weight, pieces)
