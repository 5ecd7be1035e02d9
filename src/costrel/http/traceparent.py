"""The field ``traceparent``, which names the trace that a request belongs to (W3C Trace Context §3.2)."""

from __future__ import annotations

from ..support.patterns import LatePattern

# Version, trace id, parent id, flags. Versions after 00 may have further parts.
_match = LatePattern(r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?").fullmatch


def trace_id_of(traceparent: str | None) -> str | None:
    """The trace id of a field, 32 hexadecimal digits; None if there is no field, or none that is valid."""
    match = None if traceparent is None else _match(traceparent)
    if match is None or (match[1] == "00" and match[3] is not None):
        return None
    trace_id: str = match[2]
    return trace_id
