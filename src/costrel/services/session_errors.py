"""What a client is told when its session can be neither read nor saved; the lifecycle makes these the answer."""

from __future__ import annotations

from ..http.errors import Conflict, ServiceUnavailable


class SessionUnavailable(ServiceUnavailable):
    """503: the sessions' store cannot be reached. The session that it keeps is as it was."""

    description = "Your session cannot be reached at the moment. Nothing of it is lost: please try again in a moment."


class SessionConflict(Conflict):
    """409: the session ended, or got a new identifier, while this request was changing it."""

    description = "Your session ended while this request ran, and what it changed was not kept. Please try again."
