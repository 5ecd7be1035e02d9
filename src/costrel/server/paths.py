"""The paths of the health endpoints."""

from __future__ import annotations

import typing as t

LIVE: t.Final = "/livez"
READY: t.Final = "/readyz"
