"""The response as an application makes it: HTML unless said otherwise, JSON by the application's provider."""

from __future__ import annotations

import typing as t

from .. import context
from ..messages.response import Response as MessageResponse
from ..services import json


class Response(MessageResponse):
    """One response of an application. View values become objects of `app.response_class`."""

    default_mimetype: str | None = "text/html"
    json_module: t.Any = json
    autocorrect_location_header = False

    @property
    def max_cookie_size(self) -> int:  # type: ignore[override]  # a class attribute below, on purpose
        """The size in bytes above which a cookie is warned of: ``MAX_COOKIE_SIZE``, 0 for no warning."""
        ctx = context.peek()
        if ctx is None:
            return super().max_cookie_size
        size: int = ctx.app.config["MAX_COOKIE_SIZE"]
        return size
