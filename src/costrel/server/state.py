"""What the processes of one server know of each other, in memory that they share."""

from __future__ import annotations

import multiprocessing

_STOPPING, _READY, _AROUND, _ANSWERS = range(4)
_WANTED, _RUNNING, _FAILED = 1, 2, 3


class State:
    """Flags that the processes write and read.

    The process that started the others writes `stopping` and `ready`, and a worker `answers`. A worker asks for the
    functions around the server, and the process that runs them answers.
    """

    def __init__(self) -> None:
        self._flags = multiprocessing.RawArray("b", 4)

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

    @property
    def answers(self) -> bool:
        """Whether a worker has loaded the application and accepts connections."""
        return bool(self._flags[_ANSWERS])

    def note_answers(self) -> None:
        """A worker accepts connections."""
        self._flags[_ANSWERS] = 1

    @property
    def around_is_wanted(self) -> bool:
        """Whether a worker waits for the functions around the server."""
        return bool(self._flags[_AROUND] == _WANTED)

    @property
    def around_is_running(self) -> bool:
        """Whether the functions around the server have run up to their ``yield``."""
        return bool(self._flags[_AROUND] == _RUNNING)

    @property
    def around_has_failed(self) -> bool:
        """Whether the functions around the server could not be started."""
        return bool(self._flags[_AROUND] == _FAILED)

    def want_around(self) -> None:
        """A worker needs the functions around the server, unless they are running."""
        if not self.around_is_running:
            self._flags[_AROUND] = _WANTED

    def note_around(self, is_running: bool) -> None:
        """The functions around the server are running, or could not be started."""
        self._flags[_AROUND] = _RUNNING if is_running else _FAILED
