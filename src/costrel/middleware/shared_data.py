"""Serves files of directories and packages in front of an application."""

from __future__ import annotations

import importlib.util
import mimetypes
import os
import posixpath
import typing as t
from collections import abc
from datetime import UTC, datetime
from fnmatch import fnmatch
from io import BytesIO
from time import time
from zlib import adler32

from ..http.conditional import precondition_status
from ..http.dates import http_date
from ..http.etags import quote_etag
from ..messages.environ import get_path_info
from ..messages.response_head import get_content_type
from ..messages.streams import wrap_file
from ..support.paths import safe_join

if t.TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Opener = abc.Callable[[], tuple[t.IO[bytes], datetime, int]]
Loader = abc.Callable[[str | None], tuple[str | None, Opener | None]]


class SharedDataMiddleware:
    """Send a file if the path leads to one, and call the application otherwise.

    :param exports: for each path the directory, the file, or the `(package, directory in it)` to serve there. The order
        counts.
    :param disallow: a pattern (`fnmatch`) of file names that are not served.
    :param cache: whether to send `ETag` and `Expires`, and answer conditions.
    :param cache_timeout: for how many seconds clients may keep a file.
    :param fallback_mimetype: the type of files whose names do not tell theirs.
    :raises TypeError: an export is none of these.
    :raises ModuleNotFoundError: there is no such package.
    """

    def __init__(
        self,
        app: WSGIApplication,
        exports: abc.Mapping[str, str | tuple[str, str]] | t.Iterable[tuple[str, str | tuple[str, str]]],
        disallow: str | None = None,
        cache: bool = True,
        cache_timeout: int = 60 * 60 * 12,
        fallback_mimetype: str = "application/octet-stream",
    ) -> None:
        self.app = app
        items = exports.items() if isinstance(exports, abc.Mapping) else exports
        self.exports: list[tuple[str, Loader]] = [(path, self._loader_of(export)) for path, export in items]
        self.cache = cache
        self.cache_timeout = cache_timeout
        self.fallback_mimetype = fallback_mimetype
        self._disallow = disallow

    def _loader_of(self, export: str | tuple[str, str]) -> Loader:
        if isinstance(export, tuple):
            return self.get_package_loader(*export)
        if not isinstance(export, str):
            raise TypeError(f"unknown def {export!r}: a path, or a package and a path in it, was expected.")
        return self.get_file_loader(export) if os.path.isfile(export) else self.get_directory_loader(export)

    def is_allowed(self, filename: str) -> bool:
        """Whether a file, by its name alone, may be served."""
        return self._disallow is None or not fnmatch(filename, self._disallow)

    def _opener(self, filename: str) -> Opener:
        def open_file() -> tuple[t.IO[bytes], datetime, int]:
            file = open(filename, "rb")  # noqa: SIM115  # the server closes it
            stat = os.fstat(file.fileno())
            return file, datetime.fromtimestamp(stat.st_mtime, UTC), stat.st_size

        return open_file

    def get_file_loader(self, filename: str) -> Loader:
        """Make a loader that always leads to one file."""
        return lambda path: (os.path.basename(filename), self._opener(filename))

    def get_directory_loader(self, directory: str) -> Loader:
        """Make a loader of the files in a directory."""

        def load(path: str | None) -> tuple[str | None, Opener | None]:
            filename = directory if path is None else safe_join(directory, path)
            if filename is None or not os.path.isfile(filename):
                return None, None
            return os.path.basename(filename), self._opener(filename)

        return load

    def get_package_loader(self, package: str, package_path: str) -> Loader:
        """Make a loader of the files in a directory of a package, which may lie in a zip file."""
        spec = importlib.util.find_spec(package)
        if spec is None or spec.loader is None:
            raise ModuleNotFoundError(f"No package named {package!r} to serve files from.", name=package)
        reader = spec.loader.get_resource_reader(package)  # type: ignore[attr-defined]  # loaders of packages have it
        load_time = datetime.now(UTC)

        def load(path: str | None) -> tuple[str | None, Opener | None]:
            name = package_path if path is None else safe_join(package_path, path)
            if name is None:
                return None, None
            try:
                resource = reader.open_resource(name)
            except OSError:
                return None, None
            return posixpath.basename(name), lambda: _describe(resource, load_time)

        return load

    def generate_etag(self, mtime: datetime, file_size: int, real_filename: str) -> str:
        """Make a tag without reading the file."""
        checksum = adler32(os.fsencode(real_filename))
        return f"wzsdm-{mtime.timestamp()}-{file_size}-{checksum}"

    def _find(self, path: str) -> tuple[str, Opener] | None:
        for mount, loader in self.exports:
            name, opener = loader(None) if path == mount else (None, None)
            if opener is None:
                prefix = mount if mount.endswith("/") else f"{mount}/"
                if not path.startswith(prefix):
                    continue
                name, opener = loader(path[len(prefix) :])
            if name is not None and opener is not None:
                return name, opener
        return None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> t.Iterable[bytes]:
        found = self._find(get_path_info(environ))
        if found is None or not self.is_allowed(found[0]):
            return self.app(environ, start_response)
        name, opener = found
        file, mtime, size = opener()
        headers = [("Date", http_date())]
        if not self.cache:
            headers.append(("Cache-Control", "public"))
        else:
            etag = self.generate_etag(mtime, size, name)
            headers.append(("Etag", quote_etag(etag)))
            headers.append(("Cache-Control", f"max-age={self.cache_timeout}, public"))
            status = _precondition_status(environ, quote_etag(etag), mtime)
            if status is not None:
                file.close()
                return _without_body(status, headers, start_response)
            headers.append(("Expires", http_date(time() + self.cache_timeout)))
        mimetype = mimetypes.guess_type(name)[0] or self.fallback_mimetype
        headers.append(("Content-Type", get_content_type(mimetype, "utf-8")))
        headers.append(("Content-Length", str(size)))
        headers.append(("Last-Modified", http_date(mtime)))
        start_response("200 OK", headers)
        return wrap_file(environ, file)


def _describe(resource: t.IO[bytes], load_time: datetime) -> tuple[t.IO[bytes], datetime, int]:
    """A resource with its time and size; one without a file of its own is read, and as old as its package's loader."""
    try:
        stat = os.fstat(resource.fileno())
    except (AttributeError, OSError):
        with resource:
            content = resource.read()
        return BytesIO(content), load_time, len(content)
    return resource, datetime.fromtimestamp(stat.st_mtime, UTC), stat.st_size


def _precondition_status(environ: WSGIEnvironment, etag: str, mtime: datetime) -> int | None:
    """The status that the request's conditions demand; None to send the file."""
    return precondition_status(
        environ.get("HTTP_IF_MATCH"),
        environ.get("HTTP_IF_UNMODIFIED_SINCE"),
        environ.get("HTTP_IF_NONE_MATCH"),
        environ.get("HTTP_IF_MODIFIED_SINCE"),
        etag,
        mtime,
    )


def _without_body(status: int, headers: list[tuple[str, str]], start_response: StartResponse) -> list[bytes]:
    if status == 304:
        start_response("304 Not Modified", headers)
    else:
        headers += [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", "0")]
        start_response("412 Precondition Failed", headers)
    return []
