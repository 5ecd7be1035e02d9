"""The state that the processes of one server share."""

from __future__ import annotations

import multiprocessing

_STOPPING, _READY, _AROUND, _ANSWERS = range(4)
_WANTED, _RUNNING, _FAILED = 1, 2, 3


class State:
    """Flags in shared memory.

    The supervisor sets `stopping` and `ready`, and the first worker sets `answers`. `around` stands for the functions
    of ``while_serving(once="server")``: a worker requests them, and the process that runs them reports the result.
    """

    def __init__(self) -> None:
        self._flags = multiprocessing.RawArray("b", 4)

    @property
    def stopping(self) -> bool:
        """Whether the server is stopping."""
        return bool(self._flags[_STOPPING])

    @property
    def ready(self) -> bool:
        """Whether a worker has been ready at any time since the start."""
        return bool(self._flags[_READY])

    def note_stopping(self) -> None:
        """Record that the server is stopping."""
        self._flags[_STOPPING] = 1

    def note_ready(self) -> None:
        """Record that a worker is ready."""
        self._flags[_READY] = 1

    @property
    def answers(self) -> bool:
        """Whether a worker has loaded the application and accepts connections."""
        return bool(self._flags[_ANSWERS])

    def note_answers(self) -> None:
        """Record that a worker accepts connections."""
        self._flags[_ANSWERS] = 1

    @property
    def around_is_wanted(self) -> bool:
        """Whether a worker waits for the functions of ``while_serving(once="server")``."""
        return bool(self._flags[_AROUND] == _WANTED)

    @property
    def around_is_running(self) -> bool:
        """Whether these functions have run up to their ``yield``."""
        return bool(self._flags[_AROUND] == _RUNNING)

    @property
    def around_has_failed(self) -> bool:
        """Whether one of these functions failed to start."""
        return bool(self._flags[_AROUND] == _FAILED)

    def want_around(self) -> None:
        """Request these functions, unless they are running."""
        if not self.around_is_running:
            self._flags[_AROUND] = _WANTED

    def note_around(self, is_running: bool) -> None:
        """Record that these functions are running, or that one of them failed to start."""
        self._flags[_AROUND] = _RUNNING if is_running else _FAILED
