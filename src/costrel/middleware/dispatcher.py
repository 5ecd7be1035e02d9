"""Serves several applications under one, by the beginnings of paths."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class DispatcherMiddleware:
    """Call the application that is mounted at the longest beginning of the path, and another one if none is.

    :param app: serves the paths that nothing is mounted at.
    :param mounts: applications by the path that they are mounted at, such as `/api`.
    """

    def __init__(self, app: WSGIApplication, mounts: dict[str, WSGIApplication] | None = None) -> None:
        self.app = app
        self.mounts = mounts or {}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> t.Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        script = self._mount_of(path)
        if script is None:
            # An application that is mounted nowhere serves the whole path, or what follows a first segment
            # that does not begin with a slash.
            script, app = path.partition("/")[0], self.app
        else:
            app = self.mounts[script]
        environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + script
        environ["PATH_INFO"] = path[len(script) :]
        return app(environ, start_response)

    def _mount_of(self, path: str) -> str | None:
        # By the lengths that mounts have: a path has as many beginnings as slashes, and a client chooses how many.
        for length in sorted({len(mount) for mount in self.mounts}, reverse=True):
            if (len(path) == length or path[length : length + 1] == "/") and path[:length] in self.mounts:
                return path[:length]
        return None
