"""JSON that keeps what JSON loses: tuples, bytes, markup, UUIDs and times come back as what they were.

A value of such a type is written as an object with one key, the tag: ``{" t": [1, 2]}`` is a tuple.
"""

from __future__ import annotations

import typing as t
from base64 import b64decode, b64encode
from datetime import datetime

from markupsafe import Markup

from ..http.dates import http_date, parse_date
from .json import dumps_compact, loads

_SCALARS = frozenset({str, int, bool, float, type(None)})


class JSONTag:
    """How one type is written under a tag and read back; `key` is the tag, empty for types that need none.

    A subclass brings `check`, `to_json` and `to_python`.
    """

    __slots__ = ("serializer",)

    key: str = ""

    def __init__(self, serializer: TaggedJSONSerializer) -> None:
        self.serializer = serializer

    def check(self, value: t.Any) -> bool:
        """Whether this tag is for `value`."""
        raise NotImplementedError

    def to_json(self, value: t.Any) -> t.Any:
        """What JSON can say of `value`; the tag itself is put around it later."""
        raise NotImplementedError

    def to_python(self, value: t.Any) -> t.Any:
        """The value again, of what stood under the tag."""
        raise NotImplementedError

    def tag(self, value: t.Any) -> dict[str, t.Any]:
        """`value` for JSON, under its tag."""
        return {self.key: self.to_json(value)}


class TagDict(JSONTag):
    """A dict that looks like a tag itself, with the key of one as its only key."""

    __slots__ = ()
    key = " di"

    def check(self, value: t.Any) -> bool:
        return isinstance(value, dict) and len(value) == 1 and next(iter(value)) in self.serializer.tags

    def to_json(self, value: t.Any) -> t.Any:
        key = next(iter(value))
        return {f"{key}__": self.serializer.tag(value[key])}

    def to_python(self, value: t.Any) -> t.Any:
        key = next(iter(value))
        return {key[:-2]: value[key]}


class PassDict(JSONTag):
    """Any other dict: it needs no tag, its values may."""

    __slots__ = ()

    def check(self, value: t.Any) -> bool:
        return isinstance(value, dict)

    def to_json(self, value: t.Any) -> t.Any:
        tag = self.serializer.tag
        return {key: tag(item) for key, item in value.items()}

    tag = to_json


class TagTuple(JSONTag):
    __slots__ = ()
    key = " t"

    def check(self, value: t.Any) -> bool:
        return isinstance(value, tuple)

    def to_json(self, value: t.Any) -> t.Any:
        tag = self.serializer.tag
        return [tag(item) for item in value]

    def to_python(self, value: t.Any) -> t.Any:
        return tuple(value)


class PassList(JSONTag):
    """A list: it needs no tag, its items may."""

    __slots__ = ()

    def check(self, value: t.Any) -> bool:
        return isinstance(value, list)

    def to_json(self, value: t.Any) -> t.Any:
        tag = self.serializer.tag
        return [tag(item) for item in value]

    tag = to_json


class TagBytes(JSONTag):
    __slots__ = ()
    key = " b"

    def check(self, value: t.Any) -> bool:
        return isinstance(value, bytes)

    def to_json(self, value: t.Any) -> t.Any:
        return b64encode(value).decode("ascii")

    def to_python(self, value: t.Any) -> t.Any:
        return b64decode(value)


class TagMarkup(JSONTag):
    """Whatever has ``__html__``; it comes back as Markup."""

    __slots__ = ()
    key = " m"

    def check(self, value: t.Any) -> bool:
        return callable(getattr(value, "__html__", None))

    def to_json(self, value: t.Any) -> t.Any:
        return str(value.__html__())

    def to_python(self, value: t.Any) -> t.Any:
        return Markup(value)  # noqa: S704 - it was markup when it was written, and the cookie is signed


