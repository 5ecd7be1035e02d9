"""CORS policies: the origins whose scripts may read the responses of an application, blueprint or view (Fetch §3.2)."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterable
from datetime import timedelta
from urllib.parse import urlsplit

from ..support.patterns import LatePattern
from .marks import Mark

HEADERS: t.Final = ("Authorization", "Content-Type", "X-CSRF-Token", "X-Requested-With")
"""The request headers that scripts may set by default: for JSON, tokens and old libraries."""

MAX_AGE: t.Final = 600
_DEFAULT_PORTS: t.Final = {"http": 80, "https": 443}
_LABEL_CHARACTERS: t.Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")
_is_token = LatePattern(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch  # RFC 9110 §5.6.2

Words: t.TypeAlias = "str | Iterable[str]"
Marked = t.TypeVar("Marked")


class CORSPolicy:
    """The origins whose scripts may read responses, and the requests that those scripts may send.

    :param origins: origins such as ``"https://app.example.org"``, which are compared literally.
        ``"https://*.example.org"`` means all subdomains, ``"*"`` every origin, and ``"null"`` pages without an origin.
    :param methods: the allowed methods; by default, all methods of the URL.
    :param headers: the request headers that a script may set; ``"*"`` allows any.
    :param expose: the response headers that a script may read.
    :param credentials: whether requests may carry cookies, and scripts may read the responses to them.
    :param max_age: the seconds for which a browser may reuse the result of a preflight request.
    :param private_network: whether pages of public sites may access this site in a private network.

    Raises ValueError for a malformed origin, method or header name, and for credentials together with ``"*"`` or
    ``"null"``, which any page can have as its origin.
    """

    def __init__(
        self,
        origins: Words,
        methods: Words | None = None,
        headers: Words = HEADERS,
        expose: Words = (),
        credentials: bool = False,
        max_age: int | timedelta | None = MAX_AGE,
        private_network: bool = False,
    ) -> None:
        self.origins = _words(origins)
        self.any_origin = "*" in self.origins
        self.methods = None if methods is None else frozenset(_tokens(methods, "methods"))
        self.headers = _tokens(headers, "headers")
        self.expose = _tokens(expose, "expose")
        self.credentials = credentials
        self.max_age = int(max_age.total_seconds()) if isinstance(max_age, timedelta) else max_age
        self.private_network = private_network
        self._literal = frozenset(_origin(origin) for origin in self.origins if "*" not in origin)
        self._below = [_below(origin) for origin in self.origins if "*" in origin and origin != "*"]
        self._any_header = "*" in self.headers
        self._header_names = frozenset(name.lower() for name in self.headers)
        if credentials:
            self._check_credentials()

    @classmethod
    def of(cls, value: CORSPolicy | Words | dict[str, t.Any] | None) -> CORSPolicy | None:
        """The policy for a setting: a policy, a dict of its arguments, its origins alone, or None.

        Raises ValueError for an unknown argument.
        """
        if value is None or isinstance(value, CORSPolicy):
            return value
        if not isinstance(value, dict):
            return cls(value)
        unknown = value.keys() - _ARGUMENTS
        if unknown or "origins" not in value:
            problem = f"has no argument {', '.join(map(repr, sorted(unknown)))}" if unknown else "requires 'origins'"
            raise ValueError(f"A CORS policy {problem}. The arguments are {', '.join(_ARGUMENTS)}.")
        return cls(**value)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self.origins)!r}, credentials={self.credentials})"

    def allows(self, origin: str) -> bool:
        """Whether the policy applies to pages of `origin`, as browsers serialize it (HTML §7.1.1)."""
        if self.any_origin or origin in self._literal:
            return True
        return any(_is_below(origin, *parts) for parts in self._below)

    def allows_method(self, method: str) -> bool:
        """Whether the policy applies to requests with this method."""
        return self.methods is None or method in self.methods

    def fields(self, origin: str | None) -> list[tuple[str, str]]:
        """The response fields for a page of `origin`, which is None if the request has no ``Origin``."""
        if self.any_origin and not self.credentials:
            fields = [("Access-Control-Allow-Origin", "*")]
        elif origin is not None and self.allows(origin):
            fields = [("Access-Control-Allow-Origin", origin)]
        else:
            return []
        if self.credentials:
            fields.append(("Access-Control-Allow-Credentials", "true"))
        return fields

    def exposed(self) -> list[tuple[str, str]]:
        """The ``Access-Control-Expose-Headers`` field: response headers that scripts may read (Fetch §2.2.2)."""
        return [("Access-Control-Expose-Headers", ", ".join(self.expose))] if self.expose else []

    def preflight_fields(self, methods: Iterable[str], headers: str, private_network: bool) -> list[tuple[str, str]]:
        """The fields of the response to a preflight request, given the URL's methods and the requested headers."""
        fields = [("Access-Control-Allow-Methods", ", ".join(methods))]
        allowed = self._allowed_headers(headers)
        if allowed:
            fields.append(("Access-Control-Allow-Headers", allowed))
        if self.max_age is not None:
            fields.append(("Access-Control-Max-Age", str(self.max_age)))
        if private_network and self.private_network:
            fields.append(("Access-Control-Allow-Private-Network", "true"))
        return fields

    def _allowed_headers(self, asked: str) -> str:
        if not self._any_header:
            return ", ".join(self.headers)
        # "*" is a wildcard only without credentials, and does not include Authorization (Fetch §4.8).
        names = [name.strip() for name in asked.split(",")]
        return ", ".join(name for name in names if _is_token(name))

    def _check_credentials(self) -> None:
        for origin, page in (("*", "every page"), ("null", "any page in a sandboxed frame")):
            if origin in self.origins:
                raise ValueError(
                    f"A CORS policy cannot combine the origin {origin!r} with credentials: {page} could read everything"
                    " that a signed-in visitor can. List the origins, such as 'https://app.example.org', or leave"
                    " credentials out."
                )
        if "*" in self.expose:
            raise ValueError("With credentials, 'expose' does not support '*' (Fetch §3.2.3). List the headers.")


