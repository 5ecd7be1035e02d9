"""The application class, for rooms that must not import it."""

from __future__ import annotations

application_class: type = type(None)
"""Set by `costrel.wiring`, which every process that uses Costrel imports."""
