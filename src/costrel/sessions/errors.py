"""The answers to a request whose session can be neither read nor saved."""

from __future__ import annotations

from ..http.errors import Conflict, ServiceUnavailable


class SessionUnavailable(ServiceUnavailable):
    """503: the session store cannot be reached. The stored session did not change."""

    description = "Your session cannot be reached at the moment. Nothing of it is lost: please try again in a moment."


class SessionConflict(Conflict):
    """409: the session ended, or got a new identifier, while this request was changing it."""

    description = "Your session ended while this request ran, and what it changed was not kept. Please try again."
