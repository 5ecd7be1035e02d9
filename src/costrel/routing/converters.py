"""The kinds of variables in a URL: how their text becomes a Python value, and text again."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Callable, Mapping
from urllib.parse import quote

from ..support.patterns import LatePattern
from ..support.seams import Seams
from .pattern import takes_slash

if t.TYPE_CHECKING:
    from uuid import UUID

#: The endpoint of a rule: any hashable object; an application's endpoints are text.
Endpoint: t.TypeAlias = t.Any

#: The values of a URL's variables, by name.
Values: t.TypeAlias = Mapping[str, t.Any]

#: The characters that a path may contain unquoted (RFC 3986 §3.3: pchar, and the slash between segments).
PATH_SAFE = "!$&'()*+,/:;=@"
_is_plain = LatePattern(r"[\w.~!$&'()*+,/:;=@-]*", re.ASCII).fullmatch


class MapContract(t.Protocol):
    """A `Map` as its converters and rules use it."""

    converters: dict[str, type[BaseConverter]]
    default_subdomain: str
    strict_slashes: bool
    merge_slashes: bool
    redirect_defaults: bool
    host_matching: bool
    sort_parameters: bool
    sort_key: Callable[[tuple[str, t.Any]], t.Any] | None
    calls_users_code: bool

    @property
    def strict(self) -> bool: ...


class ValidationError(ValueError):
    """Raised by `to_python` and `to_url` if a text or a value is not of this kind, so that the rule does not match."""


class BaseConverter:
    """The parent of all converters. It changes nothing itself.

    A subclass sets `regex` for the text and, if the value is not a `str`, overrides `to_python` and `to_url`. `weight`
    orders rules that match alike: the lighter one is tried first.
    """

    regex = "[^/]+"
    weight = 100
    #: False if the text may contain slashes. A subclass that sets `regex` gets this from it.
    part_isolating = True

    _says_what_it_isolates = False

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        if "part_isolating" in cls.__dict__:
            cls._says_what_it_isolates = True
        elif "regex" in cls.__dict__:
            cls.part_isolating = "/" not in cls.regex
            cls._says_what_it_isolates = False

    def __init__(self, map: MapContract, *args: object, **kwargs: object) -> None:
        self.map = map

    def to_python(self, value: str) -> t.Any:
        """The Python value of the text in a URL; raises `ValidationError` if there is none."""
        return value

    def to_url(self, value: t.Any) -> str:
        """The text of `value` in a URL, percent-encoded."""
        text = str(value)
        # PERF: routing. `quote` takes four times as long to find that there is nothing to quote.
        return text if _is_plain(text) else quote(text, safe=PATH_SAFE)


class UnicodeConverter(BaseConverter):
    """`string`, the default: any text without a slash. Its length in characters can be limited."""

    def __init__(
        self, map: MapContract, minlength: int = 1, maxlength: int | None = None, length: int | None = None
    ) -> None:
        super().__init__(map)
        if length is not None:
            quantifier = f"{{{int(length)}}}"
        else:
            longest = "" if maxlength is None else int(maxlength)
            quantifier = f"{{{int(minlength)},{longest}}}"
        self.regex = f"[^/]{quantifier}"


class AnyConverter(BaseConverter):
    """`any`: one of the given texts, as in `<any(about, "contact us"):page>`."""

    def __init__(self, map: MapContract, *items: str) -> None:
        super().__init__(map)
        self.items = set(items)
        self.regex = f"(?:{'|'.join(re.escape(item) for item in items)})"

    def to_url(self, value: t.Any) -> str:
        """The item itself; raises `ValueError` for any other value."""
        if value in self.items:
            return str(value)
        known = ", ".join(f"'{item}'" for item in sorted(self.items))
        raise ValueError(f"'{value}' is not one of {known}")


class PathConverter(BaseConverter):
    """`path`: like `string`, and may contain slashes, except as its first character."""

    part_isolating = False
    regex = "[^/].*?"
    weight = 200


_ASCII: t.Final = {r"\d+": "[0-9]+", r"\d+\.\d+": r"[0-9]+\.[0-9]+"}
"""The regular expressions of numbers with ASCII digits only, so that a page has one URL."""


def _is_strict(map: object) -> bool:
    return getattr(map, "strict", True) is True


class NumberConverter(BaseConverter):
    """The parent of `int` and `float`."""

    weight = 50
    num_convert: type[int] | type[float] = int

    def __init__(
        self,
        map: MapContract,
        fixed_digits: int = 0,
        min: float | None = None,
        max: float | None = None,
        signed: bool = False,
    ) -> None:
        if _is_strict(map):
            self.regex = _ASCII.get(self.regex, self.regex)
        if signed:
            self.regex = self.signed_regex
        super().__init__(map)
        self.fixed_digits = fixed_digits
        self.min = min
        self.max = max
        self.signed = signed

    def to_python(self, value: str) -> t.Any:
        """The number; raises `ValidationError` if it is out of range or has the wrong number of digits."""
        if self.fixed_digits and len(value) != self.fixed_digits:
            raise ValidationError
        if not value.isascii() and _is_strict(self.map):
            raise ValidationError
        try:
            number = self.num_convert(value)
        except ValueError:  # for one, more digits than Python converts (sys.set_int_max_str_digits)
            raise ValidationError from None
        if (self.min is not None and number < self.min) or (self.max is not None and number > self.max):
            raise ValidationError
        return number

    def to_url(self, value: t.Any) -> str:
        """The digits of the number, with leading zeros up to `fixed_digits`."""
        text = str(self.num_convert(value))
        return text.zfill(self.fixed_digits) if self.fixed_digits else text

    @property
    def signed_regex(self) -> str:
        """`regex`, preceded by an optional minus."""
        return f"-?{self.regex}"


class IntegerConverter(NumberConverter):
    """`int`: digits, and a minus before them if `signed`."""

    regex = r"\d+"


class FloatConverter(NumberConverter):
    """`float`: digits, a point, digits, and a minus before them if `signed`."""

    regex = r"\d+\.\d+"
    num_convert = float

    def __init__(
        self, map: MapContract, min: float | None = None, max: float | None = None, signed: bool = False
    ) -> None:
        super().__init__(map, min=min, max=max, signed=signed)

    def to_python(self, value: str) -> t.Any:
        """The number; raises `ValidationError` also if it is too large for a float."""
        number = super().to_python(value)
        if isinstance(number, float) and number - number != 0:  # infinity
            raise ValidationError
        return number

    def to_url(self, value: t.Any) -> str:
        """The number with all its digits, and without an exponent."""
        text = super().to_url(value)
        if "e" not in text:
            return text
        from decimal import Decimal  # slow to load, and few numbers are so large or small

        text = f"{Decimal(text):f}"
        return text if "." in text else f"{text}.0"


class UUIDConverter(BaseConverter):
    """`uuid`: the text form of RFC 9562, in either case."""

    regex = "-".join(f"[A-Fa-f0-9]{{{digits}}}" for digits in (8, 4, 4, 4, 12))

    def to_python(self, value: str) -> UUID:
        """The UUID."""
        import uuid  # slow to load, and few rules have one

        return uuid.UUID(value)

    def to_url(self, value: UUID) -> str:
        """The text form, in lower case."""
        return str(value)


DEFAULT_CONVERTERS: Mapping[str, type[BaseConverter]] = {
    "default": UnicodeConverter,
    "string": UnicodeConverter,
    "any": AnyConverter,
    "path": PathConverter,
    "int": IntegerConverter,
    "float": FloatConverter,
    "uuid": UUIDConverter,
}

_OWN_SEAMS = [
    Seams(kind, "to_python", "to_url")
    for kind in (BaseConverter, AnyConverter, NumberConverter, FloatConverter, UUIDConverter)
]

#: The value of a text. It may raise `ValidationError`, and those that are built in, `ValueError`.
Conversion: t.TypeAlias = Callable[[str], t.Any]


def finite_float(text: str) -> float:
    """The float of a text. Raises ValueError if it is too large for one."""
    number = float(text)
    if number - number != 0:  # infinity
        raise ValueError("The number is too large for a float.")
    return number


BUILT_IN: t.Final[tuple[Conversion | None, ...]] = (int, finite_float)


def conversion(converter: BaseConverter) -> Conversion | None:
    """The `to_python` of a converter; None if it returns the text itself, `int` or `float` if it does no more."""
    if is_users(converter) or isinstance(converter, UUIDConverter):
        return converter.to_python
    if not isinstance(converter, NumberConverter):
        return None
    is_limited = converter.fixed_digits or converter.min is not None or converter.max is not None
    if is_limited or type(converter) not in (IntegerConverter, FloatConverter):
        return converter.to_python
    return int if type(converter) is IntegerConverter else finite_float


def isolates(converter: BaseConverter) -> bool:
    """Whether the texts of a converter have no slash, by its declaration or by this instance's regular expression."""
    says = getattr(type(converter), "_says_what_it_isolates", True)
    return converter.part_isolating and (says or not takes_slash(converter.regex))


def is_users(converter: BaseConverter) -> bool:
    """Whether `to_python` or `to_url` is the user's code, and may do anything: query a database, for one."""
    if not isinstance(converter, BaseConverter):
        return True
    return not any(seams.are_original(converter) for seams in _OWN_SEAMS)
