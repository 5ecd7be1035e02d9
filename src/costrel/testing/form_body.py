"""Writes forms as ``multipart/form-data`` bodies (RFC 7578), the way a browser would send them."""

from __future__ import annotations

import mimetypes
import secrets
from collections.abc import Iterator, Mapping
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from ..http.headers import Headers
from ..http.multidict import MultiDict
from ..http.multipart import Data, Epilogue, Event, Field, File, MultipartEncoder, Preamble

_CHUNK = 16 * 1024


class _Body(SpooledTemporaryFile[bytes]):
    """A temporary file that nobody has to close: it belongs to a request, which no server ends."""

    def __del__(self) -> None:
        self.close()


def stream_encode_multipart(
    data: Mapping[str, Any],
    use_tempfile: bool = True,
    threshold: int = 1024 * 500,
    boundary: str | None = None,
) -> tuple[IO[bytes], int, str]:
    """Write `data` as a multipart body; return the stream, at its start, its length in bytes, and the boundary.

    A value that can be read becomes a file with its ``filename``, ``content_type`` and ``headers``; a list becomes one
    field for each item; bytes are written as they are, and anything else as text. With `use_tempfile`, a body of more
    than `threshold` bytes is kept on disk.
    """
    if boundary is None:
        boundary = f"---------------CostrelFormPart_{secrets.token_hex(16)}"
    stream: IO[bytes] = _Body(max_size=threshold) if use_tempfile else BytesIO()
    encoder = MultipartEncoder(boundary.encode())
    for event in _events(data):
        stream.write(encoder.send_event(event))
    length = stream.tell()
    stream.seek(0)
    return stream, length, boundary


def encode_multipart(values: Mapping[str, Any], boundary: str | None = None) -> tuple[str, bytes]:
    """Write `values` as `stream_encode_multipart` does; return the boundary and the body."""
    stream, _, boundary = stream_encode_multipart(values, use_tempfile=False, boundary=boundary)
    return boundary, stream.read()


def fields(data: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the fields of a form: each value of a `MultiDict`, or of a list in another mapping."""
    if isinstance(data, MultiDict):
        yield from data.items(multi=True)
        return
    for key, value in data.items():
        if isinstance(value, list):
            for item in value:
                yield key, item
        else:
            yield key, value


def _events(data: Mapping[str, Any]) -> Iterator[Event]:
    yield Preamble(data=b"")
    for key, value in fields(data):
        if hasattr(value, "read"):
            yield from _file_events(key, value)
        else:
            yield Field(name=key, headers=Headers())
            yield Data(data=value if isinstance(value, bytes) else str(value).encode(), more_data=False)
    yield Epilogue(data=b"")


def _file_events(key: str, file: Any) -> Iterator[Event]:
    filename = getattr(file, "filename", getattr(file, "name", None))
    content_type = getattr(file, "content_type", None)
    if content_type is None:
        content_type = mimetypes.guess_type(filename)[0] if filename else None
    headers = Headers(getattr(file, "headers", None))
    headers["Content-Type"] = content_type or "application/octet-stream"
    headers.pop("Content-Disposition", None)  # it would say the name and file name a second time
    if filename is None:
        yield Field(name=key, headers=headers)
    else:
        yield File(name=key, filename=filename, headers=headers)
    while chunk := file.read(_CHUNK):
        yield Data(data=chunk, more_data=True)
    yield Data(data=b"", more_data=False)
