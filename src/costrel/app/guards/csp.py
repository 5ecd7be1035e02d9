"""A Content Security Policy from a setting or a decorator, with a new nonce for each response that has one (CSP 3)."""

from __future__ import annotations

import os
import typing as t
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping

from ... import context
from ...support.patterns import LatePattern
from .marks import mark

NONCE: t.Final = "'nonce'"
"""Stands in a policy for the nonce of the response, as ``'self'`` stands for the site."""

MARK: t.Final = "_content_policy"
REPORT_ONLY_MARK: t.Final = "_content_policy_report_only"
HEADER: t.Final = "Content-Security-Policy"
REPORT_ONLY_HEADER: t.Final = "Content-Security-Policy-Report-Only"

FETCH_DIRECTIVES: t.Final = frozenset({
    "child-src", "connect-src", "default-src", "fenced-frame-src", "font-src", "frame-src", "img-src", "manifest-src",
    "media-src", "object-src", "prefetch-src", "script-src", "script-src-attr", "script-src-elem", "style-src",
    "style-src-attr", "style-src-elem", "worker-src",
})  # fmt: skip
"""The directives whose values are sources (CSP 3 §6.1)."""

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
_ENVIRON_KEY: t.Final = "costrel.csp_nonce"
_is_plain = LatePattern(r"[\x21-\x2b\x2d-\x3a\x3c-\x7e]+").fullmatch

Sources: t.TypeAlias = "str | bool | Iterable[str] | None"
Policy: t.TypeAlias = "str | CSP | Mapping[str, Sources]"
Marked = t.TypeVar("Marked")


class CSP(Mapping[str, tuple[str, ...]]):
    """A policy as directives with their sources, checked, and not to be changed: each method gives another one.

    Made of a dict: ``CSP({"default-src": "'self'", "script-src": ["'self'", NONCE]})``. A directive that takes no
    value has True; one with None or False is left out. ``str(policy)`` is what its header says.

    Raises ValueError for a directive that there is not, with the one that was probably meant; for a source that is not
    one word, since a blank, a comma or a semicolon would begin another one; for a keyword without its quotes; and for
    ``'none'`` beside other sources.
    """

    def __init__(self, directives: Mapping[str, Sources]) -> None:
        self._directives = {
            name: _checked(name, sources)
            for name, sources in directives.items()
            if sources is not None and sources is not False
        }

    def with_sources(self, directive: str, *sources: str) -> CSP:
        """This policy with sources added to a directive; where it has none yet, to those of ``default-src``.

        So the directive allows more than before, and never less: a browser that finds ``script-src`` looks at
        ``default-src`` for scripts no more (CSP 3 §6.8.3).
        """
        known = self._directives.get(directive)
        if known is None:
            known = self._directives.get("default-src", ()) if directive in FETCH_DIRECTIVES else ()
        kept = [source for source in known if source != "'none'" and source not in sources]
        return CSP({**self._directives, directive: [*kept, *sources]})

    def replace(self, directives: Mapping[str, Sources]) -> CSP:
        """This policy with other directives in place of those of the same name; None leaves one out."""
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
    """A policy as its header says it; a text is taken as it is.

    Raises ValueError for what `CSP` refuses, and TypeError for what is no policy.
    """
    if policy is None:
        return ""
    if isinstance(policy, str):
        return policy
    if not isinstance(policy, Mapping):
        raise TypeError(
            f"A content security policy is a text or a dict of directives, such as {{'default-src': \"'self'\"}}, and"
            f" not {policy!r}."
        )
    return str(policy if isinstance(policy, CSP) else CSP(policy))


def unknown_directives(policy: str) -> list[tuple[str, str | None]]:
    """The directives of a policy's text that there are not, each with the one that was probably meant."""
    names = [part.split()[0].lower() for part in policy.split(";") if part.strip()]
    return [(name, _nearest(name)) for name in names if name not in DIRECTIVES]


def content_security_policy(policy: Policy | None, report_only: bool = False) -> Callable[[Marked], Marked]:
    """Give the decorated view, view class or blueprint a policy of its own, in place of the application's.

    With `report_only` it is one whose breaches are only reported; None stands for none.
    """
    return mark(REPORT_ONLY_MARK if report_only else MARK, policy_text(policy))


def nonce_of(environ: dict[str, t.Any]) -> str:
    """The nonce of the response to a request: 128 random bits, the same however often it is asked for."""
    nonce: str | None = environ.get(_ENVIRON_KEY)
    if nonce is None:
        nonce = environ[_ENVIRON_KEY] = urlsafe_b64encode(os.urandom(16)).rstrip(b"=").decode()
    return nonce


def csp_nonce() -> str:
    """The nonce of the current response, for ``<script nonce="{{ csp_nonce() }}">``.

    The header has it where ``CONTENT_SECURITY_POLICY`` names ``'nonce'``. Raises RuntimeError outside of a request.
    """
    return nonce_of(context.requesting().request.environ)


def _checked(name: str, sources: Sources) -> tuple[str, ...]:
    """The sources of a directive, or the reason why they are none."""
    if name not in DIRECTIVES:
        near = _nearest(name)
        hint = f"did you mean {near!r}?" if near else f"there are {', '.join(sorted(DIRECTIVES))}."
        raise ValueError(f"A content security policy has no directive {name!r}: {hint}")
    words = () if sources is True else tuple(sources.split() if isinstance(sources, str) else sources or ())
    for word in words:
        _check_word(name, word)
    if "'none'" in words and len(words) > 1:
        raise ValueError(f"The directive {name!r} has 'none' beside other sources: browsers then ignore the 'none'.")
    return words


def _check_word(name: str, word: t.Any) -> None:
    if not isinstance(word, str) or not _is_plain(word):
        raise ValueError(f"{word!r} in the directive {name!r} is not one name or source: give several as a list.")
    if name in SOURCE_DIRECTIVES and (word in _KEYWORDS or word.startswith(_HASHES)):
        raise ValueError(f"{word!r} in the directive {name!r} would be a host: did you mean \"'{word}'\", in quotes?")


def _nearest(name: str) -> str | None:
    from difflib import get_close_matches  # an error may take a moment

    return next(iter(get_close_matches(name.lower().replace("_", "-"), DIRECTIVES, n=1)), None)
