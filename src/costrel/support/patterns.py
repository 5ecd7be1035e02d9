"""Regular expressions that are compiled on first use. Compiling all of them would take a tenth of the import time.

They are for rare use, not for every request, since each call goes through a Python function.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, AnyStr, Generic


class LatePattern(Generic[AnyStr]):
    """A pattern that is compiled when a method is first called. An error in it is raised only then."""

    _compiled: re.Pattern[AnyStr] | None = None

    def __init__(self, pattern: AnyStr, flags: int = 0) -> None:
        self.pattern: AnyStr = pattern
        self.flags = flags

    def compile(self) -> re.Pattern[AnyStr]:
        """The compiled pattern, for methods that this class does not have."""
        if self._compiled is None:
            self._compiled = re.compile(self.pattern, self.flags)
        return self._compiled

    def match(self, string: AnyStr, start: int = 0) -> re.Match[AnyStr] | None:
        return (self._compiled or self.compile()).match(string, start)

    def fullmatch(self, string: AnyStr) -> re.Match[AnyStr] | None:
        return (self._compiled or self.compile()).fullmatch(string)

    def search(self, string: AnyStr) -> re.Match[AnyStr] | None:
        return (self._compiled or self.compile()).search(string)

    def findall(self, string: AnyStr) -> list[Any]:
        return (self._compiled or self.compile()).findall(string)

    def split(self, string: AnyStr, most: int = 0) -> list[AnyStr]:
        return (self._compiled or self.compile()).split(string, most)

    def sub(self, replacement: AnyStr | Callable[[re.Match[AnyStr]], AnyStr], string: AnyStr) -> AnyStr:
        return (self._compiled or self.compile()).sub(replacement, string)
