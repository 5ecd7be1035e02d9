"""Forms that begin with a line break, as Werkzeug writes them: packages compare them byte for byte."""

from __future__ import annotations

from collections.abc import Mapping

from ..testing import form_body


def encode_multipart(values: Mapping[str, object], boundary: str | None = None) -> tuple[str, bytes]:
    """Write `values` as `form_body.encode_multipart` does, after a line break; return the boundary and the body."""
    boundary, body = form_body.encode_multipart(values, boundary)
    return boundary, b"\r\n" + body
