"""JSON providers: the interface, and the default provider with Flask's behaviour."""

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
"""The errors if the application no longer exists, or is a stand-in without a configuration."""
_EMPTY: t.Final[Mapping[str, t.Any]] = {}


def default(o: object) -> object:
    """Convert a value of a type that JSON does not have.

    Dates become HTTP dates, Decimal and UUID strings, and dataclasses objects. Objects with ``__html__`` become its
    result.

    :raises TypeError: for all other values.
    """
    if isinstance(o, date):
        return http_date(o)
    # These modules are slow to import, and most applications have no such values.
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
    """Parse JSON like `json.loads`.

    :raises ValueError: if the text is not JSON, or is nested too deeply.
    """
    return _read(s, kwargs, _EMPTY)


def _read(s: str | bytes, kwargs: dict[str, t.Any], config: Mapping[str, t.Any]) -> t.Any:
    # msgspec is several times faster and returns the same values. Texts that it refuses are left to the standard
    # library: NaN, lone surrogates, other encodings, huge numbers, errors. PERF: postjson
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
    # Only bytes are checked, which come from a client. Text may be a session, which must stay readable.
    if not isinstance(s, str) and not config.get("JSON_ALLOW_SURROGATES", True):
        _refuse_surrogates(value)
    return value


@cache
def _fast_reader() -> Callable[[str | bytes], t.Any]:
    import msgspec  # takes 20 ms to import, and not every application reads JSON

    return msgspec.json.Decoder().decode


def _refuse_constant(name: str) -> t.NoReturn:
    """Raise ValueError for NaN and the infinities, which JSON does not have (RFC 8259 §6)."""
    raise ValueError(f"{name} is not valid JSON (JSON_ALLOW_NAN).")


def _refuse_surrogates(value: object) -> None:
    """Raise ValueError for text with a lone surrogate, which UTF-8 cannot encode (RFC 7493 §2.1)."""
    try:
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError as error:
        raise ValueError("A string contains a lone surrogate (JSON_ALLOW_SURROGATES).") from error


def _finite(text: str) -> float:
    """Parse a number. Raises ValueError if it is too large, for which `float` would return infinity."""
    number = float(text)
    if isinf(number):
        raise ValueError(f"The number {text[:40]} is out of range (JSON_ALLOW_NAN).")
    return number


# -- the depth of a text ----------------------------------------------------------------------------------------------

_TO_LISTS: t.Final = bytes.maketrans(b"{}", b"[]")
_NO_STRUCTURE: t.Final = bytes(set(range(256)) - set(b'[]{}"'))
_CONTAINERS: t.Final = (list, dict)


def _may_be_deep(s: str | bytes, limit: int, is_standard: bool) -> bool:
    """Whether a JSON text may be nested more deeply than `limit`, so that its values have to be checked.

    `is_standard` means that the text was parsed without arguments for `json.loads`.
    """
    return _openers(s) > limit and not (is_standard and _is_shallow(s, limit))


def _check_depth(value: object, limit: int) -> None:
    """Raise ValueError if lists and objects are nested more than `limit` levels deep."""
    level = [value] if isinstance(value, _CONTAINERS) else []
    for _ in range(limit):
        level = [
            item
            for container in level
            for item in (container.values() if isinstance(container, dict) else container)
            if isinstance(item, _CONTAINERS)  # `list | dict` would be evaluated for each item
        ]
        if not level:
            return
    raise ValueError(f"The JSON is nested more than {limit} levels deep (JSON_MAX_DEPTH).")


def _openers(s: str | bytes) -> int:
    """The number of brackets that may open a list or object, which is an upper bound of the depth."""
    # Texts in other encodings than UTF-8 contain these bytes too.
    return s.count("[") + s.count("{") if isinstance(s, str) else s.count(b"[") + s.count(b"{")


def _is_shallow(s: str | bytes, limit: int) -> bool:
    """Whether the brackets alone prove that a valid JSON text is nested at most `limit` levels deep."""
    # Other encodings than UTF-8 contain zero bytes. For long strings, checking the values is faster.
    if not isinstance(s, bytes) or b"\0" in s or 16 * (s.count(b",") + s.count(b"[")) < len(s):
        return False
    if b"\\" in s:
        s = s.replace(b"\\\\", b"").replace(b'\\"', b"")
    # Every second piece between quotes is inside a string. Each round removes one level of the remaining brackets.
    brackets = b"".join(s.translate(_TO_LISTS, _NO_STRUCTURE).split(b'"')[::2])
    for _ in range(limit):
        brackets = brackets.replace(b"[]", b"")
        if not brackets:
            return True
    return False


