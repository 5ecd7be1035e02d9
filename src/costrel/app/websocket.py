"""One WebSocket as its view sees it: the request that opened it, messages in and out, an end with a code (RFC 6455)."""

from __future__ import annotations

import typing as t
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping

from ..http import errors
from ..http.headers import Headers
from ..support.patterns import LatePattern

if t.TYPE_CHECKING:
    from ..context import RequestContext
    from ..http.multidict import MultiDict
    from ..routing import Rule
    from ..typed.steps import Steps
    from .request import Request

T = t.TypeVar("T")

Message = str | bytes
HeaderPairs = Mapping[str, str] | Iterable[tuple[str, str]]
View = Callable[..., Coroutine[t.Any, t.Any, t.Any]]

NORMAL: t.Final = 1000
GOING_AWAY: t.Final = 1001
ABNORMAL: t.Final = 1006
WRONG_DATA: t.Final = 1007
POLICY_VIOLATION: t.Final = 1008
TOO_BIG: t.Final = 1009
INTERNAL_ERROR: t.Final = 1011
TRY_AGAIN_LATER: t.Final = 1013

# RFC 9110 §5.6.2
_TOKEN = LatePattern(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = LatePattern(r"[\x00-\x08\x0a-\x1f\x7f]")


class WebSocketDisconnect(Exception):
    """Raised if a view uses a WebSocket that has ended. A view that does not catch it ends without an error.

    `code` and `reason` come from the side that closed; 1005 stands for none, 1006 for a connection that broke.
    """

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason

    def __str__(self) -> str:
        return f"The WebSocket was closed with code {self.code}{f': {self.reason}' if self.reason else ''}."


class Connection(t.Protocol):
    """A WebSocket's connection, which an edge provides. All but `accept` raise WebSocketDisconnect after the end."""

    subprotocols: list[str]
    accepted: bool
    ended: WebSocketDisconnect | None

    async def accept(self, subprotocol: str | None, headers: list[tuple[str, str]]) -> None: ...
    async def receive(self) -> Message: ...
    async def send(self, message: Message) -> None: ...
    async def close(self, code: int, reason: str) -> None: ...


class WebSocket:
    """One WebSocket. `costrel.websocket` is the current one.

    The handshake is accepted by the first message sent or waited for, unless `accept` was called before. Until then
    an HTTP error refuses it. `request` is the request that asked for it.
    """

    def __init__(self, app: t.Any, request: Request, connection: Connection) -> None:
        self.app = app
        self.request = request
        self._connection = connection

    def __repr__(self) -> str:
        state = "closed" if self.closed else "open" if self.accepted else "not accepted yet"
        return f"<{type(self).__name__} {self.url!r}, {state}>"

    # -- the request that opened it

    @property
    def path(self) -> str:
        """The path below the application's root."""
        return self.request.path

    @property
    def url(self) -> str:
        """The whole URL, with the scheme ``ws`` or ``wss``."""
        return "ws" + self.request.url.removeprefix("http")

    @property
    def host(self) -> str:
        """The host that the client asked for, with the port if it is not the scheme's default."""
        return self.request.host

    @property
    def args(self) -> MultiDict[str, str]:
        """The values of the query."""
        return self.request.args

    @property
    def headers(self) -> Headers:
        """The headers of the handshake."""
        return self.request.headers

    @property
    def cookies(self) -> MultiDict[str, str]:
        """The cookies that came with the handshake."""
        return self.request.cookies

    @property
    def origin(self) -> str | None:
        """The site whose page opened it, as browsers say in ``Origin``; None for other clients."""
        return self.request.headers.get("Origin")

    @property
    def remote_addr(self) -> str | None:
        """The address of the client."""
        return self.request.remote_addr

    @property
    def url_rule(self) -> Rule | None:
        """The rule that matched."""
        return self.request.url_rule

    @property
    def endpoint(self) -> str | None:
        """The endpoint of the rule."""
        return self.request.endpoint

    @property
    def view_args(self) -> dict[str, t.Any] | None:
        """The values of the rule's variable parts."""
        return self.request.view_args

    @property
    def subprotocols(self) -> list[str]:
        """The subprotocols that the client offers, in its order of preference."""
        return self._connection.subprotocols

    # -- its state

    @property
    def accepted(self) -> bool:
        """Whether the handshake was accepted."""
        return self._connection.accepted

    @property
    def closed(self) -> bool:
        """Whether either side has closed it."""
        return self._connection.ended is not None

    @property
    def close_code(self) -> int | None:
        """The code with which it was closed; None while it is open."""
        ended = self._connection.ended
        return None if ended is None else ended.code

    @property
    def close_reason(self) -> str | None:
        """The reason that was given for the end, often an empty text; None while it is open."""
        ended = self._connection.ended
        return None if ended is None else ended.reason

    # -- messages

    async def accept(self, subprotocol: str | None = None, headers: HeaderPairs = ()) -> None:
        """Accept the handshake, with one of the subprotocols that the client offers and with headers of your own.

        Raises RuntimeError if it was accepted before, ValueError for a subprotocol that was not offered and for a
        header that cannot be sent. Granian sends no headers with a handshake.
        """
        if self.accepted:
            raise RuntimeError(
                "This WebSocket was accepted already. Call accept() before the first receive() or send(): they accept"
                " it where that was not done."
            )
        if subprotocol is not None and subprotocol not in self.subprotocols:
            offered = ", ".join(map(repr, self.subprotocols)) or "none"
            raise ValueError(f"The client did not offer the subprotocol {subprotocol!r}; it offers {offered}.")
        pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
        for name, value in pairs:
            _check_header(name, value)
        await self._connection.accept(subprotocol, pairs)

    async def receive(self) -> Message:
        """The next message: `str` for text, `bytes` for binary data. Raises WebSocketDisconnect after the last."""
        await self._open()
        return await self._connection.receive()

    async def receive_json(self) -> t.Any:
        """The next message as JSON. Raises BadRequest, which closes with code 1007, if it is not JSON."""
        message = await self.receive()
        try:
            return self.app.json.loads(message)
        except (ValueError, RecursionError) as error:
            raise errors.BadRequest("The message is not JSON.") from error

    @t.overload
    async def receive_as(self, expr: type[T]) -> T: ...
    @t.overload
    async def receive_as(self, expr: object) -> t.Any: ...
    async def receive_as(self, expr: object) -> t.Any:
        """The next message as JSON of a type: a model, or a union of models by their tags.

        Raises ValidationFailed, which closes with code 1008 and the first problem, if it is not of that type, and
        BadRequest, which closes with code 1007, if it is not JSON.
        """
        message = await self.receive()
        return self.app.plans.read_message(expr, message)

    async def send(self, data: Message) -> None:
        """Send a text (`str`) or binary data (`bytes`). Raises WebSocketDisconnect after the end."""
        if not isinstance(data, str):
            if not isinstance(data, (bytes, bytearray, memoryview)):
                raise TypeError(
                    f"A message is str or bytes, not {type(data).__name__}. For other values there is send_json()."
                )
            data = bytes(data)
        await self._open()
        await self._connection.send(data)

    async def send_json(self, *args: t.Any, **kwargs: t.Any) -> None:
        """Send a value as JSON text; several values, or keywords, make a list or an object, as in `jsonify`."""
        if args and kwargs:
            raise TypeError("send_json() takes positional values or keywords, not both.")
        value = args[0] if len(args) == 1 else list(args) if args else kwargs
        await self.send(self.app.json.dumps(value))

    async def close(self, code: int = NORMAL, reason: str = "") -> None:
        """Close it; before it was accepted this refuses it with 403. Does nothing if it has ended.

        Raises ValueError for a code that no endpoint may send (RFC 6455 §7.4) and a reason of over 123 bytes.
        """
        if not (code in _SENDABLE or 3000 <= code <= 4999):
            raise ValueError(
                f"{code!r} is no code to close a WebSocket with. Use 1000, 1001, 1008, 1011 or 3000 to 4999."
            )
        if len(reason.encode()) > 123:
            raise ValueError(f"The reason for closing takes {len(reason.encode())} bytes; there is room for 123.")
        if not self.closed:
            await self._connection.close(code, reason)

    async def __aiter__(self) -> AsyncIterator[Message]:
        """The messages, until the client closes."""
        try:
            while True:
                yield await self.receive()
        except WebSocketDisconnect:
            return

    async def _open(self) -> None:
        if not self.accepted and not self.closed:
            await self.accept()


_SENDABLE: t.Final = frozenset((1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014))


def _check_header(name: str, value: str) -> None:
    if not _TOKEN.fullmatch(name):
        raise ValueError(f"{name!r} is no name for a header.")
    if name.lower().startswith("sec-websocket-"):
        raise ValueError(f"The server sends {name} itself; the subprotocol is an argument of accept().")
    if _CONTROL.search(value):
        raise ValueError(f"The value of the header {name!r} must not hold control characters: {value!r}.")
    value.encode("latin-1")


Before: t.TypeAlias = "Callable[[RequestContext], Steps[dict[str, object]]]"


class WebSocketView:
    """The view of a WebSocket among the views of an application. If it is called for HTTP, its error explains why."""

    methods = ("GET",)
    provide_automatic_options = False

    def __init__(self, function: View, before: Before | None = None) -> None:
        self.function = function
        self.before = before
        """The steps that authenticate the request, and return further arguments of the function."""
        self.__name__ = function.__name__
        self.__module__ = function.__module__
        self.__doc__ = function.__doc__

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.function!r}>"

    def __call__(self, **view_args: t.Any) -> t.NoReturn:
        raise errors.NotImplemented(
            "WebSockets are not served over WSGI. Serve the application over ASGI: with 'costrel run', or as"
            " 'module:app.asgi'."
        )
