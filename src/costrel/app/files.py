"""Sending files with the application's settings: cache lifetime, response class and X-Sendfile."""

from __future__ import annotations

import os
import typing as t
from datetime import datetime, timedelta

from .. import context
from ..http.errors import NotFound
from ..messages import files
from ..support.paths import is_hidden

if t.TYPE_CHECKING:
    from _typeshed import SupportsRead
    from _typeshed.wsgi import WSGIEnvironment

    from ..messages.response import Response as MessageResponse
    from .response import Response

Path: t.TypeAlias = "os.PathLike[str] | str"
MaxAge: t.TypeAlias = int | t.Callable[[str | None], int | None] | None


class ApplicationOptions(t.TypedDict):
    """The options of `messages.files.send_file` that an application determines."""

    environ: WSGIEnvironment
    use_x_sendfile: bool
    response_class: type[MessageResponse]
    _root_path: str
    max_age: MaxAge


class StaticFiles(t.Protocol):
    """An application or a blueprint, as the owner of a static folder."""

    @property
    def static_folder(self) -> str | None: ...
    def get_send_file_max_age(self, filename: str | None) -> int | None: ...


def send_file(
    path_or_file: Path | t.IO[bytes] | SupportsRead[bytes],
    mimetype: str | None = None,
    as_attachment: bool = False,
    download_name: str | None = None,
    conditional: bool = True,
    etag: bool | str = True,
    last_modified: datetime | int | float | None = None,
    max_age: MaxAge = None,
) -> Response:
    """A response with the content of a file: a path, or a file object opened in binary mode.

    A relative path is relative to the application's root folder. Do not pass a path from a client: use
    `send_from_directory` instead.

    :param mimetype: the media type; by default it follows from the name.
    :param as_attachment: whether browsers should save the file, and not show it.
    :param download_name: the name for that; by default the name of the file.
    :param conditional: whether to answer 304, 206 and 416 (RFC 9110 §13 and §14).
    :param etag: the entity tag, or whether to make one of the file's size and time.
    :param last_modified: a date, or seconds since 1970; by default the time of the file.
    :param max_age: how many seconds caches may use the response, or a function of the path that returns them.
    :raises FileNotFoundError: if there is no such file.
    :raises TypeError: for an attachment without a name.
    """
    options = _application_options(max_age)
    return t.cast(
        "Response",
        files.send_file(
            path_or_file,  # type: ignore[arg-type]  # any object with a `read` method works
            mimetype=mimetype,
            as_attachment=as_attachment,
            download_name=download_name,
            conditional=conditional,
            etag=etag,
            last_modified=last_modified,
            **options,
        ),
    )


def send_from_directory(directory: Path, path: Path, **kwargs: t.Any) -> Response:
    """A response with a file from `directory`. `path` may come from a client.

    A relative folder is relative to the application's root folder.

    :param kwargs: the other arguments of `send_file`.
    :raises NotFound: if `path` leads outside of the folder or is not a file.
    """
    kwargs.update(_application_options(kwargs.pop("max_age", None)))
    return t.cast("Response", files.send_from_directory(directory, path, **kwargs))


def _application_options(max_age: MaxAge) -> ApplicationOptions:
    ctx = context.requesting()
    app = context.current().app
    return {
        "environ": ctx.request._source,
        "use_x_sendfile": app.config["USE_X_SENDFILE"],
        "response_class": app.response_class,
        "_root_path": app.root_path,
        "max_age": t.cast("StaticFiles", app).get_send_file_max_age if max_age is None else max_age,
    }


def default_max_age() -> int | None:
    """The seconds for which browsers may cache a file: ``SEND_FILE_MAX_AGE_DEFAULT``."""
    value: int | timedelta | None = context.current().app.config["SEND_FILE_MAX_AGE_DEFAULT"]
    return int(value.total_seconds()) if isinstance(value, timedelta) else value


def send_static_file(owner: StaticFiles, filename: str) -> Response:
    """A file from the static folder of an application or a blueprint. Raises RuntimeError if it has none.

    Two settings hide dotfiles, and links that lead out of the folder. With ``STATIC_HASHED`` the file may be asked for
    by the name with the hash of its content.
    """
    folder = owner.static_folder
    if folder is None:
        raise RuntimeError("'static_folder' must be set to serve static_files.")
    app = context.current().app
    config = app.config
    if config.get("STATIC_HASHED", False):
        from . import hashed_files  # loads OpenSSL for the hashes

        response = hashed_files.send(app, folder, filename, owner.get_send_file_max_age)
        if response is not None:
            return t.cast("Response", response)
    if "/." in f"/{filename}" and not config.get("STATIC_DOTFILES", True) and is_hidden(filename):
        raise NotFound()
    max_age = owner.get_send_file_max_age(filename)
    return t.cast(
        "Response",
        files.send_from_directory(
            folder,
            filename,
            context.requesting().request._source,
            max_age=t.cast("StaticFiles", app).get_send_file_max_age if max_age is None else max_age,
            use_x_sendfile=config["USE_X_SENDFILE"],
            response_class=app.response_class,
            _follow_links=config.get("STATIC_FOLLOW_SYMLINKS", True),
        ),
    )


def open_resource(root: str, resource: str, mode: str, encoding: str | None) -> t.IO[t.Any]:
    """Open a file below `root` for reading. Raises ValueError for any other mode."""
    if mode not in {"r", "rt", "rb"}:
        raise ValueError("Resources can only be opened for reading.")
    return open(os.path.join(root, resource), mode, encoding=None if mode == "rb" else encoding)
