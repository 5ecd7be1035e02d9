"""A WSGI application that shows its environment: interpreter, packages, load path and environ."""

from __future__ import annotations

import importlib.metadata
import os
import sys
import typing as t
from collections.abc import Iterator

from markupsafe import escape

from .. import version
from ..messages.request import Request
from ..messages.response import Response

TEMPLATE: t.Final = """<!doctype html>
<html lang=en>
<meta charset=utf-8>
<meta name=viewport content="width=device-width, initial-scale=1">
<title>WSGI Information</title>
<style>
  :root {{ --paper: #faf8f4; --ink: #23201c; --soft: #6d665d; --line: #e4ded4; --mark: #fbe9cd; }}
  @media (prefers-color-scheme: dark) {{
    :root {{ --paper: #171512; --ink: #ebe5da; --soft: #a0978a; --line: #35312a; --mark: #3a3018; }}
  }}
  :root {{ color-scheme: light dark; }}
  body {{ font: 15px/1.55 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1.5rem;
    background: var(--paper); color: var(--ink); }}
  h2 {{ border-bottom: 1px solid var(--line); padding-bottom: .3rem; margin: 2.2rem 0 .8rem; }}
  table {{ border-spacing: 0; width: 100%; table-layout: fixed; }}
  th, td {{ text-align: left; vertical-align: baseline; padding: .2rem 0; overflow-wrap: anywhere; }}
  th {{ width: 34%; padding-right: 1rem; font-weight: 500; }}
  td, .paths {{ overflow-wrap: anywhere; font-family: ui-monospace, monospace; font-size: 13px; }}
  ul {{ list-style: none; padding: 0; columns: 15rem; }}
  .paths {{ columns: 1; }}
  small, p {{ color: var(--soft); }}
  .virtual {{ color: var(--soft); text-decoration: line-through; }}
  .expanded {{ background: var(--mark); }}
</style>
<h1>WSGI Information</h1>
<p>What the WSGI application behind this server sees of it.
<h2>Python</h2>
<table>
<tr><th>Version<td>{python}
<tr><th>Platform<td>{platform} [{system}]
<tr><th>API version<td>{api}
<tr><th>Byte order<td>{byteorder}
<tr><th>Costrel<td>{costrel}
</table>
<h2>WSGI environment</h2>
<table>{environ}</table>
<h2>Installed packages</h2>
<ul>{packages}</ul>
<h2>Load path</h2>
<p>What is struck out is not on the disk; what is marked was relative.
<ul class=paths>{paths}</ul>
"""


def iter_sys_path() -> Iterator[tuple[str, bool, bool]]:
    """The entries of the load path: for display, whether there is no such folder, whether it was made absolute."""
    home = os.path.expanduser("~")
    for item in sys.path:
        path = os.path.join(os.getcwd(), item) if item in ("", os.curdir) or not os.path.isabs(item) else item
        path = os.path.normpath(path)
        shown = f"~{path[len(home) :]}" if path == home or path.startswith(home + os.sep) else path
        yield shown, not os.path.isdir(path), path != item


@Request.application
def test_app(req: Request) -> Response:
    """Answer any request with the page. Not for servers that others can reach: it tells them a lot."""
    packages = sorted({dist.metadata["Name"]: dist.version for dist in importlib.metadata.distributions()}.items())
    page = TEMPLATE.format(
        python=escape(sys.version),
        platform=escape(sys.platform),
        system=escape(os.name),
        api=sys.api_version,
        byteorder=sys.byteorder,
        costrel=version.__version__,
        environ="\n".join(f"<tr><th>{escape(key)}<td>{escape(repr(req.environ[key]))}" for key in sorted(req.environ)),
        packages="\n".join(f"<li>{escape(name)} <small>[{escape(number)}]</small>" for name, number in packages),
        paths="\n".join(
            f"<li{_classes(virtual, expanded)}>{escape(item)}" for item, virtual, expanded in iter_sys_path()
        ),
    )
    return Response(page, mimetype="text/html")


def _classes(virtual: bool, expanded: bool) -> str:
    names = [name for name, is_so in (("virtual", virtual), ("expanded", expanded)) if is_so]
    return f' class="{" ".join(names)}"' if names else ""
