"""Reads the body of a form, urlencoded or multipart, and raises for one that is malformed, cut off or above a limit."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable
from functools import cache
from typing import IO, TYPE_CHECKING, Any, NoReturn

from ..http.errors import BadRequest, HTTPException, RequestEntityTooLarge
from ..http.framing import parse_content_length
from ..http.grammar import parse_options_header
from ..http.headers import Headers
from ..http.multidict import MultiDict, of_pairs
from ..http.multipart_events import File
from ..http.part_head import FormatError, HeadTooLarge, PartHead, headers_of
from ..http.uploads import FileStorage
from ..support.seams import Seams
from .environ import get_content_length, get_input_stream
from .parts import PartLimits, PartParser
from .urlencoded import decode_form, load_query

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from .spool import UploadSpool

StreamFactory = Callable[..., IO[bytes]]
ParsedForm = tuple[IO[bytes], MultiDict[str, Any], MultiDict[str, Any]]

#: The errors of a full disk, a full quota, and a file above the limit of its size (``ulimit -f``).
DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"

# PERF: bodies (upload). Servers give what has arrived, or all of it: fewer and longer writes of a large file.
_READ_SIZE = 1024 * 1024

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
    return _spool_class()()


@cache
def _spool_class() -> type[UploadSpool]:
    from .spool import UploadSpool  # it loads `tempfile`, and not every application takes files

    return UploadSpool


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
    """Parse the form of an environ; return its stream, fields and files. See :class:`FormDataParser`."""
    return FormDataParser(
        stream_factory=stream_factory,
        max_form_memory_size=max_form_memory_size,
        max_content_length=max_content_length,
        max_form_parts=max_form_parts,
        silent=silent,
        cls=cls,
    ).parse_from_environ(environ)


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

    #: Returns the limits of multipart bodies that are not parameters.
    part_limits: Callable[[], PartLimits] = PartLimits
    #: Returns whether the limit on parts holds for a urlencoded form too: not in Werkzeug, and so not by itself.
    counts_fields: Callable[[], bool] = bool

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
        """Parse a stream; return it (empty if it was read) with the fields and the files.

        :param mimetype: the content type in lower case, without its parameters, which are the ``options``.
        """
        try:
            if mimetype == MULTIPART:
                return self._parse_multipart(stream, mimetype, content_length, options or {})
            if mimetype == URLENCODED:
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
        form, files = read_multipart(
            boundary,
            self.part_limits(),
            stream,
            content_length,
            self.cls,
            self.max_form_memory_size,
            self.max_form_parts,
            self.stream_factory,
        )
        return stream, form, files

    def _parse_urlencoded(
        self, stream: IO[bytes], mimetype: str, content_length: int | None, options: dict[str, str]
    ) -> ParsedForm:
        form = read_urlencoded(
            stream, content_length, self.cls, self.max_form_memory_size, self.max_form_parts, self.counts_fields
        )
        return stream, form, self.cls()


def read_multipart(
    boundary: str,
    limits: PartLimits,
    stream: IO[bytes],
    content_length: int | None,
    cls: type[MultiDict[str, Any]],
    max_memory: int | None,
    max_parts: int | None,
    stream_factory: StreamFactory,
) -> tuple[MultiDict[str, str], MultiDict[str, FileStorage]]:
    """The fields and the files of a multipart form; see :class:`FormDataParser`. On any error the files are closed."""
    if _PARTS.are_original_in(MultiPartParser):
        return _read_parts(
            boundary.encode(), limits, stream, content_length, _READ_SIZE, cls, max_memory, max_parts, stream_factory
        )
    parser = MultiPartParser(stream_factory, max_memory, cls, _READ_SIZE, max_parts)
    parser.limits = limits
    return parser.parse(stream, boundary.encode(), content_length)


def read_urlencoded(
    stream: IO[bytes],
    content_length: int | None,
    cls: type[MultiDict[str, Any]],
    max_memory: int | None,
    max_parts: int | None,
    counts_fields: Callable[[], bool],
) -> MultiDict[str, Any]:
    """The fields of a urlencoded form.

    :param cls: the class of the result.
    :param max_memory: the limit in bytes; None for no limit.
    :param counts_fields: returns whether `max_parts`, the limit on parts, holds for these fields too.
    """
    body = _read_up_to(stream, content_length, max_memory)
    # Counting separators is enough, and costs next to nothing for a body of millions of them.
    if max_parts is not None and body.count(b"&") >= max_parts and counts_fields():
        raise too_many_parts(max_parts)
    return load_query(decode_form(body), cls)


def _read_up_to(stream: IO[bytes], content_length: int | None, limit: int | None) -> bytes:
    if limit is None:
        return stream.read()
    if content_length is not None and content_length > limit:
        raise too_much_memory(limit)
    body = stream.read(limit + 1)
    size = len(body)
    if size and size != content_length:
        chunks = [body]
        while size <= limit and (chunk := stream.read(limit + 1 - size)):
            chunks.append(chunk)
            size += len(chunk)
        body = b"".join(chunks)
    if size > limit:
        raise too_much_memory(limit)
    return body


class MultiPartParser:
    """Parses one multipart body; :class:`FormDataParser` explains the parameters.

    :param buffer_size: bytes to read at a time.
    """

    #: The limits that are not parameters.
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
        """The charset of a field: the one in its content type if that is ASCII or Latin-1, otherwise UTF-8."""
        return _part_charset(headers)

    def start_file_streaming(self, event: File, total_content_length: int | None) -> IO[bytes]:
        """Open the stream for a file."""
        headers = event.headers
        return self.stream_factory(
            total_content_length=total_content_length,
            filename=event.filename,
            content_type=headers.get("content-type"),
            content_length=parse_content_length(headers.get("content-length", "")) or 0,
        )

    def parse(
        self, stream: IO[bytes], boundary: bytes, content_length: int | None
    ) -> tuple[MultiDict[str, str], MultiDict[str, FileStorage]]:
        """Parse a stream to its end; return the fields and the files. On any error the files are closed."""
        hooks = None if _PARTS.are_original(self) else self
        return _read_parts(
            boundary,
            self.limits,
            stream,
            content_length,
            self.buffer_size,
            self.cls,
            self.max_form_memory_size,
            self.max_form_parts,
            self.stream_factory,
            hooks,
        )


_PARTS = Seams(MultiPartParser, "__init__", "parse", "fail", "get_part_charset", "start_file_streaming")


def _read_parts(
    boundary: bytes,
    limits: PartLimits,
    stream: IO[bytes],
    content_length: int | None,
    size: int,
    cls: type[MultiDict[str, Any]],
    max_memory: int | None,
    max_parts: int | None,
    stream_factory: StreamFactory,
    hooks: MultiPartParser | None = None,
) -> tuple[MultiDict[str, str], MultiDict[str, FileStorage]]:
    """The fields and the files of a body, of which `size` bytes are read at a time. On any error the files are closed.

    :param hooks: a parser whose methods are called, since they replace those of `MultiPartParser`.
    """
    fields: list[tuple[str, str]] = []
    files: list[tuple[str, FileStorage]] = []
    chunks: list[bytes] = []
    count = memory = 0  # local variables, like all of the state: attributes would take three times as long
    try:
        parser = PartParser(boundary, limits)
        chunk = begin = stream.read(size)
        while chunk:
            for head, data, is_last in parser.parse(chunk):
                if head is not None:
                    if max_parts is not None and count >= max_parts:
                        raise too_many_parts(max_parts)
                    count += 1
                    name, filename, content_type, _, head_size, _ = head
                    if filename is not None:
                        memory += head_size
                        file = _begin_file(stream_factory, files, head, content_length, limits.files, hooks)
                    else:
                        memory += len(name or "")
                        file = None
                        # Nearly no field has a Content-Type.
                        charset = "utf-8" if content_type is None and hooks is None else _charset(head, hooks)
                if file is None:
                    memory += len(data)
                    if not is_last:
                        chunks.append(data)
                elif data:
                    file.write(data)
                if max_memory is not None and memory > max_memory:
                    raise too_much_memory(max_memory)
                if is_last and file is not None:
                    file.seek(0)
                elif is_last:
                    if chunks:
                        data = b"".join((*chunks, data))
                        chunks.clear()
                    fields.append((name, decode_form(data, charset)))
            chunk = stream.read(size)
        if begin:  # an empty body is an empty form
            parser.finish()
    except BaseException as error:
        _give_up(files, error, hooks)
        raise
    return of_pairs(cls, fields), of_pairs(cls, files)


def _begin_file(
    stream_factory: StreamFactory,
    files: list[tuple[str, FileStorage]],
    head: PartHead,
    content_length: int | None,
    limit: int | None,
    hooks: MultiPartParser | None,
) -> IO[bytes]:
    """Open the stream for a file, and add the file."""
    name, filename, content_type, own_length, _, _ = head
    if limit is not None and len(files) >= limit:
        raise too_many_files(limit)
    headers = headers_of(head)
    if hooks is None:
        stream = stream_factory(
            total_content_length=content_length,
            filename=filename,
            content_type=content_type,
            content_length=own_length,
        )
    else:
        stream = hooks.start_file_streaming(File(name, filename or "", headers), content_length)
    files.append((name, FileStorage(stream, filename, name, None, None, headers)))
    return stream


def _charset(head: PartHead, hooks: MultiPartParser | None) -> str:
    headers = headers_of(head)
    return _part_charset(headers) if hooks is None else hooks.get_part_charset(headers)


def _part_charset(headers: Headers) -> str:
    content_type = headers.get("content-type")
    if content_type:
        charset = parse_options_header(content_type)[1].get("charset", "").lower()
        if charset in _PART_CHARSETS:
            return charset
    return "utf-8"


def _give_up(files: Iterable[tuple[str, FileStorage]], error: BaseException, hooks: MultiPartParser | None) -> None:
    """Close the files, and raise the HTTP error that an error in a body, or a full disk, is answered with."""
    for _, file in files:
        file.close()
    if isinstance(error, FormatError):
        message = f"The multipart body is malformed: {error}."
        if hooks is not None:
            hooks.fail(message)
        raise MalformedForm(message)
    if isinstance(error, HeadTooLarge):
        raise too_large(error) from None
    if isinstance(error, OSError) and error.errno in DISK_FULL:
        raise InsufficientStorage() from error


def too_many_parts(limit: int) -> RequestEntityTooLarge:
    """The error for a form with more than `limit` fields and files."""
    return RequestEntityTooLarge(f"The form has more than the {limit:,} fields and files that MAX_FORM_PARTS allows.")


def too_many_files(limit: int) -> RequestEntityTooLarge:
    """The error for a form with more than `limit` files."""
    return RequestEntityTooLarge(f"The form has more than the {limit:,} files that MAX_FORM_FILES allows.")


def too_large(error: HeadTooLarge) -> RequestEntityTooLarge:
    """The error for a multipart body with a head past its limits."""
    return RequestEntityTooLarge(f"The multipart body is too large: {error}.")


def too_much_memory(limit: int) -> RequestEntityTooLarge:
    """The error for a form whose fields have more than `limit` bytes."""
    return RequestEntityTooLarge(
        f"The form's fields have more than the {limit:,} bytes that MAX_FORM_MEMORY_SIZE allows; files do not count."
    )
