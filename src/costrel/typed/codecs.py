"""Types that msgspec does not know: how the values of an application's own types are read, written and described."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping

from ..support.values import Value

Decode: t.TypeAlias = Callable[[t.Any], object]
Encode: t.TypeAlias = Callable[[t.Any], object]


class Codec(Value):
    """One type: `decode` makes its value from one of JSON, `encode` the reverse, `schema` is its JSON schema."""

    decode: Decode | None
    encode: Encode | None
    schema: Mapping[str, object] | None

    def __init__(self, decode: Decode | None, encode: Encode | None, schema: Mapping[str, object] | None) -> None:
        self.__dict__.update(decode=decode, encode=encode, schema=schema)


class Codecs(dict[type, Codec]):
    """The codecs of an application by type."""

    def dec_hook(self, cls: type, value: object) -> object:
        """Make a value of a type that msgspec does not know.

        :raises TypeError: for a type without a codec.
        """
        if isinstance(value, cls):
            return value  # already decoded
        validator = getattr(cls, "__pydantic_validator__", None)
        if validator is not None:
            return validator.validate_python(value)
        codec = self.get(cls)
        if codec is None or codec.decode is None:
            raise TypeError(f"Values of the type {cls.__name__!r} cannot be read: app.typed_codec() tells how.")
        return codec.decode(value)

    def enc_hook(self, default: Callable[[object], object]) -> Encode:
        """The hook that msgspec calls for a value that it cannot write; `default` handles types without a codec."""

        def encode(value: object) -> object:
            for cls in type(value).__mro__:
                codec = self.get(cls)
                if codec is not None and codec.encode is not None:
                    return codec.encode(value)
            serializer = getattr(type(value), "__pydantic_serializer__", None)
            return default(value) if serializer is None else serializer.to_python(value, mode="json", by_alias=True)

        return encode


def refuse(value: object) -> t.NoReturn:
    """Raise TypeError for a value that nothing can write."""
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")
