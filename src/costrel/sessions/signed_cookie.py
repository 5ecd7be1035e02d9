"""The cookie that an interface makes from some settings, kept until one of them is changed."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ..support.seams import Stamp
from .cookie import Attributes
from .signing import KeptSerializer

if t.TYPE_CHECKING:
    from ..context import AppContract

Settings: t.TypeAlias = tuple[t.Any, ...]
"""The values of the settings that determine the cookie. Mutable values are copied."""


class SignedCookie:
    """The cookie that results from an interface and its settings.

    :param stamp: detects changes of the interface's and the application's class.
    :param attributes: None if they depend on the request.
    :param lifetime: the maximum age of the signature in seconds.
    """

    __slots__ = ("attributes", "lifetime", "name", "serializer", "settings", "stamp", "state")

    state: object
    """The `Config.state` with these settings, or None."""

    def __init__(
        self,
        settings: Settings,
        stamp: Stamp,
        serializer: KeptSerializer,
        name: str,
        attributes: Attributes | None,
        lifetime: int,
    ) -> None:
        self.settings = settings
        self.stamp = stamp
        self.serializer = serializer
        self.name = name
        self.attributes = attributes
        self.lifetime = lifetime

    def fits(self, app: AppContract, config: Mapping[str, t.Any]) -> bool:
        """Whether the classes are as they were, and the fallback keys, whose list may have been changed in place."""
        settings, _, app_class = self.settings
        fallbacks = settings[1]
        return (
            app.__class__ is app_class
            and (fallbacks is None or fallbacks == config["SECRET_KEY_FALLBACKS"])
            and self.stamp.is_current()
        )
