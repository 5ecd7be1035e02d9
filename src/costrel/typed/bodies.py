"""The JSON body of a request as a value of a type."""

from __future__ import annotations

import typing as t

import msgspec

from ..services.json_provider import check_json_depth
from .collecting import FAILED, Collector, DecHook
from .expressions import NoneType, TypeExpr, class_of, members
from .problems import Problem
from .pydantic_models import PydanticError, error_class, is_syntax_error, problems_of, validator_of
from .shapes import is_pydantic
from .signatures import MISSING
from .texts import Values

if t.TYPE_CHECKING:
    from ..messages.request import Request


class JSONText:
    """Reads JSON as a type. Problems are collected only after msgspec has refused the text.

    `max_depth` is the number of brackets that may be open at once; None for no limit of ours.
    """

    def __init__(self, expr: TypeExpr, dec_hook: DecHook | None, max_depth: int | None = None) -> None:
        self.expr = expr
        self.max_depth = max_depth
        self.dec_hook = dec_hook
        self.model = _pydantic_of(expr)
        self.decode = msgspec.json.Decoder(expr, dec_hook=dec_hook).decode

    def read(self, data: bytes | str, where: str) -> tuple[object, list[Problem]]:
        """The value and its problems.

        :raises ValueError: if the text is not JSON, or is nested too deeply.
        """
        if self.max_depth is not None:
            check_json_depth(data, self.max_depth)
        if self.model is not None:
            return self._read_model(self.model, data, where)
        try:
            return self.decode(data), []
        except msgspec.ValidationError as error:
            return self._collect(data, where, error)
        except RecursionError:
            raise ValueError("The JSON is nested too deeply to be read.") from None

    def _collect(self, data: bytes | str, where: str, error: Exception) -> tuple[object, list[Problem]]:
        collector = Collector(where, strict=True, dec_hook=self.dec_hook)
        try:
            raw = msgspec.json.decode(data)
            value = collector.walk(raw, self.expr)
        except (msgspec.ValidationError, RecursionError):
            # A number is out of range, or the text is nested too deeply at a place that the typed reader skipped.
            collector.problems.clear()
            raw, value = None, FAILED
        if value is FAILED and not collector.problems:
            collector.explain(error, raw, self.expr)
        return value, collector.problems

    def _read_model(self, model: type, data: bytes | str, where: str) -> tuple[object, list[Problem]]:
        if self.expr is not model and data.strip() in (b"null", "null"):
            return None, []
        try:
            return validator_of(model).validate_json(data), []
        except error_class() as error:
            found = t.cast("PydanticError", error)
            if is_syntax_error(found):
                raise ValueError("The text is not JSON.") from None
            return None, problems_of(found, where)


def _pydantic_of(expr: TypeExpr) -> type | None:
    """The class of a type that is a pydantic model or an optional one, else None."""
    kept = [class_of(member) for member in members(expr) if member is not NoneType]
    cls = kept[0] if len(kept) == 1 else None
    return cls if cls is not None and is_pydantic(cls) else None


def take_default(parameter: str, default: object, absence: Problem, values: Values, problems: list[Problem]) -> None:
    """Add the default of a parameter that the request has no value for; without a default, add the problem."""
    if default is MISSING:
        problems.append(absence)
    else:
        values[parameter] = default


class BodyInput:
    """The parameter that takes the whole body."""

    def __init__(
        self, parameter: str, expr: TypeExpr, default: object, max_depth: int | None, dec_hook: DecHook | None
    ) -> None:
        self.parameter = parameter
        self.default = default
        self.text = JSONText(expr, dec_hook, max_depth)

    def read(self, request: Request, values: Values, problems: list[Problem]) -> None:
        """Add the value to `values`, or its problems to `problems`.

        :raises UnsupportedMediaType: if the ``Content-Type`` is not JSON.
        :raises BadRequest: if the body is not JSON.
        """
        is_json = request.is_json
        if not is_json and (request.mimetype or request.get_data()):
            values[self.parameter] = request.on_json_loading_failed(None)
            return
        data = request.get_data()
        if not data:
            absence = Problem("body", (), "missing", "Body is required")
            take_default(self.parameter, self.default, absence, values, problems)
            return
        try:
            value, found = self.text.read(data, "body")
        except ValueError as error:
            value, found = request.on_json_loading_failed(error), []
        if found:
            problems += found
        else:
            values[self.parameter] = value
