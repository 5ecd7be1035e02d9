"""Policies that a site sets for browsers: content security (CSP level 3), opening and embedding across origins."""

from __future__ import annotations

import typing as t
from collections import abc
from enum import Enum

from .callback import CallbackDict


class COEP(Enum):
    """The values of `Cross-Origin-Embedder-Policy`."""

    UNSAFE_NONE = "unsafe-none"
    REQUIRE_CORP = "require-corp"


class COOP(Enum):
    """The values of `Cross-Origin-Opener-Policy`."""

    UNSAFE_NONE = "unsafe-none"
    SAME_ORIGIN_ALLOW_POPUPS = "same-origin-allow-popups"
    SAME_ORIGIN = "same-origin"


def csp_property(key: str) -> t.Any:
    """Make a property for a directive, for subclasses that know more of them."""
    return property(
        lambda self: self._get_value(key),
        lambda self, value: self._set_value(key, value),
        lambda self: self._del_value(key),
        f"The `{key}` directive.",
    )


class ContentSecurityPolicy(CallbackDict[str, str]):
    """The value of `Content-Security-Policy`: directives by name.

    Setting a directive's property to None removes it. `provided` is False when it was made from None.
    """

    base_uri: str | None = csp_property("base-uri")
    child_src: str | None = csp_property("child-src")
    connect_src: str | None = csp_property("connect-src")
    default_src: str | None = csp_property("default-src")
    font_src: str | None = csp_property("font-src")
    form_action: str | None = csp_property("form-action")
    frame_ancestors: str | None = csp_property("frame-ancestors")
    frame_src: str | None = csp_property("frame-src")
    img_src: str | None = csp_property("img-src")
    manifest_src: str | None = csp_property("manifest-src")
    media_src: str | None = csp_property("media-src")
    navigate_to: str | None = csp_property("navigate-to")
    object_src: str | None = csp_property("object-src")
    prefetch_src: str | None = csp_property("prefetch-src")
    plugin_types: str | None = csp_property("plugin-types")
    report_to: str | None = csp_property("report-to")
    report_uri: str | None = csp_property("report-uri")
    sandbox: str | None = csp_property("sandbox")
    script_src: str | None = csp_property("script-src")
    script_src_attr: str | None = csp_property("script-src-attr")
    script_src_elem: str | None = csp_property("script-src-elem")
    style_src: str | None = csp_property("style-src")
    style_src_attr: str | None = csp_property("style-src-attr")
    style_src_elem: str | None = csp_property("style-src-elem")
    worker_src: str | None = csp_property("worker-src")

    def __init__(
        self,
        values: abc.Mapping[str, str] | abc.Iterable[tuple[str, str]] | None = (),
        on_update: abc.Callable[[ContentSecurityPolicy], None] | None = None,
    ) -> None:
        super().__init__(values or (), on_update)
        self.provided = values is not None

    @classmethod
    def from_header(
        cls, value: str | None, on_update: abc.Callable[[ContentSecurityPolicy], None] | None = None
    ) -> t.Self:
        """Read a header; a directive without a value is left out."""
        return cls(list(_parse_directives(value or "")), on_update)

    def _get_value(self, key: str) -> str | None:
        return self.get(key)

    def _set_value(self, key: str, value: str | None) -> None:
        if value is None:
            self.pop(key, None)
        else:
            self[key] = value

    def _del_value(self, key: str) -> None:
        if key in self:
            del self[key]

    def to_header(self) -> str:
        """Write the directives as they stand in a header."""
        return dump_csp_header(self)

    def __str__(self) -> str:
        return self.to_header()

    def __repr__(self) -> str:
        directives = " ".join([f"{key}={value!r}" for key, value in sorted(self.items())])
        return f"<{type(self).__name__} {directives}>"


_BLANKS = " \t"  # optional white space in a header: RFC 9110 §5.6.3


def _parse_directives(text: str) -> abc.Iterator[tuple[str, str]]:
    for policy in text.split(";"):
        directive, blank, value = policy.strip(_BLANKS).partition(" ")
        if blank:
            yield directive.strip(_BLANKS), value.strip(_BLANKS)


_PolicyT = t.TypeVar("_PolicyT", bound=ContentSecurityPolicy)


@t.overload
def parse_csp_header(
    value: str | None, on_update: abc.Callable[[ContentSecurityPolicy], None] | None = None
) -> ContentSecurityPolicy: ...
@t.overload
def parse_csp_header(
    value: str | None,
    on_update: abc.Callable[[ContentSecurityPolicy], None] | None = None,
    cls: type[_PolicyT] = ...,
) -> _PolicyT: ...
def parse_csp_header(
    value: str | None,
    on_update: abc.Callable[[ContentSecurityPolicy], None] | None = None,
    cls: type[ContentSecurityPolicy] | None = None,
) -> ContentSecurityPolicy:
    """Read the value of `Content-Security-Policy`."""
    return (cls or ContentSecurityPolicy).from_header(value, on_update)


def dump_csp_header(header: abc.Mapping[str, str]) -> str:
    """Write directives as they stand in a header."""
    return "; ".join([f"{directive} {value}" for directive, value in header.items()])
