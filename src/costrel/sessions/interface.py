"""The session interface, which applications can replace, and its implementation with signed cookies."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime
from functools import lru_cache
from operator import itemgetter

from ..http.callback import CallbackDict
from ..services.config import reads_setting
from ..support.coroutines import refuse_async
from ..support.seams import Seams, Stamp
from .cookie import (
    Attributes,
    is_sent_plainly,
    keep_private,
    may_be_secure,
    named,
    sent,
    set_cookie,
    vary_by_cookie,
)
from .lifetimes import cookie_lifetime
from .signed_cookie import Settings, SignedCookie
from .signing import DigestMethod, Hash, KeptSerializer, TextSerializer, ValueSerializer, fragments
from .tagged_json import TaggedJSONSerializer

if t.TYPE_CHECKING:
    from itsdangerous import URLSafeTimedSerializer
    from itsdangerous.serializer import _PDataSerializer

    from ..context import AppContract
    from ..messages.request import Request
    from ..messages.response import Response

# Any, since an override in an application may use the application's own classes.
AnyApp: t.TypeAlias = t.Any
AnyRequest: t.TypeAlias = t.Any
AnyResponse: t.TypeAlias = t.Any

Key: t.TypeAlias = str | bytes
_settings_of: t.Final = itemgetter(
    "SECRET_KEY",
    "SECRET_KEY_FALLBACKS",
    "SESSION_COOKIE_SECURE",
    "PERMANENT_SESSION_LIFETIME",
    "SESSION_COOKIE_NAME",
    "SESSION_COOKIE_DOMAIN",
    "SESSION_COOKIE_PATH",
    "APPLICATION_ROOT",
    "SESSION_COOKIE_HTTPONLY",
    "SESSION_COOKIE_SAMESITE",
    "SESSION_COOKIE_PARTITIONED",
)

WITHOUT_KEY: t.Final = (
    "The session is unavailable: no secret key was set. Set app.secret_key to a long random value that stays the same"
    " over restarts, and keep it out of the repository. Generate one with"
    " python -c 'import secrets; print(secrets.token_hex())'."
)


class SessionMixin(MutableMapping[str, t.Any]):
    """The attributes of a session in addition to the methods of a dict."""

    @property
    def permanent(self) -> bool:
        """Whether the session outlives the browser session. Stored under the key ``_permanent``."""
        permanent: bool = self.get("_permanent", False)
        return permanent

    @permanent.setter
    def permanent(self, value: bool) -> None:
        self["_permanent"] = bool(value)

    new = False
    """Whether this session was started in this request, if the interface knows."""

    modified = True
    """Whether the session must be saved. Always true for a session that does not detect changes."""

    accessed = False
    """Whether this request has used the session, so that the response varies by cookie."""


def mark_modified(session: SecureCookieSession) -> None:
    """Record that a session has changed."""
    session.modified = True


class SecureCookieSession(CallbackDict[str, t.Any], SessionMixin):
    """A session in a signed cookie.

    It detects that a key is set or removed. After a change inside a value, set ``modified`` yourself.
    """

    modified = False
    on_update = staticmethod(mark_modified)

    def __init__(self, initial: Mapping[str, t.Any] | None = None) -> None:
        dict.__init__(self, () if initial is None else initial)


class NullSession(SecureCookieSession):
    """The session of an application without a secret key. It is empty and read-only."""

    def _fail(self, *args: object, **kwargs: object) -> t.NoReturn:
        raise RuntimeError(WITHOUT_KEY)

    __setitem__ = __delitem__ = clear = pop = popitem = update = setdefault = _fail
    del _fail


_COOKIE_GETTERS: t.Final = (
    "get_cookie_domain",
    "get_cookie_httponly",
    "get_cookie_name",
    "get_cookie_partitioned",
    "get_cookie_path",
    "get_cookie_samesite",
    "get_cookie_secure",
)

_CALLED: t.Final = (
    *_COOKIE_GETTERS,
    "get_expiration_time",
    "is_null_session",
    "make_null_session",
    "open_session",
    "save_session",
    "should_set_cookie",
)
"""The methods of a session interface that are called during a request."""


def refuse_async_methods(interface: object) -> None:
    """Raise TypeError if a method of a session interface is ``async def``."""
    for name in _CALLED:
        method = getattr(interface, name, None)
        if method is not None:
            refuse_async("a method of the session interface", method)


class SessionInterface:
    """Opens and saves the sessions of an application. Subclasses implement `open_session` and `save_session`."""

    null_session_class: type[NullSession] = NullSession

    pickle_based = False
    """Whether sessions are pickled, and can contain any Python object."""

    opens_late = False
    """Whether a session may be opened lazily: when it is first used, and not at all if the request does not use it."""

    def may_need_refresh(self, app: AnyApp, request: AnyRequest, cookies: str) -> bool:
        """Whether a session that the view has not used must be opened, since its cookie may have to be sent again.

        That is necessary for permanent sessions. `cookies` is the request's Cookie field.
        """
        return app.config["SESSION_REFRESH_EACH_REQUEST"] and app.config["SESSION_COOKIE_NAME"] in cookies

    def make_null_session(self, app: AnyApp) -> NullSession:
        """Create the session for a request for which `open_session` has returned None."""
        return self.null_session_class()

    def is_null_session(self, obj: object) -> bool:
        """Whether `obj` is a null session, which is not saved."""
        # `isinstance` would call the abstract base class first. PERF: session_read
        return type.__instancecheck__(self.null_session_class, obj)

    def get_cookie_name(self, app: AnyApp) -> str:
        """Return the cookie's name: ``SESSION_COOKIE_NAME``."""
        name: str = app.config["SESSION_COOKIE_NAME"]
        return name

    def get_cookie_domain(self, app: AnyApp) -> str | None:
        """Return the cookie's domain, ``SESSION_COOKIE_DOMAIN``. None means this host without its subdomains."""
        domain: str | None = app.config["SESSION_COOKIE_DOMAIN"]
        return domain

    def get_cookie_path(self, app: AnyApp) -> str:
        """Return the cookie's path: ``SESSION_COOKIE_PATH``, or else ``APPLICATION_ROOT``."""
        path: str = app.config["SESSION_COOKIE_PATH"] or app.config["APPLICATION_ROOT"]
        return path

    def get_cookie_httponly(self, app: AnyApp) -> bool:
        """Whether scripts cannot read the cookie: ``SESSION_COOKIE_HTTPONLY``."""
        httponly: bool = app.config["SESSION_COOKIE_HTTPONLY"]
        return httponly

    def get_cookie_secure(self, app: AnyApp) -> bool:
        """Whether the cookie is only sent over HTTPS: ``SESSION_COOKIE_SECURE``. "auto" makes an exception locally."""
        secure: bool | str = app.config["SESSION_COOKIE_SECURE"]
        if secure == "auto":
            return may_be_secure(app)
        return secure  # type: ignore[return-value]  # a setting

    def get_cookie_samesite(self, app: AnyApp) -> str | None:
        """Return which cross-site requests carry the cookie: ``SESSION_COOKIE_SAMESITE``."""
        samesite: str | None = app.config["SESSION_COOKIE_SAMESITE"]
        return samesite

    def get_cookie_partitioned(self, app: AnyApp) -> bool:
        """Whether browsers keep a separate cookie for each embedding site: ``SESSION_COOKIE_PARTITIONED``."""
        partitioned: bool = app.config["SESSION_COOKIE_PARTITIONED"]
        return partitioned

    def _cookie_attributes(self, app: AppContract) -> Attributes:
        return (
            self.get_cookie_domain(app),
            self.get_cookie_path(app),
            self.get_cookie_secure(app),
            self.get_cookie_httponly(app),
            self.get_cookie_samesite(app),
            self.get_cookie_partitioned(app),
        )

    def get_expiration_time(self, app: AnyApp, session: SessionMixin) -> datetime | None:
        """Return when a permanent session expires; None for a session that ends with the browser session."""
        if session.permanent:
            expires: datetime = datetime.now(UTC) + app.permanent_session_lifetime
            return expires
        return None

    def should_set_cookie(self, app: AnyApp, session: SessionMixin) -> bool:
        """Whether to send the cookie: the session was modified, or it is permanent and each request refreshes it."""
        return session.modified or (session.permanent and app.config["SESSION_REFRESH_EACH_REQUEST"])

    def open_session(self, app: AnyApp, request: AnyRequest) -> SessionMixin | None:
        """Return the session of a request, which is empty for a new client; None if sessions are impossible."""
        raise NotImplementedError

    def save_session(self, app: AnyApp, session: SessionMixin, response: AnyResponse) -> None:
        """Save the session, and set the cookie on the response. Not called for null sessions."""
        raise NotImplementedError


