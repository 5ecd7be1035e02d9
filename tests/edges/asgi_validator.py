"""An ASGI application around another one that holds both sides to the protocol: the twin of `wsgiref.validate`."""

from __future__ import annotations

from typing import Any


class ProtocolError(AssertionError):
    """A message came that the ASGI specification does not allow there."""


def validated(app: Any) -> Any:
    """Wrap `app`, and check the order and the types of its HTTP messages (ASGI HTTP spec 2.4)."""

    async def checked(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        check = HttpCheck()

        async def checked_send(message: Any) -> None:
            check.outgoing(message)
            await send(message)

        await app(scope, receive, checked_send)
        if check.state != "ended":
            raise ProtocolError(f"The application returned without ending its response: {check.state}.")

    return checked


class HttpCheck:
    """Follows the messages that an application sends for one request."""

    def __init__(self) -> None:
        self.state = "nothing sent"
        self.expected: int | None = None
        self.sent = 0

    def outgoing(self, message: Any) -> None:
        kind = message.get("type")
        if kind == "http.response.start":
            self.start(message)
        elif kind == "http.response.body":
            self.body(message)
        else:
            raise ProtocolError(f"{kind!r} is no message of an HTTP response.")

    def start(self, message: Any) -> None:
        if self.state != "nothing sent":
            raise ProtocolError("http.response.start was sent a second time.")
        if type(message["status"]) is not int or not 100 <= message["status"] <= 599:
            raise ProtocolError(f"The status must be an int of 100 to 599: {message['status']!r}.")
        for name, value in message["headers"]:
            if type(name) is not bytes or type(value) is not bytes:
                raise ProtocolError(f"Headers are pairs of bytes: {name!r}: {value!r}.")
            if name != name.lower():
                raise ProtocolError(f"Header names are in lower case: {name!r}.")
            if name == b"content-length":
                self.expected = int(value)
        self.state = "started"

    def body(self, message: Any) -> None:
        if self.state != "started":
            raise ProtocolError(f"http.response.body was sent when: {self.state}.")
        chunk = message.get("body", b"")
        if type(chunk) is not bytes:
            raise ProtocolError(f"The body is bytes: {chunk!r}.")
        self.sent += len(chunk)
        if not message.get("more_body", False):
            self.state = "ended"
