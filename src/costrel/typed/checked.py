"""`Checked[Model]`: the fields of a form, whether they are valid or not, so that the form can be shown again."""

from __future__ import annotations

import typing as t

from .problems import Problem

if t.TYPE_CHECKING:
    from .form_fields import FormField

T = t.TypeVar("T")
M = t.TypeVar("M")


class Checked(t.Generic[T]):
    """A model that may be invalid: true if it is valid.

    `value` is the model, or None. `errors` has the first problem of each field by its name, and `raw` the texts that
    were sent.
    """

    def __init__(
        self, value: T | None, raw: dict[str, t.Any], problems: list[Problem], model: t.Any = None, sent: bool = True
    ) -> None:
        self.value = value
        self.raw = raw
        self.problems = problems
        self._model = model
        self._sent = sent
        self.errors: dict[str, str] = {}
        for problem in problems:
            self.errors.setdefault(str(problem.path[0]) if problem.path else "", problem.detail)

    @classmethod
    def blank(cls, model: type[M], /, **values: object) -> Checked[M]:
        """The form of a model before it is sent, with the model's defaults and `values` for some of the fields."""
        return Checked[M](None, values, [], model, sent=False)

    def add_error(self, name: str, detail: str) -> None:
        """Add a problem that the model cannot find, such as a name that is taken. The form is no longer valid.

        :param name: a field, or "" for the form as a whole.
        """
        self.problems.append(Problem("form", (name,) if name else (), "value", detail))
        self.errors.setdefault(name, detail)

    @property
    def fields(self) -> list[FormField]:
        """The fields for a template, in the order of the model; see ``costrel/forms.html``.

        :raises TypeError: for a form that was made without a model.
        """
        from .form_fields import fields_of_form  # few forms are shown

        return fields_of_form(self._model, self.raw, self.errors, sent=self._sent)

    def field(self, name: str) -> FormField:
        """One field for a template. Raises LookupError for a name that the model does not have."""
        found = {field.name: field for field in self.fields}
        if name not in found:
            raise LookupError(f"The form has no field {name!r}. It has {', '.join(map(repr, found))}.")
        return found[name]

    def __bool__(self) -> bool:
        return not self.problems

    def __repr__(self) -> str:
        return f"<Checked {self.value!r}>" if self else f"<Checked with errors in {', '.join(self.errors)}>"
