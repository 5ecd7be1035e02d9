"""Planning: which views of an application are typed, and the plan of each, made when the application is sealed."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from ..http.errors import BadRequest
from .bodies import JSONText
from .candidates import VIEW_METHODS, decorated, typed_within
from .codecs import Codecs, refuse
from .expressions import TypeExpr, marker_of, members, spelled
from .inputs import InputLimits, Inputs
from .markers import Input, Use
from .placing import item_types
from .plan import Plan, ProviderPlan, Resolve
from .principals import Need, Types, needs_of, types_of
from .problems import ValidationFailed
from .providers import Provider, Providers, stand_in
from .results import Tools, writer_of
from .schemes import Scheme
from .signatures import (
    MISSING,
    Coverage,
    Function,
    Known,
    Parameter,
    Signature,
    SignatureError,
    is_typed,
    signature_of,
)

if t.TYPE_CHECKING:
    from ..messages.response import Response


class PlannedApp(t.Protocol):
    """An application as planning knows it."""

    @property
    def config(self) -> Mapping[str, t.Any]: ...
    @property
    def type_codecs(self) -> Codecs: ...
    @property
    def json(self) -> t.Any: ...
    @property
    def auth_schemes(self) -> Mapping[str, Scheme]: ...
    def make_event_stream(self, events: t.Any, encode: t.Callable[[object], str]) -> Response: ...
    def providers_for(self, endpoint: str) -> Sequence[Providers]: ...
    def coverage_of(self, endpoint: str) -> Coverage: ...


class Plans:
    """The plans of one application, by endpoint and function."""

    def __init__(self, app: PlannedApp) -> None:
        self.app = app
        self._coverage: dict[str, Coverage] = {}
        self._providers: dict[str, Sequence[Providers]] = {}
        self._plans: dict[tuple[str, Function], Plan] = {}
        self._by_endpoint: dict[str, list[Plan]] = {}
        self._principal_types: dict[str, Types] | None = None
        self._provider_plans: dict[tuple[str, Provider], ProviderPlan] = {}
        self._messages: dict[tuple[TypeExpr, int | None], JSONText] = {}
        """The readers of messages, by type and greatest depth."""
        self._used: dict[Function, Provider] = {}
        self._stand_ins: tuple[tuple[TypeExpr, Provider], ...] = ()

    def forget(self) -> None:
        """Drop all plans, so that they are made again when next needed: the setup has changed."""
        self._coverage.clear()
        self._providers.clear()
        self._plans.clear()
        self._by_endpoint.clear()
        self._principal_types = None
        self._provider_plans.clear()

    def view_for(self, endpoint: str, view: Function, known: Known | None = None) -> Function:
        """`view` itself, or, if it is typed, the view that reads its inputs first.

        :param known: the facts about a view that is known to be typed.
        :raises SignatureError: if it declares something that cannot be.
        """
        if known is None:
            plan = self._plan_view(endpoint, view)
        else:
            signature, self._coverage[endpoint] = known
            plan = self._known(endpoint, signature)
        return view if plan is None else plan.wrap(typed_within(view) or view)

    def methods_for(self, endpoint: str, cls: type) -> dict[str, Function]:
        """The typed methods of a class-based view, each as a function that reads its inputs first."""
        found: dict[str, Function] = {}
        for name in VIEW_METHODS:
            method: Function | None = getattr(cls, name, None)
            plan = None if method is None else self._plan_view(endpoint, method, skip=1)
            if plan is not None and method is not None:
                found[name] = plan.wrap(typed_within(method) or method)
        return found

    def of_function(self, endpoint: str, function: Function, skip: int) -> Plan:
        """The plan of a function that `typed` decorates."""
        plan = self._plans.get((endpoint, function))
        return self._known(endpoint, signature_of(function, skip)) if plan is None else plan

    def read_message(self, expr: TypeExpr, message: str | bytes) -> object:
        """The message of a WebSocket as a value of a type.

        :raises ValidationFailed: if it is not one.
        :raises BadRequest: if it is not JSON.
        """
        limit = self.app.config.get("JSON_MAX_DEPTH")
        reader = self._messages.get((expr, limit))
        if reader is None:
            reader = self._messages[expr, limit] = JSONText(expr, self.app.type_codecs.dec_hook, limit)
        try:
            value, problems = reader.read(message, "message")
        except ValueError as error:
            raise BadRequest("The message is not JSON.") from error
        if problems:
            raise ValidationFailed(problems)
        return value

    def by_endpoint(self) -> dict[str, list[Plan]]:
        """The plans of the typed views and methods by endpoint."""
        return {endpoint: list(plans) for endpoint, plans in self._by_endpoint.items()}

    def of_endpoint(self, endpoint: str) -> list[Plan]:
        """The plans of one typed view, or of the methods of a class-based one."""
        return self._by_endpoint.get(endpoint, [])

    def _plan_view(self, endpoint: str, view: Function, skip: int = 0) -> Plan | None:
        """The plan of a view or method; None if it is not typed, or only below other decorators."""
        for each in decorated(view):
            function = typed_within(each)
            if function is not None:  # planned now, so that errors appear at the start
                self.of_function(endpoint, function, skip)
        function = typed_within(view)
        if function is not None:
            return self.of_function(endpoint, function, skip)
        coverage = self._coverage_of(endpoint)
        try:
            signature = signature_of(view, skip)
        except (ValueError, TypeError):  # some built-in functions have no signature
            return None
        return self._known(endpoint, signature) if is_typed(signature, coverage) else None

    def _known(self, endpoint: str, signature: Signature) -> Plan:
        plan = self._plans.get((endpoint, signature.function))
        if plan is None:
            plan = self._plans[endpoint, signature.function] = self._plan(endpoint, signature)
            self._by_endpoint.setdefault(endpoint, []).append(plan)
        return plan

    def _plan(self, endpoint: str, signature: Signature) -> Plan:
        principals = self.principals_of(signature, self._coverage_of(endpoint).filled)
        needs = self._needs(endpoint, signature, principals, ())
        inputs = self._inputs(endpoint, signature, needs, principals)
        write = writer_of(signature, self._tools())
        return Plan(signature, inputs, needs, write, limits_of(self.app.config).status, self._resolver(endpoint))

    def _inputs(
        self, endpoint: str, signature: Signature, needs: Mapping[str, ProviderPlan], principals: Sequence[Need]
    ) -> Inputs:
        filled = self._coverage_of(endpoint).filled
        principals = [need for need in principals if need.parameter not in needs]  # a provider takes precedence
        limits = limits_of(self.app.config)
        return Inputs.of(signature, frozenset(needs), filled, self.app.type_codecs, limits, principals)

    # -- principals -----------------------------------------------------------------------------------------------

    @property
    def principal_types(self) -> Mapping[str, Types]:
        """The types of the principals of each authentication scheme."""
        if self._principal_types is None:
            self._principal_types = types_of(self.app.auth_schemes)
        return self._principal_types

    def principals_of(self, signature: Signature, others: frozenset[str] = frozenset()) -> list[Need]:
        """The parameters of a function, except `others`, that take a principal or a credential."""
        return [need for need in needs_of(signature, self.principal_types) if need.parameter not in others]

    def stand_in_for(self, name: str, scheme: Scheme) -> Provider | None:
        """The stand-in, in a block of `providing`, for the principals of a scheme."""
        for key, provider in self._stand_ins:
            if key in self.principal_types[name] or key is scheme.verify:
                return provider
        return None

    # -- providers ------------------------------------------------------------------------------------------------

    @contextmanager
    def providing(self, key: TypeExpr, value: object) -> Iterator[None]:
        """Let a stand-in provide a type, or replace a function that `Use` names, inside of a ``with`` block."""
        added = (key, stand_in(key, value))
        self._stand_ins = (added, *self._stand_ins)
        try:
            yield
        finally:
            self._stand_ins = tuple(each for each in self._stand_ins if each is not added)

    def _resolver(self, endpoint: str) -> Resolve:
        def resolve(each: ProviderPlan) -> ProviderPlan:
            for key, provider in self._stand_ins:
                if key == each.provider.type or key is each.provider.function:
                    return self._provider_plan(endpoint, provider, ())
            return each

        return resolve

    def _needs(
        self, endpoint: str, signature: Signature, principals: Sequence[Need], path: tuple[Provider, ...]
    ) -> dict[str, ProviderPlan]:
        """The providers of a function's parameters."""
        filled = self._coverage_of(endpoint).filled
        known = {need.parameter for need in principals}
        found: dict[str, ProviderPlan] = {}
        for parameter in signature.parameters:
            if not parameter.is_input or parameter.name in filled or marker_of(parameter.expr, Input) is not None:
                continue
            provider = self._provider_of(endpoint, parameter.expr)
            if provider is not None:
                found[parameter.name] = self._provider_plan(endpoint, provider, path)
            elif parameter.name not in known:
                self._refuse_ambiguous(endpoint, signature, parameter)
        return found

    def _provider_of(self, endpoint: str, expr: TypeExpr) -> Provider | None:
        use = marker_of(expr, Use)
        if use is None:
            return self._by_type(endpoint, expr)
        provider = self._used.get(use.provider)
        if provider is None:
            provider = self._used[use.provider] = Provider(use.provider, named=True)
        return provider

    def _by_type(self, endpoint: str, expr: TypeExpr) -> Provider | None:
        """The provider of a type: of the blueprint, else of one around it, else of the application."""
        found = (scope.get(expr) for scope in self._scopes(endpoint))
        return next((provider for provider in found if provider is not None), None)

    def _scopes(self, endpoint: str) -> Sequence[Providers]:
        scopes = self._providers.get(endpoint)
        if scopes is None:
            scopes = self._providers[endpoint] = self.app.providers_for(endpoint)
        return scopes

    def _provider_plan(self, endpoint: str, provider: Provider, path: tuple[Provider, ...]) -> ProviderPlan:
        if provider in path:
            names = " → ".join(each.name for each in (*path[path.index(provider) :], provider))
            raise SignatureError(f"Providers need each other in a circle: {names}.")
        known = self._provider_plans.get((endpoint, provider))
        if known is None:
            principals = self.principals_of(provider.signature, self._coverage_of(endpoint).filled)
            needs = self._needs(endpoint, provider.signature, principals, (*path, provider))
            self._refuse_bare(endpoint, provider.signature)
            inputs = self._inputs(endpoint, provider.signature, needs, principals)
            known = self._provider_plans[endpoint, provider] = ProviderPlan(provider, inputs, needs)
        return known

    def _refuse_bare(self, endpoint: str, signature: Signature) -> None:
        filled = self._coverage_of(endpoint).filled
        for each in signature.parameters:
            if not each.is_input and each.default is MISSING and each.name not in filled:
                raise SignatureError(f"The parameter {each.name!r} of the provider {signature.name!r} has no type.")

    def _refuse_ambiguous(self, endpoint: str, signature: Signature, parameter: Parameter) -> None:
        """Raise an error for a body that contains a type with a provider."""
        if not self.principal_types and not self._scopes(endpoint):
            return
        parts = (*members(parameter.expr), *item_types(parameter.expr))
        principals = [each for types in self.principal_types.values() for each in types]
        provided = next(
            (part for part in parts if part in principals or self._by_type(endpoint, part) is not None), None
        )
        if provided is not None:
            raise SignatureError(
                f"The parameter {parameter.name!r} of {signature.name!r} would take a {spelled(provided)} from the"
                " body, but this type has a provider. Mark the parameter with Body() if the client is to send it."
            )

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


def limits_of(config: Mapping[str, t.Any]) -> InputLimits:
    """The settings that typed views depend on.

    :raises ValueError: for a VALIDATION_STATUS that is neither 422 nor 400.
    """
    status: int = config.get("VALIDATION_STATUS", 422)
    if status not in (400, 422):
        raise ValueError(f"VALIDATION_STATUS is {status!r}: it can be 422 or 400.")
    return InputLimits(config.get("JSON_MAX_DEPTH"), bool(config.get("JSON_ALLOW_NAN", True)), status)
