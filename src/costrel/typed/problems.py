"""Invalid values of a request, and the HTTP error that reports all of them at once (RFC 9457)."""

from __future__ import annotations

import typing as t
from collections.abc import Sequence

from markupsafe import escape

from ..http.errors import BadRequest, Environ, Scope, UnprocessableEntity

Step: t.TypeAlias = str | int
"""A key of an object, or an index of an array."""

MAX_PROBLEMS: t.Final = 100
"""The search stops at this number of problems in one request."""

_MAX_STEP: t.Final = 100


class Problem(t.NamedTuple):
    """One invalid value. The value itself is not in it: it may be a password."""

    where: str
    """``body``, ``query``, ``header``, ``cookie``, ``form``, ``file`` or ``message``."""
    path: tuple[Step, ...]
    """The keys that lead to the value: from the root of a body, elsewhere beginning with the name."""
    code: str
    """missing, unknown, type, range, length, pattern, multiple, enum, format, value or union."""
    detail: str

    @property
    def pointer(self) -> str:
        """The path as a JSON pointer in a URI fragment (RFC 6901 §6, without percent-encoding)."""
        path = self.path
        text = "/%s" * len(path) % path
        if len(text) > _MAX_STEP or "~" in text or text.count("/") > len(path):
            text = "".join(map(_token, path))
        return "#" + text

    @property
    def name(self) -> str:
        """The path with dots."""
        return ".".join([str(step)[:_MAX_STEP] for step in self.path])

    def entry(self) -> dict[str, str]:
        """The problem as it is sent."""
        if self.where in ("body", "message"):
            return {"in": self.where, "pointer": self.pointer, "code": self.code, "detail": self.detail}
        return {"in": self.where, "name": self.name, "code": self.code, "detail": self.detail}


def _token(step: Step) -> str:
    """A key or an index as a part of a JSON pointer."""
    key = str(step)[:_MAX_STEP].replace("~", "~0").replace("/", "~1")
    return f"/{key}"


class ValidationFailed(UnprocessableEntity):
    """422: values of a request are missing or invalid. `errors` lists them all, without the values themselves.

    Clients that prefer HTML get a page; all others ``application/problem+json``.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__()
        self.problems = tuple(problems[:MAX_PROBLEMS])
        count = len(self.problems)
        self.description = "1 value is invalid." if count == 1 else f"{count} values are invalid."
        self.problem = {"detail": self.description, "errors": self.errors}

    @property
    def errors(self) -> list[dict[str, str]]:
        """The problems as they are sent: ``in``, ``pointer`` or ``name``, ``code`` and ``detail``."""
        return [problem.entry() for problem in self.problems]

    def get_description(self, environ: Environ | None = None, scope: Scope | None = None) -> str:
        items = "".join(
            f"<li><b>{escape(problem.name or 'body')}</b> ({problem.where}): {escape(problem.detail)}</li>\n"
            for problem in self.problems
        )
        return f"{super().get_description(environ, scope)}\n<ul>\n{items}</ul>"


class BadValues(ValidationFailed, BadRequest):
    """The same with the status 400, if the setting ``VALIDATION_STATUS`` asks for it."""

    code = 400
    description: str = ValidationFailed.description


def failed(problems: Sequence[Problem], status: int) -> ValidationFailed:
    """The error that reports `problems` with a status of 422 or 400."""
    return BadValues(problems) if status == 400 else ValidationFailed(problems)
