"""Sends files: from a path or an open file, with ranges, conditions and caching, reading only what is sent."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import lru_cache
from stat import S_ISREG
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote
from zlib import adler32

from ..http.dates import http_date
from ..http.errors import NotFound
from ..http.etags import quote_etag
from ..http.headers import Headers
from ..support.paths import safe_join, status_inside
from .response import Response
from .response_head import type_header
from .streams import READ_SIZE, FileWrapper, wrap_file

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

# With which a client says what it has of a file.
_KNOWN_BY = frozenset({"HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE"})

# RFC 8187 §3.2.1: attr-char, without the letters and digits.
_ATTR_CHARS = "!#$&+-.^_`|~"


def send_file(
    path_or_file: os.PathLike[str] | str | IO[bytes],
    environ: WSGIEnvironment,
    mimetype: str | None = None,
    as_attachment: bool = False,
    download_name: str | None = None,
    conditional: bool = True,
    etag: bool | str = True,
    last_modified: datetime | int | float | None = None,
    max_age: int | Callable[[str | None], int | None] | None = None,
    use_x_sendfile: bool = False,
    response_class: type[Response] | None = None,
    _root_path: os.PathLike[str] | str | None = None,
) -> Response:
    """Make a response that sends a file. The path is trusted: for one from a client take :func:`send_from_directory`.

    :param path_or_file: a path, or a file that is open in binary mode, sent from where it stands.
    :param environ: of the current request.
    :param mimetype: guessed from the name if None.
    :param as_attachment: ask the browser to save it.
    :param download_name: the name to save it under; that of the path if None.
    :param conditional: answer conditions and ranges (RFC 9110 §13, §14).
    :param etag: a tag, or True to make one from the path, its time and its size.
    :param last_modified: a date or timestamp; that of the path if None.
    :param max_age: how long browsers may keep the file, in seconds, or a function from the path to that.
    :param use_x_sendfile: leave the sending of a path to the HTTP server in front (``X-Sendfile``).
    :param _root_path: where relative paths start; the working directory if None.
    :raises RequestedRangeNotSatisfiable: if the range that was asked for is not in the file.
    :raises TypeError: if there is neither a name nor a type, or no name for an attachment.
    :raises ValueError: if the file is open in text mode, or the name has control characters.
    """
    source = path_or_file if isinstance(path_or_file, _Source) else _Source.of(path_or_file, _root_path)
    headers = _describe(source.name if download_name is None else download_name, mimetype, as_attachment)
    pairs = headers._list  # each pair that is put there is known to hold no control character
    passed_on = use_x_sendfile and source.path is not None
    if passed_on:
        headers["X-Sendfile"] = source.path
    # What the server in front sends it also measures, and cuts to the range.
    size = None if passed_on else source.size
    if size is not None:
        pairs.append(("Content-Length", str(size)))
    source.add_last_modified(headers, last_modified)
    _add_caching(pairs, max_age(source.path) if callable(max_age) else max_age)
    source.add_etag(headers, etag)
    file = None if passed_on or (conditional and source.may_be_known(environ)) else source.open()
    try:
        body = None if file is None else source.wrap(environ, file)
        response = (response_class or Response)(body, None, headers, direct_passthrough=True)
        if conditional:
            response.make_conditional(environ, accept_ranges=True, complete_length=size)
        if not passed_on and file is None and response.status_code != 304:
            file = source.open()
            response.response = source.wrap(environ, file)
    except BaseException:
        if file is not None:
            file.close()
        raise
    return response


class _Source:
    """What is sent, and what is known of it: of a path its name, time and size, of bytes in memory their number."""

    path: str | None = None
    name: str | None = None
    size: int | None = None
    modified: float | None = None
    file: IO[bytes]

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
        source.file = path_or_file
        if isinstance(path_or_file, io.BytesIO):
            source.size = path_or_file.getbuffer().nbytes
        return source

    @classmethod
    def found(cls, path: str, status: os.stat_result) -> _Source:
        """A path that has been looked up."""
        source = cls()
        source.path, source.name = path, os.path.basename(path)
        source.size, source.modified = status.st_size, status.st_mtime
        return source

    def may_be_known(self, environ: WSGIEnvironment) -> bool:
        """Whether the client may have the file already, so that it need not be opened."""
        # PERF: not_modified
        return self.path is not None and "HTTP_RANGE" not in environ and not environ.keys().isdisjoint(_KNOWN_BY)

    def open(self) -> IO[bytes]:
        if self.path is not None:
            return open(self.path, "rb", 0)  # PERF: static. It is read in large blocks, which no buffer makes faster.
        if isinstance(self.file, io.TextIOBase):
            raise ValueError(
                "The file gives text, and a response sends bytes: open it with mode 'rb', or pass a BytesIO."
            )
        return self.file

    def wrap(self, environ: WSGIEnvironment, file: IO[bytes]) -> Iterable[bytes]:
        if self.size is None or "wsgi.file_wrapper" in environ or "HTTP_RANGE" in environ:
            return wrap_file(environ, file)
        return FileWrapper(file, max(1, min(self.size, READ_SIZE)))  # PERF: static. A small one is one block.

    def add_last_modified(self, headers: Headers, moment: datetime | int | float | None) -> None:
        date = self.modified if moment is None else moment
        if date is not None:
            headers._list.append(("Last-Modified", http_date(date)))

    def add_etag(self, headers: Headers, etag: bool | str) -> None:
        if isinstance(etag, str):
            headers["ETag"] = quote_etag(etag)
        elif etag and self.path is not None:
            tag = f'"{self.modified}-{self.size}-{adler32(os.fsencode(self.path))}"'
            headers._list.append(("ETag", tag))


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
    source: Any = _Source.found(os.path.abspath(full), status)
    try:
        return send_file(source, environ, **kwargs)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):  # it went away meanwhile
        raise NotFound() from None


def _describe(name: str | None, mimetype: str | None, as_attachment: bool) -> Headers:
    """The fields that say what is sent: its coding, its name and its type."""
    headers = Headers()
    if mimetype is None:
        mimetype = _guess_type(name, as_attachment, headers)
    disposition = _disposition(name, as_attachment)
    if disposition is not None:
        headers._list.append(disposition)
    headers._list.append(type_header(mimetype))
    return headers


def _guess_type(name: str | None, as_attachment: bool, headers: Headers) -> str:
    if name is None:
        raise TypeError(
            "Without a name the type of the file is not known. Pass 'mimetype', 'download_name', or a path instead of"
            " an open file."
        )
    import mimetypes  # needed with the first file

    mimetype, encoding = mimetypes.guess_type(name)
    # A compressed file that is to be saved stays compressed.
    if encoding is not None and not as_attachment:
        headers["Content-Encoding"] = encoding
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


def _add_caching(pairs: list[tuple[str, str]], max_age: int | None) -> None:
    """Let caches keep the file for ``max_age`` seconds; without, they have to ask each time."""
    if max_age is None:
        pairs.append(("Cache-Control", "no-cache"))
        return
    pairs.append(("Cache-Control", f"{'public' if max_age > 0 else 'no-cache'}, max-age={max_age}"))
    pairs.append(("Expires", http_date(int(time.time() + max_age))))