def _sha1(string: bytes = b"") -> Hash:
    import hashlib  # imports OpenSSL, which takes 3 MiB

    return hashlib.sha1(string)  # noqa: S324 - used in an HMAC, and required by the format of existing cookies


session_json_serializer = TaggedJSONSerializer()


class SecureCookieSessionInterface(SessionInterface):
    """Stores the session in a signed cookie, which the client can read but not change."""

    salt = "cookie-session"
    """Distinguishes these signatures from others that are made with the same secret key."""

    digest_method: DigestMethod = staticmethod(_sha1)
    """The hash function of the signature."""

    key_derivation = "hmac"
    """How itsdangerous derives the signing key from secret key and salt."""

    serializer: TextSerializer = session_json_serializer
    """Converts the session to text and back, with the methods `dumps` and `loads`."""

    session_class = SecureCookieSession

    _kept: SignedCookie | None = None
    """The cache of `_kept_cookie`; None if an instance attribute overrides a part of the cookie."""

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value)
        if name in _PARTS:
            self._kept = None

    def get_signing_serializer(self, app: AnyApp) -> URLSafeTimedSerializer | None:
        """Return the itsdangerous serializer for the secret key and its fallbacks; None without a secret key."""
        key = app.secret_key
        if not key:
            return None
        return _signing_serializer(_keys(app, key), self.salt, self.serializer, self.key_derivation, self.digest_method)

    def open_session(self, app: AnyApp, request: AnyRequest) -> SessionMixin | None:
        """Return the session from the request's cookie; an empty one if the cookie is missing, expired or invalid."""
        kept = self._kept_cookie(app)
        serializer = self._kept_serializer(app) if kept is None else kept.serializer
        if serializer is None:
            return None
        value = sent(request, self.get_cookie_name(app) if kept is None else kept.name)
        if not value:
            return self.session_class()
        try:
            data = serializer.loads(value, max_age=cookie_lifetime(app) if kept is None else kept.lifetime)
        except _bad_data():
            return self.session_class()
        if type(data) is dict or isinstance(data, Mapping):
            return self._session_of(app, value, data)
        return self.session_class()

    def _session_of(self, app: AppContract, value: str, data: Mapping[str, t.Any]) -> SessionMixin:
        """Return the session for the data of a valid cookie."""
        return self.session_class(data)

    def save_session(self, app: AnyApp, session: SessionMixin, response: AnyResponse) -> None:
        """Send the cookie if necessary, or delete the cookie of a session that has become empty."""
        if session.accessed:
            vary_by_cookie(response)
        if self._is_empty(session):
            if session.modified:
                name, attributes = self.get_cookie_name(app), self._cookie_attributes(app)
                response.delete_cookie(name, **named(attributes))
                self._keep_to_client(app, session, response)
        elif self.should_set_cookie(app, session) or self._notes_use(app, session):
            self._send(app, session, response)

    def _is_empty(self, session: SessionMixin) -> bool:
        return not session

    def _notes_use(self, app: AppContract, session: SessionMixin) -> bool:
        """Whether the cookie must be sent in order to record that the session is in use."""
        return False

    def _data_of(self, app: AppContract, session: SessionMixin) -> dict[str, t.Any]:
        """Return the data for the cookie."""
        return dict(session)

    def _send(self, app: AppContract, session: SessionMixin, response: Response) -> None:
        kept = self._kept_cookie(app)
        serializer = self._kept_serializer(app) if kept is None else kept.serializer
        if serializer is None:
            raise RuntimeError(WITHOUT_KEY)
        data = self._data_of(app, session)
        set_cookie(
            response,
            self.get_cookie_name(app) if kept is None else kept.name,
            serializer.dumps(data),  # type: ignore[arg-type]  # an itsdangerous serializer returns str for str
            self.get_expiration_time(app, session),
            self._cookie_attributes(app) if kept is None or kept.attributes is None else kept.attributes,
            serializer.__class__ is KeptSerializer,
            app.config,
            self._largest_keys,
            data,
        )
        self._keep_to_client(app, session, response)

    def _keep_to_client(self, app: AppContract, session: SessionMixin, response: Response) -> None:
        """Prevent caches from serving a response that sets or deletes the cookie to other clients."""
        if not session.accessed:
            vary_by_cookie(response)
        if app.config.get("SESSION_CACHE_PRIVATE", False):
            keep_private(response)

    def may_need_refresh(self, app: AppContract, request: Request, cookies: str) -> bool:
        """Whether a session that the view has not used may be permanent, and its cookie may have to be sent again.

        This reads the cookie's payload without verifying the signature: with a forged cookie, a client only achieves
        that its own session is opened, or not refreshed.
        """
        name = self.get_cookie_name(app)
        if name not in cookies:
            return False
        if not _own_cookie.are_original(self):
            return True
        if not app.config["SESSION_REFRESH_EACH_REQUEST"]:
            return False
        if not is_sent_plainly(request):
            cookies = f"{name}={request.cookies.get(name)}"
        # A JSON object starts with "ey" in base64; a compressed payload starts with a dot.
        pair = f"{name}="
        if f"{pair}ey" not in cookies or cookies.count(pair) != 1:
            return True
        first, second, third = _PERMANENT
        return first in cookies or second in cookies or third in cookies

    def _kept_cookie(self, app: AppContract) -> SignedCookie | None:
        """Return the cookie for the current settings, with derived keys; None if an override determines the cookie."""
        config, kept = app.config, self._kept
        state = getattr(config, "state", None)  # before the settings are read
        if kept is not None and kept.state is state is not None and kept.fits(app, config):
            return kept
        try:
            settings = _settings_of(config), config.get("SECRET_KEY_MIN_BYTES"), app.__class__
        except KeyError:
            return None
        if kept is None or kept.settings != settings or not kept.stamp.is_current():
            kept = self._keep_cookie(app, settings)
        if kept is not None:
            kept.state = state
        return kept

    def _keep_cookie(self, app: AppContract, settings: Settings) -> SignedCookie | None:
        (key, fallbacks, secure, *others), shortest, app_class = settings
        if not key or _parts.replaced(self) or (shortest and len(key) < shortest) or not _reads_settings(app_class):
            return None
        if type(fallbacks) is list:
            fallbacks = fallbacks.copy()
        elif fallbacks is not None and type(fallbacks) is not tuple:  # changes would not be detected
            return None
        stamp = _stamp_of(type(self), app_class)
        if not stamp.is_current():
            return None
        serializer = self._kept_serializer(app)
        if not isinstance(serializer, KeptSerializer):
            return None
        attributes = None if secure == "auto" else self._cookie_attributes(app)  # "auto" depends on the request
        cookie = SignedCookie(
            ((key, fallbacks, secure, *others), shortest, app_class),
            stamp,
            serializer,
            self.get_cookie_name(app),
            attributes,
            cookie_lifetime(app),
        )
        if _PARTS.isdisjoint(self.__dict__):
            self._kept = cookie
        return cookie

    def _kept_serializer(self, app: AppContract) -> ValueSerializer | None:
        """Return the serializer for the cookie's value; None without a secret key.

        :raises RuntimeError: if the key is too short.
        """
        if "get_signing_serializer" in _parts.replaced(self):
            return self.get_signing_serializer(app)
        key = app.secret_key
        if not key:
            return None
        check_size(app, key)
        parts = _keys(app, key), self.salt, self.serializer, self.key_derivation, self.digest_method
        try:
            return _serializer_of(*t.cast("tuple[t.Any, ...]", parts))
        except TypeError:  # keys that are not text; itsdangerous raises the error when it uses them
            return self.get_signing_serializer(app)

    def _largest_keys(self, data: dict[str, t.Any]) -> str:
        sizes = {key: len(self.serializer.dumps({key: item})) for key, item in data.items()}
        largest = sorted(sizes, key=lambda key: (-sizes[key], key))[:3]
        return (
            f"The largest values in the session: {', '.join(f'{key!r} ({sizes[key]} bytes)' for key in largest)}."
            " Store such values on the server, and only their ids in the session."
        )


