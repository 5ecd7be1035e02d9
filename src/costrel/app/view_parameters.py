"""Checks at the start whether the variables of each rule fit the parameters of its view."""

from __future__ import annotations

import typing as t
from collections.abc import Container, Iterator
from types import FunctionType

from ..routing.endpoints import blueprint_path
from .start_checks import WrongSetting

if t.TYPE_CHECKING:
    from ..context import AppContract
    from ..routing import Rule


CO_VARKEYWORDS: t.Final = 0x08
"""The flag of a function with ``**kwargs``."""


class WrongView(WrongSetting):
    """A view cannot be called with the variables of its rule."""


def check_parameters(app: AppContract, typed: Container[str]) -> None:
    """Refuse views that no request can call, or log them if ``REFUSE_WRONG_SETTINGS`` is off.

    `typed` are the endpoints of typed views.

    :raises WrongView: for the first of them.
    """
    for _, problem in unfitting(app, typed):
        if app.config.get("REFUSE_WRONG_SETTINGS"):
            raise WrongView(problem)
        app.logger.warning("%s Requests will fail.", problem)


def unfitting(app: AppContract, typed: Container[str]) -> Iterator[tuple[str, str]]:
    """The rules whose variables do not fit the parameters of their views, each with a sentence that says why.

    Left out are views whose parameters can come from elsewhere: typed views, decorated ones, and those below a URL
    value preprocessor.
    """
    if "dispatch_request" in app.overridden or app.url_value_preprocessors.get(None):
        return
    for rule in app.url_map.iter_rules():
        endpoint = str(rule.endpoint)
        view = app.view_functions.get(endpoint)
        preprocessed = any(name in app.url_value_preprocessors for name in blueprint_path(endpoint.rpartition(".")[0]))
        if type(view) is FunctionType and endpoint not in typed and not (preprocessed or hasattr(view, "__wrapped__")):
            problem = _problem(rule, view)
            if problem is not None:
                yield rule.rule, problem


def _problem(rule: Rule, view: FunctionType) -> str | None:
    code = view.__code__
    positional, all_named = code.co_argcount, code.co_argcount + code.co_kwonlyargcount
    named = code.co_varnames[:all_named]  # a signature of `inspect` takes twenty times as long
    with_default = {*named[positional - len(view.__defaults__ or ()) : positional], *(view.__kwdefaults__ or ())}
    missing = [name for name in named if name not in with_default and name not in rule.arguments]
    excess = [] if code.co_flags & CO_VARKEYWORDS else sorted(rule.arguments.difference(named))
    about = f"The view {view.__name__}() of the rule {rule.rule!r}"
    if missing and excess:
        return f"{about} has the parameter {missing[0]!r}, but the variable of the rule is {excess[0]!r}: use one name."
    if missing:
        remedy = f"{{{missing[0]}}} is plain text in a rule: write" if f"{{{missing[0]}}}" in rule.rule else "Write"
        return f"{about} has the parameter {missing[0]!r}, which no variable fills. {remedy} <{missing[0]}>."
    if excess:
        return f"{about} has no parameter for the variable {excess[0]!r}: write def {view.__name__}({excess[0]})."
    return None
