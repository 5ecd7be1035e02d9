"""Files that a client uploaded, and dicts of them."""

from __future__ import annotations

import collections.abc as cabc
import io
import os
import typing as t
from operator import attrgetter

from .grammar import parse_options_header, parse_plain_int
from .headers import Headers
from .multidict import MultiDict


class _StreamMethod:
    """A method of the stream. `__getattr__` would find it, but after three failed lookups, at four times the cost."""

    def __init__(self, name: str) -> None:
        self._find = attrgetter(f"stream.{name}")

    def __get__(self, instance: FileStorage | None, owner: type[FileStorage]) -> t.Any:
        return self if instance is None else self._find(instance)


class FileStorage:
    """An uploaded file: its name and type as the client told them, and its contents as a stream.

    Whatever the stream has, this has too: `read`, `seek`, iteration over lines …

    :param filename: The client's name for the file, never to be trusted as a path. By default the stream's name.
    :param name: The name of the form field.
    :param headers: The fields of this part of the form.
    """

    read = _StreamMethod("read")
    seek = _StreamMethod("seek")

    def __init__(
        self,
        stream: t.IO[bytes] | None = None,
        filename: str | None = None,
        name: str | None = None,
        content_type: str | None = None,
        content_length: int | None = None,
        headers: Headers | None = None,
    ):
        self.name = name
        self.stream = stream if stream is not None else io.BytesIO()
        self.filename = _name_of(stream) if filename is None else filename
        self.headers = Headers() if headers is None else headers
        if content_type is not None:
            self.headers["Content-Type"] = content_type
        if content_length is not None:
            self.headers["Content-Length"] = str(content_length)

    def _parse_content_type(self) -> tuple[str, dict[str, str]]:
        if "_parsed_content_type" not in self.__dict__:
            self._parsed_content_type = parse_options_header(self.content_type)
        return self._parsed_content_type

    @property
    def content_type(self) -> str | None:
        """The Content-Type of this part, if it has one."""
        return self.headers.get("content-type")

    @property
    def content_length(self) -> int:
        """The Content-Length of this part, in bytes; 0 if it has none or no number, as is the case with browsers."""
        return parse_plain_int(self.headers.get("content-length") or "0") or 0

    @property
    def mimetype(self) -> str:
        """The Content-Type without its parameters and in lower case."""
        return self._parse_content_type()[0].lower()

    @property
    def mimetype_params(self) -> dict[str, str]:
        """The parameters of the Content-Type, such as its charset."""
        return self._parse_content_type()[1]

    def save(self, dst: str | os.PathLike[str] | t.IO[bytes], buffer_size: int = 16384) -> None:
        """Write the rest of the stream to a file.

        :param dst: A path, which must not be made from `filename` as it is, or a file that is open for bytes; that
            one stays open.
        :param buffer_size: How many bytes to copy at a time.
        """
        from shutil import copyfileobj  # slow to load

        if isinstance(dst, (str, os.PathLike)):
            with open(dst, "wb") as file:
                copyfileobj(self.stream, file, buffer_size)
        else:
            copyfileobj(self.stream, dst, buffer_size)

    def close(self) -> None:
        """Close the stream, whatever that raises."""
        try:  # noqa: SIM105 - PERF: upload. `suppress` costs three calls
            self.stream.close()
        except Exception:  # noqa: S110 - the request is over, and nothing is left to do about it
            pass

    def __bool__(self) -> bool:
        return bool(self.filename)

    def __getattr__(self, name: str) -> t.Any:
        if name == "stream":  # asked for while a copy is made, before it has one
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        try:
            return getattr(self.stream, name)
        except AttributeError:
            # A SpooledTemporaryFile lacks some methods of the file in it.
            if hasattr(self.stream, "_file"):
                return getattr(self.stream._file, name)
            raise

    def __iter__(self) -> cabc.Iterator[bytes]:
        return iter(self.stream)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.filename!r} ({self.content_type!r})>"


def _name_of(stream: t.IO[bytes] | None) -> str | None:
    name = getattr(stream, "name", None)
    if name is None:
        return None
    text = os.fsdecode(name)
    # Python calls streams without a file "<stdin>", "<fdopen>" and the like.
    return None if text[:1] == "<" and text[-1:] == ">" else text


class FileMultiDict(MultiDict[str, FileStorage]):
    """A `MultiDict` of files, for building requests."""

    def add_file(
        self,
        name: str,
        file: str | os.PathLike[str] | t.IO[bytes] | FileStorage,
        filename: str | None = None,
        content_type: str | None = None,
    ) -> None:
        """Add a file to a form field.

        :param file: A path, a file that is open for bytes, or a `FileStorage`, which is added as it is.
        :param content_type: By default it is guessed from the file name.
        """
        if isinstance(file, FileStorage):
            self.add(name, file)
            return
        stream: t.IO[bytes]
        if isinstance(file, (str, os.PathLike)):
            if filename is None:
                filename = os.fspath(file)
            # Left open: the request that is built reads and closes it.
            stream = open(file, "rb")  # noqa: SIM115
        else:
            stream = t.cast("t.IO[bytes]", file)
        if filename and content_type is None:
            import mimetypes  # for tests alone: no application needs it

            content_type = mimetypes.guess_type(filename)[0] or "application/octet-stream"
        self.add(name, FileStorage(stream, filename, name, content_type))