def _reads_settings(app_class: type) -> bool:
    """Whether the attributes of an application on which the cookie depends only read settings."""
    return reads_setting(app_class, "secret_key") and reads_setting(app_class, "permanent_session_lifetime")


_stamps: t.Final[dict[tuple[type, type], Stamp]] = {}
_MAX_STAMPS: t.Final = 64


def _stamp_of(interface_class: type, app_class: type) -> Stamp:
    """Return the stamp of both classes. Several applications of a process may share an interface."""
    classes = interface_class, app_class
    stamp = _stamps.get(classes)
    if stamp is None or not stamp.is_current():
        if len(_stamps) >= _MAX_STAMPS:
            _stamps.clear()
        stamp = _stamps[classes] = Stamp(*classes, changes=0 if stamp is None else stamp.changes + 1)
    return stamp


_parts: t.Final = Seams(
    SecureCookieSessionInterface,
    "_cookie_attributes",
    "_kept_serializer",
    *_COOKIE_GETTERS,
    "get_signing_serializer",
)
"""The methods that, together with the settings, determine the cookie."""

_PARTS: t.Final = frozenset({*_parts, "digest_method", "key_derivation", "salt", "serializer"})

_own_cookie: t.Final = Seams(
    SecureCookieSessionInterface, "get_signing_serializer", "serializer", "_kept_serializer", "should_set_cookie"
)


