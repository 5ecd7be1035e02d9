"""Sends files: from a path or an open file, with ranges, conditions and caching, reading only what is sent."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from stat import S_ISREG
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote
from zlib import adler32

from ..http.dates import http_date, whole_seconds
from ..http.errors import NotFound
from ..http.etags import quote_etag
from ..http.headers import Headers
from ..support.paths import safe_join, status_inside
from .open_files import measured
from .response import Response
from .response_head import type_header
from .small_files import SmallFile
from .source import Fields
from .streams import READ_SIZE, FileWrapper, wrap_file

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

Pairs = list[tuple[str, str]]

# The fields in which a client names the version of a file that it has.
_KNOWN_BY = Fields("HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE")

# RFC 8187 §3.2.1: attr-char, without the letters and digits.
_ATTR_CHARS = "!#$&+-.^_`|~"


def send_file(
    path_or_file: os.PathLike[str] | str | IO[bytes] | Loaded,
    environ: WSGIEnvironment,
    mimetype: str | None = None,
    as_attachment: bool = False,
    download_name: str | None = None,
    conditional: bool = True,
    etag: bool | str = True,
    last_modified: datetime | int | float | None = None,
    max_age: timedelta | float | Callable[[str | None], timedelta | float | None] | None = None,
    use_x_sendfile: bool = False,
    response_class: type[Response] | None = None,
    _root_path: os.PathLike[str] | str | None = None,
) -> Response:
    """Make a response that sends a file. The path is trusted: for one from a client take :func:`send_from_directory`.

    :param path_or_file: a path, or a file that is open in binary mode. It is sent from its position on, or from its
        beginning if it is at its end, like a file that was just written.
    :param environ: of the current request.
    :param mimetype: guessed from the name if None.
    :param as_attachment: ask the browser to save it.
    :param download_name: the name to save it under; that of the path if None.
    :param conditional: answer conditions and ranges (RFC 9110 §13, §14); ranges only if the file is seekable.
    :param etag: a tag, or True to make one from the path, its time and its size.
    :param last_modified: a date or timestamp; that of the path if None.
    :param max_age: how long browsers may keep the file, in seconds or as a timedelta; or a function that returns this
        for a path.
    :param use_x_sendfile: leave the sending of a path to the HTTP server in front (``X-Sendfile``).
    :param _root_path: the start of relative paths; the working directory if None.
    :raises RequestedRangeNotSatisfiable: if the range that was asked for is not in the file.
    :raises TypeError: if there is neither a name nor a type, or no name for an attachment.
    :raises ValueError: if the file is open in text mode, or the name has control characters.
    """
    source = path_or_file if isinstance(path_or_file, _Source) else _Source.of(path_or_file, _root_path)
    pairs = _describe(source.name if download_name is None else download_name, mimetype, as_attachment)
    passed_on = use_x_sendfile and source.path is not None
    if passed_on:
        Headers.adopt(pairs)["X-Sendfile"] = source.path
    # What the server in front sends it also measures, and cuts to the range.
    size = None if passed_on else source.size
    if size is not None:
        pairs.append(("Content-Length", str(size)))
    source.add_last_modified(pairs, last_modified)
    _add_caching(pairs, max_age(source.path) if callable(max_age) else max_age)
    source.add_etag(pairs, etag)
    try:
        body = None if passed_on or (conditional and source.may_be_known(environ)) else source.body(environ)
        response = (response_class or Response)(body, direct_passthrough=True)
        response.take_fields(pairs)
        if conditional:
            response.make_conditional(environ, accept_ranges=passed_on or size is not None, complete_length=size)
        if not passed_on and body is None and response.status_code not in {304, 412}:
            body = response.response = source.body(environ)
    except BaseException:
        source.close()
        raise
    return response


_basename = lru_cache(maxsize=512)(os.path.basename)  # PERF: static


class _Source:
    """What is sent, and what is known of it: of a path its name, time and size, of bytes in memory their number."""

    path: str | None = None
    name: str | None = None
    size: int | None = None
    modified: float | None = None
    is_small = False
    file: IO[bytes] | None = None

    @classmethod
    def of(cls, path_or_file: Any, root: os.PathLike[str] | str | None) -> _Source:
        """A path, which is looked up, or an open file."""
        if isinstance(path_or_file, (str, os.PathLike)):
            path = os.fspath(path_or_file)
            path = os.path.abspath(path) if root is None else os.path.join(root, path)
            return cls.found(path, os.stat(path))
        if not hasattr(path_or_file, "read"):
            raise TypeError(f"send_file() takes a path or a file, not {type(path_or_file).__name__}.")
        source = cls()
        source.file, source.size = measured(path_or_file)
        return source

    @classmethod
    def found(cls, path: str, status: os.stat_result) -> _Source:
        """A path that has been looked up."""
        source = cls()
        source.path, source.name = path, _basename(path)
        source.size, source.modified = status.st_size, status.st_mtime
        source.is_small = S_ISREG(status.st_mode) and 0 < status.st_size <= READ_SIZE
        return source

    def may_be_known(self, environ: WSGIEnvironment) -> bool:
        """Whether the client may have the file already, so that it need not be opened."""
        # PERF: not_modified
        return self.path is not None and environ.get("HTTP_RANGE") is None and not _KNOWN_BY.are_absent_from(environ)

    def body(self, environ: WSGIEnvironment) -> Iterable[bytes]:
        """What is sent: a small file at once, any other opened and read when it is sent."""
        in_part, wrapped = environ.get("HTTP_RANGE") is not None, "wsgi.file_wrapper" in environ
        path, size = self.path, self.size
        if self.is_small and path and size and not (in_part or wrapped) and environ["REQUEST_METHOD"] != "HEAD":
            content = _content(path, size)
            if len(content) == size:  # else it is just being written
                return SmallFile(content)
        self.file = file = self._opened()
        if in_part:  # a server's wrapper is not seekable
            return FileWrapper(file)
        if wrapped or size is None:
            return wrap_file(environ, file)
        return FileWrapper(file, max(1, min(size, READ_SIZE)))

    def _opened(self) -> IO[bytes]:
        if self.path is not None:
            return open(self.path, "rb", 0)  # PERF: static. Large blocks are read, which no buffer makes faster.
        if self.file is None or isinstance(self.file, io.TextIOBase):
            raise ValueError(
                "The file gives text, and a response sends bytes: open it with mode 'rb', or pass a BytesIO."
            )
        return self.file

    def close(self) -> None:
        if self.file is not None:
            self.file.close()

    def add_last_modified(self, pairs: Pairs, moment: datetime | int | float | None) -> None:
        if moment is not None:
            pairs.append(("Last-Modified", http_date(moment)))
        elif self.modified is not None:
            pairs.append(_last_modified(self.modified))

    def add_etag(self, pairs: Pairs, etag: bool | str) -> None:
        if isinstance(etag, str):
            Headers.adopt(pairs)["ETag"] = quote_etag(etag)
        elif etag and self.path is not None:
            pairs.append(_tag(self.path, self.modified, self.size))


class Loaded(_Source):
    """A file whose content was read already, for `send_file`: the response has exactly these bytes."""

    def __init__(self, name: str, content: bytes) -> None:
        self.name, self.size = name, len(content)
        self._content = content

    def body(self, environ: WSGIEnvironment) -> Iterable[bytes]:
        """The content at once, or for a part of it a file to seek in."""
        if environ.get("HTTP_RANGE") is not None:
            return FileWrapper(io.BytesIO(self._content))
        return SmallFile(self._content)


@lru_cache(maxsize=512)
def _last_modified(moment: float) -> tuple[str, str]:
    return "Last-Modified", http_date(moment)


@lru_cache(maxsize=512)
def _tag(path: str, modified: float, size: int) -> tuple[str, str]:
    # PERF: static, not_modified. Only the changes of a file make another tag.
    return "ETag", f'"{modified}-{size}-{adler32(os.fsencode(path))}"'


def _content(path: str, size: int) -> bytes:
    # PERF: static. A file object costs as much again.
    descriptor = os.open(path, _TO_READ)
    try:
        return os.read(descriptor, size)
    finally:
        os.close(descriptor)


_TO_READ = os.O_RDONLY | getattr(os, "O_BINARY", 0)


def send_from_directory(
    directory: os.PathLike[str] | str, path: os.PathLike[str] | str, environ: WSGIEnvironment, **kwargs: Any
) -> Response:
    """Send a file from below a directory; the path may come from a client. Symbolic links are followed.

    :param directory: trusted; relative to ``_root_path`` if that is given.
    :param path: below the directory.
    :param kwargs: for :func:`send_file`; ``_follow_links=False`` follows only links that stay below the directory.
    :raises NotFound: if the path leads out of the directory, or is no file.
    """
    follow_links = kwargs.pop("_follow_links", True)
    root = kwargs.get("_root_path")
    folder = os.fspath(directory) if root is None else os.path.join(root, directory)
    full = safe_join(folder, os.fspath(path))
    if full is None:
        raise NotFound()
    try:
        status = os.stat(full) if follow_links else status_inside(folder, full)
    except (OSError, ValueError):  # ValueError: a character that the file system has no bytes for
        raise NotFound() from None
    if not S_ISREG(status.st_mode):
        raise NotFound()
    source: Any = _Source.found(full if _is_absolute(folder) else os.path.abspath(full), status)
    try:
        return send_file(source, environ, **kwargs)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):  # it went away meanwhile
        raise NotFound() from None


@lru_cache(maxsize=64)
def _is_absolute(folder: str) -> bool:
    # PERF: static. What `safe_join` puts below such a folder is an absolute path as well.
    return os.name == "posix" and os.path.abspath(folder) == folder


def _describe(name: str | None, mimetype: str | None, as_attachment: bool) -> Pairs:
    """The fields that say what is sent: its coding, its name and its type."""
    pairs: Pairs = []
    if mimetype is None:
        mimetype = _guess_type(name, as_attachment, pairs)
    disposition = _disposition(name, as_attachment)
    if disposition is not None:
        pairs.append(disposition)
    pairs.append(type_header(mimetype))
    return pairs


def _guess_type(name: str | None, as_attachment: bool, pairs: Pairs) -> str:
    if name is None:
        raise TypeError(
            "Without a name the type of the file is not known. Pass 'mimetype', 'download_name', or a path instead of"
            " an open file."
        )
    import mimetypes  # needed with the first file

    stem, _, ending = name.rpartition(".")
    ending = f".{ending}"
    # PERF: static. What `guess_type` does with a name that is nothing special, with the types as they are now.
    if (
        mimetypes.inited
        and stem[-1:].isalnum()
        and ending.islower()
        and ending not in mimetypes.suffix_map
        and ending not in mimetypes.encodings_map
        and ":" not in name
        and "/" not in name
    ):
        known = mimetypes.types_map.get(ending)
        if known is not None:
            return known
    mimetype, encoding = mimetypes.guess_type(name)
    # A compressed file that is to be saved stays compressed.
    if encoding is not None and not as_attachment:
        pairs.append(("Content-Encoding", encoding))
    return mimetype or "application/octet-stream"


def _disposition(name: str | None, as_attachment: bool) -> tuple[str, str] | None:
    """The field that names the file (RFC 6266): in ASCII for old clients, in UTF-8 (RFC 8187) for the others."""
    if name is None:
        if as_attachment:
            raise TypeError("An attachment needs a name. Pass 'download_name', or a path instead of an open file.")
        return None
    # PERF: static. No file system has longer names, but what an application makes up could be of any length.
    return _short_disposition(name, as_attachment) if len(name) <= 255 else _naming(name, as_attachment)


def _naming(name: str, as_attachment: bool) -> tuple[str, str]:
    names = {"filename": name}
    if not name.isascii():
        import unicodedata  # 1 MiB of tables

        plain = "".join([unicodedata.normalize("NFKD", character) for character in name])
        names["filename"] = plain.encode("ascii", "ignore").decode("ascii")
        names["filename*"] = f"UTF-8''{quote(name, safe=_ATTR_CHARS)}"
    headers = Headers()
    headers.set("Content-Disposition", "attachment" if as_attachment else "inline", **names)
    return headers[0]


_short_disposition = lru_cache(maxsize=512)(_naming)


def _add_caching(pairs: list[tuple[str, str]], max_age: timedelta | float | None) -> None:
    """Let caches keep the file for ``max_age`` seconds; without, they have to ask each time."""
    if max_age is None:
        pairs.append(("Cache-Control", "no-cache"))
        return
    if not isinstance(max_age, int):
        max_age = whole_seconds(max_age)
    pairs.append(("Cache-Control", f"{'public' if max_age > 0 else 'no-cache'}, max-age={max_age}"))
    pairs.append(("Expires", http_date(int(time.time() + max_age))))
