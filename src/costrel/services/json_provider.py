"""Reading and writing JSON for an application: an interface, and the default provider with Flask's behaviour."""

from __future__ import annotations

import json
import typing as t
import weakref
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date
from functools import cache, partial
from math import isinf
from types import FunctionType

from ..http.dates import http_date
from ..support.properties import cached_property
from ..support.seams import Seams, Stamp
from .config import reads_setting
from .json_places import Plain
from .json_plain import Encode, plain_first

if t.TYPE_CHECKING:
    from ..context import AppContract

Indent: t.TypeAlias = int | str | None
Separators: t.TypeAlias = tuple[str, ...] | list[str] | None
Layout: t.TypeAlias = tuple[Indent, Separators, bool, Callable[[t.Any], object], bool, bool]
"""Indent, separators, ``JSON_ALLOW_NAN``, and a provider's attributes `default`, `ensure_ascii` and `sort_keys`."""

COMPACT: t.Final = (",", ":")
_OPTIONS: t.Final = ("compact", "default", "ensure_ascii", "mimetype", "sort_keys")

_FAST_TO_READ: t.Final = frozenset({str, bytes, bytearray})
_MAX_LAYOUTS: t.Final = 16
_NO_CONFIG: t.Final = (AttributeError, ReferenceError)
"""A provider outlives its application, or belongs to a stand-in."""
_EMPTY: t.Final[Mapping[str, t.Any]] = {}


def default(o: object) -> object:
    """Convert a value that JSON cannot express.

    Dates become HTTP dates, Decimal and UUID strings, dataclasses objects, and objects with ``__html__`` its result.

    :raises TypeError: for all other values.
    """
    if isinstance(o, date):
        return http_date(o)
    # These modules are slow to load, and most applications have no such values.
    import dataclasses
    import decimal
    import uuid

    if isinstance(o, decimal.Decimal | uuid.UUID):
        return str(o)
    if dataclasses.is_dataclass(o):
        return dataclasses.asdict(o)  # type: ignore[arg-type]  # a dataclass itself gets asdict's own TypeError
    if hasattr(o, "__html__"):
        return str(o.__html__())
    raise TypeError(f"Object of type {type(o).__name__} is not JSON serializable")


def loads(s: str | bytes, **kwargs: t.Any) -> t.Any:
    """Return the value of a JSON text, as `json.loads` does.

    :raises ValueError: if the text is not JSON, or is nested too deeply to be read.
    """
    return _read(s, kwargs, _EMPTY)


def _read(s: str | bytes, kwargs: dict[str, t.Any], config: Mapping[str, t.Any]) -> t.Any:
    # msgspec is several times faster and reads the same values. The standard library decides about the texts that it
    # refuses: NaN, lone surrogates, other encodings, huge numbers, mistakes. PERF: postjson
    if type(s) in _FAST_TO_READ and not kwargs:
        try:
            return _fast_reader()(s)
        except (ValueError, RecursionError):
            pass
    if not config.get("JSON_ALLOW_NAN", True):
        kwargs.setdefault("parse_constant", _refuse_constant)
        kwargs.setdefault("parse_float", _finite)
    try:
        value = json.loads(s, **kwargs)
    except RecursionError:
        raise ValueError("The JSON is nested too deeply to be read.") from None
    # Bytes come from a client. Text may be a session, which must stay readable.
    if not isinstance(s, str) and not config.get("JSON_ALLOW_SURROGATES", True):
        _refuse_surrogates(value)
    return value


@cache
def _fast_reader() -> Callable[[str | bytes], t.Any]:
    import msgspec  # takes 20 ms to load, and not every application reads JSON

    return msgspec.json.Decoder().decode


def _refuse_constant(name: str) -> t.NoReturn:
    """Raise ValueError for NaN and the infinities, which JSON does not have (RFC 8259 §6)."""
    raise ValueError(f"{name} is no JSON (JSON_ALLOW_NAN).")