class OpensLate(property):
    """The attribute `opens_late` of Costrel's interfaces. It is computed from the class unless a value is assigned."""


def opens_late(cls: type[SecureCookieSessionInterface]) -> bool:
    """Return the property `opens_late` for `cls`. It is true unless a subclass or patch overrides the methods of `cls`.

    Overridden methods are called in each request, unless the subclass sets `opens_late` itself.
    """
    original = Seams(cls, "open_session", "save_session", "session_class").are_original
    return t.cast(bool, OpensLate(original))


SecureCookieSessionInterface.opens_late = opens_late(SecureCookieSessionInterface)

_PERMANENT: t.Final = fragments(b'"_permanent"')


def _bad_data() -> type[Exception]:
    """Return the base class of itsdangerous' errors. It is imported only after an error was raised."""
    from itsdangerous import BadData

    return BadData


def check_size(app: AppContract, key: Key) -> None:
    """Check the size of the secret key, but not in debug mode and in tests.

    :raises RuntimeError: if it has fewer bytes than ``SECRET_KEY_MIN_BYTES``.
    """
    shortest = app.config.get("SECRET_KEY_MIN_BYTES", 0)
    if shortest and not (app.debug or app.testing):
        size = len(key.encode() if isinstance(key, str) else key)
        if size < shortest:
            raise RuntimeError(
                f"The secret key has {size} bytes, but {shortest} are required (SECRET_KEY_MIN_BYTES): a shorter key"
                " can be guessed, and then anyone can forge sessions. Set SECRET_KEY to the output of python -c 'import"
                " secrets; print(secrets.token_hex())'. In debug mode and in tests, any key is accepted."
            )


