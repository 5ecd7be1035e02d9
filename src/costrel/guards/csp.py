"""Content Security Policies from settings and decorators, with a new nonce for each response (CSP 3)."""

from __future__ import annotations

import os
import typing as t
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping

from .. import context
from ..messages.source import hot
from ..support.patterns import LatePattern
from .marks import Mark

if t.TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from .contract import MarkedApp

NONCE: t.Final = "'nonce'"
"""The placeholder in a policy for the nonce of the response."""

POLICY: t.Final = Mark[str]("_content_policy")
REPORT_ONLY_POLICY: t.Final = Mark[str]("_content_policy_report_only")
HEADER: t.Final = "Content-Security-Policy"
REPORT_ONLY_HEADER: t.Final = "Content-Security-Policy-Report-Only"

FETCH_DIRECTIVES: t.Final = frozenset({
    "child-src", "connect-src", "default-src", "fenced-frame-src", "font-src", "frame-src", "img-src", "manifest-src",
    "media-src", "object-src", "prefetch-src", "script-src", "script-src-attr", "script-src-elem", "style-src",
    "style-src-attr", "style-src-elem", "worker-src",
})  # fmt: skip
"""The fetch directives, whose values are sources (CSP 3 §6.1)."""

SOURCE_DIRECTIVES: t.Final = FETCH_DIRECTIVES | {"base-uri", "form-action", "frame-ancestors", "navigate-to"}
DIRECTIVES: t.Final = SOURCE_DIRECTIVES | {
    "block-all-mixed-content", "plugin-types", "referrer", "report-to", "report-uri", "require-sri-for",
    "require-trusted-types-for", "sandbox", "trusted-types", "upgrade-insecure-requests", "webrtc",
}  # fmt: skip

_KEYWORDS: t.Final = frozenset({
    "inline-speculation-rules", "none", "nonce", "report-sample", "self", "strict-dynamic", "unsafe-allow-redirects",
    "unsafe-eval", "unsafe-hashes", "unsafe-inline", "wasm-unsafe-eval",
})  # fmt: skip
_HASHES: t.Final = ("sha256-", "sha384-", "sha512-", "nonce-")
_SINGLE_STYLES: t.Final = ("'nonce", "'sha256-", "'sha384-", "'sha512-")
"""The prefixes of sources that make browsers ignore 'unsafe-inline' (CSP 3 §6.7.3.2)."""

_ENVIRON_KEY: t.Final = "costrel.csp_nonce"
_is_plain = LatePattern(r"[\x21-\x2b\x2d-\x3a\x3c-\x7e]+").fullmatch

Sources: t.TypeAlias = "str | bool | Iterable[str] | None"
Policy: t.TypeAlias = "str | CSP | Mapping[str, Sources]"
Marked = t.TypeVar("Marked")


class CSP(Mapping[str, tuple[str, ...]]):
    """An immutable, validated policy: a mapping of directives to their sources.

    It is created from a dict: ``CSP({"default-src": "'self'", "script-src": ["'self'", NONCE]})``. A directive without
    sources has the value True; a directive with None or False is left out. ``str(policy)`` is the header value.

    Raises ValueError for an unknown directive, for a source that contains a separator (space, comma or semicolon), for
    a keyword without quotes, and for ``'none'`` together with other sources.
    """

    def __init__(self, directives: Mapping[str, Sources]) -> None:
        self._directives = {
            name: _checked(name, sources)
            for name, sources in directives.items()
            if sources is not None and sources is not False
        }

    def with_sources(self, directive: str, *sources: str) -> CSP:
        """A copy with sources added to a directive. A new directive starts with the sources of ``default-src``.

        So the copy never allows less than before: a browser that finds ``script-src`` ignores ``default-src`` for
        scripts (CSP 3 §6.8.3).
        """
        known = self._directives.get(directive)
        if known is None:
            known = self._directives.get("default-src", ()) if directive in FETCH_DIRECTIVES else ()
        kept = [source for source in known if source != "'none'" and source not in sources]
        return CSP({**self._directives, directive: [*kept, *sources]})

    def replace(self, directives: Mapping[str, Sources]) -> CSP:
        """A copy in which `directives` replace those with the same names. The value None removes a directive."""
        return CSP({**self._directives, **directives})

    def __getitem__(self, directive: str) -> tuple[str, ...]:
        return self._directives[directive]

    def __iter__(self) -> Iterator[str]:
        return iter(self._directives)

    def __len__(self) -> int:
        return len(self._directives)

    def __str__(self) -> str:
        return "; ".join(" ".join((name, *sources)) for name, sources in self._directives.items())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


