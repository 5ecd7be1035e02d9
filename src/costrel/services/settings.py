"""The table of all settings that Costrel reads: their types, their defaults in both profiles, and their meaning.

The profiles, ``costrel check`` and docs/configuration.md are generated from it.
"""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType, NoneType

_SAME: t.Final = object()
"""Marks a setting whose default in `Costrel` equals Flask's."""

BOOL: t.Final = (bool,)
BOOL_OR_NONE: t.Final = (bool, NoneType)
COUNT: t.Final = (int,)
COUNT_OR_NONE: t.Final = (int, NoneType)
SECONDS_OR_NONE: t.Final = (int, float, NoneType)
DURATION_OR_NONE: t.Final = (timedelta, int, float, NoneType)
NAMES: t.Final = (str, list, tuple, set, frozenset, NoneType)
TEXT: t.Final = (str,)
TEXT_OR_NONE: t.Final = (str, NoneType)
ANY: t.Final = (object,)


class Setting(t.NamedTuple):
    """A setting: its types, its defaults in `flask.Flask` and in `Costrel`, and a sentence about it."""

    name: str
    types: tuple[type, ...]
    flask: object
    native: object
    text: str
    values: tuple[object, ...] = ()
    """The allowed values, if there are only a few."""
    least: int | None = None
    """The smallest allowed number."""
    is_flasks: bool = True
    """Whether Flask also has this setting, so that it is in the configuration of every application."""


def _flask(
    name: str, types: tuple[type, ...], default: object, text: str, native: object = _SAME, least: int | None = None
) -> Setting:
    """A setting that Flask also has."""
    return Setting(name, types, default, default if native is _SAME else native, text, least=least)


def _own(
    name: str,
    types: tuple[type, ...],
    default: object,
    text: str,
    native: object = _SAME,
    values: tuple[object, ...] = (),
    least: int | None = None,
) -> Setting:
    """A setting that only Costrel has. A `flask.Flask` does not have it in its configuration; the default applies."""
    native = default if native is _SAME else native
    return Setting(name, types, default, native, text, values, least, is_flasks=False)


