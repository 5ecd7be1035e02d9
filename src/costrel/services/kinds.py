"""The class of applications, for rooms that are below it."""

from __future__ import annotations

application_class: type = type(None)
"""Set by `costrel.wiring`, so that each process that imports Costrel knows it."""
