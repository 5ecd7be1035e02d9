"""Reads the body of a form, urlencoded or multipart, within limits: what is too much or cut off never passes."""

from __future__ import annotations

import errno
from collections.abc import Callable
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any, NoReturn

from ..http.errors import BadRequest, HTTPException, RequestEntityTooLarge
from ..http.grammar import parse_options_header
from ..http.headers import Headers
from ..http.multidict import MultiDict
from ..http.multipart_events import File
from ..http.uploads import FileStorage
from .environ import get_content_length, get_input_stream
from .parts import MAX_BOUNDARY_SIZE, MAX_HEADER_SIZE, MAX_HEADERS, FormatError, HeadTooLarge, Part, PartParser
from .streams import LimitedStream
from .urlencoded import decode_form, parse_query

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

StreamFactory = Callable[..., IO[bytes]]
ParsedForm = tuple[IO[bytes], MultiDict[str, Any], MultiDict[str, Any]]

#: What a full disk says, a full quota, and a file that may not get larger (``ulimit -f``).
DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

# A file up to this size stays in memory.
_SPOOL_SIZE = 500 * 1024

# PERF: bodies (upload). Servers give what has arrived, or all of it: fewer and longer writes of a large file.
_READ_SIZE = 1024 * 1024
_PIECE = 64 * 1024

# Bytes in a row that belong to no part: preamble, epilogue, and the headers of one part (16 lines of 8 KiB).
_MAX_OUTSIDE_PARTS = 256 * 1024

_PART_CHARSETS = frozenset({"ascii", "us-ascii", "utf-8", "iso-8859-1"})


class MalformedForm(BadRequest, ValueError):
    """The body is not the form that its content type promises; answered with 400."""


class InsufficientStorage(HTTPException):
    """*507* `Insufficient Storage`: the disk that uploads are spooled to is full (RFC 4918 §11.5)."""

    code = 507
    description = "The server has no space left to store the uploaded files."


def default_stream_factory(
    total_content_length: int | None,
    content_type: str | None,
    filename: str | None,
    content_length: int | None = None,
) -> IO[bytes]:
    """Open the stream for one uploaded file: in memory up to 500 KiB, then a temporary file that only we can read."""
    import tempfile  # not every application takes files

    return tempfile.SpooledTemporaryFile(max_size=_SPOOL_SIZE, mode="rb+")


def parse_form_data(
    environ: WSGIEnvironment,
    stream_factory: StreamFactory | None = None,
    max_form_memory_size: int | None = None,
    max_content_length: int | None = None,
    cls: type[MultiDict[str, Any]] | None = None,
    silent: bool = True,
    *,
    max_form_parts: int | None = None,
) -> ParsedForm:
    """Parse the form of an environ; answer its stream, fields and files. See :class:`FormDataParser`."""
    return FormDataParser(
        stream_factory=stream_factory,
        max_form_memory_size=max_form_memory_size,
        max_content_length=max_content_length,
        max_form_parts=max_form_parts,
        silent=silent,
        cls=cls,
    ).parse_from_environ(environ)


class PartLimits:
    """What a multipart body may have: so many files, headers of a part, bytes in one of them and in the boundary."""

    def __init__(
        self,
        files: int | None = None,
        headers: int = MAX_HEADERS,
        header_size: int = MAX_HEADER_SIZE,
        boundary_size: int = MAX_BOUNDARY_SIZE,
    ) -> None:
        self.files = files
        self.headers = headers
        self.header_size = header_size
        self.boundary_size = boundary_size


