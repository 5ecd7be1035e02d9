"""The log message of ``EXPLAIN_TEMPLATE_LOADING``, which lists the loaders that were tried for a template."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterator, Sequence

from .. import context

if t.TYPE_CHECKING:
    from jinja2 import BaseLoader

    from ..context import AppContract

Source = tuple[str, str | None, Callable[[], bool] | None]
"""The result of a Jinja loader: the source, the file name, and a function that returns whether it is up to date."""


def explain_template_loading_attempts(
    app: AppContract, template: str, attempts: Sequence[tuple[BaseLoader, object, Source | None]]
) -> None:
    """Log the search for a template. Each attempt has a loader, its application or blueprint, and its result."""
    lines = [f"Locating template {template!r}:"]
    for number, (loader, owner, found) in enumerate(attempts, start=1):
        lines.append(f"{number:5}: trying loader of {_name_of(app, owner)}")
        lines.extend(f"       {line}" for line in _describe(loader))
        lines.append(f"       -> {_outcome(found)}")
    lines.extend(_verdict(sum(found is not None for _, _, found in attempts)))
    app.logger.info("\n".join(lines))


def _name_of(app: AppContract, owner: object) -> str:
    if owner is app:
        return f"application {app.import_name!r}"
    if hasattr(owner, "import_name") and hasattr(owner, "name"):
        return f"blueprint {owner.name!r} ({owner.import_name})"
    return repr(owner)


def _describe(loader: BaseLoader) -> Iterator[str]:
    """The loader's class, and its attributes that are text, numbers or lists of text."""
    yield f"class: {type(loader).__module__}.{type(loader).__name__}"
    for key, value in sorted(loader.__dict__.items()):
        if key.startswith("_"):
            continue
        if isinstance(value, str | int | float):
            yield f"{key}: {value!r}"
        elif isinstance(value, tuple | list) and all(isinstance(item, str) for item in value):
            yield f"{key}:"
            yield from (f"  - {item}" for item in value)


def _outcome(found: Source | None) -> str:
    if found is None:
        return "no match"
    return f"found ({found[1] or '<string>'!r})"


def _verdict(matches: int) -> Iterator[str]:
    if matches > 1:
        yield f"Warning: {matches} loaders have a template with this name. The first one is used."
    if matches == 0:
        yield "Error: the template could not be found."
        blueprint = context.requesting().request.blueprint if context.has_request_context() else None
        if blueprint is not None:
            yield f"  It was looked up from an endpoint that belongs to the blueprint {blueprint!r}. If it has a"
            yield "  template folder ('template_folder='), the folder is searched after the application's."
            yield "  See https://flask.palletsprojects.com/blueprints/#templates"