def check_json_depth(s: str | bytes, limit: int) -> None:
    """Raise ValueError if a JSON text is nested more than `limit` levels deep. Used before it is decoded as a type."""
    if len(s) > limit and _openers(s) > limit and not _is_shallow(s, limit):
        _check_depth(loads(s), limit)


# -- providers --------------------------------------------------------------------------------------------------------


def _make_encode(layout: Layout) -> Encode:
    """Create a function that is equivalent to `json.dumps` with these arguments."""
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
    # `JSONEncoder.encode` creates a C encoder in each call, which detects circular references. This encoder is created
    # once and does not detect them; for a circle, `encode_slowly` raises the error.
    write_string = json.encoder.encode_basestring_ascii if ensure_ascii else json.encoder.encode_basestring
    walk = make_walk(
        None, default, write_string, None, encoder.key_separator, encoder.item_separator, sort_keys, False, allow_nan
    )

    def encode(obj: object) -> str:
        try:
            return "".join(walk(obj, 0))
        except (RecursionError, TypeError, ValueError):
            return encode_slowly(obj)

    return encode


def _dumps_with(obj: object, layout: Layout, kwargs: dict[str, t.Any]) -> str:
    """Encode a value with arguments of `json.dumps`, which override the layout."""
    indent, separators, allow_nan, default, ensure_ascii, sort_keys = layout
    options = {
        "allow_nan": allow_nan,
        "default": default,
        "ensure_ascii": ensure_ascii,
        "sort_keys": sort_keys,
        **kwargs,
    }
    plain = Plain(options["default"], options["sort_keys"], options["allow_nan"], options.get("skipkeys", False))
    return _placed(obj, lambda value: json.dumps(value, indent=indent, separators=separators, **options), plain)  # type: ignore[arg-type]


def _placed(obj: object, encode: Encode, plain: Plain) -> str:
    """Encode a value. Mixed keys are sorted by their text, and errors contain the path of the value."""
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
    """Writes and reads JSON for an application. Subclasses implement at least `dumps` and `loads`."""

    def __init__(self, app: object) -> None:
        self._app: AppContract = weakref.proxy(app)

    def dumps(self, obj: t.Any, **kwargs: t.Any) -> str:
        """Convert `obj` to JSON."""
        raise NotImplementedError

    def dump(self, obj: t.Any, fp: t.IO[str], **kwargs: t.Any) -> None:
        """Write `obj` as JSON to a text file."""
        fp.write(self.dumps(obj, **kwargs))

    def loads(self, s: str | bytes, **kwargs: t.Any) -> t.Any:
        """Parse JSON."""
        raise NotImplementedError

    def load(self, fp: t.IO[t.AnyStr], **kwargs: t.Any) -> t.Any:
        """Parse a JSON file, which is opened in text or binary mode."""
        return self.loads(fp.read(), **kwargs)

    def _prepare_response_obj(self, args: tuple[object, ...], kwargs: dict[str, object]) -> object:
        if args and kwargs:
            raise TypeError("app.json.response() takes either args or kwargs, not both")
        if len(args) == 1:
            return args[0]
        return args or kwargs or None

    def response(self, *args: t.Any, **kwargs: t.Any) -> t.Any:
        """Create a response from a value, from several values as a list, or from keyword arguments as an object."""
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
    """The standard library's JSON, with support for dates, Decimal, UUID, dataclasses and ``__html__``."""

    default: Callable[[t.Any], t.Any] = staticmethod(default)
    """Converts a value of a type that JSON does not have, or raises TypeError."""

    ensure_ascii = True
    """Whether non-ASCII characters are written as escape sequences."""

    sort_keys = True
    """Whether the keys of objects are sorted. Keys of mixed types are sorted by their text."""

    compact: bool | None = None
    """Whether `response` omits whitespace. None means: except in debug mode."""

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
        """Convert `obj` to JSON. The keyword arguments of `json.dumps` override the provider's attributes."""
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
        """Parse JSON with the keyword arguments of `json.loads`.

        :raises ValueError: if the text is not JSON, or violates ``JSON_MAX_DEPTH`` or ``JSON_ALLOW_NAN``.
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
        """Create a response from a value, from several values as a list, or from keyword arguments as an object.

        The JSON is indented in debug mode and compact otherwise, unless `compact` is set.
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
                form.write = plain_first(form.write, self.ensure_ascii)  # PERF: item
        object.__setattr__(self, "_form", form if is_fixed else None)
        return form


_writing: t.Final = Seams(DefaultJSONProvider, "dumps", "__getattribute__")

_FIXED: t.Final = (str, int, type(None), FunctionType)


def _has_fixed_options(cls: type) -> bool:
    """Whether no option of a provider's class is computed, as a property is."""
    return all(isinstance(getattr(cls, name), _FIXED) for name in _OPTIONS)