class TagUUID(JSONTag):
    __slots__ = ()
    key = " u"

    def check(self, value: t.Any) -> bool:
        import uuid  # slow to load; few sessions hold anything that is asked after this

        return isinstance(value, uuid.UUID)

    def to_json(self, value: t.Any) -> t.Any:
        return value.hex

    def to_python(self, value: t.Any) -> t.Any:
        import uuid

        return uuid.UUID(value)


class TagDateTime(JSONTag):
    """A time, to the second; it comes back in UTC."""

    __slots__ = ()
    key = " d"

    def check(self, value: t.Any) -> bool:
        return isinstance(value, datetime)

    def to_json(self, value: t.Any) -> t.Any:
        return http_date(value)

    def to_python(self, value: t.Any) -> t.Any:
        return parse_date(value)


class TaggedJSONSerializer:
    """Writes and reads tagged JSON: dicts, lists, tuples, bytes, Markup, UUID and datetime by default.

    `tags` finds a tag by its key; `order` is the order in which they are asked whether a value is theirs.
    """

    __slots__ = ("_known_order", "order", "tags")

    default_tags: t.ClassVar[list[type[JSONTag]]] = [
        TagDict,
        PassDict,
        TagTuple,
        PassList,
        TagBytes,
        TagMarkup,
        TagUUID,
        TagDateTime,
    ]

    def __init__(self) -> None:
        self.tags: dict[str, JSONTag] = {}
        self.order: list[JSONTag] = []
        for tag_class in self.default_tags:
            self.register(tag_class)
        own = type(self).default_tags is TaggedJSONSerializer.default_tags
        self._known_order = list(self.order) if own else []

    def register(self, tag_class: type[JSONTag], force: bool = False, index: int | None = None) -> None:
        """Add a tag; `index` is its place in `order`, for a type that an earlier tag would take, else the end.

        Raises KeyError where its key is taken, unless `force` says to replace that tag.
        """
        tag = tag_class(self)
        key = tag.key
        if key:
            if not force and key in self.tags:
                raise KeyError(f"Tag {key!r} is already registered.")
            self.tags[key] = tag
        if index is None:
            self.order.append(tag)
        else:
            self.order.insert(index, tag)

    def tag(self, value: t.Any) -> t.Any:
        """`value` as JSON can say it, with tags where they are needed."""
        # PERF: session. What no tag is for needs no asking, as long as there are only those tags that are known here.
        if self.order == self._known_order:
            if type(value) in _SCALARS:
                return value
            if type(value) is dict and self._is_flat(value):
                return value.copy()
        for tag in self.order:
            if tag.check(value):
                return tag.tag(value)
        return value

    def _is_flat(self, value: dict[str, t.Any]) -> bool:
        """Whether a dict has only values that need no tag, and does not look like one."""
        return _SCALARS.issuperset(map(type, value.values())) and (
            len(value) != 1 or next(iter(value)) not in self.tags
        )

    def untag(self, value: dict[str, t.Any]) -> t.Any:
        """What a dict stands for that was read: itself, unless its only key is a tag."""
        if len(value) != 1:
            return value
        key = next(iter(value))
        if key not in self.tags:
            return value
        return self.tags[key].to_python(value[key])

    def _untag_scan(self, value: t.Any) -> t.Any:
        if isinstance(value, dict):
            if self._is_flat(value):
                return value
            return self.untag({key: self._untag_scan(item) for key, item in value.items()})
        if isinstance(value, list):
            return [self._untag_scan(item) for item in value]
        return value

    def dumps(self, value: t.Any) -> str:
        """`value` as compact tagged JSON. Raises TypeError for a type that neither tag nor JSON is for."""
        # PERF: session. As `tag` has it, without a copy.
        if type(value) is dict and type(self).tag is _TAG and self.order == self._known_order and self._is_flat(value):
            return dumps_compact(value)
        return dumps_compact(self.tag(value))

    def loads(self, value: str) -> t.Any:
        """The value of a tagged JSON text. Raises ValueError for what is none."""
        read = loads(value)
        if type(read) is dict and self._is_flat(read):  # PERF: session
            return read
        return self._untag_scan(read)


_TAG: t.Final = TaggedJSONSerializer.tag
