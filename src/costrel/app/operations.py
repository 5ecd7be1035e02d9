"""The options of a route for its security and the API document, and the header fields of a route that is deprecated."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from datetime import time as midnight

from .. import context
from ..http.errors import HTTPException
from ..support.values import Value
from .requirements import Security, check_security

if t.TYPE_CHECKING:
    from ..messages.response import Response


class Operation(Value):
    """The security and the descriptive options of one route."""

    responses: Mapping[int, object]
    raises: tuple[type[HTTPException], ...]
    deprecated: bool | date
    sunset: date | None
    hidden: bool | None
    operation_id: str | None
    examples: Mapping[str, object]
    summary: str | None
    security: Security | None

    def __init__(
        self,
        *,
        responses: Mapping[int, object] | None = None,
        raises: Sequence[type[HTTPException]] = (),
        deprecated: bool | date = False,
        sunset: date | None = None,
        hidden: bool | None = None,
        operation_id: str | None = None,
        examples: Mapping[str, object] | None = None,
        summary: str | None = None,
        security: Security | None = None,
    ) -> None:
        """Raises TypeError or ValueError for an invalid option."""
        for status in responses or ():
            if type(status) is not int or not 100 <= status <= 599:
                raise ValueError(f"responses= maps a status from 100 to 599 to a type, not {status!r}.")
        for error in raises:
            if not (isinstance(error, type) and issubclass(error, HTTPException) and error.code):
                raise TypeError(f"raises= lists classes of HTTP errors, such as NotFound, not {error!r}.")
        for name, value in (("deprecated", deprecated), ("sunset", sunset)):
            if not isinstance(value, (date, bool, type(None))) or (name == "sunset" and isinstance(value, bool)):
                raise TypeError(f"{name}= takes a date, not {value!r}: write datetime.date(2027, 1, 31).")
        if examples is not None and not isinstance(examples, Mapping):
            raise TypeError(f"examples= maps names to values, not {examples!r}.")
        check_security("the route", security)
        self.__dict__.update(
            responses=dict(responses or {}),
            raises=tuple(raises),
            deprecated=deprecated,
            sunset=sunset,
            hidden=hidden,
            operation_id=operation_id,
            examples=dict(examples or {}),
            summary=summary,
            security=security,
        )

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The header fields ``Deprecation`` (RFC 9745 §2) and ``Sunset`` (RFC 8594 §3), if their dates are set."""
        from ..http.dates import http_date  # few routes have a date

        found: list[tuple[str, str]] = []
        if isinstance(self.deprecated, date):
            found.append(("Deprecation", f"@{int(_moment(self.deprecated).timestamp())}"))
        if self.sunset is not None:
            found.append(("Sunset", http_date(_moment(self.sunset))))
        return found


def _moment(day: date) -> datetime:
    """The moment of a date; a day begins in UTC."""
    moment = day if isinstance(day, datetime) else datetime.combine(day, midnight.min)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def taken_from(options: dict[str, t.Any], rule_class: type, forwards: bool) -> Operation | None:
    """Take the options that describe a route out of `options`, except for parameters of the rule class.

    With `forwards`, a rule class that takes any keyword gets all of them.
    """
    from inspect import signature  # slow to load

    parameters = signature(rule_class).parameters
    if forwards and any(each.kind is each.VAR_KEYWORD for each in parameters.values()):
        return None
    own = options.keys() & signature(Operation).parameters.keys() - parameters.keys()
    return Operation(**{name: options.pop(name) for name in sorted(own)}) if own else None


def announce(response: Response) -> Response:
    """Add the header fields of a route that is deprecated or ends at a date, unless the view has set them."""
    operation: Operation | None = getattr(context.requesting().request.url_rule, "operation", None)
    for name, value in () if operation is None else operation.headers:
        response.headers.setdefault(name, value)
    return response
