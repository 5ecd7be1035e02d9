"""Uploaded files, and parts of a form that contain JSON."""

from __future__ import annotations

import typing as t

from .bodies import JSONText, take_default
from .expressions import TypeExpr, class_of, members
from .placing import is_many, item_types
from .problems import Problem
from .texts import Values

if t.TYPE_CHECKING:
    from ..http.uploads import FileStorage
    from ..messages.request import Request


class FileInput:
    """A parameter for an uploaded file, or for all files of one name."""

    def __init__(self, parameter: str, name: str, expr: TypeExpr, default: object) -> None:
        self.parameter = parameter
        self.name = name
        self.default = default
        self.many = is_many(expr)
        self.as_bytes = bytes in item_types(expr)
        self.collect = next((cls for m in members(expr) if (cls := class_of(m)) in (tuple, set)), list)

    def read(self, request: Request, values: Values, problems: list[Problem]) -> None:
        """Add the file or files to `values`, or their absence to `problems`."""
        # A browser sends an empty part without a name for an input in which no file was chosen.
        sent = [file for file in request.files.getlist(self.name) if file]
        if sent:
            made = [self._value(file) for file in (sent if self.many else sent[:1])]
            values[self.parameter] = self.collect(made) if self.many else made[0]
        else:
            absence = Problem("file", (self.name,), "missing", "A file is required")
            take_default(self.parameter, self.default, absence, values, problems)

    def _value(self, file: FileStorage) -> FileStorage | bytes:
        return file.read() if self.as_bytes else file


class JSONPart:
    """A field of a form, or a part of a multipart form, that contains JSON."""

    def __init__(self, parameter: str, name: str, default: object, text: JSONText) -> None:
        self.parameter = parameter
        self.name = name
        self.default = default
        self.text = text

    def read(self, request: Request, values: Values, problems: list[Problem]) -> None:
        """Add the value to `values`, or its problems to `problems`."""
        data: bytes | str | None = request.form.get(self.name)
        if data is None and (file := request.files.get(self.name)) is not None:  # a script's Blob has a file name
            data = file.read()
        if not data:
            absence = Problem("form", (self.name,), "missing", "Field is required")
            take_default(self.parameter, self.default, absence, values, problems)
            return
        try:
            value, found = self.text.read(data, "form")
        except ValueError:
            problems.append(Problem("form", (self.name,), "format", "Expected JSON"))
            return
        if found:
            problems += [problem._replace(path=(self.name, *problem.path)) for problem in found]
        else:
            values[self.parameter] = value
