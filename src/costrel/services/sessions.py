"""Sessions: what a client's cookie remembers between requests, behind an interface that can be replaced."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping, MutableMapping
from datetime import UTC, datetime
from functools import lru_cache

from ..http.callback import CallbackDict
from .session_cookie import Attributes, keep_private, may_be_secure, named, sent, set_cookie, vary_by_cookie
from .signing import KeptSerializer
from .tagged_json import TaggedJSONSerializer

WITHOUT_KEY = (
    "The session is unavailable: no secret key was set. Set app.secret_key to a long random value that stays the same"
    " over restarts, and keep it out of the repository:"
    " python -c 'import secrets; print(secrets.token_hex())' makes one."
)

if t.TYPE_CHECKING:
    from itsdangerous import URLSafeTimedSerializer

# The application, its requests and responses stand on a higher floor; as Any an override may name their classes.
AnyApp: t.TypeAlias = t.Any
AnyRequest: t.TypeAlias = t.Any
AnyResponse: t.TypeAlias = t.Any


class SessionMixin(MutableMapping[str, t.Any]):
    """A dict with what a session has besides."""

    @property
    def permanent(self) -> bool:
        """Whether the session outlives the browser's: it is kept as the key ``_permanent``."""
        permanent: bool = self.get("_permanent", False)
        return permanent

    @permanent.setter
    def permanent(self, value: bool) -> None:
        self["_permanent"] = bool(value)

    new = False
    """Whether this session was started in this request, if the interface knows."""

    modified = True
    """Whether the session has to be saved. True where changes cannot be noticed."""

    accessed = False
    """Whether this request used the session, so that its response varies by cookie."""


def mark_modified(session: SecureCookieSession) -> None:
    """What a session calls when it was changed."""
    session.modified = True


class SecureCookieSession(CallbackDict[str, t.Any], SessionMixin):
    """A session that is kept in a signed cookie.

    It notices when a key of its own is set or removed; after a change inside a value, set ``modified`` yourself.
    """

    modified = False

    def __init__(self, initial: Mapping[str, t.Any] | None = None) -> None:
        # As CallbackDict does. PERF: session
        dict.__init__(self, () if initial is None else initial)
        self.on_update = mark_modified


class NullSession(SecureCookieSession):
    """What stands for the session where there is no secret key: it can be read, and is empty."""

    def _fail(self, *args: t.Any, **kwargs: t.Any) -> t.NoReturn:
        raise RuntimeError(WITHOUT_KEY)

    __setitem__ = __delitem__ = clear = pop = popitem = update = setdefault = _fail
    del _fail


class SessionInterface:
    """How an application's sessions are opened and saved; a subclass brings `open_session` and `save_session`."""

    null_session_class: type[NullSession] = NullSession

    pickle_based = False
    """Whether sessions are pickled, so that they hold any Python object."""

    opens_late = False
    """Whether a session may be opened when it is first used, and left alone in a request that never uses it."""

    def make_null_session(self, app: AnyApp) -> NullSession:
        """The session for a request where `open_session` returned None."""
        return self.null_session_class()

    def is_null_session(self, obj: object) -> bool:
        """Whether `obj` is such a session, which is not saved."""
        # Not by `isinstance`, which asks the abstract base class first. PERF: session
        return type.__instancecheck__(self.null_session_class, obj)

    def get_cookie_name(self, app: AnyApp) -> str:
        """The cookie's name: ``SESSION_COOKIE_NAME``."""
        name: str = app.config["SESSION_COOKIE_NAME"]
        return name

    def get_cookie_domain(self, app: AnyApp) -> str | None:
        """The domain, with its subdomains, that the cookie is for: ``SESSION_COOKIE_DOMAIN``; None: this host."""
        domain: str | None = app.config["SESSION_COOKIE_DOMAIN"]
        return domain

    def get_cookie_path(self, app: AnyApp) -> str:
        """The path that the cookie is for: ``SESSION_COOKIE_PATH``, else ``APPLICATION_ROOT``."""
        path: str = app.config["SESSION_COOKIE_PATH"] or app.config["APPLICATION_ROOT"]
        return path

    def get_cookie_httponly(self, app: AnyApp) -> bool:
        """Whether scripts cannot read the cookie: ``SESSION_COOKIE_HTTPONLY``."""
        httponly: bool = app.config["SESSION_COOKIE_HTTPONLY"]
        return httponly

    def get_cookie_secure(self, app: AnyApp) -> bool:
        """Whether the cookie is sent over HTTPS only: ``SESSION_COOKIE_SECURE``; "auto": but for development."""
        secure: bool | str = app.config["SESSION_COOKIE_SECURE"]
        if secure == "auto":
            return may_be_secure(app)
        return secure  # type: ignore[return-value]  # a setting

    def get_cookie_samesite(self, app: AnyApp) -> str | None:
        """Which requests from other sites carry the cookie: ``SESSION_COOKIE_SAMESITE``."""
        samesite: str | None = app.config["SESSION_COOKIE_SAMESITE"]
        return samesite

    def get_cookie_partitioned(self, app: AnyApp) -> bool:
        """Whether the cookie is kept apart for each embedding site: ``SESSION_COOKIE_PARTITIONED``."""
        partitioned: bool = app.config["SESSION_COOKIE_PARTITIONED"]
        return partitioned

    def _cookie_attributes(self, app: AnyApp) -> Attributes:
        return (
            self.get_cookie_domain(app),
            self.get_cookie_path(app),
            self.get_cookie_secure(app),
            self.get_cookie_httponly(app),
            self.get_cookie_samesite(app),
            self.get_cookie_partitioned(app),
        )

    def get_expiration_time(self, app: AnyApp, session: SessionMixin) -> datetime | None:
        """When a permanent session ends; None for one that ends with the browser."""
        if session.permanent:
            expires: datetime = datetime.now(UTC) + app.permanent_session_lifetime
            return expires
        return None

    def should_set_cookie(self, app: AnyApp, session: SessionMixin) -> bool:
        """Whether the cookie is sent: if the session was modified, or is permanent and refreshed by each request."""
        return session.modified or (session.permanent and app.config["SESSION_REFRESH_EACH_REQUEST"])

    def open_session(self, app: AnyApp, request: AnyRequest) -> SessionMixin | None:
        """The session of a request, empty for a new client; None where there can be no session."""
        raise NotImplementedError

    def save_session(self, app: AnyApp, session: SessionMixin, response: AnyResponse) -> None:
        """Save the session, unless it is a null session, and set what the client needs on the response."""
        raise NotImplementedError