def _refuse_surrogates(value: object) -> None:
    """Raise ValueError for text with an unpaired surrogate, which UTF-8 cannot express (RFC 7493 §2.1)."""
    try:
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError as error:
        raise ValueError("A string has half of a surrogate pair (JSON_ALLOW_SURROGATES).") from error


def _finite(text: str) -> float:
    """The number of a text. Raises ValueError if it is too large, for which `float` returns infinity."""
    number = float(text)
    if isinf(number):
        raise ValueError(f"The number {text[:40]} is out of range (JSON_ALLOW_NAN).")
    return number


# -- the depth of a text ----------------------------------------------------------------------------------------------

_TO_LISTS: t.Final = bytes.maketrans(b"{}", b"[]")
_NO_STRUCTURE: t.Final = bytes(set(range(256)) - set(b'[]{}"'))
_CONTAINERS: t.Final = (list, dict)


def _may_be_deep(s: str | bytes, limit: int, is_standard: bool) -> bool:
    """Whether the values of a JSON text must be searched for a nesting deeper than `limit`.

    `is_standard` tells that the text was read without arguments for `json.loads`.
    """
    return _openers(s) > limit and not (is_standard and _is_shallow(s, limit))


def _check_depth(value: object, limit: int) -> None:
    """Raise ValueError if lists and objects are nested in each other more than `limit` deep."""
    level = [value] if isinstance(value, _CONTAINERS) else []
    for _ in range(limit):
        level = [
            item
            for container in level
            for item in (container.values() if isinstance(container, dict) else container)
            if isinstance(item, _CONTAINERS)  # `list | dict` would be made for each item
        ]
        if not level:
            return
    raise ValueError(f"The JSON is nested more than {limit} deep (JSON_MAX_DEPTH).")


def _openers(s: str | bytes) -> int:
    """Count the brackets that may begin a list or an object: no value is nested deeper."""
    # Encodings other than UTF-8 contain the same bytes, and further ones.
    return s.count("[") + s.count("{") if isinstance(s, str) else s.count(b"[") + s.count(b"{")


def _is_shallow(s: str | bytes, limit: int) -> bool:
    """Whether the brackets alone prove that a valid JSON text is nested no more than `limit` deep."""
    # Encodings other than UTF-8 contain zeros; long strings take longer here than their values do.
    if not isinstance(s, bytes) or b"\0" in s or 16 * (s.count(b",") + s.count(b"[")) < len(s):
        return False
    if b"\\" in s:
        s = s.replace(b"\\\\", b"").replace(b'\\"', b"")
    # Every second piece between quotes is within a string. Each round removes one level of the other brackets.
    brackets = b"".join(s.translate(_TO_LISTS, _NO_STRUCTURE).split(b'"')[::2])
    for _ in range(limit):
        brackets = brackets.replace(b"[]", b"")
        if not brackets:
            return True
    return False


def check_json_depth(s: str | bytes, limit: int) -> None:
    """Raise ValueError if a JSON text is nested more than `limit` deep, before it is read as a type."""
    if len(s) > limit and _openers(s) > limit and not _is_shallow(s, limit):
        _check_depth(loads(s), limit)


# -- providers --------------------------------------------------------------------------------------------------------


def _make_encode(layout: Layout) -> Encode:
    """Prepare a function that does the same as `json.dumps` with these arguments."""
    indent, separators, allow_nan, default, ensure_ascii, sort_keys = layout
    encoder = json.JSONEncoder(
        default=default,
        ensure_ascii=ensure_ascii,
        sort_keys=sort_keys,
        indent=indent,
        separators=t.cast("tuple[str, str] | None", separators),
        allow_nan=allow_nan,
    )

    def encode_slowly(obj: object) -> str:
        return _placed(obj, encoder.encode, Plain(default, sort_keys, allow_nan))

    make_walk = getattr(json.encoder, "c_make_encoder", None)
    if make_walk is None or indent is not None:
        return encode_slowly
    # `JSONEncoder.encode` makes a C encoder in each call, so that it can tell circles from depth. This one is made
    # once and does not search for circles; `encode` itself raises the error for a circle.
    write_string = json.encoder.encode_basestring_ascii if ensure_ascii else json.encoder.encode_basestring
    walk = make_walk(
        None, default, write_string, None, encoder.key_separator, encoder.item_separator, sort_keys, False, allow_nan
    )

    def encode(obj: object) -> str:
        try:
            return "".join(walk(obj, 0))
        except (RecursionError, TypeError, ValueError):
            return encode_slowly(obj)

    return plain_first(encode, ensure_ascii) if sort_keys and separators == COMPACT else encode  # PERF: item


