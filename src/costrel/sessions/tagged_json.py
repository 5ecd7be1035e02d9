"""JSON that preserves the types of tuples, bytes, markup, UUIDs and datetimes.

A value of such a type is written as an object with a single key, the tag: ``{" t": [1, 2]}`` is a tuple.
"""

from __future__ import annotations

import typing as t
from base64 import b64decode, b64encode
from datetime import datetime

from markupsafe import Markup

from .. import context
from ..http.dates import http_date, parse_date
from ..services.json import dumps, loads
from ..services.json_provider import COMPACT
from ..support.seams import Seams

Value: t.TypeAlias = t.Any
"""A value of a tag's type, or its JSON."""

_SCALARS = frozenset({str, int, bool, float, type(None)})


class JSONTag:
    """Writes and reads values of one type. `key` is the tag; it is empty for types without a tag.

    Subclasses implement `check`, `to_json` and `to_python`.
    """

    __slots__ = ("serializer",)

    key: str = ""

    def __init__(self, serializer: TaggedJSONSerializer) -> None:
        self.serializer = serializer

    def check(self, value: object) -> bool:
        """Whether this tag handles `value`."""
        raise NotImplementedError

    def to_json(self, value: Value) -> object:
        """Convert `value` to a JSON value, without the tag."""
        raise NotImplementedError

    def to_python(self, value: Value) -> object:
        """Convert the JSON value under the tag back."""
        raise NotImplementedError

    def tag(self, value: Value) -> object:
        """Convert `value` to a JSON value with its tag."""
        return {self.key: self.to_json(value)}


class TagDict(JSONTag):
    """A dict that looks like a tagged value: its only key is a tag."""

    __slots__ = ()
    key = " di"

    def check(self, value: object) -> bool:
        return isinstance(value, dict) and len(value) == 1 and next(iter(value)) in self.serializer.tags

    def to_json(self, value: Value) -> object:
        key = next(iter(value))
        return {f"{key}__": self.serializer.tag(value[key])}

    def to_python(self, value: Value) -> object:
        key = next(iter(value))
        return {key[:-2]: value[key]}


class PassDict(JSONTag):
    """Any other dict. It needs no tag, but its values may."""

    __slots__ = ()

    def check(self, value: object) -> bool:
        return isinstance(value, dict)

    def to_json(self, value: Value) -> object:
        tag = self.serializer.tag
        return {key: tag(item) for key, item in value.items()}

    tag = to_json


class TagTuple(JSONTag):
    """A tuple."""

    __slots__ = ()
    key = " t"

    def check(self, value: object) -> bool:
        return isinstance(value, tuple)

    def to_json(self, value: Value) -> object:
        tag = self.serializer.tag
        return [tag(item) for item in value]

    def to_python(self, value: Value) -> object:
        return tuple(value)


class PassList(JSONTag):
    """A list. It needs no tag, but its items may."""

    __slots__ = ()

    def check(self, value: object) -> bool:
        return isinstance(value, list)

    def to_json(self, value: Value) -> object:
        tag = self.serializer.tag
        return [tag(item) for item in value]

    tag = to_json


class TagBytes(JSONTag):
    """Bytes, in base64."""

    __slots__ = ()
    key = " b"

    def check(self, value: object) -> bool:
        return isinstance(value, bytes)

    def to_json(self, value: Value) -> object:
        return b64encode(value).decode("ascii")

    def to_python(self, value: Value) -> object:
        return b64decode(value)


class TagMarkup(JSONTag):
    """An object with ``__html__``, which becomes Markup when it is read."""

    __slots__ = ()
    key = " m"

    def check(self, value: object) -> bool:
        return callable(getattr(value, "__html__", None))

    def to_json(self, value: Value) -> object:
        return str(value.__html__())

    def to_python(self, value: Value) -> object:
        return Markup(value)  # noqa: S704 - was markup when it was written, and the cookie is signed


