"""The rule that serves an application's static folder."""

from __future__ import annotations

import typing as t
import weakref

from ..guards.marks import OPEN


def add_static_rule(app: t.Any, static_host: str | None, host_matching: bool, module: str) -> None:
    """Serve the static folder of `app` under its `static_url_path`, as the endpoint ``static``.

    Raises AssertionError if `static_host` is given without `host_matching`, or the reverse.
    """
    if bool(static_host) != host_matching:
        raise AssertionError(
            "With host_matching=True a static folder needs static_host='the.host', which serves it; without"
            f" host_matching, static_host must not be given. Got static_host={static_host!r},"
            f" host_matching={host_matching!r}. Pass static_folder=None to serve no static files."
        )
    # A weak reference: the application holds the view, which must not hold the application in turn.
    app_ref = weakref.ref(app)
    # A lambda, under this module's name, is what extensions know the view by ("flask.app.<lambda>").
    view = lambda **kwargs: app_ref().send_static_file(**kwargs)  # type: ignore[union-attr]  # noqa: E731
    view.__module__ = module
    OPEN.put(True)(view)
    view.sends_static_files = True  # type: ignore[attr-defined]  # read by `static_urls`
    app.add_url_rule(f"{app.static_url_path}/<path:filename>", endpoint="static", host=static_host, view_func=view)
