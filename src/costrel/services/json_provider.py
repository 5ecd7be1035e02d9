"""How an application reads and writes JSON: an interface, and the default that answers as Flask does."""

from __future__ import annotations

import json
import typing as t
import weakref
from collections.abc import Callable, Mapping
from datetime import date
from functools import cache

from ..http.dates import http_date
from ..support.properties import cached_property

_Encode = Callable[[t.Any], str]
_FAST_TO_READ = frozenset({str, bytes, bytearray})
_COMPACT = (",", ":")
_LAYOUT = frozenset({"indent", "separators"})


def default(o: t.Any) -> t.Any:
    """What JSON says for a value that it has no notation for.

    Dates as HTTP dates, Decimal and UUID as strings, dataclasses as objects, anything with ``__html__`` as the
    string which that returns. Raises TypeError for the rest.
    """
    if isinstance(o, date):
        return http_date(o)
    # These are slow to load, and most applications have no such values.
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
    """The value of a JSON text, as ``json.loads`` reads it.

    Raises ValueError for what is no JSON, also for what is nested too deeply to be read.
    """
    return _read(s, kwargs, {})


def _read(s: str | bytes, kwargs: dict[str, t.Any], config: Mapping[str, t.Any]) -> t.Any:
    # PERF: json_loads. msgspec is several times faster and reads the same values out of what it accepts; what it
    # refuses (NaN, lone surrogates, other encodings, huge numbers, mistakes) the standard library decides.
    if type(s) in _FAST_TO_READ and not kwargs:
        try:
            return _fast_reader()(s)
        except (ValueError, RecursionError):
            pass
    if not config.get("JSON_ALLOW_NAN", True):
        kwargs.setdefault("parse_constant", _refuse_constant)
    try:
        return json.loads(s, **kwargs)
    except RecursionError:
        raise ValueError("The JSON is nested too deeply to be read.") from None


@cache
def _fast_reader() -> Callable[[str | bytes], t.Any]:
    import msgspec  # takes 20 ms to load, and not every application reads JSON

    return msgspec.json.Decoder().decode


def _openers(s: str | bytes) -> int:
    """How many lists and objects begin in a JSON text at most: nothing in it is nested deeper."""
    # Other encodings than UTF-8 hold the same bytes, among others.
    return s.count("[") + s.count("{") if isinstance(s, str) else s.count(b"[") + s.count(b"{")


_TO_LISTS: t.Final = bytes.maketrans(b"{}", b"[]")
_NO_STRUCTURE: t.Final = bytes(set(range(256)) - set(b'[]{}"'))


def _is_shallow(s: str | bytes, limit: int) -> bool:
    """Whether the brackets alone tell that a valid JSON text is nested no more than `limit` deep."""
    # PERF: growth of JSON values. Other encodings than UTF-8 have zeros; long strings take longer than their values.
    if not isinstance(s, bytes) or b"\0" in s or 16 * (s.count(b",") + s.count(b"[")) < len(s):
        return False
    if b"\\" in s:
        s = s.replace(b"\\\\", b"").replace(b'\\"', b"")
    # Every second piece between quotes is within a string. Of the brackets elsewhere, each round takes one level.
    brackets = b"".join(s.translate(_TO_LISTS, _NO_STRUCTURE).split(b'"')[::2])
    for _ in range(limit):
        brackets = brackets.replace(b"[]", b"")
        if not brackets:
            return True
    return False


_CONTAINERS: t.Final = (list, dict)


def _check_depth(value: t.Any, limit: int) -> None:
    """Raise ValueError where lists and objects are nested in each other more than `limit` deep."""
    level = [value] if isinstance(value, _CONTAINERS) else []
    for _ in range(limit):
        level = [
            item
            for container in level
            for item in (container.values() if isinstance(container, dict) else container)
            if isinstance(item, _CONTAINERS)  # PERF: growth of JSON values. "list | dict" would be made for each item
        ]
        if not level:
            return
    raise ValueError(f"The JSON is nested more than {limit} deep (JSON_MAX_DEPTH).")


def _refuse_constant(name: str) -> t.NoReturn:
    """Raise ValueError for NaN and the infinities, which JSON does not have (RFC 8259 §6)."""
    raise ValueError(f"{name} is no JSON (JSON_ALLOW_NAN).")


def _make_encode(
    default: t.Any, ensure_ascii: bool, sort_keys: bool, indent: t.Any, separators: t.Any, allow_nan: bool
) -> _Encode:
    """What ``json.dumps`` does with these arguments, prepared for many calls."""
    encoder = json.JSONEncoder(
        default=default,
        ensure_ascii=ensure_ascii,
        sort_keys=sort_keys,
        indent=indent,
        separators=separators,
        allow_nan=allow_nan,
    )
    make_walk = getattr(json.encoder, "c_make_encoder", None)
    if make_walk is None or indent is not None:
        return encoder.encode
    # PERF: json_out. JSONEncoder.encode makes the C encoder anew in each call, to tell circles from depth. Here one is
    # kept that does not look for circles, and whoever runs into one gets the error from the standard way.
    write_string = json.encoder.encode_basestring_ascii if ensure_ascii else json.encoder.encode_basestring
    walk = make_walk(
        None, default, write_string, None, encoder.key_separator, encoder.item_separator, sort_keys, False, allow_nan
    )

    def encode(obj: t.Any) -> str:
        try:
            return "".join(walk(obj, 0))
        except RecursionError:
            return encoder.encode(obj)

    return encode


