"""The inputs of one function: its parameters sorted by their sources, and read together."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping, Sequence

import msgspec

from ..http.errors import NotFound
from .bodies import BodyInput, JSONText
from .checked import Checked
from .codecs import Codecs
from .expressions import TypeExpr, Unresolved, class_of, marker_of, metadata_of, plain, spelled, unmarked
from .markers import Body, Cookie, File, Form, Header, Input, Path, Query
from .placing import HOW_TO_DECLARE, Unplaced, kinds_of, place_of
from .principals import Need
from .problems import Problem
from .signatures import MISSING, Parameter, Signature, SignatureError
from .texts import NamedText, SpreadModel, TextInputs, TextOptions, Values, sent_name
from .uploads import FileInput, JSONPart

if t.TYPE_CHECKING:
    from ..messages.request import Request

Read: t.TypeAlias = "Callable[[Request, Values, list[Problem]], None]"


class InputLimits(t.NamedTuple):
    """The settings that inputs depend on."""

    json_max_depth: int | None
    allow_nan: bool
    status: int


class InputSource(t.NamedTuple):
    """One input, for listings: its source, its name, its type, and whether it must be sent."""

    where: str
    name: str
    parameter: str
    expr: TypeExpr
    required: bool
    converts: bool = True
    """Whether a text becomes a value of the type; without `Path()`, a variable of the URL stays as it is."""

    def __str__(self) -> str:
        required = "" if self.required else ", optional"
        return f"{self.name} ({self.where}: {spelled(self.expr)}{required})"


class Inputs:
    """The values that one function takes from a request."""

    def __init__(self, signature: Signature, filled: frozenset[str], codecs: Codecs, limits: InputLimits) -> None:
        self.signature = signature
        self.filled = filled
        self.codecs = codecs
        self.limits = limits
        self.sources: list[InputSource] = []
        self.reads: list[Read] = []
        self.checks: dict[str, Check] = {}
        self.names: frozenset[str] = frozenset()
        self.principals: tuple[Need, ...] = ()
        """The parameters that take a principal or a credential."""
        self._taken: frozenset[str] = frozenset()
        self._texts: dict[str, TextInputs] = {}
        self._bodies: list[str] = []
        self._without: dict[frozenset[str], Inputs] = {}

    @classmethod
    def of(
        cls,
        signature: Signature,
        taken: frozenset[str],
        filled: frozenset[str],
        codecs: Codecs,
        limits: InputLimits,
        principals: Sequence[Need] = (),
    ) -> Inputs:
        """The inputs among the parameters that are not `taken` by providers; `principals` are read as well.

        :raises SignatureError: for one whose value could come from nowhere, or a second one for the body.
        """
        made = cls(signature, filled, codecs, limits)
        made._taken = taken
        made.principals = tuple(need for need in principals if need.parameter not in taken)
        made.reads += [need.read for need in made.principals]
        read = {need.parameter for need in made.principals}
        for parameter in signature.parameters:
            if parameter.is_input and parameter.name not in taken and parameter.name not in read:
                made._add(parameter)
        made.names = frozenset(source.parameter for source in made.sources if source.where != "path") | read
        return made

    def read(self, request: Request, view_args: Mapping[str, object], problems: list[Problem]) -> Values:
        """The values by parameter. Of the variables of the URL, only those with bounds or a conversion are included.

        :raises NotFound: for a value of the URL outside of its bounds.
        """
        reads = self.reads
        if view_args and not self.names.isdisjoint(view_args):
            reads = self._other_than(self.names.intersection(view_args)).reads
        values: Values = {}
        for read in reads:
            read(request, values, problems)
        if view_args:
            for name, check in self.checks.items():
                if name in view_args:
                    values[name] = check(view_args[name])
        return values

    def _other_than(self, names: frozenset[str]) -> Inputs:
        """The inputs except `names`, for which a `url_value_preprocessor` has values."""
        found = self._without.get(names)
        if found is None:
            taken = self._taken | names
            found = self._without[names] = Inputs.of(
                self.signature, taken, self.filled, self.codecs, self.limits, self.principals
            )
        return found

    # -- planning -------------------------------------------------------------------------------------------------

    def _add(self, parameter: Parameter) -> None:
        marker = marker_of(parameter.expr, Input)
        expr = unmarked(parameter.expr)
        if parameter.name in self.filled:
            self._add_variable(parameter.name, expr, isinstance(marker, Path))
            return
        if isinstance(marker, Path):
            raise self._error(parameter, f"is marked Path(), but no rule has a variable <{parameter.name}>")
        if marker is None:
            marker = self._marker_for(parameter, expr)
        if marker is not None:
            self._place(parameter, expr, marker)

    def _marker_for(self, parameter: Parameter, expr: TypeExpr) -> Input | None:
        if isinstance(expr, Unresolved):
            if parameter.default is MISSING:
                raise self._error(parameter, f"is of the type {expr}")
            return None
        try:
            place = place_of(expr, self.codecs)
        except Unplaced as error:
            raise self._error(parameter, f"cannot be placed: {error}") from None
        if place is None and parameter.default is MISSING:
            raise self._error(parameter, f"is of the type {spelled(expr)}, which nothing provides. {HOW_TO_DECLARE}")
        return None if place is None else {"file": File, "body": Body, "query": Query}[place]()

    def _place(self, parameter: Parameter, expr: TypeExpr, marker: Input) -> None:
        name = marker.name or sent_name(marker.where, parameter.name)
        required = parameter.default is MISSING
        self.sources.append(InputSource(marker.where, name, parameter.name, expr, required))
        hook, depth = self.codecs.dec_hook, self.limits.json_max_depth
        if isinstance(marker, Body):
            self._bodies.append(parameter.name)
            if len(self._bodies) > 1:
                first = self._bodies[0]
                raise self._error(
                    parameter, f"and {first!r} both take the whole body. Put both into one model, or mark one of them"
                )
            reader = self._checked(lambda: BodyInput(parameter.name, expr, parameter.default, depth, hook))
            self.reads.append(reader.read)
        elif isinstance(marker, File):
            self.reads.append(FileInput(parameter.name, name, expr, parameter.default).read)
        elif isinstance(marker, Form) and marker.json:
            text = self._checked(lambda: JSONText(expr, hook, depth))
            self.reads.append(JSONPart(parameter.name, name, parameter.default, text).read)
        elif isinstance(marker, (Query, Form, Header, Cookie)):
            self._place_text(parameter, expr, marker, name)

    def _place_text(self, parameter: Parameter, expr: TypeExpr, marker: Input, name: str) -> None:
        where, options = marker.where, TextOptions(self.codecs.dec_hook, self.limits.allow_nan)
        model = unchecked(expr)
        if "model" in kinds_of(model, self.codecs):
            spread = self._checked(lambda: SpreadModel(parameter.name, model, parameter.default, where, options))
            self.reads.append(spread.read if model is expr else _CheckedInput(spread).read)
            return
        texts = self._texts.get(where)
        if texts is None:
            texts = self._texts[where] = TextInputs(where, options)
            self.reads.append(texts.read)
        split = marker.split if isinstance(marker, Query) else None
        text = NamedText(parameter.name, name, expr, parameter.default, split)
        self._checked(lambda: texts.add(text))

    def _add_variable(self, name: str, expr: TypeExpr, converts: bool) -> None:
        has_bounds = any(isinstance(item, msgspec.Meta) for item in metadata_of(expr))
        self.sources.append(InputSource("path", name, name, expr, True, converts))
        if converts or has_bounds:
            self.checks[name] = Check(expr, converts, self.codecs)

    def _error(self, parameter: Parameter, problem: str) -> SignatureError:
        return SignatureError(f"The parameter {parameter.name!r} of {self.signature.name!r} {problem}.")

    def _checked(self, make: Callable[[], R]) -> R:
        """The result of `make`; its error becomes one that names the function."""
        try:
            return make()
        except (AttributeError, NameError, SyntaxError, TypeError) as error:
            raise SignatureError(f"A parameter of {self.signature.name!r} cannot be read: {error}") from None


R = t.TypeVar("R")


def unchecked(expr: TypeExpr) -> TypeExpr:
    """The model within `Checked`; any other type as it is."""
    model: TypeExpr = t.get_args(plain(expr))[0] if class_of(expr) is Checked else expr
    return model


class Check:
    """A variable of the URL: its bounds, and with `Path()` its conversion."""

    def __init__(self, expr: TypeExpr, converts: bool, codecs: Codecs) -> None:
        self.expr = expr
        self.converts = converts
        self.codecs = codecs

    def __call__(self, value: object) -> object:
        """The value, converted if the marker says so. Raises NotFound for a value that does not fit."""
        try:
            made = msgspec.convert(value, self.expr, strict=False, dec_hook=self.codecs.dec_hook)
        except msgspec.ValidationError:
            raise NotFound() from None
        return made if self.converts else value


class _CheckedInput:
    """A form that may be invalid."""

    def __init__(self, model: SpreadModel) -> None:
        self.model = model

    def read(self, request: Request, values: Values, problems: list[Problem]) -> None:
        raw = self.model.raw(request)
        value, found = self.model.make(raw)
        values[self.model.parameter] = Checked(value, raw, found, self.model.expr)