def _bad_data() -> type[Exception]:
    """What itsdangerous raises for a cookie that is no session; asked for only where something was raised."""
    from itsdangerous import BadData

    return BadData


session_json_serializer = TaggedJSONSerializer()


def _lazy_sha1(string: bytes = b"") -> t.Any:
    import hashlib  # brings OpenSSL: 3 MiB

    # Looked up when it is called: builds of OpenSSL for FIPS have no SHA-1.
    return hashlib.sha1(string)  # noqa: S324 - in an HMAC, and the format of all existing cookies


class SecureCookieSessionInterface(SessionInterface):
    """Keeps the session in a cookie: signed, so that clients can read but not change it."""

    salt = "cookie-session"
    """Tells these signatures from others that are made with the same secret key."""

    digest_method = staticmethod(_lazy_sha1)
    """The hash function of the signature."""

    key_derivation = "hmac"
    """How itsdangerous makes the signing key from secret key and salt."""

    serializer = session_json_serializer
    """Writes the session as text, and reads it; it has `dumps` and `loads`."""

    session_class = SecureCookieSession

    opens_late = True

    def __init_subclass__(cls, **kwargs: t.Any) -> None:
        """A subclass that opens or saves in its own way does so in every request, unless it says otherwise.

        So does one that has a say in whether a session is sent again which nobody has used.
        """
        super().__init_subclass__(**kwargs)
        if "opens_late" not in cls.__dict__:
            cls.opens_late = all(getattr(cls, name) is original for name, original in _OWN.items())

    def __setattr__(self, name: str, value: t.Any) -> None:
        if name in _OWN:
            self.__dict__["opens_late"] = False
        super().__setattr__(name, value)

    def get_signing_serializer(self, app: AnyApp) -> URLSafeTimedSerializer | None:
        """The itsdangerous serializer for the application's secret key and fallbacks; None without a secret key."""
        if not app.secret_key:
            return None
        # The last key signs; the ones before it are still accepted.
        keys = (*(app.config["SECRET_KEY_FALLBACKS"] or ()), app.secret_key)
        return _signing_serializer(keys, self.salt, self.serializer, self.key_derivation, self.digest_method)

    def open_session(self, app: AnyApp, request: AnyRequest) -> SessionMixin | None:
        """The session of the request's cookie; an empty one where that is missing, too old, not ours or unreadable."""
        serializer = self._kept_serializer(app)
        if serializer is None:
            return None
        value = sent(request, self.get_cookie_name(app))
        if not value:
            return self.session_class()
        try:
            data = serializer.loads(value, max_age=int(app.permanent_session_lifetime.total_seconds()))
        except _bad_data():
            return self.session_class()
        return self.session_class(data) if isinstance(data, (dict, Mapping)) else self.session_class()

    def save_session(self, app: AnyApp, session: SessionMixin, response: AnyResponse) -> None:
        """Send the session's cookie if it has to be sent, or delete the one of a session that was emptied."""
        if session.accessed:
            vary_by_cookie(response)
        if session:
            if self.should_set_cookie(app, session):
                self._send(app, session, dict(session), response)
        elif session.modified:
            response.delete_cookie(self.get_cookie_name(app), **named(self._cookie_attributes(app)))
            self._keep_to_client(app, session, response)

    def _send(self, app: AnyApp, session: SessionMixin, data: dict[str, t.Any], response: AnyResponse) -> None:
        """Set the cookie that says `data`."""
        serializer = self._kept_serializer(app)
        if serializer is None:
            raise RuntimeError(WITHOUT_KEY)
        set_cookie(
            response,
            self.get_cookie_name(app),
            serializer.dumps(data),
            self.get_expiration_time(app, session),
            self._cookie_attributes(app),
            lambda: self._largest_keys(data),
            strict=app.config.get("SESSION_COOKIE_STRICT_SIZE", False),
            is_token=type(serializer) is KeptSerializer,
        )
        self._keep_to_client(app, session, response)

    def _keep_to_client(self, app: AnyApp, session: SessionMixin, response: AnyResponse) -> None:
        """Keep a response that sets or deletes the cookie from whom it is not for."""
        if not session.accessed:
            vary_by_cookie(response)
        if app.config.get("SESSION_CACHE_PRIVATE"):
            keep_private(response)

    def _kept_serializer(self, app: AnyApp) -> t.Any:
        """What writes and reads the cookie's value: as `get_signing_serializer` has it, its keys derived only once."""
        if type(self).get_signing_serializer is not _SERIALIZER or "get_signing_serializer" in self.__dict__:
            return self.get_signing_serializer(app)
        secret_key = app.secret_key
        if not secret_key:
            return None
        shortest = app.config.get("SECRET_KEY_MIN_BYTES")
        # No text has fewer bytes than characters.
        if shortest and len(secret_key) < shortest and not (app.debug or app.testing):
            size = len(secret_key.encode() if isinstance(secret_key, str) else secret_key)
            if size < shortest:
                raise RuntimeError(_too_short(size, shortest))
        fallbacks = app.config["SECRET_KEY_FALLBACKS"]
        keys = (*fallbacks, secret_key) if fallbacks else (secret_key,)
        try:
            return _kept_serializer(keys, self.salt, self.serializer, self.key_derivation, self.digest_method)
        except TypeError:  # keys that are no text: itsdangerous says so when it needs them
            return self.get_signing_serializer(app)

    def _largest_keys(self, data: dict[str, t.Any]) -> str:
        sizes = {key: len(self.serializer.dumps({key: item})) for key, item in data.items()}
        largest = sorted(sizes, key=lambda key: (-sizes[key], key))[:3]
        return (
            f"The largest keys of the session: {', '.join(f'{key!r} ({sizes[key]} bytes)' for key in largest)}."
            " Keep such values on the server, and only their names in the session."
        )