GROUPS: t.Final[Mapping[str, tuple[Setting, ...]]] = MappingProxyType({
    "The application": (
        _flask("DEBUG", BOOL_OR_NONE, None,
               "Debug mode; initially the value of COSTREL_DEBUG or FLASK_DEBUG in the environment."),
        _flask("TESTING", BOOL, False, "Errors are raised in the test client instead of becoming a 500."),
        _flask("PROPAGATE_EXCEPTIONS", BOOL_OR_NONE, None,
               "Errors are raised in the server; None: in debug mode and in tests."),
        _flask("TRAP_HTTP_EXCEPTIONS", BOOL, False,
               "HTTP errors are handled like other errors instead of being sent as responses."),
        _flask("TRAP_BAD_REQUEST_ERRORS", BOOL_OR_NONE, None,
               "A missing form field is handled like other errors; None: in debug mode."),
        _flask("PROVIDE_AUTOMATIC_OPTIONS", BOOL, True, "Routes respond to OPTIONS automatically."),
        _flask("EXPLAIN_TEMPLATE_LOADING", BOOL, False, "Log the places in which each template is searched for."),
        _flask("TEMPLATES_AUTO_RELOAD", BOOL_OR_NONE, None, "Reload changed templates; None: in debug mode."),
        _own("TEMPLATES_STRICT_ESCAPE", BOOL, False,
             "Also escape values in templates such as page.html.j2, page.HTML and page.xht.", native=True),
        _own("ERROR_FORMAT", TEXT, "html", 'The format of errors: "html" is a page, "problem" is JSON (RFC 9457),'
             ' "accept" follows the client\'s Accept header.', native="accept", values=("html", "accept", "problem")),
        _own("THREADS", COUNT_OR_NONE, 32,
             "Threads per process for sync code under ASGI; if 32 times as many requests wait, further"
             " requests get a 503.", least=1),
        _own("STREAM_THREADS", COUNT, 512,
             "Threads per process for responses whose body may block, such as a generator, and as many for"
             " unfinished request bodies; further requests get a 503.",
             least=1),
        _own("BACKGROUND_THREADS", COUNT, 4, "Threads per process for the functions of after_response.", least=1),
        _own("METHOD_CASE_SENSITIVE", BOOL, False,
             "Methods are case-sensitive: get is not GET, and is a 405 if only GET is allowed.", native=True),
        _own("JSON_ALLOW_NAN", BOOL, True, "Read and write NaN and infinities in JSON.", native=False),
        _own("JSON_ALLOW_SURROGATES", BOOL, True,
             "Accept JSON strings with lone surrogates, which UTF-8 cannot encode, when JSON is read from bytes.",
             native=False),
        _own("REFUSE_WRONG_SETTINGS", BOOL, False,
             "Refuse to start with settings that would make requests fail; otherwise log them.", native=True),
        _own("VALIDATION_STATUS", COUNT, 422,
             "The status of the error for invalid inputs of a typed view: 422 or 400.", values=(422, 400)),
        _own("OPENTELEMETRY", ANY, False,
             "Trace requests with OpenTelemetry; True: with its global tracer provider; or a TracerProvider."),
        _own("CHECK_IGNORE", NAMES, (), "Settings, endpoints, rules and templates that costrel check skips."),
        _own("SECURITY_PROFILE", TEXT_OR_NONE, None,
             '"strict": at the first request, each setting that still has Flask\'s default'
             " gets Costrel's default.", values=("strict", None)),
    ),
    "Addresses": (
        _flask("SERVER_NAME", TEXT_OR_NONE, None,
               "The host (and port) of URLs that are built outside of a request, and the parent domain of subdomains."),
        _flask("APPLICATION_ROOT", TEXT, "/",
               "The path under which the application is mounted, for such URLs and the session's cookie."),
        _flask("PREFERRED_URL_SCHEME", TEXT, "http", "The scheme of such URLs."),
        _flask("TRUSTED_HOSTS", NAMES, None,
               "The hosts that the application accepts; .example.com includes its subdomains; None: all hosts."),
        _own("HOST_REQUIRED", BOOL, False,
             "An HTTP/1.1 or HTTP/2 request without a host is a 400; if this is off, and for HTTP/1.0,"
             " the host is the server's address.", native=True),
        _own("TRUSTED_PROXIES", (int, str, list, tuple, dict, NoneType), None, "The proxies whose X-Forwarded-* headers"
             " are trusted: a number of proxies, networks, or a dict; None: the headers are ignored.", native=()),
        _own("STRICT_URLS", BOOL, False, "Build only URLs that the same rule matches; of rules that match alike, use"
             " the first; accept only ASCII digits in paths.", native=True),
        _own("REDIRECT_SCHEMES", NAMES, None, "The URL schemes that redirect accepts; None: any.",
             native=("http", "https")),
    ),
    "Limits": (
        _flask("MAX_CONTENT_LENGTH", COUNT_OR_NONE, None,
               "Bytes of a request's body; a larger body is a 413, even if its"
               " length is not declared.", native=16 * 1024 * 1024, least=0),
        _flask("MAX_FORM_MEMORY_SIZE", COUNT_OR_NONE, 500_000,
               "Bytes of all fields of a form together, which are kept in memory; more is a 413.", least=0),
        _flask("MAX_FORM_PARTS", COUNT_OR_NONE, 1_000,
               "Fields and files of a multipart form; more is a 413.", least=0),
        _own("LIMIT_URLENCODED_FIELDS", BOOL, False,
             "MAX_FORM_PARTS also limits the fields of forms that are not multipart.", native=True),
        _own("MAX_FORM_FILES", COUNT_OR_NONE, None, "Files of a form; more is a 413.", native=100, least=0),
        _own("MAX_FORM_PART_HEADERS", COUNT, 16, "Headers of one part of a multipart body; more is a 413.", least=0),
        _own("MAX_FORM_PART_HEADER_SIZE", COUNT, 8 * 1024, "Bytes of one of these headers; more is a 413.", least=0),
        _own("MAX_FORM_BOUNDARY_SIZE", COUNT, 256, "Bytes of a multipart boundary; more is a 400.", least=1),
        _own("MAX_QUERY_PARAMS", COUNT_OR_NONE, None,
             "Parameters of a query; more is a 414 when the query is read.", native=1_000, least=0),
        _own("JSON_MAX_DEPTH", COUNT_OR_NONE, None,
             "Levels of nesting in a JSON body; more is a 400, and so is JSON that Python cannot read.", native=200,
             least=1),
        _own("WEBSOCKET_MAX_MESSAGE_SIZE", COUNT_OR_NONE, 1024 * 1024,
             "Bytes of a WebSocket message; a longer message closes the connection with 1009.", least=1),
        _flask("MAX_COOKIE_SIZE", COUNT, 4093,
               "Bytes of a cookie; a larger cookie causes a warning; 0: no limit.", least=0),
        _own("BODY_TIMEOUT", SECONDS_OR_NONE, 30.0,
             "Seconds under ASGI without a byte of an unfinished body, after which the response is a 408; None: no"
             " limit."),
        _own("BODY_MIN_RATE", (int, float, NoneType), 500,
             "Bytes per second that must arrive on average after BODY_TIMEOUT; fewer are a 408; 0: no"
             " limit.", least=0),
        _own("REQUEST_TIMEOUT", SECONDS_OR_NONE, None,
             "Seconds under ASGI within which a response must begin; otherwise the client gets a 503; None: no limit."),
        _own("SEND_TIMEOUT", SECONDS_OR_NONE, 30.0,
             "Seconds under ASGI after which a response is aborted if the client reads nothing of it; None: no limit."),
        _own("MAX_RESPONSE_MEMORY_SIZE", COUNT_OR_NONE, None,
             "Bytes of all large complete responses that wait for clients in a"
             " process; the next one is a 503; None: no limit.", native=256 * 1024 * 1024, least=0),
    ),
    "Compression": (
        _own("COMPRESS", BOOL, False,
             "Compress text, JSON, SVG and WebAssembly of 1 KB or more, as the client accepts it.", native=True),
    ),
    "Files": (
        _flask("SEND_FILE_MAX_AGE_DEFAULT", DURATION_OR_NONE, None,
               "Seconds, or a timedelta, for which browsers may cache files; None: they ask each time."),
        _flask("USE_X_SENDFILE", BOOL, False, "The web server in front sends the files."),
        _own("STATIC_DOTFILES", BOOL, True,
             "Serve static files if a part of their path begins with a dot.", native=False),
        _own("STATIC_FOLLOW_SYMLINKS", BOOL, True, "Follow symbolic links that lead out of a static folder.",
             native=False),
        _own("STATIC_HASHED", BOOL, False,
             "URLs of static files contain a hash of the content, except in debug mode, and browsers"
             " cache these files for a year.", native=True),
        _own("STATIC_BUILD", TEXT_OR_NONE, None,
             "The folder that costrel static build has written, relative to the application's folder; its"
             " compressed copies are sent."),
        _own("VITE_OUT_DIR", TEXT_OR_NONE, None, "Vite's output folder, relative to the application's folder; None: the"
             " static folder, static/dist or a front end, whichever has a manifest."),
        _own("VITE_SERVER", TEXT_OR_NONE, "http://localhost:5173",
             "The URL of Vite's development server, which vite_asset() uses in debug mode; None: use the built files."),
    ),
    "Sessions": (
        _flask("SECRET_KEY", (str, bytes, NoneType), None, "The key that signs sessions and the tokens of extensions."),
        _flask("SECRET_KEY_FALLBACKS", (list, tuple, NoneType), None, "Older keys, whose signatures remain valid."),
        _own("SECRET_KEY_MIN_BYTES", COUNT_OR_NONE, 0, "A shorter key is an error when a session is used, except in"
             " debug mode and in tests.", native=32, least=0),
        _flask("PERMANENT_SESSION_LIFETIME", (timedelta, int), timedelta(days=31),
               "How long a session is valid: a timedelta, or seconds."),
        _own("SESSION_IDLE_LIFETIME", DURATION_OR_NONE, None, "How long a session is valid after its last use: a"
             " timedelta, or seconds; None: PERMANENT_SESSION_LIFETIME."),
        _own("SESSION_ABSOLUTE_LIFETIME", DURATION_OR_NONE, None,
             "How long a session is valid after it began: a timedelta, or seconds."),
        _flask("SESSION_REFRESH_EACH_REQUEST", BOOL, True,
               "Send the cookie of a permanent session with each response."),
        _flask("SESSION_COOKIE_NAME", TEXT, "session", "The name of the session cookie."),
        _flask("SESSION_COOKIE_DOMAIN", (str, bool, NoneType), None,
               "The domain whose subdomains also get the cookie; None or False: only this host."),
        _flask("SESSION_COOKIE_PATH", TEXT_OR_NONE, None, "The path that gets the cookie; None: APPLICATION_ROOT."),
        _flask("SESSION_COOKIE_HTTPONLY", BOOL, True, "Scripts cannot read the cookie."),
        _flask("SESSION_COOKIE_SECURE", (bool, str), False,
               'The cookie is sent over HTTPS only; "auto": except during development.', native="auto"),
        _flask("SESSION_COOKIE_SAMESITE", TEXT_OR_NONE, None,
               '"Lax" or "Strict": the cookie is not sent with requests from other sites.', native="Lax"),
        _flask("SESSION_COOKIE_PARTITIONED", BOOL, False, "The cookie is separate for each site that embeds this one."),
        _own("SESSION_COOKIE_STRICT_SIZE", BOOL, False,
             "A session that is too large for a cookie is an error, not a warning.", native=True),
        _own("SESSION_CACHE_PRIVATE", BOOL, False,
             "A response that sets the session's cookie has Cache-Control: private.", native=True),
        _own("SESSION_STORE", ANY, None,
             "The place in which sessions are kept; None: in cookies, exactly as in Flask.", native="cookie"),
        _own("SESSION_STORE_DOWN", TEXT, "refuse", "The answer to a request that uses a session while the store is"
             ' down: a 503; "read-only": the session is empty, and writing to it is a 503.',
             values=("refuse", "read-only")),
        _own("SESSION_STORE_PREFIX", TEXT, "costrel:session:", "The beginning of the keys in Redis and in caches."),
        _own("SESSION_SQLITE", ANY, None,
             'The file of the store "sqlite"; None: sessions.sqlite in the instance folder.'),
        _own("SESSION_REDIS", ANY, None, 'A URL or a client for the store "redis"; None: the Redis of this machine.'),
        _own("SESSION_MOVE_FROM", NAMES, (), 'Formats that are still read: "cookie", "flask-session".'),
        _own("SESSION_KEY_PREFIX", TEXT, "session:",
             "The beginning of the keys of Flask-Session, when sessions move from it."),
        _own("SESSION_USE_SIGNER", BOOL, False, "Flask-Session signed its cookies, when sessions move from it."),
    ),
    "Security": (
        _own("CONTENT_SECURITY_POLICY", (str, dict, NoneType), None, "The policy of responses that have none: its text,"
             " or a dict of directives; 'nonce' in it becomes a new value for each response.",
             native="base-uri 'self'; frame-ancestors 'self'"),
        _own("CONTENT_SECURITY_POLICY_REPORT_ONLY", (str, dict, bool, NoneType), None, "A policy whose violations are"
             " only reported; True: the other policy is only reported."),
        _own("SECURITY_HEADERS", (bool, dict), False,
             "Four headers are set on responses that do not have them; a dict changes single ones.", native=True),
        _own("REPORTING_ENDPOINTS", (dict, NoneType), None, "A dict of names and URLs to which browsers send reports."),
        _own("HSTS_SECONDS", COUNT_OR_NONE, None, "How long browsers that came over HTTPS may not use HTTP.", least=0),
        _own("CSRF_PROTECTION", BOOL, False,
             "A request from a page of another site that may change something is a 403.", native=True),
        _own("CSRF_TRUSTED_ORIGINS", NAMES, (), "Other sites that may send such requests, as https://app.example.org."),
        _own("CSRF_EXEMPT", NAMES, (), "Endpoints and blueprints that are not checked."),
        _own("CSRF_REQUIRE_TOKEN", BOOL, False, "Such a request also needs the token of csrf_token()."),
        _own("CORS_POLICY", ANY, None, "The other sites whose scripts may read answers: a CORSPolicy, a dict of its"
             " arguments, or origins."),
        _own("WEBSOCKET_ALLOWED_ORIGINS", NAMES, None, "Other sites whose pages may open a WebSocket; None: all sites.",
             native=()),
        _own("RATE_LIMITS", ANY, None, 'How many requests a client may make, such as "100/minute; 5000/day".'),
        _own("RATE_LIMIT_STORAGE", TEXT_OR_NONE, None, 'The counters: "redis://…" or another URL of the package limits;'
             " None: in the memory of each process."),
        _own("RATE_LIMIT_STORE_DOWN", TEXT_OR_NONE, "memory", "While the counters cannot be reached, each process"
             ' counts by itself; "allow": nothing is limited; "refuse": a 503.', values=("memory", "allow", "refuse")),
        _own("RATE_LIMIT_STRATEGY", TEXT_OR_NONE, "fixed-window", 'How requests are counted: "moving-window" and'
             ' "sliding-window-counter" allow no double burst at the border of two windows.',
             values=("fixed-window", "moving-window", "sliding-window-counter")),
        _own("RATE_LIMIT_HEADERS", BOOL, True, "Answers have headers with the remaining requests."),
    ),
})  # fmt: skip
"""The settings, under the headings of docs/configuration.md."""

SETTINGS: t.Final[Mapping[str, Setting]] = MappingProxyType(
    {setting.name: setting for settings in GROUPS.values() for setting in settings}
)

DEFAULTS: t.Final[Mapping[str, t.Any]] = MappingProxyType({name: setting.flask for name, setting in SETTINGS.items()})
"""The values of settings that are missing from a configuration."""
