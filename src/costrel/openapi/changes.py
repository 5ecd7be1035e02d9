"""The changes between two documents, and which of them break clients."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .routes import METHODS
from .schema_changes import Change, SchemaChanges
from .schemas import Schema


def changes_between(old: Schema, new: Schema) -> list[Change]:
    """All changes, each once: first the changes that break clients."""
    found = [*_of_paths(old, new), *_of_components(old, new), *_of_schemes(old, new)]
    if not found and old != new:
        found.append(Change(False, "document", "its texts or examples changed"))
    return sorted(dict.fromkeys(found), key=lambda change: (not change.is_breaking, change.place, change.text))


def _of_paths(old: Schema, new: Schema) -> Iterator[Change]:
    before, after = _operations(old), _operations(new)
    schemas = SchemaChanges(old, new)
    for (path, method), operation in before.items():
        place = f"{method.upper()} {path}"
        if (path, method) in after:
            yield from _Operation(place, old, new, schemas).changes(operation, after[path, method])
        elif path in new["paths"]:
            yield Change(True, place, "the method was removed")
        else:
            yield Change(True, place, "the path was removed")
    for path, method in after.keys() - before.keys():
        yield Change(False, f"{method.upper()} {path}", "is new")


def _operations(document: Schema) -> dict[tuple[str, str], Schema]:
    return {
        (path, method): operation
        for path, methods in document.get("paths", {}).items()
        for method, operation in methods.items()
        if method.upper() in METHODS
    }


def _of_components(old: Schema, new: Schema) -> Iterator[Change]:
    before: Schema = old.get("components", {}).get("schemas", {})
    after: Schema = new.get("components", {}).get("schemas", {})
    for name in before.keys() - after.keys():
        renamed = sorted(other for other in after.keys() - before.keys() if after[other] == before[name])
        yield Change(
            True, name, f"the component was renamed to {renamed[0]}" if renamed else "the component was removed"
        )
    for name in after.keys() - before.keys():
        yield Change(False, name, "the component is new")


def _of_schemes(old: Schema, new: Schema) -> Iterator[Change]:
    """The changes of authentication schemes. A scheme that an operation newly requires is a change of that."""
    before: Schema = old.get("components", {}).get("securitySchemes", {})
    after: Schema = new.get("components", {}).get("securitySchemes", {})
    for name in before.keys() - after.keys():
        yield Change(True, name, "the authentication scheme was removed")
    for name in after.keys() - before.keys():
        yield Change(False, name, "the authentication scheme is new")
    for name in before.keys() & after.keys():
        if _credential(before[name]) != _credential(after[name]):
            yield Change(True, name, "the authentication scheme has changed")


def _credential(scheme: Schema) -> Schema:
    """A scheme without the members that do not change the credential."""
    return {key: value for key, value in scheme.items() if key not in ("description", "bearerFormat", "flows")}


class _Operation:
    """Compares one operation."""

    def __init__(self, place: str, old: Schema, new: Schema, schemas: SchemaChanges) -> None:
        self.place = place
        self.documents = old, new
        self.schemas = schemas

    def changes(self, before: Schema, after: Schema) -> Iterator[Change]:
        """The changes of an operation."""
        if before.get("operationId") != after.get("operationId"):
            ids = f"{before.get('operationId')!r} to {after.get('operationId')!r}"
            yield Change(True, self.place, f"the operationId was renamed from {ids}")
        yield from self._of_security(before, after)
        yield from self._of_parameters(before, after)
        yield from self._of_body(before.get("requestBody"), after.get("requestBody"))
        yield from self._of_responses(before.get("responses", {}), after.get("responses", {}))
        if after.get("deprecated") and not before.get("deprecated"):
            yield Change(False, self.place, "is deprecated")

    def _of_security(self, before: Schema, after: Schema) -> Iterator[Change]:
        old, new = self.documents
        accepted = _alternatives(before.get("security", old.get("security")))
        accepts = _alternatives(after.get("security", new.get("security")))
        if all(any(now <= known for now in accepts) for known in accepted):
            if accepts != accepted:
                is_open = frozenset() in accepts
                yield Change(False, self.place, "security was removed" if is_open else "accepts further security")
        elif frozenset() in accepted:
            yield Change(True, self.place, "security was added")
        else:
            yield Change(True, self.place, f"security changed from {_spelt(accepted)} to {_spelt(accepts)}")

    def _of_parameters(self, before: Schema, after: Schema) -> Iterator[Change]:
        known, now = _parameters(before), _parameters(after)
        for key, parameter in now.items():
            place = f"{self.place}, {parameter['in']} {parameter['name']}"
            if key not in known:
                required = bool(parameter.get("required"))
                yield Change(required, place, "is new and required" if required else "is new")
                continue
            if parameter.get("required") and not known[key].get("required"):
                yield Change(True, place, "is now required")
            if _style(parameter) != _style(known[key]):
                yield Change(True, place, "is written in another style")
            yield from self.schemas.sent(known[key].get("schema", {}), parameter.get("schema", {}), place)
        for where, name in known.keys() - now.keys():
            yield Change(where == "path", f"{self.place}, {where} {name}", "was removed")

    def _of_body(self, before: Schema | None, after: Schema | None) -> Iterator[Change]:
        place = f"{self.place}, body"
        if before is None or after is None:
            if after is not None:
                required = bool(after.get("required"))
                yield Change(required, place, "is new and required" if required else "is new")
            elif before is not None:
                yield Change(False, place, "was removed")
            return
        if after.get("required") and not before.get("required"):
            yield Change(True, place, "is now required")
        yield from self._of_content(before, after, place, is_sent=True)

    def _of_responses(self, before: Schema, after: Schema) -> Iterator[Change]:
        for status, response in before.items():
            place = f"{self.place}, {status}"
            if status not in after:
                yield Change(True, place, "the status was removed")
            else:
                yield from self._of_content(response, after[status], place, is_sent=False)
        for status in after.keys() - before.keys():
            yield Change(False, f"{self.place}, {status}", "the status is new")

    def _of_content(self, before: Schema, after: Schema, place: str, *, is_sent: bool) -> Iterator[Change]:
        known: Mapping[str, Schema] = before.get("content", {})
        now: Mapping[str, Schema] = after.get("content", {})
        for media_type, media in known.items():
            if media_type not in now:
                yield Change(True, place, f"the content {media_type} was removed")
                continue
            compare = self.schemas.sent if is_sent else self.schemas.received
            for name in ("schema", "x-item-schema"):
                yield from compare(media.get(name, {}), now[media_type].get(name, {}), place)
        for media_type in now.keys() - known.keys():
            yield Change(False, place, f"the content {media_type} is new")


def _parameters(operation: Schema) -> dict[tuple[str, str], Schema]:
    return {(each["in"], each["name"]): each for each in operation.get("parameters", ())}


def _style(parameter: Schema) -> tuple[object, object]:
    return parameter.get("style"), parameter.get("explode")


def _alternatives(security: list[Schema] | None) -> list[frozenset[str]]:
    """The sets of schemes that are accepted; the empty set for a request without a credential."""
    return [frozenset(each) for each in security or [{}]]


def _spelt(alternatives: list[frozenset[str]]) -> str:
    return " or ".join(" with ".join(sorted(each)) or "nothing" for each in alternatives)
