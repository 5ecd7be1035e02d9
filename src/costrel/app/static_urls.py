"""URLs of static files: rules whose view sends static files put the hash of the content into the name."""

from __future__ import annotations

import typing as t
import weakref
from collections.abc import Callable, Iterable, Mapping

from .scaffold import Scaffold

if t.TYPE_CHECKING:
    from ..context import AppContract
    from ..routing import Rule

VARIABLE: t.Final = "filename"
"""The variable of the rules for static files."""

STATIC: t.Final = ("send_static_file", "get_send_file_max_age")
"""The methods that send static files; their class knows which are replaced (`Scaffold.static_seams`)."""


class PlainName(str):
    """The name of a static file that gets no hash, since its own name changes with its content."""

    __slots__ = ()


class StaticURLs:
    """The URLs of one rule, whose view sends the static files of the application or of a blueprint."""

    def __init__(self, app: AppContract, rule: Rule, owner: Scaffold | None, view: object) -> None:
        # A weak reference: the application holds its rules.
        self._app: Callable[[], AppContract | None] = weakref.ref(app)
        self._owner = owner
        self._view = view
        self.rule = rule

    @property
    def folder(self) -> str | None:
        """The static folder of the application or the blueprint."""
        owner = self._owner or t.cast("Scaffold | None", self._app())
        return None if owner is None else owner.static_folder

    @property
    def prefix(self) -> str | None:
        """The path of the rule up to the name of the file; None if there is another variable, or a text after it."""
        before, marked, after = self.rule.rule.rpartition(f"<path:{VARIABLE}>")
        return before if marked and not after and "<" not in before else None

    def find_changes(self) -> Mapping[str, Callable[[object], str]]:
        """The function that puts the hash into names; none without ``STATIC_HASHED``."""
        app = self._app()
        return {VARIABLE: self.hashed} if app is not None and app.config.get("STATIC_HASHED", False) else {}

    def hashed(self, value: object) -> str:
        """The name with the hash of the content; unchanged in debug mode, and if another view sends the files."""
        name = str(value)
        app, folder = self._app(), self.folder
        if app is None or folder is None or app.debug or isinstance(value, PlainName) or not self._is_served_by(app):
            return name
        from .hashed_files import folder_of  # loads OpenSSL for the hashes

        return folder_of(app, folder).hashed(name)

    def _is_served_by(self, app: AppContract) -> bool:
        """Whether the view of the rule, or a decorator around it, sends the file."""
        owner = self._owner or t.cast("Scaffold", app)
        if "send_static_file" in owner.static_seams.replaced(owner):
            return False
        view: object = app.view_functions.get(self.rule.endpoint)
        while view is not None and view != self._view:
            view = getattr(view, "__wrapped__", None)
        return view is not None


def found_in(app: AppContract, rule: Rule, view: object) -> tuple[StaticURLs, ...]:
    """The URLs of a rule, into which it now puts hashes; none if its view sends no static files."""
    owner = getattr(view, "__self__", None)
    is_method = isinstance(owner, Scaffold) and getattr(view, "__name__", None) == "send_static_file"
    if not is_method and not getattr(view, "sends_static_files", False):
        return ()
    urls = StaticURLs(app, rule, owner if is_method and owner is not app else None, view)
    rule.find_changes = urls.find_changes
    return (urls,)


def follow_setting(found: Iterable[StaticURLs]) -> None:
    """Have the rules follow ``STATIC_HASHED`` as it is now."""
    for urls in found:
        urls.rule.forget_builder()
