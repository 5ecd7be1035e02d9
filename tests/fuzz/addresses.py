"""Targets: hosts, URLs, routes, paths, redirects and proxy headers. No result leads to another site or folder."""

from __future__ import annotations

import ntpath
import posixpath
import re
from contextlib import suppress
from urllib.parse import quote, unquote, urlsplit

from costrel.guards.proxies import Proxies
from costrel.guards.redirects import check_location, safe_next
from costrel.http.errors import HTTPException, SecurityError
from costrel.http.hosts import get_current_url, get_host, host_is_trusted
from costrel.http.urls import iri_to_uri, uri_to_iri
from costrel.messages.redirects import append_slash_redirect, redirect
from costrel.messages.request import Request
from costrel.middleware.proxy_fix import ProxyFix
from costrel.routing import Map, RequestRedirect, Rule
from costrel.support.paths import _join_under, _secure_name

from .feeding import lines_of

SITE = "example.org"

RULES = Map(
    [
        Rule("/", endpoint="index"),
        Rule("/static/", endpoint="folder"),
        Rule("/static/<path:name>", endpoint="file"),
        Rule("/<int:number>", endpoint="int"),
        Rule("/s/<int(signed=True, fixed_digits=4):number>/", endpoint="fixed"),
        Rule("/f/<float(signed=True):number>", endpoint="float"),
        Rule("/u/<uuid:key>", endpoint="uuid"),
        Rule("/any/<any(a, 'b c', 'd/e'):word>/x", endpoint="any"),
        Rule("/n/<name>/<string(length=3):other>", endpoint="names"),
        Rule("/l/<string(minlength=2, maxlength=4):name>.<ext>", endpoint="cut"),
        Rule("/p/<path:a>/x/<path:b>/y/<path:c>/", endpoint="paths"),
        Rule("/page/", defaults={"page": 1}, endpoint="page"),
        Rule("/page/<int:page>", endpoint="page"),
        Rule("/old/<name>", endpoint="alias", alias=True),
        Rule("/new/<name>", endpoint="alias"),
        Rule("/only", endpoint="post", methods=["POST"]),
        Rule("/loose/", endpoint="loose", strict_slashes=False),
        Rule("/ü/<name>", endpoint="other letters"),
        Rule("/ws", endpoint="socket", websocket=True),
    ]
)


def hosts(data: bytes) -> None:
    scheme, header, rest = (line.decode("latin-1") for line in lines_of(data, 2))
    scheme = scheme if scheme in ("http", "https", "ws", "wss") else "http"
    for trusted in (None, ["example.org", ".example.net", "bücher.example"]):
        try:
            host = get_host(scheme, header, None, trusted)
        except SecurityError:
            assert trusted
            continue
        if not host:
            continue
        assert host_is_trusted(host, trusted)
        assert host_is_trusted(header, trusted)
        url = get_current_url(scheme, host, "/root", rest, data)
        assert url.startswith(f"{scheme}://")
        with suppress(UnicodeError):  # of labels that IDNA does not allow
            split = urlsplit(iri_to_uri(url))
            assert (split.username, split.path[:6]) == (None, "/root/")
            assert "xn--" in host.lower() or (split.hostname or "") in f"{host.lower()}[]"