def _dumps_with(obj: object, layout: Layout, kwargs: dict[str, t.Any]) -> str:
    """The JSON of a value with arguments of `json.dumps`, which override those of the layout."""
    indent, separators, allow_nan, default, ensure_ascii, sort_keys = layout
    given = {"allow_nan": allow_nan, "default": default, "ensure_ascii": ensure_ascii, "sort_keys": sort_keys, **kwargs}
    plain = Plain(given["default"], given["sort_keys"], given["allow_nan"], given.get("skipkeys", False))
    return _placed(obj, lambda value: json.dumps(value, indent=indent, separators=separators, **given), plain)  # type: ignore[arg-type]


def _placed(obj: object, encode: Encode, plain: Plain) -> str:
    """The JSON of a value. Mixed keys are sorted by their text, and an error names the place of its value."""
    try:
        return encode(obj)
    except (TypeError, ValueError) as error:
        try:
            value = plain.of(obj)
        except RecursionError:
            raise error from None
        except (TypeError, ValueError) as placed:
            raise placed from error.__cause__
    return encode(value)


class JSONProvider:
    """Writes and reads JSON for an application; a subclass has at least the methods `dumps` and `loads`."""

    def __init__(self, app: object) -> None:
        self._app: AppContract = weakref.proxy(app)

    def dumps(self, obj: t.Any, **kwargs: t.Any) -> str:
        """Return `obj` as JSON."""
        raise NotImplementedError

    def dump(self, obj: t.Any, fp: t.IO[str], **kwargs: t.Any) -> None:
        """Write `obj` as JSON to a text file."""
        fp.write(self.dumps(obj, **kwargs))

    def loads(self, s: str | bytes, **kwargs: t.Any) -> t.Any:
        """Return the value of a JSON text."""
        raise NotImplementedError

    def load(self, fp: t.IO[t.AnyStr], **kwargs: t.Any) -> t.Any:
        """Return the value of the JSON text in a file, of text or of bytes."""
        return self.loads(fp.read(), **kwargs)

    def _prepare_response_obj(self, args: tuple[object, ...], kwargs: dict[str, object]) -> object:
        if args and kwargs:
            raise TypeError("app.json.response() takes either args or kwargs, not both")
        if len(args) == 1:
            return args[0]
        return args or kwargs or None

    def response(self, *args: t.Any, **kwargs: t.Any) -> t.Any:
        """Make a response with the JSON of one value, of several as a list, or of keyword arguments as an object."""
        obj = self._prepare_response_obj(args, kwargs)
        return self._app.response_class(self.dumps(obj), mimetype="application/json")


class _Form(Stamp):
    """How a provider writes responses: current until the class of the provider or of the application is changed.

    :param is_debug: whether it is for debug mode.
    """

    __slots__ = ("is_debug", "mimetype", "write")

    write: Encode
    mimetype: str

    def __init__(self, is_debug: bool, *classes: type, changes: int = 0) -> None:
        super().__init__(*classes, changes=changes)
        self.is_debug = is_debug


