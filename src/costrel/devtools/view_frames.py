"""Adds the view to the traceback of an error in its return value, which is raised after the view has returned."""

from __future__ import annotations

import inspect
from types import FunctionType

from ..app import response_values
from ..context import RequestContext
from .frames import Frame, Report, package_of
from .source import Span


def add_view(report: Report) -> None:
    """Append the view to the frames if its return value caused the error."""
    if not report.frames or report.frames[-1].filename != response_values.__file__:
        return
    for ctx in report.contexts(RequestContext)[-1:]:
        view = inspect.unwrap(ctx.app.view_functions.get(ctx.request.endpoint, add_view))
        if type(view) is FunctionType and view is not add_view:
            code = view.__code__
            place = Frame(code.co_filename, Span(code.co_firstlineno), code.co_qualname, _package(view), None, code)
            for frame in report.frames:
                frame.is_focus = False
            place.is_focus = True
            report.frames.append(place)


def _package(view: FunctionType) -> str | None:
    return package_of(view.__code__.co_filename, view.__module__)
