"""The HTTP errors for a session that cannot be read or saved."""

from __future__ import annotations

from ..http.errors import Conflict, ServiceUnavailable


class SessionUnavailable(ServiceUnavailable):
    """503: the session store cannot be reached. The stored session is unchanged."""

    description = "Your session is temporarily unavailable. Nothing is lost. Please try again in a moment."


class SessionConflict(Conflict):
    """409: the session ended, or got a new identifier, while this request was changing it."""

    description = "Your session ended during this request, and the changes were not saved. Please try again."
