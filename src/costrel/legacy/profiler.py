"""Profiles each request, and prints the figures or keeps them in files."""

from __future__ import annotations

import os
import sys
import time
import typing as t
from cProfile import Profile
from pstats import Stats

from ..support.closing import call_close

if t.TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class ProfilerMiddleware:
    """Call the application under the profiler; its body is made before any of it is sent.

    :param stream: the output stream; with None, nothing is printed.
    :param sort_by: columns of `pstats.Stats.sort_stats`.
    :param restrictions: of `pstats.Stats.print_stats`.
    :param profile_dir: the folder for one file for each request, for `pstats` and others; with None, none is written.
    :param filename_format: their name: a format string with `method`, `path`, `elapsed` (milliseconds) and `time`
        (seconds since the epoch), or a function that is called with the environ, in which `werkzeug.profiler` holds
        the last two.
    """

    def __init__(
        self,
        app: WSGIApplication,
        stream: t.IO[str] | None = sys.stdout,
        sort_by: t.Iterable[str] = ("time", "calls"),
        restrictions: t.Iterable[str | int | float] = (),
        profile_dir: str | None = None,
        filename_format: str = "{method}.{path}.{elapsed:.0f}ms.{time:.0f}.prof",
    ) -> None:
        self._app = app
        self._stream = stream
        self._sort_by = sort_by
        self._restrictions = restrictions
        self._profile_dir = profile_dir
        self._filename_format = filename_format

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> t.Iterable[bytes]:
        body: list[bytes] = []

        def catching_start_response(
            status: str, headers: list[tuple[str, str]], exc_info: OptExcInfo | None = None, /
        ) -> t.Callable[[bytes], object]:
            start_response(status, headers, exc_info)
            return body.append

        def run_app() -> None:
            iterable = self._app(environ, catching_start_response)
            try:
                body.extend(iterable)
            finally:
                call_close(iterable)

        profile = Profile()
        start = time.perf_counter()
        profile.runcall(run_app)
        elapsed = (time.perf_counter() - start) * 1000
        if self._profile_dir is not None:
            profile.dump_stats(os.path.join(self._profile_dir, self._filename(environ, elapsed)))
        if self._stream is not None:
            self._print(Stats(profile, stream=self._stream), environ)
        return [b"".join(body)]

    def _filename(self, environ: WSGIEnvironment, elapsed: float) -> str:
        now = time.time()
        if callable(self._filename_format):
            environ["werkzeug.profiler"] = {"elapsed": elapsed, "time": now}
            return t.cast(str, self._filename_format(environ))
        return self._filename_format.format(
            method=environ["REQUEST_METHOD"].replace("/", "."),
            path=environ.get("PATH_INFO", "").strip("/").replace("/", ".") or "root",
            elapsed=elapsed,
            time=now,
        )

    def _print(self, stats: Stats, environ: WSGIEnvironment) -> None:
        stats.sort_stats(*self._sort_by)
        print("-" * 80, file=self._stream)
        print(f"PATH: {environ.get('PATH_INFO', '')!r}", file=self._stream)
        stats.print_stats(*self._restrictions)
        print(f"{'-' * 80}\n", file=self._stream)
