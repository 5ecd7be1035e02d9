"""Values as HTML for the console, as in `werkzeug.debug.repr`: long values are folded, and parts have CSS classes."""

from __future__ import annotations

import html
import re
import sys
import typing as t
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from traceback import format_exception_only

from markupsafe import escape

HELP_HTML = """\
<div class=box>
  <h3>%(title)s</h3>
  <pre class=help>%(text)s</pre>
</div>\
"""
OBJECT_DUMP_HTML = """\
<div class=box>
  <h3>%(title)s</h3>
  %(repr)s
  <table>%(items)s</table>
</div>\
"""

missing: t.Final = object()
RegexType = re.Pattern

_MAX_DEPTH = 20
_MAX_ITEMS = 1_000
_MAX_TEXT = 10_000
_PARAGRAPHS = re.compile(r"(?:\r\n|\r|\n){2,}")


def debug_repr(obj: object) -> str:
    """The HTML of one value."""
    return DebugReprGenerator().repr(obj)


def dump(obj: object = missing) -> None:
    """Show the attributes of an object; without an argument, the variables of the calling frame."""
    generator = DebugReprGenerator()
    _write(generator.dump_locals(sys._getframe(1).f_locals) if obj is missing else generator.dump_object(obj))


def _write(text: str) -> None:
    # In a console, stdout is a stream that collects the output and also accepts HTML.
    write_html = getattr(sys.stdout, "_write", None)
    (write_html or sys.stdout.write)(text)


class _Helper:
    """The console's ``help`` function, which shows Python's help as HTML."""

    def __repr__(self) -> str:
        return "Type help(object) for help about object."

    def __call__(self, topic: object = None) -> None:
        if topic is None:
            _write(f"<span class=help>{self!r}</span>")
            return
        import pydoc

        pages: list[str] = []
        title, text = "Help", ""
        try:
            pages = _PARAGRAPHS.split(pydoc.plain(pydoc.render_doc(topic, "Help on %s")))
        except ImportError as error:
            text = str(error)
        if pages:
            title, text = pages[0], "\n\n".join(pages[1:])
        _write(HELP_HTML % {"title": escape(title), "text": escape(text)})


helper = _Helper()


def _add_subclass_info(inner: str, obj: object, base: type | tuple[type, ...]) -> str:
    bases = base if isinstance(base, tuple) else (base,)
    if type(obj) in bases:
        return inner
    module = type(obj).__module__
    prefix = (
        "" if module in ("__builtin__", "builtins", "exceptions") else f'<span class="module">{escape(module)}.</span>'
    )
    return f"{prefix}{escape(type(obj).__name__)}({inner})"


def _sequence_repr_maker(
    left: str, right: str, base: type, limit: int = 8
) -> Callable[[DebugReprGenerator, Iterable[object], bool], str]:
    def sequence_repr(self: DebugReprGenerator, obj: Iterable[object], recursive: bool) -> str:
        if recursive:
            return _add_subclass_info(f"{left}...{right}", obj, base)
        return _add_subclass_info(f"{left}{_folded(map(self.repr, obj), limit)}{right}", obj, base)

    return sequence_repr


def _folded(items: Iterable[str], limit: int) -> str:
    """The items, separated by commas. Items from `limit` on are in an element that can be folded."""
    shown: list[str] = []
    for number, item in enumerate(items):
        if number == _MAX_ITEMS:
            shown.append("…")
            break
        shown.append(item)
    if len(shown) <= limit:
        return ", ".join(shown)
    separator = ", " if limit else ""
    return f'{", ".join(shown[:limit])}{separator}<span class="extended">{", ".join(shown[limit:])}</span>'


