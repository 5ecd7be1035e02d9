"""A file in blocks. Fast clients get larger blocks, since each costs a call in a thread and a message."""

from __future__ import annotations

import asyncio
import io
import os
import stat
import typing as t
from collections.abc import Callable, Coroutine

from ..messages.body import FileBody
from ..support.asgi_types import Send
from .time_slices import TimeSlice

InThread = Callable[[Callable[[], t.Any]], Coroutine[t.Any, t.Any, t.Any]]

SMALLEST: t.Final = 64 * 1024
LARGEST: t.Final = 512 * 1024
"""Bytes of a block at first and at most; a server may keep three for each client."""

PART_OF_A_SECOND: t.Final = 0.25
"""Seconds that a block may take at the client's pace: one that takes longer than SEND_TIMEOUT would cut the answer."""

PART_OF_ALL: t.Final = 16
"""So many blocks of a size must have been taken before, which buffers on the way would not have held."""


def is_on_disk(file: t.IO[bytes]) -> bool:
    """Whether reading a file cannot wait for another program, as reading a pipe or a socket can."""
    if type(file) is io.BytesIO:
        return True
    raw: object = file.raw if type(file) is io.BufferedReader else file
    if type(raw) is not io.FileIO:
        return False
    try:
        return stat.S_ISREG(os.fstat(file.fileno()).st_mode)
    except (OSError, ValueError):  # it is closed: reading it is an error
        return True


class FileBlocks:
    """The blocks of one file."""

    def __init__(self, body: FileBody) -> None:
        self.file = body.file
        self.offset = body.offset
        self.left = body.length
        self.size = SMALLEST
        self.sent = 0

    def read(self) -> bytes:
        """The next block; b"" at the end. It may wait for the disk."""
        if self.offset is not None:
            self.file.seek(self.offset)
            self.offset = None
        block = self.file.read(self.size if self.left is None else min(self.size, self.left))
        if self.left is not None:
            self.left -= len(block)
        return block

    async def next(self, in_thread: InThread) -> bytes:
        """The next block, without a thread if the file is in memory."""
        return self.read() if type(self.file) is io.BytesIO else await in_thread(self.read)

    def was_sent(self, number: int, seconds: float) -> None:
        """A block of so many bytes was taken, so many seconds after the first one began."""
        # PERF: bodies (download). To read the next block while one is sent took more time, and a third more memory.
        self.sent += number
        pace = self.sent / max(seconds, 0.001)
        self.size = max(SMALLEST, min(LARGEST, int(pace * PART_OF_A_SECOND), self.sent // PART_OF_ALL))


async def send_file_body(send: Send, in_thread: InThread, body: FileBody) -> None:
    """Send the body of an answer from a file, ending it."""
    blocks = FileBlocks(body)
    time = asyncio.get_running_loop().time
    began = time()
    time_slice = TimeSlice()
    while (block := await blocks.next(in_thread)) and blocks.left != 0:
        await send({"type": "http.response.body", "body": block, "more_body": True})
        blocks.was_sent(len(block), time() - began)
        await time_slice.give_way()
    await send({"type": "http.response.body", "body": block})