class DefaultJSONProvider(JSONProvider):
    """The standard library's JSON, which also writes dates, Decimal, UUID, dataclasses and ``__html__``."""

    default: Callable[[t.Any], t.Any] = staticmethod(default)
    """Called for a value that JSON cannot express; returns another value, or raises TypeError."""

    ensure_ascii = True
    """Whether characters outside of ASCII are written as escapes."""

    sort_keys = True
    """Whether the keys of objects are sorted; keys of several types are sorted as the text that they become."""

    compact: bool | None = None
    """Whether `response` leaves out white space; None: unless in debug mode."""

    mimetype = "application/json"
    """The media type of `response`."""

    _form: _Form | None = None
    """The last form of a response, unless an attribute was assigned or deleted since."""

    def __setattr__(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)
        object.__setattr__(self, "_form", None)

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        object.__setattr__(self, "_form", None)

    def dumps(self, obj: t.Any, *, indent: Indent = None, separators: Separators = None, **kwargs: t.Any) -> str:
        """Return `obj` as JSON; keyword arguments are those of `json.dumps` and override the provider's attributes."""
        try:
            allow_nan = self._app.config.get("JSON_ALLOW_NAN", True)
        except _NO_CONFIG:
            allow_nan = True
        layout = (indent, separators, allow_nan, self.default, self.ensure_ascii, self.sort_keys)
        if kwargs:
            return _dumps_with(obj, layout, kwargs)
        try:
            encode = self._encoders[layout]
        except (KeyError, TypeError):  # a list of separators cannot be a key
            encode = self._keep_encoder(layout)
        return encode(obj)

    @cached_property
    def _encoders(self) -> dict[Layout, Encode]:
        return {}

    def _keep_encoder(self, layout: Layout) -> Encode:
        encode = _make_encode(layout)
        if len(self._encoders) >= _MAX_LAYOUTS:
            self._encoders.clear()
        with suppress(TypeError):
            self._encoders[layout] = encode
        return encode

    def loads(self, s: str | bytes, **kwargs: t.Any) -> t.Any:
        """Return the value of a JSON text; keyword arguments are those of `json.loads`.

        :raises ValueError: if the text is not JSON, or ``JSON_MAX_DEPTH`` or ``JSON_ALLOW_NAN`` forbid it.
        """
        try:
            config: Mapping[str, t.Any] = self._app.config
        except _NO_CONFIG:
            config = _EMPTY
        is_standard = not kwargs
        value = _read(s, kwargs, config)
        limit = config.get("JSON_MAX_DEPTH")
        if limit is not None and len(s) > limit and _may_be_deep(s, limit, is_standard):
            _check_depth(value, limit)
        return value

    def response(self, *args: t.Any, **kwargs: t.Any) -> t.Any:
        """Make a response with the JSON of one value, of several as a list, or of keyword arguments as an object.

        It is indented in debug mode and compact otherwise, unless `compact` is set.
        """
        obj = args[0] if len(args) == 1 and not kwargs else self._prepare_response_obj(args, kwargs)
        app, form = self._app, self._form
        if form is None or form.is_debug is not app.config["DEBUG"] or not form.is_current():
            form = self._find_form(app)
        return app.response_class(form.write(obj) + "\n", mimetype=form.mimetype)

    def _find_form(self, app: AppContract) -> _Form:
        """The form of responses by the present options. It is kept if no override decides about it."""
        cls, app_class, is_debug = type(self), app.__class__, app.debug
        is_fixed = _writing.are_original(self) and _has_fixed_options(cls) and reads_setting(app_class, "debug")
        changes = 0 if self._form is None else self._form.changes + 1
        # Before the options are read: a change meanwhile shows in it.
        form = _Form(is_debug, *((cls, app_class) if is_fixed else ()), changes=changes)
        form.mimetype, compact = self.mimetype, self.compact
        if compact is False or (compact is None and is_debug):
            form.write = partial(self.dumps, indent=2)
        else:
            form.write = partial(self.dumps, separators=COMPACT)
            if is_fixed and self.sort_keys is True:
                form.write = plain_first(form.write, self.ensure_ascii)
        object.__setattr__(self, "_form", form if is_fixed else None)
        return form


_writing: t.Final = Seams(DefaultJSONProvider, "dumps", "__getattribute__")

_FIXED: t.Final = (str, int, type(None), FunctionType)


def _has_fixed_options(cls: type) -> bool:
    """Whether no option of a provider's class is computed, as a property is."""
    return all(isinstance(getattr(cls, name), _FIXED) for name in _OPTIONS)
