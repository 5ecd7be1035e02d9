"""`Checked[Model]`: the fields of a form, whether they are valid or not, so that the form can be shown again."""

from __future__ import annotations

import typing as t

from .problems import Problem

T = t.TypeVar("T")


class Checked(t.Generic[T]):
    """A model that may be invalid: true if it is valid.

    `value` is the model, or None. `errors` has the first problem of each field by its name, and `raw` the texts that
    were sent.
    """

    def __init__(self, value: T | None, raw: dict[str, t.Any], problems: list[Problem]) -> None:
        self.value = value
        self.raw = raw
        self.problems = problems
        self.errors: dict[str, str] = {}
        for problem in problems:
            self.errors.setdefault(str(problem.path[0]) if problem.path else "", problem.detail)

    def __bool__(self) -> bool:
        return not self.problems

    def __repr__(self) -> str:
        return f"<Checked {self.value!r}>" if self else f"<Checked with errors in {', '.join(self.errors)}>"
