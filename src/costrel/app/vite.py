"""`vite_asset`, for templates: the tags for a front end that Vite builds, or serves in debug mode."""

from __future__ import annotations

import os
import typing as t
from collections.abc import Callable, Iterator, Sequence

from .. import context
from ..guards import template_names
from ..guards.contract import MarkedApp
from ..guards.csp import csp_nonce, uses_nonce
from ..guards.vite_server import note_use, server_of
from ..services import vite
from .static_urls import PlainName

if t.TYPE_CHECKING:
    from markupsafe import Markup

    class ViteApp(context.AppContract, t.Protocol):
        """An application with a static folder."""

        @property
        def static_folder(self) -> str | None: ...
        def url_for(self, endpoint: str, /, **values: object) -> str: ...


class TemplateApp(MarkedApp, t.Protocol):
    """An application whose templates call functions."""

    @property
    def types_by_signature(self) -> bool: ...


def template_functions(app: TemplateApp) -> dict[str, Callable[..., str]]:
    """The functions that templates can call: the functions of the guards, and `vite_asset`.

    With Flask's defaults, an application may have its own function of that name; there a setting of Vite adds it.
    """
    functions: dict[str, Callable[..., str]] = {**template_names(app)}
    if app.types_by_signature or not app.config.keys().isdisjoint(("VITE_OUT_DIR", "VITE_SERVER")):
        functions["vite_asset"] = vite_asset
    return functions


class _Place(t.NamedTuple):
    """A folder, the endpoint that sends its files, and Vite's output folder in it."""

    folder: str
    endpoint: str
    output: str

    @property
    def prefix(self) -> str:
        """The beginning of the names of Vite's files."""
        relative = os.path.relpath(self.output, self.folder).replace(os.sep, "/")
        return "" if relative == "." else f"{relative}/"


def vite_asset(*names: str) -> Markup:
    """The tags for entries such as ``src/main.ts``: scripts, their stylesheets, and the chunks that they import.

    In debug mode they lead to Vite's server (``VITE_SERVER``), otherwise to the files that the manifest lists. Raises
    `ManifestError` if it does not list them, and ValueError for a wrong setting.
    """
    app = t.cast("ViteApp", context.current().app)
    nonce = csp_nonce() if uses_nonce(app) and context.has_request_context() else None
    server = server_of(app)
    if app.debug and server is not None:
        note_use(app)
        return vite.server_tags(vite.check_server(server), names, nonce)
    place = _place_of_output(app)
    manifest = vite.manifest_in(place.output)
    if manifest is None:
        raise vite.ManifestError(
            f"There is no Vite manifest in {place.output}. Run 'vite build' with 'build.manifest: true', and set"
            " VITE_OUT_DIR to its 'build.outDir'."
        )
    prefix = place.prefix

    def url_of(file: str) -> str:
        return app.url_for(place.endpoint, filename=PlainName(f"{prefix}{file}"))

    return vite.built_tags(manifest, names, url_of, nonce)


def _place_of_output(app: ViteApp) -> _Place:
    """The folder of Vite's output: ``VITE_OUT_DIR``, or the first of the usual folders that has a manifest.

    Raises ValueError if no endpoint sends the files.
    """
    places = list(_places(app))
    chosen: str | None = app.config.get("VITE_OUT_DIR")
    if chosen is None:
        with_manifest = (place for place in places if os.path.isfile(os.path.join(place.output, vite.MANIFEST)))
        found = next(with_manifest, places[0] if places else None)
    else:
        found = _around(os.path.normpath(os.path.join(app.root_path, chosen)), places)
    if found is None:
        raise ValueError(
            f"VITE_OUT_DIR is {chosen!r}. It must be in the static folder, or in the folder of app.frontend(…), so that"
            " its files have URLs."
        )
    return found


def _places(app: ViteApp) -> Iterator[_Place]:
    folder = app.static_folder
    if folder is not None:
        folder = os.path.normpath(folder)
        yield _Place(folder, "static", folder)
        yield _Place(folder, "static", os.path.join(folder, "dist"))
    for frontend in app.frontends:
        root = os.path.normpath(frontend.root)
        yield _Place(root, frontend.endpoint, root)


def _around(output: str, places: Sequence[_Place]) -> _Place | None:
    for place in places:
        if output == place.folder or output.startswith(place.folder.rstrip(os.sep) + os.sep):
            return place._replace(output=output)
    return None
