"""What a variable part of a URL may be, and how its text becomes a Python value and text again."""

from __future__ import annotations

import re
import typing as t
from urllib.parse import quote

from ..support.patterns import LatePattern

if t.TYPE_CHECKING:
    from uuid import UUID

    from .map import Map

#: What may stand as it is in a path (RFC 3986 §3.3: pchar, and the slash between segments).
PATH_SAFE = "!$&'()*+,/:;=@"
_is_plain = LatePattern(r"[\w.~!$&'()*+,/:;=@-]*", re.ASCII).fullmatch


class ValidationError(ValueError):
    """Raised by `to_python` where the text is no value of this kind, so that the rule does not match."""


class BaseConverter:
    """The parent of all converters; also what a converter that changes nothing does.

    A subclass sets `regex` (what the text looks like) and, where the value is not a `str`, overrides `to_python` and
    `to_url`. `weight` orders rules that match alike: the lighter one is tried first.
    """

    regex = "[^/]+"
    weight = 100
    #: False where the text may contain slashes. A subclass that sets `regex` gets this from it.
    part_isolating = True

    def __init_subclass__(cls, **kwargs: t.Any) -> None:
        super().__init_subclass__(**kwargs)
        if "regex" in cls.__dict__ and "part_isolating" not in cls.__dict__:
            cls.part_isolating = "/" not in cls.regex

    def __init__(self, map: Map, *args: t.Any, **kwargs: t.Any) -> None:
        self.map = map

    def to_python(self, value: str) -> t.Any:
        """The Python value of what stood in the URL; raises `ValidationError` where there is none."""
        return value

    def to_url(self, value: t.Any) -> str:
        """The text that stands for `value` in a URL, percent-encoded."""
        text = str(value)
        # PERF: `quote` takes four times as long to find that there is nothing to quote (benchmarks: routing).
        return text if _is_plain(text) else quote(text, safe=PATH_SAFE)


class UnicodeConverter(BaseConverter):
    """`string`, the default: any text without a slash, its length (in characters) limited where asked."""

    def __init__(self, map: Map, minlength: int = 1, maxlength: int | None = None, length: int | None = None) -> None:
        super().__init__(map)
        if length is not None:
            quantifier = f"{{{int(length)}}}"
        else:
            longest = "" if maxlength is None else int(maxlength)
            quantifier = f"{{{int(minlength)},{longest}}}"
        self.regex = f"[^/]{quantifier}"


class AnyConverter(BaseConverter):
    """`any`: one of the given texts, as in `<any(about, "contact us"):page>`."""

    def __init__(self, map: Map, *items: str) -> None:
        super().__init__(map)
        self.items = set(items)
        self.regex = f"(?:{'|'.join(re.escape(item) for item in items)})"

    def to_url(self, value: t.Any) -> str:
        """The item itself; raises `ValueError` where it is none of them."""
        if value in self.items:
            return str(value)
        known = ", ".join(f"'{item}'" for item in sorted(self.items))
        raise ValueError(f"'{value}' is not one of {known}")


class PathConverter(BaseConverter):
    """`path`: like `string`, and slashes too, only not as the first character."""

    part_isolating = False
    regex = "[^/].*?"
    weight = 200


class NumberConverter(BaseConverter):
    """The parent of `int` and `float`."""

    weight = 50
    num_convert: t.Callable[[t.Any], t.Any] = int

    def __init__(
        self,
        map: Map,
        fixed_digits: int = 0,
        min: int | None = None,
        max: int | None = None,
        signed: bool = False,
    ) -> None:
        if signed:
            self.regex = self.signed_regex
        super().__init__(map)
        self.fixed_digits = fixed_digits
        self.min = min
        self.max = max
        self.signed = signed

    def to_python(self, value: str) -> t.Any:
        """The number; raises `ValidationError` where it is out of range or has the wrong number of digits."""
        if self.fixed_digits and len(value) != self.fixed_digits:
            raise ValidationError
        try:
            number = self.num_convert(value)
        except ValueError:  # among them: more digits than Python converts (sys.set_int_max_str_digits)
            raise ValidationError from None
        if (self.min is not None and number < self.min) or (self.max is not None and number > self.max):
            raise ValidationError
        return number

    def to_url(self, value: t.Any) -> str:
        """The digits of the number, with zeros in front up to `fixed_digits`."""
        text = str(self.num_convert(value))
        return text.zfill(self.fixed_digits) if self.fixed_digits else text

    @property
    def signed_regex(self) -> str:
        """`regex` with a minus allowed before it."""
        return f"-?{self.regex}"


class IntegerConverter(NumberConverter):
    """`int`: digits; a minus only where `signed`."""

    regex = r"\d+"


class FloatConverter(NumberConverter):
    """`float`: digits, a point, digits; a minus only where `signed`."""

    regex = r"\d+\.\d+"
    num_convert = float

    def __init__(self, map: Map, min: float | None = None, max: float | None = None, signed: bool = False) -> None:
        super().__init__(map, min=min, max=max, signed=signed)  # type: ignore[arg-type]  # the parent says int


class UUIDConverter(BaseConverter):
    """`uuid`: RFC 9562's text form, in either case."""

    regex = "-".join(f"[A-Fa-f0-9]{{{digits}}}" for digits in (8, 4, 4, 4, 12))

    def to_python(self, value: str) -> UUID:
        """The UUID."""
        import uuid  # slow to load, and few rules have one

        return uuid.UUID(value)

    def to_url(self, value: UUID) -> str:
        """The text form, lower case."""
        return str(value)


def conversion(converter: BaseConverter) -> t.Callable[[str], t.Any] | None:
    """`to_python`, or what does the same with less ado; None where the text is the value.

    What this returns may raise ValueError where `to_python` raises `ValidationError`.
    """
    kind = type(converter)
    if "to_python" not in vars(converter):
        if kind.to_python is BaseConverter.to_python:
            return None
        if kind in (IntegerConverter, FloatConverter) and vars(converter).items() >= _ANY_NUMBER:
            return kind.num_convert
    return converter.to_python


def is_users(converter: BaseConverter) -> bool:
    """Whether `to_python` is none of those here, and may do anything: ask a database, for one."""
    return "to_python" in vars(converter) or getattr(type(converter).to_python, "__module__", None) != __name__


_ANY_NUMBER = {"fixed_digits": 0, "min": None, "max": None}.items()

DEFAULT_CONVERTERS: t.Mapping[str, type[BaseConverter]] = {
    "default": UnicodeConverter,
    "string": UnicodeConverter,
    "any": AnyConverter,
    "path": PathConverter,
    "int": IntegerConverter,
    "float": FloatConverter,
    "uuid": UUIDConverter,
}
