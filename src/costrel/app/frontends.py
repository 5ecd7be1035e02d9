"""Front ends: the built files of a single-page application, and its page for the paths that only its router knows.

Routes and mounts come first: a front end is looked up if neither matches.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterable, Iterator
from contextlib import suppress
from urllib.parse import quote

from .. import context
from ..http.accept import MIMEAccept
from ..messages import files
from ..routing.errors import RequestRedirect
from .error_format import prefers_page
from .mounts import checked_prefix

if t.TYPE_CHECKING:
    from ..context import AppContract, RequestContext
    from ..messages.response import Response
    from ..routing import Rule
    from ..services.statics.folder import StaticFolder

INDEX: t.Final = "index.html"
_VARY: t.Final = ("Accept", "Sec-Fetch-Mode")
_HTML: t.Final = ("text/html", "application/xhtml+xml")
_METHODS: t.Final = ("GET", "HEAD")


class Frontend:
    """The files of one folder below `prefix`. Raises ValueError for a prefix that no path begins with."""

    def __init__(self, root: str, prefix: str, endpoint: str) -> None:
        self.root = root
        self.prefix = checked_prefix(prefix, "a front end")
        self.endpoint = endpoint
        self.rule: Rule
        """The rule that builds URLs of the files, and stands for the front end in requests."""
        self._taken: frozenset[str] | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.root!r}, {self.prefix or '/'!r})"

    def forget_routes(self) -> None:
        """Look at all rules again, since one was added."""
        self._taken = None

    def answer(self, ctx: RequestContext, path: str) -> bool:
        """Whether this front end answers for the path of a request, which then has its rule or a redirect."""
        request = ctx.request
        if path == self.prefix:
            return self._redirect(ctx)
        if not path.startswith(f"{self.prefix}/"):
            return False
        name = self._file_for(ctx, path[len(self.prefix) + 1 :])
        if name is None:
            from .hashed_files import no_store

            ctx._after_request_functions.append(no_store)  # the same path may be a page for navigations
            return True
        request.url_rule, request.view_args, request.routing_exception = self.rule, {"filename": name}, None
        return True

    def _redirect(self, ctx: RequestContext) -> bool:
        """Redirect to the prefix with a slash, which the page's relative URLs need."""
        adapter = ctx.url_adapter
        if adapter is None or self._folder(ctx.app).locate(INDEX) is None:
            return False
        ctx.request.routing_exception = RequestRedirect(adapter.make_redirect_url(quote(f"{self.prefix}/")))
        return True

    def _file_for(self, ctx: RequestContext, rest: str) -> str | None:
        """The name of the file for a path below the prefix; None for a 404."""
        folder = self._folder(ctx.app)
        name = f"{rest}{INDEX}" if not rest or rest.endswith("/") else rest
        if folder.locate(name) is not None:
            return name
        last = rest.rstrip("/").rpartition("/")[2]
        is_page = (
            "." not in last and is_navigation(ctx) and not self._is_below_a_route(ctx.app, f"{self.prefix}/{rest}")
        )
        return INDEX if is_page and folder.locate(INDEX) is not None else None

    def _is_below_a_route(self, app: AppContract, path: str) -> bool:
        if self._taken is None:
            self._taken = frozenset(_taken_prefixes(app))
        path = path.rstrip("/")
        while path:
            if path in self._taken:
                return True
            path = path.rpartition("/")[0]
        return False

    def _folder(self, app: AppContract) -> StaticFolder:
        from .hashed_files import folder_of  # loads OpenSSL for the hashes

        return folder_of(app, self.root)

    def send(self, filename: str) -> Response:
        """The response with a file: the view of the front end. Raises NotFound if there is no such file."""
        from .hashed_files import folder_of, send_copy

        ctx = context.requesting()
        app = ctx.app
        response: Response | None = None
        with suppress(OSError):  # of a file that is being written: it is sent as it is now
            response = send_copy(app, folder_of(app, self.root), filename, app.get_send_file_max_age)
        if response is None:
            response = files.send_from_directory(
                self.root,
                filename,
                ctx.request._source,
                max_age=app.get_send_file_max_age,
                use_x_sendfile=app.config["USE_X_SENDFILE"],
                response_class=app.response_class,
                _follow_links=app.config.get("STATIC_FOLLOW_SYMLINKS", True),
            )
        if filename.endswith(".html"):  # it names the files of one release
            response.headers["Cache-Control"] = "no-cache"
            response.headers.pop("Expires", None)
        if filename == INDEX and ctx.request.path not in (f"{self.prefix}/", f"{self.prefix}/{INDEX}"):
            response.vary.update(_VARY)
        return response


def enter_frontend(app: AppContract, ctx: RequestContext) -> None:
    """Send a request that neither a rule nor a mount matches to the front end that its path is below, if any."""
    if ctx.websocket is not None or ctx.request._source["REQUEST_METHOD"] not in _METHODS:
        return
    path: str = ctx.request.path
    for frontend in app.frontends:
        if frontend.answer(ctx, path):
            return


def add_frontend(found: Iterable[Frontend], added: Frontend, rules: Iterable[Rule]) -> tuple[Frontend, ...]:
    """The front ends with another one, the longest prefix first.

    Raises ValueError if the prefix is taken, or if a rule matches all paths below it.
    """
    others = list(found)
    for other in others:
        if other.prefix == added.prefix:
            raise ValueError(f"The prefix {added.prefix or '/'!r} is taken by the front end in {other.root!r}.")
    hiding = re.compile(rf"{re.escape(added.prefix)}/<path:\w+>").fullmatch
    for rule in rules:
        if hiding(rule.rule) and not rule.build_only and "GET" in (rule.methods or ("GET",)):
            raise ValueError(
                f"No request would reach the front end at {added.prefix or '/'!r}: the rule {rule.rule!r} of"
                f" {rule.endpoint!r} matches all paths below it. Pass another static_url_path, or another prefix."
            )
    return tuple(sorted([*others, added], key=lambda frontend: len(frontend.prefix), reverse=True))


def is_navigation(ctx: RequestContext) -> bool:
    """Whether a browser opens a page: by ``Sec-Fetch-Mode``, or if that is missing, because it prefers HTML."""
    source = ctx.request._source
    mode = source.get("HTTP_SEC_FETCH_MODE")
    if mode:
        return bool(mode == "navigate")
    accept = MIMEAccept.from_header(source.get("HTTP_ACCEPT"))
    html = max((quality for value, quality in accept if value.partition(";")[0].strip().lower() in _HTML), default=0)
    return 0 < html >= max(quality for _, quality in accept) and prefers_page(ctx)


def _taken_prefixes(app: AppContract) -> Iterator[str]:
    """The paths of all rules up to their first variables, and the prefixes of blueprints."""
    for rule in app.url_map.iter_rules():
        if not rule.build_only:
            yield _fixed_part(rule.rule)
    yield from app.blueprint_prefixes


def _fixed_part(rule: str) -> str:
    before, variable, _ = rule.partition("<")
    return before.rpartition("/")[0] if variable else before.rstrip("/")