def _too_short(size: int, shortest: int) -> str:
    return (
        f"The secret key has {size} bytes, and a session's signature needs {shortest} at least (SECRET_KEY_MIN_BYTES):"
        " a shorter one can be guessed, and with it anybody can sign a session. Set SECRET_KEY to the output of"
        " python -c 'import secrets; print(secrets.token_hex())'. In debug mode and in tests any key will do."
    )


_SERIALIZER = SecureCookieSessionInterface.get_signing_serializer
_OWN: t.Final[dict[str, t.Any]] = {
    name: getattr(SecureCookieSessionInterface, name)
    for name in ("open_session", "save_session", "session_class", "get_cookie_name", "should_set_cookie")
}


@lru_cache(maxsize=16)
def _kept_serializer(keys: tuple[t.Any, ...], *settings: t.Any) -> KeptSerializer:
    # PERF: session. Deriving the keys takes longer than signing.
    return KeptSerializer(_signing_serializer(keys, *settings))


def _signing_serializer(
    keys: tuple[t.Any, ...], salt: str, serializer: t.Any, key_derivation: str, digest_method: Callable[..., t.Any]
) -> URLSafeTimedSerializer:
    from itsdangerous import URLSafeTimedSerializer

    return URLSafeTimedSerializer(
        list(keys),
        salt=salt,
        serializer=serializer,
        signer_kwargs={"key_derivation": key_derivation, "digest_method": digest_method},
    )
