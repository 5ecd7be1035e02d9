"""Templates: the functions that render, and the variables that every template has."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterator
from functools import cache

from .. import context
from ..streaming import stream_with_context
from ..support.signals import before_render_template, template_rendered

if t.TYPE_CHECKING:
    from jinja2 import Template


def _default_template_ctx_processor() -> dict[str, t.Any]:
    """The variables that every template has: ``g``, and ``request`` where there is one."""
    ctx = context.peek()
    if ctx is None:
        return {}
    request_context = context.peek_request()
    if request_context is None:
        return {"g": ctx.g}
    return {"g": ctx.g, "request": request_context.request}


def update_context(app: t.Any, variables: dict[str, t.Any]) -> None:
    """Add what the context processors give, the application's first; what was in `variables` stays as it was."""
    processors = app.template_context_processors
    names: tuple[str | None, ...] = (None,)
    if len(processors) > 1 and context.has_request_context():
        names = (None, *reversed(context.requesting().request.blueprints))
    given = variables.copy()
    for name in names:
        for processor in processors.get(name, ()):
            if processor is not _default_template_ctx_processor:
                processor = app.ensure_sync(processor)
            variables.update(processor())
    variables.update(given)


def _render(app: t.Any, template: Template, context: dict[str, t.Any]) -> str:
    app.update_template_context(context)
    if before_render_template.receivers:
        before_render_template.send(app, _async_wrapper=app.ensure_sync, template=template, context=context)
    text = template.render(context)
    if template_rendered.receivers:
        template_rendered.send(app, _async_wrapper=app.ensure_sync, template=template, context=context)
    return text


def render_template(template_name_or_list: str | Template | list[str | Template], **context: t.Any) -> str:
    """The text of a template with the given variables; of several names, the first that exists.

    Raises TemplateNotFound, and RuntimeError outside of an application.
    """
    app = _current_app()
    return _render(app, app.jinja_env.get_or_select_template(template_name_or_list), context)


def render_template_string(source: str, **context: t.Any) -> str:
    """The text of a template that is given as a string, its values escaped, with the given variables.

    Raises RuntimeError outside of an application.
    """
    app = _current_app()
    return _render(app, _compiler_of_strings()(app.jinja_env, source), context)


def _stream(app: t.Any, template: Template, variables: dict[str, t.Any]) -> Iterator[str]:
    app.update_template_context(variables)
    if before_render_template.receivers:
        before_render_template.send(app, _async_wrapper=app.ensure_sync, template=template, context=variables)
    pieces = _pieces(app, template, variables)
    if context.has_request_context():
        kept: Iterator[str] = stream_with_context(pieces)
        return kept
    return pieces


def _pieces(app: t.Any, template: Template, variables: dict[str, t.Any]) -> Iterator[str]:
    yield from template.generate(variables)
    if template_rendered.receivers:
        template_rendered.send(app, _async_wrapper=app.ensure_sync, template=template, context=variables)


def stream_template(template_name_or_list: str | Template | list[str | Template], **context: t.Any) -> Iterator[str]:
    """The text of a template in pieces, as they are made; within a request, whose context stays until the end.

    Raises TemplateNotFound, and RuntimeError outside of an application.
    """
    app = _current_app()
    return _stream(app, app.jinja_env.get_or_select_template(template_name_or_list), context)


def stream_template_string(source: str, **context: t.Any) -> Iterator[str]:
    """The text of a template that is given as a string, in pieces, as they are made.

    Raises RuntimeError outside of an application.
    """
    app = _current_app()
    return _stream(app, _compiler_of_strings()(app.jinja_env, source), context)


@cache
def _compiler_of_strings() -> Callable[[t.Any, str], Template]:
    # PERF: render_string. Looking for the module takes as long as a twentieth of it.
    from .string_templates import template_of_string  # with Jinja, which waits for the first template

    return template_of_string


def _current_app() -> t.Any:
    # A function of its own since `context` is a parameter's name above.
    return context.current().app