class FormDataParser:
    """Parses forms of both kinds; any other body is left in the stream.

    :param stream_factory: opens the stream for a file, as :func:`default_stream_factory` does.
    :param max_form_memory_size: bytes of all fields that are not files; None for no limit, as for the other two.
    :param max_content_length: bytes of the body, for :meth:`parse_from_environ`.
    :param cls: the class of the results.
    :param silent: treat a multipart body whose boundary is missing as no form, instead of raising ValueError.
    :param max_form_parts: number of fields and files.

    A broken or incomplete form raises :exc:`MalformedForm` (400), one past a limit :exc:`RequestEntityTooLarge` (413),
    and a full disk :exc:`InsufficientStorage` (507).
    """

    #: What the parts of a multipart body may have besides.
    limits = PartLimits()

    def __init__(
        self,
        stream_factory: StreamFactory | None = None,
        max_form_memory_size: int | None = None,
        max_content_length: int | None = None,
        cls: type[MultiDict[str, Any]] | None = None,
        silent: bool = True,
        *,
        max_form_parts: int | None = None,
    ) -> None:
        self.stream_factory = stream_factory or default_stream_factory
        self.max_form_memory_size = max_form_memory_size
        self.max_content_length = max_content_length
        self.max_form_parts = max_form_parts
        self.cls: type[MultiDict[str, Any]] = cls or MultiDict
        self.silent = silent

    def parse_from_environ(self, environ: WSGIEnvironment) -> ParsedForm:
        """Parse the body of an environ as its content type says."""
        stream = get_input_stream(environ, max_content_length=self.max_content_length)
        mimetype, options = parse_options_header(environ.get("CONTENT_TYPE"))
        return self.parse(stream, mimetype, get_content_length(environ), options)

    def parse(
        self,
        stream: IO[bytes],
        mimetype: str,
        content_length: int | None,
        options: dict[str, str] | None = None,
    ) -> ParsedForm:
        """Parse a stream; answer it (empty if it was read) with the fields and the files.

        :param mimetype: the content type in lower case, without its parameters, which are the ``options``.
        """
        try:
            if mimetype == "multipart/form-data":
                return self._parse_multipart(stream, mimetype, content_length, options or {})
            if mimetype == "application/x-www-form-urlencoded":
                return self._parse_urlencoded(stream, mimetype, content_length, options or {})
        except MalformedForm:
            raise
        except ValueError:
            if not self.silent:
                raise
        return stream, self.cls(), self.cls()

    def _parse_multipart(
        self, stream: IO[bytes], mimetype: str, content_length: int | None, options: dict[str, str]
    ) -> ParsedForm:
        boundary = options.get("boundary", "")
        if not boundary:
            raise ValueError("Missing boundary")
        parser = MultiPartParser(
            stream_factory=self.stream_factory,
            max_form_memory_size=self.max_form_memory_size,
            max_form_parts=self.max_form_parts,
            cls=self.cls,
            buffer_size=_READ_SIZE,
        )
        parser.limits = self.limits
        form, files = parser.parse(stream, boundary.encode(), content_length)
        return stream, form, files

    def _parse_urlencoded(
        self, stream: IO[bytes], mimetype: str, content_length: int | None, options: dict[str, str]
    ) -> ParsedForm:
        body = self._read_fields(stream, content_length)
        # Counting separators is enough, and costs next to nothing for a body of millions of them.
        if self.max_form_parts is not None and body.count(b"&") >= self.max_form_parts:
            raise _too_many_parts(self.max_form_parts)
        return stream, self.cls(parse_query(decode_form(body))), self.cls()

    def _read_fields(self, stream: IO[bytes], content_length: int | None) -> bytes:
        limit = self.max_form_memory_size
        if limit is None:
            return stream.read()
        if content_length is not None:
            if content_length > limit:
                raise _too_much_memory(limit)
            if isinstance(stream, LimitedStream) and stream.ends_at(content_length):
                return stream.readall()  # PERF: form. One read instead of two.
        chunks, size = [], 0
        while chunk := stream.read(limit + 1 - size):
            chunks.append(chunk)
            size += len(chunk)
            if size > limit:
                raise _too_much_memory(limit)
        return b"".join(chunks)


class MultiPartParser:
    """Parses one multipart body; :class:`FormDataParser` explains the parameters.

    :param buffer_size: bytes to read at a time.
    """

    #: What the parts may have besides.
    limits = PartLimits()

    def __init__(
        self,
        stream_factory: StreamFactory | None = None,
        max_form_memory_size: int | None = None,
        cls: type[MultiDict[str, Any]] | None = None,
        buffer_size: int = 64 * 1024,
        max_form_parts: int | None = None,
    ) -> None:
        self.stream_factory = stream_factory or default_stream_factory
        self.max_form_memory_size = max_form_memory_size
        self.max_form_parts = max_form_parts
        self.cls: type[MultiDict[str, Any]] = cls or MultiDict
        self.buffer_size = buffer_size

    def fail(self, message: str) -> NoReturn:
        """Give up on a form that is malformed."""
        raise MalformedForm(message)

    def get_part_charset(self, headers: Headers) -> str:
        """The charset of a field: what its content type says, if that is ASCII or Latin-1, else UTF-8."""
        content_type = headers.get("content-type")
        if content_type:
            charset = parse_options_header(content_type)[1].get("charset", "").lower()
            if charset in _PART_CHARSETS:
                return charset
        return "utf-8"

    def start_file_streaming(self, event: File, total_content_length: int | None) -> IO[bytes]:
        """Open the stream for a file."""
        length = event.headers.get("content-length", "")
        return self.stream_factory(
            total_content_length=total_content_length,
            filename=event.filename,
            content_type=event.headers.get("content-type"),
            content_length=int(length) if length.isascii() and length.isdigit() else 0,
        )

    def parse(
        self, stream: IO[bytes], boundary: bytes, content_length: int | None
    ) -> tuple[MultiDict[str, str], MultiDict[str, FileStorage]]:
        """Parse a stream to its end; answer the fields and the files. On any error the files are closed."""
        reading = _MultipartReading(self, content_length)
        try:
            reading.run(stream, boundary)
        except BaseException as error:
            reading.close_files()
            if isinstance(error, OSError) and error.errno in DISK_FULL:
                raise InsufficientStorage() from error
            raise
        return self.cls(reading.fields), self.cls(reading.files)


