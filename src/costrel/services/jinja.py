"""What of templating is a class of Jinja's: the environment of an application, and the loader that it has.

Nothing imports this file before an application needs its environment: Jinja takes a fifth of the time in which all the
rest is imported.
"""

from __future__ import annotations

import typing as t
from collections import ChainMap
from collections.abc import Iterator

from jinja2 import BaseLoader, TemplateNotFound
from jinja2 import Environment as BaseEnvironment
from jinja2 import Template as BaseTemplate
from jinja2.runtime import Context, new_context

from .. import context
from .flashing import get_flashed_messages
from .template_explanation import Source, explain_template_loading_attempts


class Template(BaseTemplate):
    """A Jinja template whose globals are in one dictionary when it is rendered."""

    def new_context(
        self, vars: dict[str, t.Any] | None = None, shared: bool = False, locals: t.Mapping[str, t.Any] | None = None
    ) -> Context:
        """The variables for one rendering; see Jinja's own."""
        variables = self.globals
        if type(variables) is ChainMap:
            # PERF: template. Jinja makes two dictionaries of it, which takes a call of Python's for each name.
            own, *further = variables.maps
            for names in further:
                own = {**names, **own}
            variables = own
        return new_context(self.environment, self.name, self.blocks, vars, shared, variables, locals)


class Environment(BaseEnvironment):
    """A Jinja environment that knows its application and loads from the application's and blueprints' folders."""

    template_class = Template

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
