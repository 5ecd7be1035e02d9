"""Sends files: from a path or an open file, with ranges, conditions and caching, reading only what is sent."""

from __future__ import annotations

import io
import mimetypes
import os
import time
import unicodedata
from collections.abc import Callable
from datetime import datetime
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote
from zlib import adler32

from ..http.errors import NotFound
from ..http.headers import Headers
from ..support.paths import safe_join
from .response import Response
from .streams import wrap_file

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

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
    source = _Source(path_or_file, _root_path)
    name = source.name if download_name is None else download_name
    headers = Headers()
    if mimetype is None:
        mimetype = _guess_type(name, as_attachment, headers)
    _set_disposition(headers, name, as_attachment)
    passed_on = use_x_sendfile and source.path is not None
    if passed_on:
        headers["X-Sendfile"] = source.path
    file = None if passed_on else source.open()
    try:
        body = None if file is None else wrap_file(environ, file)
        response = (response_class or Response)(body, None, headers, mimetype, direct_passthrough=True)
        # What the server in front sends it also measures, and cuts to the range.
        size = None if passed_on else source.size
        if size is not None:
            response.content_length = size
        source.set_last_modified(response, last_modified)
        _set_caching(response, max_age(source.path) if callable(max_age) else max_age)
        source.set_etag(response, etag)
        if conditional:
            response.make_conditional(environ, accept_ranges=True, complete_length=size)
    except BaseException:
        if file is not None:
            file.close()
        raise
    return response


class _Source:
    """What is sent, and what is known of it: of a path its name, time and size, of bytes in memory their number."""

    file: IO[bytes]

    def __init__(self, path_or_file: Any, root: os.PathLike[str] | str | None) -> None:
        self.path: str | None = None
        self.name: str | None = None
        self.size: int | None = None
        self.modified: float | None = None
        if not isinstance(path_or_file, (os.PathLike, str)):
            if not hasattr(path_or_file, "read"):
                raise TypeError(f"send_file() takes a path or a file, not {type(path_or_file).__name__}.")
            self.file = path_or_file
            if isinstance(path_or_file, io.BytesIO):
                self.size = path_or_file.getbuffer().nbytes
            return
        path = os.fspath(path_or_file)
        self.path = os.path.abspath(path) if root is None else os.path.join(root, path)
        self.name = os.path.basename(path)
        status = os.stat(self.path)
        self.size, self.modified = status.st_size, status.st_mtime

    def open(self) -> IO[bytes]:
        if self.path is not None:
            return open(self.path, "rb")
        if isinstance(self.file, io.TextIOBase):
            raise ValueError("Files must be opened in binary mode or use BytesIO.")
        return self.file

    def set_last_modified(self, response: Response, moment: datetime | int | float | None) -> None:
        date: Any = self.modified if moment is None else moment  # timestamps are dumped too
        if date is not None:
            response.last_modified = date

    def set_etag(self, response: Response, etag: bool | str) -> None:
        if isinstance(etag, str):
            response.set_etag(etag)
        elif etag and self.path is not None:
            response.set_etag(f"{self.modified}-{self.size}-{adler32(os.fsencode(self.path))}")


def send_from_directory(
    directory: os.PathLike[str] | str, path: os.PathLike[str] | str, environ: WSGIEnvironment, **kwargs: Any
) -> Response:
    """Send a file from below a directory; the path may come from a client. Symbolic links are followed.

    :param directory: trusted; relative to ``_root_path`` if that is given.
    :param path: below the directory.
    :param kwargs: for :func:`send_file`.
    :raises NotFound: if the path leads out of the directory, or is no file.
    """
    joined = safe_join(os.fspath(directory), os.fspath(path))
    if joined is None:
        raise NotFound()
    full = os.path.join(os.fspath(kwargs.get("_root_path") or ""), joined)
    try:
        if not os.path.isfile(full):
            raise NotFound()
    except ValueError:  # a character that the file system has no bytes for
        raise NotFound() from None
    try:
        return send_file(full, environ, **kwargs)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):  # it went away meanwhile
        raise NotFound() from None


def _guess_type(name: str | None, as_attachment: bool, headers: Headers) -> str:
    if name is None:
        raise TypeError(
            "Unable to detect the MIME type because a file name is not available. Either set 'download_name', pass a"
            " path instead of a file, or set 'mimetype'."
        )
    mimetype, encoding = mimetypes.guess_type(name)
    # A compressed file that is to be saved stays compressed.
    if encoding is not None and not as_attachment:
        headers["Content-Encoding"] = encoding
    return mimetype or "application/octet-stream"


def _set_disposition(headers: Headers, name: str | None, as_attachment: bool) -> None:
    """Name the file (RFC 6266): in ASCII for old clients, in UTF-8 (RFC 8187) for the others."""
    if name is None:
        if as_attachment:
            raise TypeError(
                "No name provided for attachment. Either set 'download_name' or pass a path instead of a file."
            )
        return
    names = {"filename": name}
    if not name.isascii():
        plain = "".join([unicodedata.normalize("NFKD", character) for character in name])
        names["filename"] = plain.encode("ascii", "ignore").decode("ascii")
        names["filename*"] = f"UTF-8''{quote(name, safe=_ATTR_CHARS)}"
    headers.set("Content-Disposition", "attachment" if as_attachment else "inline", **names)


def _set_caching(response: Response, max_age: int | None) -> None:
    """Let caches keep the file for ``max_age`` seconds; without, they have to ask each time."""
    cache_control = response.cache_control
    if max_age is not None and max_age > 0:
        cache_control.public = True
    else:
        cache_control.no_cache = True
    if max_age is not None:
        cache_control.max_age = max_age
        response.expires = int(time.time() + max_age)  # type: ignore[assignment]  # timestamps are dumped too
