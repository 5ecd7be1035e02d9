"""Templates: the Jinja environment of an application, its loader, and the functions that render."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator

from jinja2 import BaseLoader, Template, TemplateNotFound
from jinja2 import Environment as BaseEnvironment

from .. import context
from ..support.signals import before_render_template, template_rendered
from .flashing import get_flashed_messages
from .string_templates import template_of_string
from .template_explanation import Source, explain_template_loading_attempts


def _default_template_ctx_processor() -> dict[str, t.Any]:
    """The variables that every template has: ``g``, and ``request`` where there is one."""
    ctx = context.peek()
    if ctx is None:
        return {}
    request_context = ctx._request_context
    if request_context is None:
        return {"g": ctx.g}
    return {"g": ctx.g, "request": request_context.request}


class Environment(BaseEnvironment):
    """A Jinja environment that knows its application and loads from the application's and blueprints' folders."""

    def __init__(self, app: t.Any, **options: t.Any) -> None:
        if "loader" not in options:
            options["loader"] = app.create_global_jinja_loader()
        super().__init__(**options)
        self.app = app


class DispatchingJinjaLoader(BaseLoader):
    """Looks for a template in the application's folder, then in those of its blueprints as they were registered."""

    def __init__(self, app: t.Any) -> None:
        self.app = app

    def get_source(self, environment: BaseEnvironment, template: str) -> Source:
        """The source of a template. Raises TemplateNotFound; explains its search if ``EXPLAIN_TEMPLATE_LOADING``."""
        if self.app.config["EXPLAIN_TEMPLATE_LOADING"]:
            return self._get_source_explained(environment, template)
        return self._get_source_fast(environment, template)

    def _get_source_explained(self, environment: BaseEnvironment, template: str) -> Source:
        attempts: list[tuple[BaseLoader, t.Any, Source | None]] = []
        for owner, loader in self._iter_loaders(template):
            try:
                found = loader.get_source(environment, template)
            except TemplateNotFound:
                found = None
            attempts.append((loader, owner, found))
        explain_template_loading_attempts(self.app, template, attempts)
        for _, _, found in attempts:
            if found is not None:
                return found
        raise TemplateNotFound(template)

    def _get_source_fast(self, environment: BaseEnvironment, template: str) -> Source:
        for _, loader in self._iter_loaders(template):
            try:
                return loader.get_source(environment, template)
            except TemplateNotFound:
                continue
        raise TemplateNotFound(template)

    def _iter_loaders(self, template: str) -> Iterator[tuple[t.Any, BaseLoader]]:
        for owner in (self.app, *self.app.iter_blueprints()):
            loader = owner.jinja_loader
            if loader is not None:
                yield owner, loader

    def list_templates(self) -> list[str]:
        """The names of all templates that can be found."""
        return list({name for _, loader in self._iter_loaders("") for name in loader.list_templates()})


def create_environment(app: t.Any) -> t.Any:
    """The environment of an application, of its ``jinja_environment`` and ``jinja_options``."""
    options = dict(app.jinja_options)
    if "autoescape" not in options:
        options["autoescape"] = app.select_jinja_autoescape
    if "auto_reload" not in options:
        reload = app.config["TEMPLATES_AUTO_RELOAD"]
        options["auto_reload"] = app.debug if reload is None else reload
    environment = app.jinja_environment(app, **options)
    environment.globals.update(
        url_for=app.url_for,
        get_flashed_messages=get_flashed_messages,
        config=app.config,
        # Context processors give these too, but macros that are imported without context see only globals.
        request=context.request,
        session=context.session,
        g=context.g,
    )
    environment.policies["json.dumps_function"] = app.json.dumps
    return environment


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
    return _render(app, template_of_string(app.jinja_env, source), context)


def _stream(app: t.Any, template: Template, variables: dict[str, t.Any]) -> Iterator[str]:
    app.update_template_context(variables)
    if before_render_template.receivers:
        before_render_template.send(app, _async_wrapper=app.ensure_sync, template=template, context=variables)
    pieces = _pieces(app, template, variables)
    if context.has_request_context():
        kept: Iterator[str] = context.stream_with_context(pieces)
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
    return _stream(app, template_of_string(app.jinja_env, source), context)


def _current_app() -> t.Any:
    # A function of its own since `context` is a parameter's name above.
    return context.current().app
