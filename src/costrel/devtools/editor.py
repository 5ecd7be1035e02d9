"""Links that open a line of a file in the developer's editor."""

from __future__ import annotations

import os
import typing as t
from urllib.parse import quote

EDITORS: t.Final = {
    "vscode": "vscode://file/{file}:{line}",
    "vscode-insiders": "vscode-insiders://file/{file}:{line}",
    "vscodium": "vscodium://file/{file}:{line}",
    "cursor": "cursor://file/{file}:{line}",
    "windsurf": "windsurf://file/{file}:{line}",
    "zed": "zed://file/{file}:{line}",
    "pycharm": "pycharm://open?file={file}&line={line}",
    "idea": "idea://open?file={file}&line={line}",
    "sublime": "subl://open?url=file://{file}&line={line}",
    "textmate": "txmt://open?url=file://{file}&line={line}",
    "emacs": "emacs://open?url=file://{file}&line={line}",
    "nvim": "nvim://open?file={file}&line={line}",
}
"""Values of ``COSTREL_EDITOR`` → patterns of links."""

_DEFAULT = "vscode"


def template() -> str:
    """The pattern for links, with ``{file}`` and ``{line}``; empty if ``COSTREL_EDITOR`` is ``off``."""
    wanted = os.environ.get("COSTREL_EDITOR") or _DEFAULT
    if wanted == "off":
        return ""
    if "{file}" in wanted and "://" in wanted.partition("{file}")[0]:
        return wanted
    return EDITORS.get(wanted.lower(), EDITORS[_DEFAULT])


def link(filename: str, line: int) -> str:
    """The link to a line of a file; empty if there is no editor or no such file."""
    pattern = template()
    if not pattern or filename.startswith("<") or not os.path.isfile(filename):
        return ""
    path = quote(os.path.abspath(filename).replace(os.sep, "/"))
    if pattern.partition("{file}")[0].endswith("://file/"):
        path = path.lstrip("/")
    return pattern.replace("{file}", path).replace("{line}", str(line))