def _keys(app: AppContract, key: Key) -> tuple[Key, ...]:
    """Return the keys in itsdangerous' order: the last key signs, and the others are still accepted."""
    fallbacks = app.config.get("SECRET_KEY_FALLBACKS")
    return (*fallbacks, key) if fallbacks else (key,)


def read_signed(app: AppContract, value: str) -> object:
    """Return the data of a cookie that Flask has signed; None if it is invalid or expired."""
    serializer = _flask_interface._kept_serializer(app)
    try:
        return None if serializer is None else serializer.loads(value, max_age=cookie_lifetime(app))
    except _bad_data():
        return None


def notes_serializer(app: AppContract) -> KeptSerializer:
    """Return the serializer for cookie notes, with the application's keys and its own salt."""
    interface, key = _flask_interface, app.secret_key
    keys = _keys(app, key) if key else ()
    parts = keys, "session-notes", interface.serializer, interface.key_derivation, interface.digest_method
    return _serializer_of(*t.cast("tuple[t.Any, ...]", parts))


_flask_interface: t.Final = SecureCookieSessionInterface()


@lru_cache(maxsize=16)
def _serializer_of(
    keys: tuple[Key, ...], salt: str, serializer: TextSerializer, key_derivation: str, digest_method: DigestMethod
) -> KeptSerializer:
    # Cached by key, since the applications of a process share an interface.
    return KeptSerializer(_signing_serializer(keys, salt, serializer, key_derivation, digest_method))


def _signing_serializer(
    keys: tuple[Key, ...], salt: str, serializer: TextSerializer, key_derivation: str, digest_method: DigestMethod
) -> URLSafeTimedSerializer:
    from itsdangerous import URLSafeTimedSerializer

    return URLSafeTimedSerializer(
        t.cast("list[str]", list(keys)),  # bytes and text may be mixed
        salt=salt,
        serializer=t.cast("_PDataSerializer[str]", serializer),  # itsdangerous takes bytes too
        signer_kwargs={"key_derivation": key_derivation, "digest_method": digest_method},
    )
