"""The view of the document: made with the first request for it, then sent from memory."""

from __future__ import annotations

import typing as t
import weakref

from .. import context
from ..app.api_document import OpenAPI
from ..messages.response import Response
from .document import document_of, dumps

if t.TYPE_CHECKING:
    from ..app.application import Costrel

_made: weakref.WeakKeyDictionary[object, dict[OpenAPI, bytes]] = weakref.WeakKeyDictionary()
"""The documents by application and options."""


def respond(options: OpenAPI) -> Response:
    """The document of the current application, with an ETag.

    :raises DocumentError: if two classes, operations or routes need one name.
    """
    ctx = context.requesting()
    known = _made.setdefault(ctx.app, {})
    text = known.get(options)
    if text is None:
        text = known[options] = dumps(document_of(t.cast("Costrel", ctx.app), options)).encode()
    response = ctx.app.response_class(text, mimetype="application/json")
    response.add_etag()
    return response.make_conditional(ctx.request)
