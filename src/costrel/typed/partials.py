"""PATCH: a class with every field optional, and the fields that were sent."""

from __future__ import annotations

import typing as t
from collections.abc import Hashable
from functools import cache

T = t.TypeVar("T")


def partial(model: type[T]) -> type[T]:
    """The Struct `model` with every field optional: a field that was not sent is ``msgspec.UNSET``.

    Each call with one class returns the same class. Raises TypeError for anything but a Struct.
    """
    return t.cast("type[T]", _partial(t.cast("Hashable", model)))


@cache
def _partial(model: Hashable) -> type:
    import msgspec  # slow to load

    if not (isinstance(model, type) and issubclass(model, msgspec.Struct)):
        raise TypeError(f"partial() takes a subclass of msgspec.Struct, not {model!r}.")
    config, union = model.__struct_config__, t.Union
    fields = [
        (
            field.name,
            union[field.type, msgspec.UnsetType],
            msgspec.field(default=msgspec.UNSET, name=field.encode_name),
        )
        for field in msgspec.structs.fields(model)
    ]
    return msgspec.defstruct(
        f"Partial{model.__name__}",
        fields,
        module=model.__module__,
        kw_only=True,
        forbid_unknown_fields=config.forbid_unknown_fields,
        tag=config.tag,
        tag_field=config.tag_field,
    )


def changes(patch: object) -> dict[str, t.Any]:
    """The fields of a Struct that were sent, by their attributes: all that are not ``msgspec.UNSET``.

    :param patch: an instance of a class that `partial` has made.
    :raises TypeError: for anything else than a Struct.
    """
    import msgspec

    if not isinstance(patch, msgspec.Struct):
        raise TypeError(f"changes() takes a Struct, such as an instance of partial(Order), not {patch!r}.")
    values = ((name, getattr(patch, name)) for name in patch.__struct_fields__)
    return {name: value for name, value in values if value is not msgspec.UNSET}
