"""How long a session is valid: since it was last used, and since it began."""

from __future__ import annotations

import typing as t
from datetime import timedelta

if t.TYPE_CHECKING:
    from ..context import AppContract

TOUCH_PART: t.Final = 20
TOUCH_MOST: t.Final = 60.0
"""A use is noted if a twentieth of the idle time, or a minute, has passed since the last one that was noted."""


class Lifetimes:
    """Seconds that a session lives unused, and seconds that it lives at all (None: no end)."""

    def __init__(self, idle: float, absolute: float | None) -> None:
        self.idle = idle
        self.absolute = absolute

    def expires(self, created: float, seen: float) -> float:
        """Return the end of a session that began at `created` and was last used at `seen`."""
        end = seen + self.idle
        return end if self.absolute is None else min(end, created + self.absolute)

    def wants_touch(self, seen: float, now: float) -> bool:
        """Whether it is time to note that a session is in use; also true if the clock was set back."""
        return not 0 <= now - seen < min(self.idle / TOUCH_PART, TOUCH_MOST)


def lifetimes(app: AppContract) -> Lifetimes:
    """Read ``SESSION_IDLE_LIFETIME``, or else ``PERMANENT_SESSION_LIFETIME``, and ``SESSION_ABSOLUTE_LIFETIME``."""
    idle = app.config.get("SESSION_IDLE_LIFETIME")
    absolute = app.config.get("SESSION_ABSOLUTE_LIFETIME")
    return Lifetimes(
        seconds(app.permanent_session_lifetime if idle is None else idle),
        None if absolute is None else seconds(absolute),
    )


def cookie_lifetime(app: AppContract) -> int:
    """Return ``PERMANENT_SESSION_LIFETIME`` in whole seconds: how old a cookie may be."""
    lifetime = app.permanent_session_lifetime
    return lifetime.days * 86_400 + lifetime.seconds


def seconds(value: timedelta | float) -> float:
    """Return a setting that is a timedelta or a number of seconds, in seconds."""
    return value.total_seconds() if isinstance(value, timedelta) else float(value)