class DebugReprGenerator:
    """Creates the HTML of a value, and keeps track of the containers around the current part."""

    def __init__(self) -> None:
        self._stack: list[object] = []

    list_repr = _sequence_repr_maker("[", "]", list)
    tuple_repr = _sequence_repr_maker("(", ")", tuple)
    set_repr = _sequence_repr_maker("set([", "])", set)
    frozenset_repr = _sequence_repr_maker("frozenset([", "])", frozenset)
    deque_repr = _sequence_repr_maker('<span class="module">collections.</span>deque([', "])", deque)

    def regex_repr(self, obj: t.Pattern[t.AnyStr]) -> str:
        """A compiled regular expression, as a raw string."""
        pattern = obj.pattern
        text = repr(pattern.decode("latin-1") if isinstance(pattern, bytes) else pattern)
        prefix = "rb" if isinstance(pattern, bytes) else "r"
        return f're.compile(<span class="string regex">{prefix}{html.escape(text, quote=False)}</span>)'

    def string_repr(self, obj: str | bytes, limit: int = 70) -> str:
        """A string or bytes. Characters after the first `limit` can be folded."""
        cut = obj[:_MAX_TEXT]
        text = repr(cut if type(cut) in (str, bytes) else (str(cut) if isinstance(cut, str) else bytes(cut)))
        shown = str(escape(text))
        if len(text) - limit > 2:
            shown = f'{escape(text[:limit])}<span class="extended">{escape(text[limit:])}</span>'
        return _add_subclass_info(f'<span class="string">{shown}</span>', obj, (bytes, str))

    def dict_repr(self, d: Mapping[t.Any, object], recursive: bool, limit: int = 5) -> str:
        """A mapping, pair by pair."""
        if recursive:
            return _add_subclass_info("{...}", d, dict)
        pairs = (
            f'<span class="pair"><span class="key">{self.repr(key)}</span>:'
            f' <span class="value">{self.repr(value)}</span></span>'
            for key, value in d.items()
        )
        return _add_subclass_info("{" + _folded(pairs, limit - 1) + "}", d, dict)

    def object_repr(self, obj: object) -> str:
        """The repr of an object."""
        return f'<span class="object">{escape(repr(obj)[:_MAX_TEXT])}</span>'

    def dispatch_repr(self, obj: object, recursive: bool) -> str:
        """The HTML of `obj`, by its class."""
        if obj is helper:
            return f'<span class="help">{escape(repr(obj))}</span>'
        if isinstance(obj, (int, float, complex)):
            return f'<span class="number">{escape(repr(obj))}</span>'
        if isinstance(obj, (str, bytes)):
            return self.string_repr(obj)
        if isinstance(obj, RegexType):
            return self.regex_repr(obj)
        if isinstance(obj, dict):
            return self.dict_repr(obj, recursive)
        for kind, method in _BY_CLASS:
            if isinstance(obj, kind):
                return method(self, obj, recursive)
        return self.object_repr(obj)

    def fallback_repr(self) -> str:
        """The HTML for an object whose repr raised the current exception."""
        try:
            info = "".join(format_exception_only(*sys.exc_info()[:2])).strip()
        except Exception:
            info = "?"
        return f'<span class="brokenrepr">&lt;broken repr ({escape(info)})&gt;</span>'

    def repr(self, obj: object) -> str:
        """The HTML of `obj`. A container that contains itself is shown as dots."""
        recursive = any(obj is outer for outer in self._stack) or len(self._stack) > _MAX_DEPTH
        self._stack.append(obj)
        try:
            try:
                return self.dispatch_repr(obj, recursive)
            except Exception:
                return self.fallback_repr()
        finally:
            self._stack.pop()

    def dump_object(self, obj: object) -> str:
        """The attributes of an object, or the contents of a container, as a table."""
        shown: str | None = None
        items: list[tuple[str, str]] | None = None
        if isinstance(obj, dict):
            title = "Contents of"
            items = []
            for key, value in obj.items():
                if not isinstance(key, str):
                    items = None
                    break
                items.append((key, self.repr(value)))
        if items is None:
            items = []
            shown = self.repr(obj)
            for key in dir(obj):
                try:
                    items.append((key, self.repr(getattr(obj, key))))
                except Exception:  # noqa: S112 - an attribute that raises is not shown
                    continue
            title = "Details for"
        title += f" {object.__repr__(obj)[1:-1]}"
        return self.render_object_dump(items, title, shown)

    def dump_locals(self, d: Mapping[str, object]) -> str:
        """The variables of a frame as a table."""
        items = [(key, self.repr(value)) for key, value in d.items()]
        return self.render_object_dump(items, "Local variables in frame")

    def render_object_dump(self, items: list[tuple[str, str]], title: str, repr: str | None = None) -> str:
        """The table of `items`: names and HTML."""
        rows = [f"<tr><th>{escape(key)}<td><pre class=repr>{value}</pre>" for key, value in items]
        return OBJECT_DUMP_HTML % {
            "title": escape(title),
            "repr": f"<pre class=repr>{repr or ''}</pre>",
            "items": "\n".join(rows) or "<tr><td><em>Nothing</em>",
        }


_BY_CLASS: t.Final[tuple[tuple[type, Callable[[DebugReprGenerator, t.Any, bool], str]], ...]] = (
    (list, DebugReprGenerator.list_repr),
    (tuple, DebugReprGenerator.tuple_repr),
    (set, DebugReprGenerator.set_repr),
    (frozenset, DebugReprGenerator.frozenset_repr),
    (deque, DebugReprGenerator.deque_repr),
)
