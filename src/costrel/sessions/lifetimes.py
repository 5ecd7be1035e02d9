"""The lifetimes of sessions: since the last use, and since the start."""

from __future__ import annotations

import typing as t
from datetime import timedelta

if t.TYPE_CHECKING:
    from ..context import AppContract

TOUCH_PART: t.Final = 20
TOUCH_MOST: t.Final = 60.0
"""A use is recorded if a twentieth of the idle lifetime, or a minute, has passed since the last recorded use."""


class Lifetimes:
    """The maximum seconds without use, and the maximum seconds in total (None: unlimited)."""

    def __init__(self, idle: float, absolute: float | None) -> None:
        self.idle = idle
        self.absolute = absolute

    def expires(self, created: float, seen: float) -> float:
        """Return when a session expires that started at `created` and was last used at `seen`."""
        end = seen + self.idle
        return end if self.absolute is None else min(end, created + self.absolute)

    def wants_touch(self, seen: float, now: float) -> bool:
        """Whether to record now that a session is in use. Also true if the clock was set back."""
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
    """Return ``PERMANENT_SESSION_LIFETIME``, the maximum age of a cookie, in whole seconds."""
    lifetime = app.permanent_session_lifetime
    return lifetime.days * 86_400 + lifetime.seconds


def seconds(value: timedelta | float) -> float:
    """Convert a setting that is a timedelta or a number of seconds to seconds."""
    return value.total_seconds() if isinstance(value, timedelta) else float(value)
