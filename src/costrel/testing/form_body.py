"""Writes forms as browsers do: as ``multipart/form-data`` (HTML Standard) and urlencoded (URL Standard)."""

from __future__ import annotations

import mimetypes
import secrets
import string
from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import IO, Protocol
from urllib.parse import quote_plus

from ..http.headers import Headers
from ..http.multidict import MultiDict

_CHUNK = 16 * 1024
_BOUNDARY_CHARACTERS = string.ascii_letters + string.digits

# Characters that would end the quotes or the line ("multipart/form-data encoding algorithm").
_ESCAPES = {ord('"'): "%22", ord("\r"): "%0D", ord("\n"): "%0A"}


class Readable(Protocol):
    """A file of a form. It may have `filename`, `content_type` and `headers`, as `FileStorage` has."""

    def read(self, size: int = ..., /) -> bytes: ...


class _Body(SpooledTemporaryFile[bytes]):
    """A temporary file that closes itself: it belongs to a request, which no server ends."""

    def __del__(self) -> None:
        self.close()


def stream_encode_multipart(
    data: Mapping[str, object],
    use_tempfile: bool = True,
    threshold: int = 1024 * 500,
    boundary: str | None = None,
) -> tuple[IO[bytes], int, str]:
    """Write `data` as a multipart body; return the stream, at its start, its length in bytes, and the boundary.

    A value that can be read becomes a file with its ``filename``, ``content_type`` and ``headers``; a list becomes one
    field for each item; bytes are written as they are, and anything else as text. With `use_tempfile`, a body of more
    than `threshold` bytes is kept on disk. Without `boundary`, one in the form of Chromium's is made.
    """
    if boundary is None:
        boundary = "----WebKitFormBoundary" + "".join(secrets.choice(_BOUNDARY_CHARACTERS) for _ in range(16))
    stream: IO[bytes] = _Body(max_size=threshold) if use_tempfile else BytesIO()
    for piece in _pieces(data, b"--" + boundary.encode()):
        stream.write(piece)
    length = stream.tell()
    stream.seek(0)
    return stream, length, boundary


def encode_multipart(values: Mapping[str, object], boundary: str | None = None) -> tuple[str, bytes]:
    """Write `values` as `stream_encode_multipart` does; return the boundary and the body."""
    stream, _, boundary = stream_encode_multipart(values, use_tempfile=False, boundary=boundary)
    return boundary, stream.read()


def encode_urlencoded(pairs: Iterable[tuple[str, object]]) -> bytes:
    """Write fields as ``application/x-www-form-urlencoded``; those that are None are left out."""
    return "&".join(f"{_quote(name)}={_quote(str(value))}" for name, value in pairs if value is not None).encode()


def _quote(text: str) -> str:
    """Encode all but letters, digits and ``*-._``, a space as ``+`` (URL Standard §5.2)."""
    return quote_plus(text, safe="*").replace("~", "%7E")


def fields(data: Mapping[str, object]) -> Iterator[tuple[str, object]]:
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


def with_form_line_breaks(text: str) -> str:
    """Write each line break as CRLF, as browsers do in the names and values of a form (HTML Standard, §4.10.22)."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")


def _pieces(data: Mapping[str, object], delimiter: bytes) -> Iterator[bytes]:
    for name, value in fields(data):
        yield delimiter + b"\r\n"
        if hasattr(value, "read"):
            yield from _file(name, value)
        else:
            yield _head(name, None, Headers())
            yield value if isinstance(value, bytes) else str(value).encode()
        yield b"\r\n"
    yield delimiter + b"--\r\n"


def _file(name: str, file: Readable) -> Iterator[bytes]:
    filename: str | None = getattr(file, "filename", getattr(file, "name", None))
    content_type: str | None = getattr(file, "content_type", None)
    if content_type is None:
        content_type = mimetypes.guess_type(filename)[0] if filename else None
    headers = Headers(getattr(file, "headers", None))
    headers["Content-Type"] = content_type or "application/octet-stream"
    headers.pop("Content-Disposition", None)  # the part has its own
    yield _head(name, filename, headers)
    while chunk := file.read(_CHUNK):
        yield chunk


def _head(name: str, filename: str | None, headers: Headers) -> bytes:
    disposition = f'form-data; name="{name.translate(_ESCAPES)}"'
    if filename is not None:
        disposition += f'; filename="{filename.translate(_ESCAPES)}"'
    lines = [f"Content-Disposition: {disposition}", *(f"{key}: {value}" for key, value in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
