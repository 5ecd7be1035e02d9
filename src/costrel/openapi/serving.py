"""The views of the documents: each is made with the first request for it, then sent from memory."""

from __future__ import annotations

import hashlib
import typing as t
import weakref

from .. import context
from ..app.api_document import OpenAPI
from ..messages.response import Response
from .document import document_of, dumps

if t.TYPE_CHECKING:
    from ..app.application import Costrel

Key: t.TypeAlias = "tuple[OpenAPI, str | None, str]"


class Served(t.NamedTuple):
    """A document as it is sent."""

    text: bytes
    etag: str


_made: weakref.WeakKeyDictionary[object, dict[Key, Served]] = weakref.WeakKeyDictionary()
"""The documents by application, and by options, version and the prefix below which a server mounted the application."""


def respond(options: OpenAPI, api: str | None) -> Response:
    """The document of a version of the current application, with an ETag.

    :raises DocumentError: if two classes, operations or routes need one name.
    """
    ctx = context.requesting()
    request = ctx.request
    known = _made.setdefault(ctx.app, {})
    prefix = request.script_root
    made = known.get((options, api, prefix))
    if made is None:
        made = _make(t.cast("Costrel", ctx.app), options, api, prefix)
        if len(known) < _LIMIT:  # a client may choose the prefix if a proxy passes it on
            known[options, api, prefix] = made
    response = ctx.app.response_class(made.text, mimetype="application/json")
    response.set_etag(made.etag)
    return response.make_conditional(request)


_LIMIT: t.Final = 100


def _make(app: Costrel, options: OpenAPI, api: str | None, prefix: str) -> Served:
    text = dumps(document_of(app, options, api=api, prefix=prefix)).encode()
    return Served(text, hashlib.sha256(text).hexdigest()[:32])