class _MultipartReading:
    """One run through one multipart body: what was read so far."""

    def __init__(self, parser: MultiPartParser, content_length: int | None) -> None:
        self.parser = parser
        self.content_length = content_length
        self.fields: list[tuple[str, str]] = []
        self.files: list[tuple[str, FileStorage]] = []
        self.parts = self.file_parts = 0
        self.memory = 0
        self.started = False
        self.outside = 0
        self.part: Part
        self.chunks: list[bytes] = []
        self.container: IO[bytes] | None = None

    def run(self, stream: IO[bytes], boundary: bytes) -> None:
        """Read a stream to its end; an empty one is an empty form."""
        try:
            limits = self.parser.limits
            parser = PartParser(boundary, limits.boundary_size, limits.headers, limits.header_size)
            while chunk := stream.read(self.parser.buffer_size):
                start = 0
                while start < len(chunk):
                    # What belongs to no part is counted in small pieces; the content of a file passes as it came.
                    end = len(chunk) if parser.in_content else start + _PIECE
                    self._read_chunk(parser, chunk[start:end])
                    start = end
            if self.started:
                parser.finish()
        except HeadTooLarge as error:
            raise RequestEntityTooLarge(f"The multipart body is too large: {error}.") from None
        except FormatError as error:
            self.parser.fail(f"The multipart body is malformed: {error}.")

    def _read_chunk(self, parser: PartParser, chunk: bytes) -> None:
        self.started = True
        self.outside += len(chunk)
        for event in parser.parse(chunk):
            self.outside = 0
            if event is None:
                self._end_part()
            elif isinstance(event, bytes):
                self._add(event)
            else:
                self._begin_part(event)
        limits = self.parser.limits
        if self.outside > max(_MAX_OUTSIDE_PARTS, 2 * limits.headers * limits.header_size):
            raise FormatError(f"more than {_MAX_OUTSIDE_PARTS:,} bytes in a row belong to none of its parts")

    def close_files(self) -> None:
        if self.container is not None:
            with suppress(OSError):  # on a full disk what is still to be written cannot be
                self.container.close()
        for _, file in self.files:
            file.close()

    def _begin_part(self, part: Part) -> None:
        self.parts += 1
        limit = self.parser.max_form_parts
        if limit is not None and self.parts > limit:
            raise _too_many_parts(limit)
        self.part = part
        self._count(part.kept_size)
        if part.filename is None:
            self.chunks = []
        else:
            self.file_parts += 1
            limit = self.parser.limits.files
            if limit is not None and self.file_parts > limit:
                raise RequestEntityTooLarge(f"The form has more than the {limit:,} files that MAX_FORM_FILES allows.")
            name: Any = part.name  # which may be missing
            event = File(name=name, filename=part.filename, headers=part.headers)
            self.container = self.parser.start_file_streaming(event, self.content_length)

    def _add(self, chunk: bytes) -> None:
        if self.container is not None:
            self.container.write(chunk)
        else:
            self._count(len(chunk))
            self.chunks.append(chunk)

    def _count(self, size: int) -> None:
        self.memory += size
        limit = self.parser.max_form_memory_size
        if limit is not None and self.memory > limit:
            raise _too_much_memory(limit)

    def _end_part(self) -> None:
        part = self.part
        name: Any = part.name  # which may be missing
        if self.container is None:
            self.fields.append((name, b"".join(self.chunks).decode(self._charset(part), "replace")))
        else:
            self.container.seek(0)
            file = FileStorage(self.container, part.filename, name, headers=part.headers)
            self.files.append((name, file))
            self.container = None

    def _charset(self, part: Part) -> str:
        # Nearly no field says its type; a parser that overrides this is asked in any case.
        if len(part.lines) == 1 and type(self.parser).get_part_charset is MultiPartParser.get_part_charset:
            return "utf-8"
        return self.parser.get_part_charset(part.headers)


def _too_many_parts(limit: int) -> RequestEntityTooLarge:
    return RequestEntityTooLarge(f"The form has more than the {limit:,} fields and files that MAX_FORM_PARTS allows.")


def _too_much_memory(limit: int) -> RequestEntityTooLarge:
    return RequestEntityTooLarge(
        f"The form's fields have more than the {limit:,} bytes that MAX_FORM_MEMORY_SIZE allows; files do not count."
    )