_ARGUMENTS: t.Final = ("origins", "methods", "headers", "expose", "credentials", "max_age", "private_network")

CORS_POLICY: t.Final = Mark[CORSPolicy | None]("_cors_policy")


def cors(policy: CORSPolicy | Words | None, **options: t.Any) -> Callable[[Marked], Marked]:
    """Allow scripts of other origins to read the responses of the decorated view, view class or blueprint.

    `policy` is a `CORSPolicy`, or its origins, with its other arguments as `options`. None exempts a view from the
    policy of its application or blueprint.
    """
    if options:
        policy = CORSPolicy(t.cast(Words, policy), **options)
    return CORS_POLICY.put(CORSPolicy.of(policy))


def is_method(text: str) -> bool:
    """Whether a text is a method that a route can have: a token (RFC 9110 §9.1) in upper case."""
    return bool(_is_token(text)) and text == text.upper()


def _words(value: Words) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _tokens(value: Words, argument: str) -> tuple[str, ...]:
    words = _words(value)
    for word in words:
        if not _is_token(word):
            raise ValueError(f"{word!r} in the {argument} of a CORS policy is not a valid name.")
    return tuple(word.upper() for word in words) if argument == "methods" else words


def _origin(text: str) -> str:
    """An origin as browsers serialize it: in lower case, without the default port of its scheme."""
    if text == "null":
        return text
    try:
        url = urlsplit(text)
        host, port = url.hostname, url.port
    except ValueError:
        host = port = None
        url = urlsplit("")
    if not url.scheme or not host or url.path or url.query or url.fragment or url.username is not None:
        raise ValueError(
            f"{text!r} in a CORS policy is not an origin. An origin is a scheme, a host and an optional port, without a"
            " path or trailing slash: 'https://app.example.org', 'http://localhost:5173'."
        )
    host = f"[{host}]" if ":" in host else host.encode("idna").decode("ascii")
    written = "" if port is None or port == _DEFAULT_PORTS.get(url.scheme) else f":{port}"
    return f"{url.scheme}://{host}{written}"


def _below(text: str) -> tuple[str, str]:
    """The text before and after the labels that the wildcard matches."""
    scheme, separator, rest = text.partition("://*.")
    if not separator or "*" in rest or not ("." in rest or rest.startswith("localhost")):
        raise ValueError(
            f"{text!r} in a CORS policy is not a supported pattern. A wildcard can stand for subdomains, as in"
            " 'https://*.example.org', or alone for every origin."
        )
    written = _origin(f"{scheme}://{rest}")
    return f"{scheme.lower()}://", written[written.index("://") + 2 :].replace("/", ".", 1)


def _is_below(origin: str, before: str, after: str) -> bool:
    if len(origin) > len(before) + 253 + 6 or not (origin.startswith(before) and origin.endswith(after)):
        return False
    labels = origin[len(before) : -len(after)].split(".")
    return all(label and _LABEL_CHARACTERS.issuperset(label) for label in labels)
