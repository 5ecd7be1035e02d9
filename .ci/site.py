"""Hooks of the documentation site: the pages of the navigation, and Markdown that only GitHub reads."""

import re
import typing as t
from pathlib import Path
from posixpath import dirname, join, normpath
from shutil import copyfile

SHIM = "https://unpkg.com/iframe-worker/shim"
"""The script that Material loads from a CDN for the search in a folder. `worker.js` takes its place."""

SECTION = re.compile(r'aria-labelledby="__nav_(\w+)_label"')
"""The name of a section. Its label is hidden if the section is open, and the name would be empty."""

OUTSIDE = re.compile(r"(?<!!)\[([^\]]*)\]\(((?:\.\./)+[^)#\s]*)(#[^)\s]*)?\)")

BOOSTS = {"decisions": 0.3, "reference": 0.5}
"""The weight of the pages in a folder in searches: guides, with 1, come first."""


def on_config(config: t.Any) -> t.Any:
    """Leave out the pages of the navigation that do not exist."""
    config.nav = [*_existing(config.nav, Path(config.docs_dir))]
    return config


def _existing(entries: list[t.Any], folder: Path) -> t.Iterator[t.Any]:
    for entry in entries:
        if isinstance(entry, dict):
            (title, pages), *_ = entry.items()
            yield {title: [*_existing(pages, folder)]}
        elif (folder / entry).exists():
            yield entry


def on_page_markdown(markdown: str, page: t.Any, **_: t.Any) -> str:
    """Links to files of the repository outside of the documentation, and the rank of pages in searches."""
    boost = BOOSTS.get(page.file.src_uri.partition("/")[0])
    if boost is not None:
        page.meta["search"] = {"boost": boost}

    def outside(match: re.Match[str]) -> str:
        target = normpath(join(dirname(page.file.src_uri), match[2]))
        if not target.startswith("../"):
            return match[0]
        return match[1] if match[1].strip("`") == target[3:] else f"{match[1]} (`{target[3:]}`)"

    return OUTSIDE.sub(outside, markdown)


def on_post_page(output: str, page: t.Any, **_: t.Any) -> str:
    """No page loads anything from another site; the search has a name, and code can be scrolled with the keyboard."""
    output = output.replace('role="dialog"', 'role="dialog" aria-label="Search"', 1)
    output = SECTION.sub(r'aria-label="Section \1"', output)
    output = output.replace("<pre><span></span><code>", '<pre tabindex="0"><span></span><code>')
    return output.replace(SHIM, "../" * page.url.count("/") + "assets/worker.js")


def on_post_template(output_content: str, **_: t.Any) -> str:
    """The same for the page of missing pages."""
    return output_content.replace(SHIM, "/assets/worker.js")


def on_post_build(config: t.Any) -> None:
    """Copy the script."""
    copyfile(Path(__file__).with_name("worker.js"), Path(config.site_dir, "assets", "worker.js"))
