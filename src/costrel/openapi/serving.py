"""The views of the documents: each is made with the first request for it, then sent from memory."""

from __future__ import annotations

import hashlib
import typing as t

from .. import context
from ..app.api_document import OpenAPI
from ..messages.response import Response
from .document import document_of, dumps

if t.TYPE_CHECKING:
    from ..app.application import Costrel

_MOST_PREFIXES: t.Final = 100
"""A client may choose the prefix if a proxy passes it on, so that not all documents are kept."""


class ServedDocument:
    """The document of a version of one application, as its view sends it."""

    def __init__(self, options: OpenAPI, api: str | None) -> None:
        self._options = options
        self._api = api
        self._made: dict[str, tuple[bytes, list[tuple[str, str]]]] = {}
        """The text and the header fields, by the prefix below which a server mounted the application."""

    def respond(self) -> Response:
        """The document with an ETag.

        :raises DocumentError: if two classes, operations or routes need one name.
        """
        ctx = context.requesting()
        prefix = ctx.request.root_path
        made = self._made.get(prefix)
        if made is None:
            made = self._make(t.cast("Costrel", ctx.app), prefix.rstrip("/"))
            if len(self._made) < _MOST_PREFIXES:
                self._made[prefix] = made
        text, fields = made
        response = ctx.app.response_class()
        response.take_fields([*fields])
        response.response = [text]
        return response.make_conditional(ctx.request)

    def _make(self, app: Costrel, prefix: str) -> tuple[bytes, list[tuple[str, str]]]:
        text = dumps(document_of(app, self._options, api=self._api, prefix=prefix)).encode()
        etag = f'"{hashlib.sha256(text).hexdigest()[:32]}"'
        return text, [("Content-Type", "application/json"), ("Content-Length", str(len(text))), ("ETag", etag)]
