"""Errors that explain a mistake in a form, in debug mode."""

from __future__ import annotations

import typing as t

from ..routing import RequestRedirect

if t.TYPE_CHECKING:
    from .request import Request


class UnexpectedUnicodeError(AssertionError, UnicodeError):
    """Text was passed instead of bytes, or the reverse."""


class DebugFilesKeyError(KeyError, AssertionError):
    """A file is missing, because the form was sent without its files."""

    def __init__(self, request: Request, key: str) -> None:
        super().__init__(key)
        lines = [
            f"request.files has no {key!r}: sent as {request.mimetype!r}, so no file contents were transmitted.",
            'Write the form as <form method="post" enctype="multipart/form-data">.',
        ]
        submitted = request.form.getlist(key)
        if submitted:
            lines.append(f"This was submitted: {', '.join(map(repr, submitted))}, the name of the file alone.")
        self.msg = " ".join(lines)

    def __str__(self) -> str:
        return self.msg


class FormDataRoutingRedirect(AssertionError):
    """In debug mode: a redirect would lose the form of the request."""

    def __init__(self, request: Request) -> None:
        error = request.routing_exception
        new_url = error.new_url if isinstance(error, RequestRedirect) else ""
        lines = [
            f"A request was sent to {request.url!r}, and the rule has the canonical URL {new_url!r}:",
            "the redirect there would lose the body, since it is not a 307 or 308.",
        ]
        if request.base_url + "/" == new_url.partition("?")[0]:
            lines.append("The rule ends with a slash and the URL that was asked for did not.")
        lines.append(f"Send {request.method} requests to the canonical URL: this error appears in debug mode only.")
        super().__init__(" ".join(lines))


def attach_enctype_error_multidict(request: Request) -> None:
    """Make ``request.files[key]`` explain the missing enctype if the form has a field of that name."""
    plain = type(request.files)

    class ExplainingFiles(plain):  # type: ignore[valid-type, misc]  # it may be the user's class
        def __getitem__(self, key: str) -> t.Any:
            try:
                return super().__getitem__(key)
            except KeyError as error:
                if key not in request.form:
                    raise
                raise DebugFilesKeyError(request, key).with_traceback(error.__traceback__) from None

    ExplainingFiles.__name__ = plain.__name__
    ExplainingFiles.__module__ = plain.__module__
    request.files.__class__ = ExplainingFiles
