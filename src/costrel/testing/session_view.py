"""The session of a test client as a dict, read and changed without a request."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from ..sessions.interface import SessionMixin


class HasSession(Protocol):
    """A test client, async or not."""

    def session_transaction(self) -> AbstractContextManager[SessionMixin]: ...


class ClientSession(MutableMapping[str, Any]):
    """The session that the next request of `client` gets. Each access opens it, and each change saves it."""

    def __init__(self, client: HasSession) -> None:
        self._client = client

    def __getitem__(self, key: str) -> Any:
        return self._copy()[key]

    def __setitem__(self, key: str, value: object) -> None:
        with self._client.session_transaction() as session:
            session[key] = value

    def __delitem__(self, key: str) -> None:
        with self._client.session_transaction() as session:
            del session[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._copy())

    def __len__(self) -> int:
        return len(self._copy())

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._copy()!r}>"

    def _copy(self) -> dict[str, Any]:
        with self._client.session_transaction() as session:
            return dict(session)
