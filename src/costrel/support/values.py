"""Small immutable objects that compare by their attributes, like frozen dataclasses.

Dataclasses compile their methods from text, and import `inspect`: together a tenth of the package's import time.
"""

from __future__ import annotations

from typing import NoReturn


class Value:
    """Equal to a value of the same class with the same attributes, which ``__init__`` puts into ``__dict__``."""

    def _refuse(self, name: str, *value: object) -> NoReturn:
        raise AttributeError(f"A {type(self).__name__} is immutable, so its {name!r} cannot be set: create another.")

    __setattr__ = __delattr__ = _refuse

    def __eq__(self, other: object) -> bool:
        return vars(self) == vars(other) if type(other) is type(self) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(vars(self).values()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"
