"""The Jinja environment of an application, and its loader.

This module is imported when an application needs its environment: importing Jinja takes a fifth as long as everything
else.
"""

from __future__ import annotations

import os
import typing as t
from collections import ChainMap
from collections.abc import Iterable, Iterator

from jinja2 import BaseLoader, FileSystemLoader, TemplateNotFound
from jinja2 import Environment as BaseEnvironment
from jinja2 import Template as BaseTemplate
from jinja2.runtime import Context, new_context

from .. import context
from .flashing import get_flashed_messages
from .template_explanation import Source, explain_template_loading_attempts

if t.TYPE_CHECKING:
    from ..context import AppContract

    class HasLoader(t.Protocol):
        """An application or blueprint with a template loader."""

        @property
        def jinja_loader(self) -> BaseLoader | None: ...

    class JinjaApp(AppContract, HasLoader, t.Protocol):
        """The part of an application that its Jinja environment needs."""

        jinja_options: dict[str, t.Any]

        @property
        def jinja_environment(self) -> type[Environment]: ...
        def create_global_jinja_loader(self) -> BaseLoader: ...
        def iter_blueprints(self) -> Iterable[HasLoader]: ...
        def select_jinja_autoescape(self, filename: str | None) -> bool: ...
        def url_for(self, endpoint: str, /, **values: t.Any) -> str: ...


OWN_PREFIX: t.Final = "costrel/"
OWN_TEMPLATES: t.Final = os.path.join(os.path.dirname(__file__), "own_templates")


class Template(BaseTemplate):
    """A Jinja template whose globals are merged into one dict before it is rendered."""

    def new_context(
        self, vars: dict[str, t.Any] | None = None, shared: bool = False, locals: t.Mapping[str, t.Any] | None = None
    ) -> Context:
        """Return the context for rendering the template once."""
        variables = self.globals
        if type(variables) is ChainMap:
            # Jinja would copy it twice, with a Python call for each name. PERF: template
            own, *further = variables.maps
            for names in further:
                own = {**names, **own}
            variables = own
        return new_context(self.environment, self.name, self.blocks, vars, shared, variables, locals)


class Environment(BaseEnvironment):
    """A Jinja environment for an application. It loads templates from the application's and blueprints' folders."""

    template_class = Template

    def __init__(self, app: JinjaApp, **options: t.Any) -> None:
        if "loader" not in options:
            options["loader"] = app.create_global_jinja_loader()
        super().__init__(**options)
        self.app = app


class DispatchingJinjaLoader(BaseLoader):
    """Searches for templates in the application's folder, then in its blueprints' folders in order of registration."""

    def __init__(self, app: object) -> None:
        self.app = t.cast("JinjaApp", app)

    def get_source(self, environment: BaseEnvironment, template: str) -> Source:
        """Return the source of a template, and log the search if ``EXPLAIN_TEMPLATE_LOADING`` is on.

        :raises TemplateNotFound: if there is no such template.
        """
        if self.app.config["EXPLAIN_TEMPLATE_LOADING"]:
            return self._get_source_explained(environment, template)
        return self._get_source_fast(environment, template)

    def _get_source_explained(self, environment: BaseEnvironment, template: str) -> Source:
        attempts: list[tuple[BaseLoader, object, Source | None]] = []
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

    def _iter_loaders(self, template: str) -> Iterator[tuple[HasLoader, BaseLoader]]:
        for owner in (self.app, *self.app.iter_blueprints()):
            loader = owner.jinja_loader
            if loader is not None:
                yield owner, loader
        if template.startswith(OWN_PREFIX):
            yield self, self.jinja_loader

    @property
    def jinja_loader(self) -> BaseLoader:
        """The loader of Costrel's templates, such as ``costrel/forms.html``. All other folders take precedence."""
        return FileSystemLoader(OWN_TEMPLATES)

    def list_templates(self) -> list[str]:
        """Return the names of all templates."""
        return list({name for _, loader in self._iter_loaders("") for name in loader.list_templates()})


def create_environment(application: object) -> Environment:
    """Create the environment of an application from its ``jinja_environment`` and ``jinja_options``."""
    app = t.cast("JinjaApp", application)
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
        # Context processors provide these too, but macros that are imported without context see only globals.
        request=context.request,
        session=context.session,
        g=context.g,
    )
    environment.policies["json.dumps_function"] = app.json.dumps
    return environment
