"""Sends static files under names with a hash, which caches may keep for a year, and compressed copies of files."""

from __future__ import annotations

import os
import typing as t
from functools import lru_cache

from .. import context
from ..http.errors import NotFound
from ..messages import files
from ..services.statics.codings import Copies, Copy, choose
from ..services.statics.content import Changed, UnchangedFile
from ..services.statics.folder import Found, StaticFolder, Version, folder_at

if t.TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from ..messages.response import Response

IMMUTABLE: t.Final = "public, max-age=31536000, immutable"
"""For a name with the hash of the content that is sent: a year, the longest that HTTP knows (RFC 9111 §5.3, 8246)."""

MaxAgeOf: t.TypeAlias = "t.Callable[[str], int | None]"

_ATTEMPTS: t.Final = 3


def folder_of(app: context.AppContract, root: str) -> StaticFolder:
    """A folder with the application's settings for links and dotfiles."""
    config = app.config
    return folder_at(root, bool(config.get("STATIC_FOLLOW_SYMLINKS", True)), bool(config.get("STATIC_DOTFILES", True)))


def send(app: context.AppContract, root: str, name: str, max_age_of: MaxAgeOf) -> Response | None:
    """The response for a name with a hash, or for a file that has compressed copies; None for any other file.

    Raises NotFound if there is no such file, and keeps caches from storing that.
    """
    folder = folder_of(app, root)
    for _ in range(_ATTEMPTS):
        try:
            found = folder.find(name)
            if found is not None:
                return _send_found(app, folder, found)
            if folder.locate(name) is not None:
                return send_copy(app, folder, name, max_age_of)
            break
        except Changed:
            copies_in(folder).forget()
        except OSError:
            break
    context.after_this_request(no_store)
    raise NotFound()


def no_store(response: Response) -> Response:
    """Keep caches from storing the response for a static file that does not exist: another host may have it already."""
    if response.status_code == 404 or "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store"
    return response


@lru_cache(maxsize=256)
def copies_in(folder: StaticFolder) -> Copies:
    """The compressed copies in a folder; the same object each time."""
    return Copies(folder)


def _send_found(app: context.AppContract, folder: StaticFolder, found: Found) -> Response:
    version = found.version
    copies = _copies(app, folder, os.path.relpath(version.path, folder.root), version.content_hash)
    # Another host may have an older file with a later date under the same name, so only the current one has a date.
    is_immutable = found.is_current and not app.debug
    response = _send_version(app, os.path.basename(found.name), version, copies, dated=is_immutable)
    response.headers["Cache-Control"] = IMMUTABLE if is_immutable else "no-cache"
    return response


def send_copy(app: context.AppContract, folder: StaticFolder, name: str, max_age_of: MaxAgeOf) -> Response | None:
    """The response for a file by its own name, if it has compressed copies; else None. Raises `Changed` and OSError."""
    if not copies_in(folder).beside(name) and not app.config.get("STATIC_BUILD"):
        return None
    version = folder.version_as_it_is(name)
    copies = () if version is None else _copies(app, folder, name, version.content_hash)
    if version is None or not copies:
        return None
    max_age = max_age_of(name)
    if max_age is None:
        max_age = app.get_send_file_max_age(name)
    return _send_version(app, os.path.basename(name), version, copies, max_age=max_age)


def _copies(app: context.AppContract, folder: StaticFolder, name: str, content_hash: str) -> t.Sequence[Copy]:
    """The copies beside the file, or in the folder of ``costrel static build``."""
    found = copies_in(folder).of(name, content_hash)
    build = app.config.get("STATIC_BUILD")
    if found or build is None:
        return found
    path: str = context.requesting().request.path
    return copies_in(folder_of(app, os.path.join(app.root_path, build))).of(path.lstrip("/"), content_hash)


def _send_version(
    app: context.AppContract,
    name: str,
    version: Version,
    copies: t.Sequence[Copy],
    *,
    dated: bool = True,
    max_age: int | None = None,
) -> Response:
    """The response with the file, or with the copy of it that the client likes best."""
    environ: WSGIEnvironment = context.requesting().request._source
    copy = choose(copies, environ.get("HTTP_ACCEPT_ENCODING"))
    content = version.load() if copy is None else copy.load()
    response = files.send_file(
        content if isinstance(content, UnchangedFile) else files.Loaded(name, content),  # type: ignore[arg-type]  # it has what is used of an IO
        environ,
        download_name=name,
        conditional=copy is None,
        etag=version.content_hash if copy is None else f"{version.content_hash}-{copy.coding.name}",
        last_modified=version.file_state[3] / 1e9 if dated else None,
        max_age=max_age,
        response_class=app.response_class,
    )
    if copies:
        response.vary.add("Accept-Encoding")
    if copy is not None:
        response.headers["Content-Encoding"] = copy.coding.name
        response.make_conditional(environ)
    return response
