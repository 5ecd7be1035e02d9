"""The value of `User-Agent` (RFC 9110 §10.1.5)."""

from __future__ import annotations


class UserAgent:
    """The header as it was sent; a subclass that parses it fills in the other attributes."""

    platform: str | None = None
    browser: str | None = None
    version: str | None = None
    language: str | None = None

    def __init__(self, string: str) -> None:
        self.string = string

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.browser}/{self.version}>"

    def __str__(self) -> str:
        return self.string

    def __bool__(self) -> bool:
        return bool(self.browser)

    def to_header(self) -> str:
        """The header as it was sent."""
        return self.string
