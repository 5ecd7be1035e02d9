"""The short way through a form that lies whole in memory and is just as browsers send it.

It refuses nothing. What passes a limit or is not as expected is None here: `forms.py` says what is wrong with it.
"""

from __future__ import annotations

from contextlib import suppress
from typing import IO

from ..http.headers import Headers
from ..http.uploads import FileStorage
from .forms import DISK_FULL, InsufficientStorage, PartLimits, StreamFactory
from .parts import PlainFields, PlainFile, split_plain
from .urlencoded import decode_form, parse_query

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
_PLAIN_MULTIPART = MULTIPART + "; boundary="


def fields_of(body: bytes, max_memory: int | None, max_parts: int | None) -> PlainFields | None:
    """The fields of an urlencoded body."""
    if (max_memory is not None and len(body) > max_memory) or (max_parts is not None and body.count(b"&") >= max_parts):
        return None
    return parse_query(body.decode() if body.isascii() else decode_form(body))


def plain_boundary(content_type: str | None) -> str | None:
    """The boundary in the content type of a multipart form, where it has but letters, digits and hyphens."""
    if content_type is None or not content_type.startswith(_PLAIN_MULTIPART):
        return None
    boundary = content_type[len(_PLAIN_MULTIPART) :]
    return boundary if boundary.isascii() and boundary.replace("-", "").isalnum() else None


def parts_of(
    body: bytes, boundary: str, max_memory: int | None, max_parts: int | None, limits: PartLimits
) -> tuple[PlainFields, list[PlainFile]] | None:
    """The fields and files of a multipart body."""
    if (
        not 0 < len(boundary) <= limits.boundary_size
        or not boundary.isascii()
        or limits.headers < 2  # a file has two
        or (max_memory is not None and len(body) > max_memory)
    ):
        return None
    parts = split_plain(body, boundary.encode(), limits.header_size)
    if parts is None:
        return None
    fields, files = parts
    if (limits.files is not None and len(files) > limits.files) or (
        max_parts is not None and len(fields) + len(files) > max_parts
    ):
        return None
    return parts


def store(files: list[PlainFile], open_stream: StreamFactory, total: int) -> list[tuple[str, FileStorage]]:
    """Write each file to a stream of its own, which are all closed if one cannot be written.

    :param total: bytes of the body, for ``open_stream``.
    :raises InsufficientStorage: if the disk is full.
    """
    streams: list[IO[bytes]] = []
    stored = []
    try:
        for name, filename, content_type, content in files:
            stream = open_stream(
                total_content_length=total, filename=filename, content_type=content_type, content_length=0
            )
            streams.append(stream)
            if content:
                stream.write(content)
            stream.seek(0)
            disposition = f'form-data; name="{name}"; filename="{filename}"'
            headers = Headers.adopt([("Content-Disposition", disposition), ("Content-Type", content_type)])
            stored.append((name, FileStorage(stream, filename, name, headers=headers)))
    except BaseException as error:
        for stream in streams:
            with suppress(OSError):  # on a full disk what is still to be written cannot be
                stream.close()
        if isinstance(error, OSError) and error.errno in DISK_FULL:
            raise InsufficientStorage() from error
        raise
    return stored
