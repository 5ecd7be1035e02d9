"""Small objects that are what their attributes say, as frozen dataclasses are.

Those have each of their methods compiled from text when they are defined, and bring `inspect` with them: together a
tenth of the time in which the package is imported.
"""

from __future__ import annotations

from typing import Any, NoReturn


class Value:
    """Equal to a value of the same class with the same attributes; ``__init__`` puts them into ``__dict__``."""

    def _refuse(self, name: str, *value: Any) -> NoReturn:
        raise AttributeError(f"A {type(self).__name__} does not change, so its {name!r} cannot be set: make another.")

    __setattr__ = __delattr__ = _refuse

    def __eq__(self, other: object) -> bool:
        return vars(self) == vars(other) if type(other) is type(self) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(vars(self).values()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"