def urls(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    with suppress(ValueError):
        uri = iri_to_uri(text)
        assert uri.isascii()
        # Without an authority, such a path begins with something that looks like one.
        assert uri == iri_to_uri(uri) or urlsplit(text).path.startswith("//")
    with suppress(ValueError):
        iri = uri_to_iri(text)
        # A host that IDNA refuses stays as it was.
        with suppress(ValueError):
            # A percent sign that escapes nothing may do so after what follows it was unescaped; what has no scheme may
            # look as if it had one; and a path that begins with two slashes may look like an authority.
            parts = urlsplit(text)
            settled = parts.netloc and not parts.path.startswith("//") and not re.search("%(?![0-9A-Fa-f]{2})", text)
            assert not settled or iri == uri_to_iri(iri)
            iri_to_uri(iri)


def routes(data: bytes) -> None:
    """A match can be built and matched again, and a redirect leads to the same site."""
    method, text = lines_of(data, 1)
    adapter = RULES.bind(SITE)
    path = text.decode("utf-8", "replace")
    name = method.decode("latin-1") or "GET"
    refused = None
    endpoint, values = "", {}
    try:
        endpoint, values = adapter.match(path, name)
    except HTTPException as error:
        refused = error
    if isinstance(refused, RequestRedirect):
        assert SITE == urlsplit(refused.new_url).netloc
        assert not set(refused.new_url) & set("\\\r\n\0")
    elif refused is not None:
        assert refused.code in (400, 404, 405)
    if refused is not None or endpoint == "float":  # which is written in more than one way
        return
    built = adapter.build(endpoint, values, name.upper(), append_unknown=False)
    assert (endpoint, values) == adapter.match(unquote(built), name)


def paths(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    parts = text.split("\n")
    for flavour, root in ((posixpath, "/srv/root"), (ntpath, "C:/srv/root")):
        joined = _join_under(flavour, root, tuple(parts))
        if joined is not None:
            real = flavour.normpath(joined)
            start = flavour.normpath(root)
            assert real == start or real.startswith(start + flavour.sep)
            assert "\0" not in joined
        name = _secure_name(flavour, text)
        assert name.isascii()
        assert not set(name) & set("/\\\0:")
        assert name not in (".", "..")
        assert name == _secure_name(flavour, name)


def redirects(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    target = safe_next(text, "/fallback")
    assert target == "/fallback" or target == text
    assert not _as_browsers_read(target).startswith("//")
    assert _as_browsers_read(target).startswith("/")
    with suppress(ValueError):
        check_location(text, ("http", "https"))
        scheme, colon, _ = _as_browsers_read(text).partition(":")
        if colon and scheme[:1].isalpha() and scheme.isascii() and not set(scheme) & set("/?#[@ _%&=,;()'\"!*$~"):
            odd = [char for char in scheme if not (char.isalnum() or char in "+-.")]
            assert odd or scheme.lower() in ("http", "https")
    with suppress(ValueError):
        location = redirect(text).headers["Location"]
        assert not set(location) & set("\r\n\0")
    environ = {"PATH_INFO": data.decode("latin-1"), "QUERY_STRING": data.decode("latin-1")}
    location = append_slash_redirect(environ).headers["Location"]
    assert location.isascii()
    assert urlsplit(location)[:2] == ("", "")


def _as_browsers_read(target: str) -> str:
    """The normalization of a reference by the URL Standard (§4.4) before parsing, for a page over HTTP."""
    stripped = target.strip("".join(map(chr, range(0x21))))
    return stripped.replace("\t", "").replace("\n", "").replace("\r", "").replace("\\", "/")


def proxies(data: bytes) -> None:
    """What stands in the headers of proxies never makes more than a refused request."""
    values = [line.decode("latin-1") for line in lines_of(data, 6)]
    names = ("FOR", "PROTO", "HOST", "PORT", "PREFIX")
    for setting in (1, 2, ["10.0.0.0/8", "::1"], {"hops": 2, "networks": ["0.0.0.0/0"], "headers": ["for", "host"]}):
        environ = _environ(values[5])
        environ.update({f"HTTP_X_FORWARDED_{name}": value for name, value in zip(names, values, strict=False)})
        proxies = Proxies.of(setting)
        assert proxies is not None
        proxies.apply(environ)
        with suppress(HTTPException):
            request = Request(environ)
            assert isinstance(request.access_route, list)
            assert quote(request.host)
    environ = _environ(values[5])
    environ.update({f"HTTP_X_FORWARDED_{name}": value for name, value in zip(names, values, strict=False)})
    ProxyFix(lambda environ, start: [], 1, 1, 1, 1, 1)(environ, lambda *answer: None)
    with suppress(HTTPException):
        assert Request(environ).host is not None


def _environ(path: str) -> dict[str, object]:
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": path,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "REMOTE_ADDR": "10.0.0.1",
        "HTTP_HOST": SITE,
        "wsgi.url_scheme": "http",
    }
