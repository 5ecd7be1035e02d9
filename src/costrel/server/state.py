"""What the processes of one server know of each other, in memory that they share."""

from __future__ import annotations

import multiprocessing

_STOPPING, _READY = 0, 1


class State:
    """Two flags: written by the process that started the others, and read by all."""

    def __init__(self) -> None:
        self._flags = multiprocessing.RawArray("b", 2)

    @property
    def stopping(self) -> bool:
        """Whether the server has been told to end."""
        return bool(self._flags[_STOPPING])

    @property
    def ready(self) -> bool:
        """Whether some worker has been ready since the start."""
        return bool(self._flags[_READY])

    def note_stopping(self) -> None:
        """The server has been told to end."""
        self._flags[_STOPPING] = 1

    def note_ready(self) -> None:
        """A worker is ready."""
        self._flags[_READY] = 1
