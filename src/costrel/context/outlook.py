"""The parts of Costrel that an application replaces, asked once and again after each change."""

from __future__ import annotations

from ..support.seams import Stamp

_OPENING = frozenset({"open_session", "opens_late", "save_session", "session_class"})


class Outlook(Stamp):
    """What each request asks of an application, its class of requests, its URL map and its session interface.

    Its stamp is of their classes. One without classes is never current.
    """

    __slots__ = ("_attributes", "_opens_early", "entrances", "matches_apart", "overridden", "takes_sources")

    def __init__(self, *classes: type, changes: int = 0) -> None:
        super().__init__(*classes, changes=changes)
        self.overridden: frozenset[str] = frozenset()
        """The stages of a request that the application replaces."""
        self.entrances: frozenset[str] = frozenset()
        """The methods that it replaces, through which a request reaches it."""
        self.matches_apart = False
        """Whether its URL map, or the adapters of that, find rules in their own way."""
        self.takes_sources = False
        """Whether a request of its class can be made of an ASGI scope."""
        self._opens_early: bool | None = None
        self._attributes: dict[str, object] = {}

    def note_opening(self, early: bool, interface: object) -> None:
        """Note whether `interface` opens sessions early, unless attributes of its own say so."""
        self._opens_early = early
        self._attributes = getattr(interface, "__dict__", {})

    @property
    def opens_early(self) -> bool | None:
        """Whether the session of each request is opened before the view; None if the interface has to be asked."""
        return self._opens_early if _OPENING.isdisjoint(self._attributes) else None
