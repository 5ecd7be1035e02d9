"""The parts of Costrel that an application replaces, asked once and again after each change."""

from __future__ import annotations

from ..support.seams import Stamp


class Outlook(Stamp):
    """What each request asks of an application, its class of requests, its URL map and its session interface.

    Its stamp is of their classes. One without classes is never current.
    """

    __slots__ = (
        "adapts",
        "attributes",
        "early",
        "entrances",
        "matches_apart",
        "names_blueprints",
        "overridden",
        "takes_sources",
    )

    def __init__(self, *classes: type, changes: int = 0) -> None:
        super().__init__(*classes, changes=changes)
        self.overridden: frozenset[str] = frozenset()
        """The stages of a request that the application replaces."""
        self.adapts = False
        """Whether its own `ensure_sync` has to adapt each function."""
        self.entrances: frozenset[str] = frozenset()
        """The methods that it replaces, through which a request reaches it."""
        self.matches_apart = False
        """Whether the application, its URL map or the map's adapters override how rules are found."""
        self.names_blueprints = True
        """Whether its request class overrides how the endpoint or the blueprints of a request are found."""
        self.takes_sources = False
        """Whether a request of its class can be made of an ASGI scope."""
        self.early: bool | None = None
        """Whether the interface opens the session of each request before the view; None if it has to be asked."""
        self.attributes: dict[str, object] = {}
        """The attributes of the interface itself, which may say so too."""