class TagUUID(JSONTag):
    """A UUID."""

    __slots__ = ()
    key = " u"

    def check(self, value: object) -> bool:
        import uuid  # slow to import, and few sessions have a value that reaches this tag

        return isinstance(value, uuid.UUID)

    def to_json(self, value: Value) -> object:
        return value.hex

    def to_python(self, value: Value) -> object:
        import uuid

        return uuid.UUID(value)


class TagDateTime(JSONTag):
    """A datetime with a precision of seconds, which is in UTC when it is read."""

    __slots__ = ()
    key = " d"

    def check(self, value: object) -> bool:
        return isinstance(value, datetime)

    def to_json(self, value: Value) -> object:
        return http_date(value)

    def to_python(self, value: Value) -> object:
        return parse_date(value)


class TaggedJSONSerializer:
    """Writes and reads tagged JSON: dicts, lists, tuples, bytes, Markup, UUID and datetime by default.

    `tags` maps keys to tags; `order` is the order in which the tags' `check` is called.
    """

    __slots__ = ("_blank_tags", "_known_order", "order", "tags")

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
        is_default = type(self).default_tags is TaggedJSONSerializer.default_tags
        self._known_order = list(self.order) if is_default else []
        # The number of tags if all keys start with a space, otherwise -1.
        self._blank_tags = len(self.tags) if all(key.startswith(" ") for key in self.tags) else -1

    def register(self, tag_class: type[JSONTag], force: bool = False, index: int | None = None) -> None:
        """Add a tag at the end of `order`, or at `index` if a tag before it would also accept the type.

        :raises KeyError: if another tag has the same key. If `force` is true, that tag is replaced.
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

    def tag(self, value: Value) -> object:
        """Convert `value` to a JSON value with the necessary tags."""
        if self._needs_no_tags(value):
            return value.copy() if type(value) is dict else value
        for tag in self.order:
            if tag.check(value):
                return tag.tag(value)
        return value

    def _needs_no_tags(self, value: object) -> bool:
        """Whether a value is JSON without any tags, as most sessions are. PERF: session_write"""
        if type(value) is dict:
            # A dict with a single key may look like a tagged value.
            if not _SCALARS.issuperset(map(type, value.values())) or (
                len(value) == 1 and next(iter(value)) in self.tags
            ):
                return False
        elif type(value) not in _SCALARS:
            return False
        return self.order == self._known_order and _TAGGING.are_original_in(self.__class__)

    def untag(self, value: dict[str, t.Any]) -> object:
        """Convert a dict whose only key is a tag back to its value. Other dicts are returned unchanged."""
        if len(value) != 1:
            return value
        key = next(iter(value))
        if key not in self.tags:
            return value
        return self.tags[key].to_python(value[key])

    def _untag_scan(self, value: object) -> object:
        if isinstance(value, dict):
            if self._needs_no_tags(value):
                return value
            return self.untag({key: self._untag_scan(item) for key, item in value.items()})
        if isinstance(value, list):
            return [self._untag_scan(item) for item in value]
        return value

    def dumps(self, value: Value) -> str:
        """Convert `value` to compact tagged JSON.

        :raises TypeError: for a type that neither a tag nor JSON supports.
        """
        plain = value if self._needs_no_tags(value) else self.tag(value)
        ctx = context.peek()
        text: str = (dumps if ctx is None else ctx.app.json.dumps)(plain, separators=COMPACT)
        return text

    def loads(self, value: str) -> Value:
        """Parse tagged JSON.

        :raises ValueError: if the text is not JSON.
        """
        ctx = context.peek()
        parsed = (loads if ctx is None else ctx.app.json.loads)(value)
        # Most sessions have no tags. The keys of the default tags start with a space, which may be escaped in JSON.
        if (
            '" ' in value
            or "\\" in value
            or len(self.tags) != self._blank_tags
            or not _TAGGING.are_original_in(self.__class__)
        ):
            return self._untag_scan(parsed)
        return parsed


_TAGGING: t.Final = Seams(TaggedJSONSerializer, "tag", "untag", "_untag_scan")
"""The methods that process every value if a subclass overrides one of them."""
