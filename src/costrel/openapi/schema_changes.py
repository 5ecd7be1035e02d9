"""The changes of a schema. Narrower values break clients that send, wider values break clients that receive."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Iterator

from .schemas import REFS, Schema

_ALL: t.Final = frozenset(("string", "integer", "number", "boolean", "array", "object", "null"))
_HOLDERS: t.Final = frozenset(("array", "object", "null"))
_LOWER: t.Final = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER: t.Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_PARSED: t.Final = ("format", "contentEncoding")
_EXACT: t.Final = ("pattern", "format", "multipleOf", "contentEncoding", "uniqueItems")


class Change(t.NamedTuple):
    """One change: whether it breaks clients, the place, and the change in words."""

    is_breaking: bool
    place: str
    text: str

    def __str__(self) -> str:
        return f"{'breaking' if self.is_breaking else 'compatible'}: {self.place}: {self.text}"


class SchemaChanges:
    """Compares the schemas of two documents. Each pair of components is compared once per direction."""

    def __init__(self, old: Schema, new: Schema) -> None:
        self._old: Schema = old.get("components", {}).get("schemas", {})
        self._new: Schema = new.get("components", {}).get("schemas", {})
        self._seen: set[tuple[object, object, bool]] = set()

    def sent(self, old: Schema, new: Schema, place: str) -> Iterator[Change]:
        """The changes of a value that clients send."""
        return self._changes(old, new, place, True)

    def received(self, old: Schema, new: Schema, place: str) -> Iterator[Change]:
        """The changes of a value that clients receive."""
        return self._changes(old, new, place, False)

    def _changes(self, old: Schema, new: Schema, place: str, is_sent: bool) -> Iterator[Change]:
        before, after = old.get("$ref"), new.get("$ref")
        if before is not None and after is not None:
            if before != after:
                yield Change(True, place, f"{_name(before)} was replaced by {_name(after)}")
            if (before, after, is_sent) in self._seen:
                return
            self._seen.add((before, after, is_sent))
            place = _name(after)
        old, new = _resolved(old, self._old), _resolved(new, self._new)
        if "anyOf" in old or "anyOf" in new:
            yield from self._of_options(old, new, place, is_sent)
            return
        yield from self._of_types(_types(old), _types(new), place, is_sent)
        yield from _of_values(old, new, place, is_sent)
        yield from _of_bounds(old, new, place, is_sent)
        yield from self._of_fields(old, new, place, is_sent)
        yield from self._of_items(old, new, place, is_sent)

    def _of_items(self, old: Schema, new: Schema, place: str, is_sent: bool) -> Iterator[Change]:
        """The changes of the items of an array or of an object with any names. Without a schema any may occur."""
        for key in ("items", "additionalProperties"):
            before, after = old.get(key, {}), new.get(key, {})
            if isinstance(before, dict) and isinstance(after, dict) and _types(old) & _types(new) <= _HOLDERS:
                yield from self._changes(before, after, f"{place}[]", is_sent)
        if not is_sent and len(new.get("prefixItems", ())) < len(old.get("prefixItems", ())):
            yield Change(True, place, "items were removed in responses")
        for index, pair in enumerate(zip(old.get("prefixItems", ()), new.get("prefixItems", ()), strict=False)):
            yield from self._changes(*pair, f"{place}[{index}]", is_sent)

    def _of_options(self, old: Schema, new: Schema, place: str, is_sent: bool) -> Iterator[Change]:
        """The changes of a union: the changes of its members, which are matched by their classes or types."""
        before, after = _options(old), _options(new)
        yield from self._of_types(self._types_of(before, self._old), self._types_of(after, self._new), place, is_sent)
        for key in before.keys() & after.keys():
            yield from self._changes(before[key], after[key], place, is_sent)
        for key in sorted(before.keys() - after.keys()):
            if key.startswith(REFS):
                yield Change(is_sent, place, f"can no longer be {_name(key)}")
        for key in sorted(after.keys() - before.keys()):
            if key.startswith(REFS):
                yield Change(not is_sent, place, f"can also be {_name(key)}")

    def _types_of(self, options: dict[str, Schema], components: Schema) -> frozenset[str]:
        return frozenset().union(*(_types(_resolved(each, components)) for each in options.values()))

    def _of_types(self, old: frozenset[str], new: frozenset[str], place: str, is_sent: bool) -> Iterator[Change]:
        lost, added = _beyond(old, new), _beyond(new, old)
        if "null" in added and "null" not in old:
            yield Change(not is_sent, place, "is now nullable")
            added -= {"null"}
        if lost or added:
            breaks = bool(lost if is_sent else added)
            yield Change(breaks, place, f"the type changed from {_spelt(old)} to {_spelt(new)}")

    def _of_fields(self, old: Schema, new: Schema, place: str, is_sent: bool) -> Iterator[Change]:
        before: Schema = old.get("properties", {})
        after: Schema = new.get("properties", {})
        required = set(new.get("required", ())) - set(old.get("required", ()))
        closed = new.get("additionalProperties") is False
        if closed and old.get("additionalProperties") is not False and new.get("type") == "object":
            yield Change(is_sent, place, "other fields are refused")
        for name in before.keys() - after.keys():
            yield Change(not is_sent or closed, f"{place}.{name}", _in("the field was removed", is_sent))
        for name, field in after.items():
            if name not in before:
                is_required = is_sent and name in required
                yield Change(is_required, f"{place}.{name}", "is new and required" if is_required else "is new")
                continue
            if is_sent and name in required:
                yield Change(True, f"{place}.{name}", "is now required")
            yield from self._changes(before[name], field, f"{place}.{name}", is_sent)
        for name in set(old.get("required", ())) - set(new.get("required", ())):
            if name in after:
                yield Change(False, f"{place}.{name}", "is no longer required")


def _of_values(old: Schema, new: Schema, place: str, is_sent: bool) -> Iterator[Change]:
    """The changes of an enum, or of a constant."""
    before, after = _enum(old), _enum(new)
    if before == after:
        return
    lost = after is not None and (before is None or not before <= after)
    added = before is not None and (after is None or not after <= before)
    if lost:
        yield Change(is_sent, place, _in("the enum was narrowed", is_sent))
    if added:
        yield Change(not is_sent, place, _in("the enum was extended", is_sent))


def _of_bounds(old: Schema, new: Schema, place: str, is_sent: bool) -> Iterator[Change]:
    for key in (*_LOWER, *_UPPER):
        before, after = old.get(key), new.get(key)
        if before == after:
            continue
        is_narrower = after is not None and (before is None or (after > before if key in _LOWER else after < before))
        change = f"{key} changed from {_shown(before)} to {_shown(after)}"
        yield Change(is_sent and is_narrower, place, change)
    for key in _EXACT:
        before, after = old.get(key), new.get(key)
        if before != after:
            change = f"{key} changed from {_shown(before)} to {_shown(after)}"
            # A client that receives a date or base64 parses it.
            breaks = after is not None if is_sent else before is not None and key in _PARSED
            yield Change(breaks, place, change)


def _in(text: str, is_sent: bool) -> str:
    return f"{text} in {'requests' if is_sent else 'responses'}"


def _shown(value: object) -> str:
    return "none" if value is None else json.dumps(value)


def _name(ref: str) -> str:
    return ref.removeprefix(REFS)


def _resolved(schema: Schema, components: Schema) -> Schema:
    ref: str | None = schema.get("$ref")
    return schema if ref is None else {**components.get(_name(ref), {}), **_without_ref(schema)}


def _without_ref(schema: Schema) -> Schema:
    return {key: value for key, value in schema.items() if key != "$ref"}


def _options(schema: Schema) -> dict[str, Schema]:
    """The members of a union by the names of their classes, or by their types. A union within it is taken apart."""
    found: dict[str, Schema] = {}
    for each in schema.get("anyOf", [schema]):
        if "anyOf" in each:
            found |= _options(each)
        else:
            found[each.get("$ref") or " ".join(sorted(_types(each)))] = each
    return found


def _types(schema: Schema) -> frozenset[str]:
    """The types of JSON that a schema allows."""
    declared = schema.get("type")
    if declared is not None:
        return frozenset((declared,) if isinstance(declared, str) else declared)
    values = _enum(schema)
    if values is not None:
        return frozenset(_type_of(json.loads(value)) for value in values)
    if "anyOf" in schema:
        return frozenset().union(*map(_types, schema["anyOf"]))
    return _ALL


def _type_of(value: object) -> str:
    names = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object"}
    return names.get(type(value), "null")


def _enum(schema: Schema) -> frozenset[str] | None:
    """The values of an enum or a constant, as JSON; None if any value is allowed."""
    if "const" in schema:
        return frozenset((json.dumps(schema["const"]),))
    return frozenset(map(json.dumps, schema["enum"])) if "enum" in schema else None


def _beyond(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    """The types of the first that the second does not contain. An integer is a number."""
    return one - other - ({"integer"} if "number" in other else set())


def _spelt(types: frozenset[str]) -> str:
    return "any" if types == _ALL else " or ".join(sorted(types)) or "none"