class JSONProvider:
    """How an application writes and reads JSON; a subclass brings at least `dumps` and `loads`."""

    def __init__(self, app: t.Any) -> None:
        self._app: t.Any = weakref.proxy(app)

    def dumps(self, obj: t.Any, **kwargs: t.Any) -> str:
        """`obj` as JSON."""
        raise NotImplementedError

    def dump(self, obj: t.Any, fp: t.IO[str], **kwargs: t.Any) -> None:
        """Write `obj` as JSON to a text file."""
        fp.write(self.dumps(obj, **kwargs))

    def loads(self, s: str | bytes, **kwargs: t.Any) -> t.Any:
        """The value of a JSON text."""
        raise NotImplementedError

    def load(self, fp: t.IO[t.AnyStr], **kwargs: t.Any) -> t.Any:
        """The value of the JSON text in a file, of text or of bytes."""
        return self.loads(fp.read(), **kwargs)

    def _prepare_response_obj(self, args: tuple[t.Any, ...], kwargs: dict[str, t.Any]) -> t.Any:
        if args and kwargs:
            raise TypeError("app.json.response() takes either args or kwargs, not both")
        if len(args) == 1:
            return args[0]
        return args or kwargs or None

    def response(self, *args: t.Any, **kwargs: t.Any) -> t.Any:
        """A response with JSON: of one value, of several as a list, or of keyword arguments as an object."""
        obj = self._prepare_response_obj(args, kwargs)
        return self._app.response_class(self.dumps(obj), mimetype="application/json")


class DefaultJSONProvider(JSONProvider):
    """The standard library's JSON, which besides says dates, Decimal, UUID, dataclasses and ``__html__``."""

    default: Callable[[t.Any], t.Any] = staticmethod(default)
    """Called for a value that JSON has no notation for; returns one that it has, or raises TypeError."""

    ensure_ascii = True
    """Whether other characters than ASCII are written as escapes."""

    sort_keys = True
    """Whether the keys of objects are sorted; where they are of several types that raises TypeError."""

    compact: bool | None = None
    """Whether `response` leaves out white space; None: unless in debug mode."""

    mimetype = "application/json"
    """The media type of `response`."""

    def dumps(self, obj: t.Any, **kwargs: t.Any) -> str:
        """`obj` as JSON; keyword arguments are those of ``json.dumps`` and win over the provider's attributes."""
        if not kwargs or _LAYOUT.issuperset(kwargs):
            return self._encode(kwargs.get("indent"), kwargs.get("separators"))(obj)
        kwargs.setdefault("default", self.default)
        kwargs.setdefault("ensure_ascii", self.ensure_ascii)
        kwargs.setdefault("sort_keys", self.sort_keys)
        kwargs.setdefault("allow_nan", self._config().get("JSON_ALLOW_NAN", True))
        return json.dumps(obj, **kwargs)

    def _encode(self, indent: t.Any, separators: t.Any) -> _Encode:
        """What encodes with the attributes as they are now, made when they are first used in this way."""
        allow_nan = self._config().get("JSON_ALLOW_NAN", True)
        options = (self.default, self.ensure_ascii, self.sort_keys, indent, separators and tuple(separators), allow_nan)
        encode = self._encoders.get(options)
        if encode is None:
            if len(self._encoders) >= 16:  # somebody changes the attributes all the time
                self._encoders.clear()
            encode = self._encoders[options] = _make_encode(*options)
        return encode

    def _config(self) -> t.Any:
        try:
            return self._app.config
        except (AttributeError, ReferenceError):  # a provider outlives its application, or belongs to a stand-in
            return {}

    @cached_property
    def _encoders(self) -> dict[tuple[t.Any, ...], _Encode]:
        return {}

    def loads(self, s: str | bytes, **kwargs: t.Any) -> t.Any:
        """The value of a JSON text; keyword arguments are those of ``json.loads``.

        Raises ValueError, also for what ``JSON_MAX_DEPTH`` and ``JSON_ALLOW_NAN`` keep out.
        """
        config = self._config()
        value = _read(s, kwargs, config)
        limit = config.get("JSON_MAX_DEPTH")
        # PERF: postjson. A text that is short, or has few brackets, cannot be nested deeply.
        if limit is not None and len(s) > limit and _openers(s) > limit and (kwargs or not _is_shallow(s, limit)):
            _check_depth(value, limit)
        return value

    def response(self, *args: t.Any, **kwargs: t.Any) -> t.Any:
        """A response with JSON: of one value, of several as a list, or of keyword arguments as an object.

        Indented in debug mode, compact otherwise, unless `compact` says.
        """
        # The first half of the condition only saves a call. PERF: jsonify
        obj = args[0] if args and not kwargs and len(args) == 1 else self._prepare_response_obj(args, kwargs)
        app = self._app
        if self.compact is False or (self.compact is None and app.debug):
            text = self.dumps(obj, indent=2)
        elif type(self).dumps is _OWN_DUMPS and "dumps" not in self.__dict__:
            text = self._encode(None, _COMPACT)(obj)
        else:
            text = self.dumps(obj, separators=_COMPACT)
        return app.response_class(text + "\n", mimetype=self.mimetype)


_OWN_DUMPS = DefaultJSONProvider.dumps
