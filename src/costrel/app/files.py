"""Sending files as the application wants it: its limits on caching, its response class, its X-Sendfile setting."""

from __future__ import annotations

import os
import typing as t
from datetime import datetime, timedelta

from .. import context
from ..http.errors import NotFound
from ..messages import files

if t.TYPE_CHECKING:
    from _typeshed import SupportsRead

    from .response import Response
    from .scaffold import Scaffold

Path: t.TypeAlias = "os.PathLike[str] | str"


def send_file(
    path_or_file: Path | t.IO[bytes] | SupportsRead[bytes],
    mimetype: str | None = None,
    as_attachment: bool = False,
    download_name: str | None = None,
    conditional: bool = True,
    etag: bool | str = True,
    last_modified: datetime | int | float | None = None,
    max_age: int | t.Callable[[str | None], int | None] | None = None,
) -> Response:
    """A response with the content of a file, by its path or opened for reading in binary mode.

    A relative path starts in the application's root folder. Never give it a path that a client made: that is what
    `send_from_directory` is for.
    """
    options = _application_options(max_age)
    return t.cast(
        "Response",
        files.send_file(
            path_or_file,  # type: ignore[arg-type]  # any object with a `read` will do
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
    """A response with a file from within `directory`; `path` may come from a client.

    Raises NotFound where `path` leads outside of the folder or names no file. A relative folder starts in the
    application's root folder. Takes the options of `send_file`.
    """
    kwargs |= _application_options(kwargs.pop("max_age", None))
    response: t.Any = files.send_from_directory(directory, path, **kwargs)
    return response  # type: ignore[no-any-return]  # of the application's own class


def _application_options(max_age: t.Any) -> dict[str, t.Any]:
    ctx = context.requesting()
    app = context.current().app
    return {
        "environ": ctx.request.environ,
        "use_x_sendfile": app.config["USE_X_SENDFILE"],
        "response_class": app.response_class,
        "_root_path": app.root_path,
        "max_age": app.get_send_file_max_age if max_age is None else max_age,
    }


def default_max_age() -> int | None:
    """How long browsers may keep a file without asking again, in seconds: ``SEND_FILE_MAX_AGE_DEFAULT``."""
    value: t.Any = context.current().app.config["SEND_FILE_MAX_AGE_DEFAULT"]
    if isinstance(value, timedelta):
        return int(value.total_seconds())
    seconds: int | None = value
    return seconds


def send_static_file(owner: Scaffold, filename: str) -> Response:
    """A file from the static folder of an application or a blueprint. Raises RuntimeError where it has none.

    The configuration keeps dotfiles from clients, and links that lead out of the folder.
    """
    folder = owner.static_folder
    if folder is None:
        raise RuntimeError("'static_folder' must be set to serve static_files.")
    app = context.current().app
    config = app.config
    if "/." in f"/{filename}" and not config.get("STATIC_DOTFILES", True) and _is_hidden(filename):
        raise NotFound()
    max_age = owner.get_send_file_max_age(filename)
    response: t.Any = files.send_from_directory(
        folder,
        filename,
        context.requesting().request.environ,
        max_age=app.get_send_file_max_age if max_age is None else max_age,
        use_x_sendfile=config["USE_X_SENDFILE"],
        response_class=app.response_class,
        _follow_links=config.get("STATIC_FOLLOW_SYMLINKS", True),
    )
    return response  # type: ignore[no-any-return]  # of the application's own class


def _is_hidden(filename: str) -> bool:
    return any(part.startswith(".") and part != "." for part in filename.replace(os.sep, "/").split("/"))


def open_resource(root: str, resource: str, mode: str, encoding: str | None) -> t.IO[t.Any]:
    """Open a file below `root` for reading. Raises ValueError for any other mode."""
    if mode not in {"r", "rt", "rb"}:
        raise ValueError("Resources can only be opened for reading.")
    return open(os.path.join(root, resource), mode, encoding=None if mode == "rb" else encoding)
