"""The docs page: Swagger UI's files from the extra ``docs-ui``, with our start-up script, colours and menu."""

from __future__ import annotations

import gzip
import hashlib
import json
import typing as t
import weakref
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from markupsafe import Markup, escape

from .. import context
from ..app.api_document import FILE, HOW_TO_INSTALL, UI_PACKAGE, OpenAPI, endpoint_of, versions_of
from ..guards import csrf
from ..http.errors import NotFound
from ..messages.response import Response
from .routes import routes_of

if t.TYPE_CHECKING:
    from ..app.application import Costrel

ASSETS: t.Final = Path(__file__).with_name("assets")

BUNDLE: t.Final = "swagger-ui-bundle.js"
STYLE: t.Final = "swagger-ui.css"
START: t.Final = "docs.js"
COLOURS: t.Final = "docs.css"
_TYPES: t.Final = {".js": "text/javascript", ".css": "text/css"}

YEAR: t.Final = 31_536_000
"""Seconds."""

_SELF: t.Final = ["'self'"]


class File(t.NamedTuple):
    """A file of the page: its content, compressed content, and hash."""

    content: bytes
    compressed: bytes
    content_hash: str


@cache
def file_of(name: str) -> File:
    """A file of the page by its name.

    :raises NotFound: for another name, or if the extra is not installed.
    """
    if name in (START, COLOURS):
        folder = ASSETS
    elif name in (BUNDLE, STYLE) and (spec := find_spec(UI_PACKAGE)) is not None and spec.origin is not None:
        folder = Path(spec.origin).parent
    else:
        raise NotFound()
    content = (folder / name).read_bytes()
    return File(content, gzip.compress(content, mtime=0), hashlib.sha256(content).hexdigest()[:16])


def respond_file(content_hash: str, name: str) -> Response:
    """A file of the page, which clients may keep for a year: another content has another URL.

    :raises NotFound: for another name or content_hash, or if the extra is not installed.
    """
    ctx = context.requesting()
    file = file_of(name)
    if content_hash != file.content_hash:
        raise NotFound()
    is_compressed = "gzip" in ctx.request.accept_encodings
    response = ctx.app.response_class(file.compressed if is_compressed else file.content)
    response.headers["Content-Type"] = f"{_TYPES[Path(name).suffix]}; charset=utf-8"
    if is_compressed:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
    response.set_etag(content_hash + ("-gzip" if is_compressed else ""))
    return response.make_conditional(ctx.request)


def respond_page(options: OpenAPI) -> Response:
    """The page with the document that the query names; without Swagger UI's files, how to install them.

    :raises NotFound: for a version that there is not.
    """
    ctx = context.requesting()
    app = t.cast("Costrel", ctx.app)
    if find_spec(UI_PACKAGE) is None:
        return _page(app, 501, "missing.html", how=HOW_TO_INSTALL, title=options.title or app.name)
    apis = _apis(app, options)
    chosen = ctx.request.args.get("api", apis[0] or "")
    if (chosen or None) not in apis:
        raise NotFound(f"There is no API version {chosen!r}.")
    url = app.url_for(endpoint_of(chosen or None))
    settings: dict[str, object] = {"url": url}
    if _needs_token(app):
        settings["csrf"] = {"header": csrf.HEADER, "token": csrf.csrf_token()}
    return _page(
        app,
        200,
        "docs.html",
        options.servers,
        title=options.title or app.name,
        menu=_menu(apis, chosen),
        document=url,
        settings=json.dumps(settings),
    )


def _page(app: Costrel, status: int, template: str, servers: tuple[str, ...] = (), **values: object) -> Response:
    names = {"style": STYLE, "bundle": BUNDLE} if template == "docs.html" else {}
    urls = {key: _url(app, name) for key, name in {**names, "colours": COLOURS, "start": START}.items()}
    escaped = {key: escape(value) for key, value in {**urls, **values}.items()}
    response = app.response_class(_template(template).format(**escaped), status, mimetype="text/html")
    response.headers["Content-Security-Policy"] = _policy(servers)
    response.headers["Cache-Control"] = "private, no-cache"  # a CSRF token may be in it
    return response


def _policy(servers: tuple[str, ...]) -> str:
    """No script but those in files from here; requests only to here and to the servers of the API."""
    parts = [urlsplit(server) for server in servers]
    origins = sorted({f"{each.scheme}://{each.netloc}" for each in parts if each.netloc and "{" not in each.netloc})
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src"
        f" {' '.join(_SELF + origins)}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


@cache
def _template(name: str) -> str:
    """A page, which begins with the head that all pages have."""
    return "".join((ASSETS / part).read_text(encoding="utf-8") for part in ("head.html", name))


def _url(app: Costrel, name: str) -> str:
    return app.url_for(FILE, name=name, content_hash=file_of(name).content_hash)


_known: weakref.WeakKeyDictionary[object, list[str | None]] = weakref.WeakKeyDictionary()


def _apis(app: Costrel, options: OpenAPI) -> list[str | None]:
    """The versions in the menu: the newest first. None is the document of the views without one, if there are any."""
    found = _known.get(app)
    if found is None:
        versions: list[str | None] = [*reversed(versions_of(app))]
        without = not versions or bool(routes_of(app, options.untyped, None))
        found = _known[app] = [*versions, *((None,) if without else ())]
    return found


def _menu(apis: list[str | None], chosen: str) -> Markup:
    """The menu of the versions; nothing if there is only one."""
    if len(apis) == 1:
        return Markup("")
    entries = Markup("").join(
        Markup('<option value="{}"{}>{}</option>').format(
            api or "", Markup(" selected") if (api or "") == chosen else "", api or "without a version"
        )
        for api in apis
    )
    menu = '<header class="bar"><label class="versions">Version <select id="versions">{}</select></label></header>'
    return Markup(menu).format(entries)  # noqa: S704 - a constant; the versions are escaped


def _needs_token(app: Costrel) -> bool:
    return bool(app.config.get("CSRF_PROTECTION")) and bool(app.config.get("CSRF_REQUIRE_TOKEN"))
