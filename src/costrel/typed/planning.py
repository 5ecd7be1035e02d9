"""Planning: which views of an application are typed, and the plan of each, made when the application is sealed."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from .candidates import decorated, typed_within
from .codecs import Codecs, refuse
from .expressions import UnknownName
from .inputs import Inputs, Limits, Source
from .plan import Plan
from .results import Tools, writer_of
from .signatures import Coverage, Function, Signature, is_typed, signature_of, unknown_name

if t.TYPE_CHECKING:
    from ..messages.response import Response

HTTP_METHODS: t.Final = ("get", "post", "head", "options", "delete", "put", "trace", "patch")


class PlannedApp(t.Protocol):
    """An application as planning knows it."""

    @property
    def config(self) -> Mapping[str, t.Any]: ...
    @property
    def type_codecs(self) -> Codecs: ...
    @property
    def json(self) -> t.Any: ...
    def make_event_stream(self, events: t.Any, encode: t.Callable[[object], str]) -> Response: ...
    def coverage_of(self, endpoint: str) -> Coverage: ...


class Plans:
    """The plans of one application, by endpoint and function."""

    def __init__(self, app: PlannedApp) -> None:
        self.app = app
        self._coverage: dict[str, Coverage] = {}
        self._plans: dict[tuple[str, Function], Plan] = {}

    def forget(self) -> None:
        """Make all plans again when they are next needed: the setup has changed."""
        self._coverage.clear()
        self._plans.clear()

    def view_for(self, endpoint: str, view: Function) -> Function:
        """`view` itself, or, if it is typed, the view that reads its inputs first.

        :raises SignatureError: if it declares something that cannot be.
        """
        plan = self._plan_view(endpoint, view)
        return view if plan is None else plan.wrap(typed_within(view) or view)

    def methods_for(self, endpoint: str, cls: type) -> dict[str, Function]:
        """The typed methods of a class-based view, each as a function that reads its inputs first."""
        found: dict[str, Function] = {}
        for name in (*HTTP_METHODS, "dispatch_request"):
            method: Function | None = getattr(cls, name, None)
            plan = None if method is None else self._plan_view(endpoint, method, skip=1)
            if plan is not None and method is not None:
                found[name] = plan.wrap(typed_within(method) or method)
        return found

    def of_function(self, endpoint: str, function: Function, skip: int) -> Plan:
        """The plan of a function that `typed` decorates."""
        plan = self._plans.get((endpoint, function))
        return self._known(endpoint, self._signature(function, skip)) if plan is None else plan

    def sources(self) -> dict[str, list[Source]]:
        """The inputs of the typed views by endpoint."""
        found: dict[str, list[Source]] = {}
        for (endpoint, _), plan in self._plans.items():
            found.setdefault(endpoint, []).extend(plan.inputs.sources)
        return found

    def _plan_view(self, endpoint: str, view: Function, skip: int = 0) -> Plan | None:
        """The plan of a view or method; None if it is not typed, or only below other decorators."""
        for each in decorated(view):
            function = typed_within(each)
            if function is not None:  # planned now, so that its errors are found at the start
                self.of_function(endpoint, function, skip)
        function = typed_within(view)
        if function is not None:
            return self.of_function(endpoint, function, skip)
        coverage = self._coverage_of(endpoint)
        try:
            signature = signature_of(view, skip)
        except (ValueError, TypeError):  # some built-in functions have no signature
            return None
        except UnknownName as error:
            if coverage.chosen:
                raise unknown_name(view, error) from None
            return None
        return self._known(endpoint, signature) if is_typed(signature, coverage) else None

    def _known(self, endpoint: str, signature: Signature) -> Plan:
        plan = self._plans.get((endpoint, signature.function))
        if plan is None:
            plan = self._plans[endpoint, signature.function] = self._plan(endpoint, signature)
        return plan

    def _signature(self, function: Function, skip: int) -> Signature:
        try:
            return signature_of(function, skip)
        except UnknownName as error:
            raise unknown_name(function, error) from None

    def _plan(self, endpoint: str, signature: Signature) -> Plan:
        limits = limits_of(self.app.config)
        filled = self._coverage_of(endpoint).filled
        inputs = Inputs.of(signature, frozenset(), filled, self.app.type_codecs, limits)
        return Plan(signature, inputs, writer_of(signature, self._tools()), limits.status)

    def _tools(self) -> Tools:
        app = self.app
        codecs = app.type_codecs
        return Tools(
            codecs.dec_hook,
            codecs.enc_hook(lambda value: app.json.default(value) if hasattr(app.json, "default") else refuse(value)),
            app.make_event_stream,
        )

    def _coverage_of(self, endpoint: str) -> Coverage:
        found = self._coverage.get(endpoint)
        if found is None:
            found = self._coverage[endpoint] = self.app.coverage_of(endpoint)
        return found


def limits_of(config: Mapping[str, t.Any]) -> Limits:
    """The settings that typed views depend on.

    :raises ValueError: for a VALIDATION_STATUS that is neither 422 nor 400.
    """
    status: int = config.get("VALIDATION_STATUS", 422)
    if status not in (400, 422):
        raise ValueError(f"VALIDATION_STATUS is {status!r}: it can be 422 or 400.")
    return Limits(config.get("JSON_MAX_DEPTH"), bool(config.get("JSON_ALLOW_NAN", True)), status)
