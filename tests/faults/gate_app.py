"""An application with random responses: each seed is one response or one WebSocket."""

import io
import logging
import os
import random

import costrel
from costrel import Response, make_response, redirect, send_file, stream_with_context, websocket

app = costrel.Costrel(__name__, static_folder=None)
app.config.update(SESSION_COOKIE_SECURE=False, SECRET_KEY="a key of thirty-two bytes or more")
app.logger.disabled = True  # most of them are errors
logging.disable(logging.ERROR)

STATUSES = [200, 200, 200, 201, 204, 206, 301, 304, 400, 404, 418, 500, 599, 999, 100, 101, 102, 103, 199]
ODD_STATUSES = [
    -1,
    0,
    1,
    99,
    1000,
    65_535,
    65_536,
    10**20,
    "",
    "abc",
    "200",
    "200 OK",
    "99 x",
    "200 a\r\nb: c",
    "2\ud800",
]
TEXTS = ["", "x", "a b", "é", "€", "\ud800", "\0", "a\r\nb: c", "\n", "\x7f", "\x85", " ", "\t", ":", "x" * 5000]
NAMES = [
    *(
        "X-A",
        "x",
        "Content-Type",
        "Content-Length",
        "Content-Range",
        "Transfer-Encoding",
        "Connection",
        "Upgrade",
        "Date",
    ),
    *("Set-Cookie", "Location", "Server", "Keep-Alive", "Trailer", "TE", "Via", ":status", ":path", "Content-Encoding"),
]
VALUES = ["0", "1", "-1", "3, 3", "close", "upgrade", "chunked", "gzip, chunked", "websocket", "h2c", "x" * 100_000]
CODES = [
    1000,
    1001,
    1008,
    1011,
    3000,
    4999,
    0,
    1,
    999,
    1002,
    1004,
    1005,
    1006,
    1007,
    1015,
    1016,
    2999,
    5000,
    65_536,
    -1,
]


class Chance(random.Random):
    """The choices of one seed."""

    def one_in(self, number):
        return self.randrange(number) == 0

    def text(self):
        if self.one_in(3):
            return "".join(chr(self.choice([self.randrange(128), self.randrange(0x3000)])) for _ in range(9))
        return self.choice(TEXTS)

    def name(self):
        return self.text() if self.one_in(4) else self.choice(NAMES)

    def value(self):
        return self.choice([self.text, lambda: self.choice(VALUES), lambda: self.randrange(10**6), lambda: None])()

    def fields(self):
        if self.one_in(200):
            return [("X-Many", "y")] * self.choice([9_000, 12_000, 30_000])
        if self.one_in(2):
            return [(f"X-{number}", self.choice(["", "y", "é", "z" * 1000])) for number in range(self.randrange(80))]
        return [(self.name(), self.value()) for _ in range(self.randrange(6))]

    def status(self):
        return self.choice(ODD_STATUSES) if self.one_in(4) else self.choice(STATUSES)

    def piece(self):
        return self.choice([b"", b"x", b"x" * 70_000, "x", "é", "\ud800", None, 1, [b"x"], bytearray(b"x"), b"\0\r\n"])

    def pieces(self):
        for _ in range(self.randrange(5)):
            yield self.piece()
        if self.one_in(5):
            raise self.choice([ValueError, OSError, StopIteration, SystemExit, MemoryError, GeneratorExit])

    async def async_pieces(self):
        for piece in [self.piece() for _ in range(self.randrange(5))]:
            yield piece
        if self.one_in(5):
            raise ValueError

    def body(self):
        kinds = [
            *(lambda: b"x", lambda: "é" * 9, lambda: b"", lambda: b"x" * 200_000, lambda: {"a": 1}, lambda: [1, 2]),
            *(self.pieces, self.pieces, self.async_pieces, lambda: stream_with_context(self.pieces()), self.piece),
            *(lambda: [self.piece(), self.piece()], lambda: io.BytesIO(b"xyz"), lambda: iter(()), lambda: None),
        ]
        return self.choice(kinds)()


def response_of(chance):
    """A response object, changed in some ways."""
    response = Response(chance.body())
    for name, value in chance.fields():
        if chance.one_in(2):
            response.headers.add(name, value)
        else:
            response.headers._list.append((name, value))
    changes = [
        lambda: setattr(response, "status", chance.status()),
        lambda: setattr(response, "status_code", chance.status()),
        lambda: setattr(response, "_status_code", chance.status()),
        lambda: setattr(response, "content_length", chance.choice([-1, 0, 5, 10**12])),
        lambda: setattr(response, "mimetype", chance.text()),
        lambda: setattr(response, "response", chance.choice([chance.pieces(), [chance.piece()], b"x" * 9])),
        lambda: setattr(response, "headers", chance.fields()),
        lambda: response.set_cookie(chance.name(), str(chance.value())),
        lambda: response.call_on_close(lambda: 1 / chance.randrange(2)),
        lambda: setattr(response, "direct_passthrough", True),
    ]
    for _ in range(chance.randrange(4)):
        chance.choice(changes)()
    return response


def wsgi_application(chance):
    def answer(environ, start_response):
        if not chance.one_in(5):
            start_response(str(chance.status()), chance.fields())
        return chance.choice([chance.pieces, lambda: [chance.piece()], lambda: None])()

    return answer


def anything(chance):
    """The value of a view."""
    kinds = [
        *(lambda: response_of(chance),) * 4,
        *(lambda: (chance.body(), chance.status()), lambda: (chance.body(), chance.status(), chance.fields())),
        *(lambda: (chance.body(), dict(chance.fields())), lambda: wsgi_application(chance), chance.body),
        *(lambda: redirect(chance.text(), chance.choice(STATUSES)), lambda: costrel.abort(chance.status())),
        *(lambda: costrel.abort(response_of(chance)), lambda: make_response(chance.body(), chance.status())),
        *(lambda: send_file(io.BytesIO(b"x" * 9), download_name=chance.text() + "a.txt"), lambda: (1, 2, 3, 4)),
    ]
    return chance.choice(kinds)()


@app.get("/pid")
def pid():
    return str(os.getpid())


@app.get("/random/<int:seed>")
def at_random(seed):
    return anything(Chance(seed))


@app.get("/random-async/<int:seed>")
async def at_random_async(seed):
    return anything(Chance(seed))


@app.errorhandler(418)
def teapot(error):
    return anything(Chance(os.getpid()))


@app.websocket("/socket/<int:seed>")
async def socket(seed):
    chance = Chance(seed)
    if chance.one_in(5):
        return anything(chance)  # which refuses it, or not
    if chance.one_in(3):
        fields = [(chance.name(), str(chance.value())) for _ in range(chance.randrange(3))]
        await websocket.accept(chance.choice([None, "a", "b", chance.text()]), fields)
    for _ in range(chance.randrange(6)):
        message = chance.choice(
            [chance.text, lambda: b"", lambda: b"\xff" * 9, lambda: bytearray(9), chance.piece, lambda: "x" * 2**21]
        )()
        await chance.choice([websocket.send, websocket.send_json])(message)
    if chance.one_in(4):
        raise chance.choice([ValueError, SystemExit, KeyError])
    if chance.one_in(2):
        await websocket.close(chance.choice([*CODES, "1000", None, 1000.0]), chance.text())
        if chance.one_in(2):
            await websocket.send("late")
    return None
