"""Rendering templates, and the variables that every template has."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache

from .. import context
from ..streaming import stream_with_context
from ..support.coroutines import call_sync
from ..support.signals import before_render_template, template_rendered

if t.TYPE_CHECKING:
    from jinja2 import Environment as JinjaEnvironment
    from jinja2 import Template

    from ..context import AppContract
    from .jinja import Environment

    class TemplateApp(AppContract, t.Protocol):
        """The part of an application that templates use."""

        @property
        def template_context_processors(self) -> Mapping[str | None, Sequence[Callable[..., t.Any]]]: ...
        @property
        def jinja_env(self) -> Environment: ...


def _default_template_ctx_processor() -> dict[str, t.Any]:
    """Return the variables of every template: ``g``, and ``request`` during a request."""
    ctx = context.peek()
    if ctx is None:
        return {}
    request_context = context.peek_request()
    if request_context is None:
        return {"g": ctx.g}
    return {"g": ctx.g, "request": request_context.request}


def update_context(app: TemplateApp, variables: dict[str, t.Any]) -> None:
    """Add the variables of the context processors, the application's first. Existing variables take precedence."""
    processors = app.template_context_processors
    names: tuple[str | None, ...] = (None,)
    if len(processors) > 1 and context.has_request_context():
        names = (None, *reversed(context.requesting().request.blueprints))
    arguments = variables.copy()
    for name in names:
        for processor in processors.get(name, ()):
            if processor is _default_template_ctx_processor:
                variables.update(processor())
            else:
                variables.update(call_sync(app, processor))
    variables.update(arguments)


def _render(app: AppContract, template: Template, context: dict[str, t.Any]) -> str:
    app.update_template_context(context)
    if before_render_template.receivers:
        before_render_template.send(app, _async_wrapper=app.ensure_sync, template=template, context=context)
    text = template.render(context)
    if template_rendered.receivers:
        template_rendered.send(app, _async_wrapper=app.ensure_sync, template=template, context=context)
    return text


def render_template(template_name_or_list: str | Template | list[str | Template], **context: t.Any) -> str:
    """Render a template with variables. If several names are passed, the first existing template is used.

    :param template_name_or_list: the name of a template, a template, or a list of them.
    :param context: the variables.
    :raises TemplateNotFound: if there is no such template.
    :raises RuntimeError: outside of an application.
    """
    app = _current_app()
    return _render(app, app.jinja_env.get_or_select_template(template_name_or_list), context)


def render_template_string(source: str, **context: t.Any) -> str:
    """Render a template from a string with variables, whose values are escaped.

    :param source: the template. Never use text from a client, which could run code.
    :param context: the variables.
    :raises RuntimeError: outside of an application.
    """
    app = _current_app()
    return _render(app, _compiler_of_strings()(app.jinja_env, source), context)


def _stream(app: AppContract, template: Template, variables: dict[str, t.Any]) -> Iterator[str]:
    app.update_template_context(variables)
    if before_render_template.receivers:
        before_render_template.send(app, _async_wrapper=app.ensure_sync, template=template, context=variables)
    pieces = _pieces(app, template, variables)
    if context.has_request_context():
        kept: Iterator[str] = stream_with_context(pieces)
        return kept
    return pieces


def _pieces(app: AppContract, template: Template, variables: dict[str, t.Any]) -> Iterator[str]:
    yield from template.generate(variables)
    if template_rendered.receivers:
        template_rendered.send(app, _async_wrapper=app.ensure_sync, template=template, context=variables)


def stream_template(template_name_or_list: str | Template | list[str | Template], **context: t.Any) -> Iterator[str]:
    """Render a template as a stream. The context of the current request is kept until the end.

    :param template_name_or_list: see `render_template`.
    :param context: the variables.
    :raises TemplateNotFound: if there is no such template.
    :raises RuntimeError: outside of an application.
    """
    app = _current_app()
    return _stream(app, app.jinja_env.get_or_select_template(template_name_or_list), context)


def stream_template_string(source: str, **context: t.Any) -> Iterator[str]:
    """Render a template from a string as a stream.

    :param source: see `render_template_string`.
    :param context: the variables.
    :raises RuntimeError: outside of an application.
    """
    app = _current_app()
    return _stream(app, _compiler_of_strings()(app.jinja_env, source), context)


@cache
def _compiler_of_strings() -> Callable[[JinjaEnvironment, str], Template]:
    # Cached, since even a repeated import statement takes a twentieth of the time of a short template.
    from .string_templates import template_of_string  # imports Jinja, which is not needed before the first template

    return template_of_string


def _current_app() -> TemplateApp:
    # A function, since a parameter of the functions above is named `context`.
    app: TemplateApp = context.current().app
    return app