def policy_text(policy: Policy | None) -> str:
    """The header value of a policy. Text is returned unchanged.

    Raises ValueError if the directives are invalid, and TypeError if the policy is neither text nor a mapping.
    """
    if policy is None:
        return ""
    if isinstance(policy, str):
        return policy
    if not isinstance(policy, Mapping):
        raise TypeError(
            f"A content security policy must be a string or a dict of directives, such as {{'default-src':"
            f" \"'self'\"}}, not {policy!r}."
        )
    return str(policy if isinstance(policy, CSP) else CSP(policy))


def unknown_directives(policy: str) -> list[tuple[str, str | None]]:
    """The unknown directives in a policy's text, each with a suggestion or None."""
    names = [part.split()[0].lower() for part in policy.split(";") if part.strip()]
    return [(name, _nearest(name)) for name in names if name not in DIRECTIVES]


def content_security_policy(policy: Policy | None, report_only: bool = False) -> Callable[[Marked], Marked]:
    """Set a policy for the decorated view, view class or blueprint, instead of the application's.

    If `report_only` is true, browsers report violations but do not enforce the policy. None means no policy.
    """
    return (REPORT_ONLY_POLICY if report_only else POLICY).put(policy_text(policy))


def nonce_of(source: WSGIEnvironment) -> str:
    """The nonce of the response to a request: 128 random bits, created on the first call."""
    nonce: str | None = hot(source, _ENVIRON_KEY)
    if nonce is None:
        nonce = source[_ENVIRON_KEY] = urlsafe_b64encode(os.urandom(16)).rstrip(b"=").decode()
    return nonce


def uses_nonce(app: MarkedApp) -> bool:
    """Whether a policy of the application may contain a nonce."""
    config = app.config
    policies = (config.get("CONTENT_SECURITY_POLICY"), config.get("CONTENT_SECURITY_POLICY_REPORT_ONLY"))
    return (
        any(NONCE in str(policy) for policy in policies) or POLICY.is_used_in(app) or REPORT_ONLY_POLICY.is_used_in(app)
    )


def with_server(policy: str, server: str) -> str:
    """Extend a policy so that pages can load everything from Vite's server and connect to it."""
    origin = "/".join(server.split("/")[:3])
    directives: dict[str, list[str]] = {}
    for part in policy.split(";"):
        name, *sources = part.split() or [""]
        if name:
            directives.setdefault(name.lower(), sources)
    wanted = {name: [origin] for name in ("script-src", "style-src", "img-src", "font-src", "media-src")}
    wanted["connect-src"] = [origin, "ws" + origin.removeprefix("http")]
    for name in ("script-src-elem", "style-src-elem", "worker-src"):
        if name in directives:
            wanted[name] = [origin]
    for name, added in wanted.items():
        known = directives.get(name, directives.get("default-src"))
        if known is None:  # without a directive, everything is allowed
            continue
        kept = [source for source in known if source.lower() != "'none'"]
        if name.startswith("style-src") and not any(source.lower().startswith(_SINGLE_STYLES) for source in kept):
            added = [*added, "'unsafe-inline'"]  # Vite's client adds style elements
        directives[name] = [*kept, *(source for source in added if source not in kept)]
    return "; ".join(" ".join((name, *sources)) for name, sources in directives.items())


def csp_nonce() -> str:
    """The nonce of the current response, for ``<script nonce="{{ csp_nonce() }}">``.

    The header contains it if ``CONTENT_SECURITY_POLICY`` contains ``'nonce'``. Raises RuntimeError outside of a
    request.
    """
    return nonce_of(context.requesting().request._source)


def _checked(name: str, sources: Sources) -> tuple[str, ...]:
    """The sources of a directive. Raises ValueError if they are invalid."""
    if name not in DIRECTIVES:
        near = _nearest(name)
        hint = f"Did you mean {near!r}?" if near else f"The directives are {', '.join(sorted(DIRECTIVES))}."
        raise ValueError(f"A content security policy has no directive {name!r}. {hint}")
    words = () if sources is True else tuple(sources.split() if isinstance(sources, str) else sources or ())
    for word in words:
        _check_word(name, word)
    if "'none'" in words and len(words) > 1:
        raise ValueError(f"The directive {name!r} has 'none' and other sources. Browsers would ignore the 'none'.")
    return words


def _check_word(name: str, word: object) -> None:
    if not isinstance(word, str) or not _is_plain(word):
        raise ValueError(f"{word!r} in the directive {name!r} is not a single source. Pass several as a list.")
    if name in SOURCE_DIRECTIVES and (word in _KEYWORDS or word.startswith(_HASHES)):
        raise ValueError(f"{word!r} in the directive {name!r} would be a host. Did you mean \"'{word}'\", with quotes?")


def _nearest(name: str) -> str | None:
    from difflib import get_close_matches  # only needed for an error

    return next(iter(get_close_matches(name.lower().replace("_", "-"), DIRECTIVES, n=1)), None)
