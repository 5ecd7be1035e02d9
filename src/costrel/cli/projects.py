"""Writes the files of a new project: either all of them or none."""

from __future__ import annotations

import os
import shutil
import tempfile
import typing as t
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from .project_names import ProjectName

TEMPLATES: t.Final = Path(__file__).with_name("project")
"""The folder of the templates. Their names end in .txt, so that tools do not process them as files of Costrel."""

_COMMON: t.Final = {
    ".dockerignore": "common/dockerignore.txt",
    ".env.example": "common/env.example.txt",
    ".github/workflows/ci.yml": "common/ci.yml.txt",
    ".gitignore": "common/gitignore.txt",
    "@package@/notes.py": "common/notes.py.txt",
    "@package@/settings.py": "common/settings.py.txt",
    "AGENTS.md": "common/AGENTS.md.txt",
    "Dockerfile": "common/Dockerfile.txt",
    "README.md": "common/README.md.txt",
    "compose.yaml": "common/compose.yaml.txt",
    "pyproject.toml": "common/pyproject.toml.txt",
    "requirements-dev.txt": "common/requirements-dev.txt.txt",
    "tests/conftest.py": "common/conftest.py.txt",
    "tests/test_settings.py": "common/test_settings.py.txt",
    "wsgi.py": "common/wsgi.py.txt",
}


class Kind(t.NamedTuple):
    """A kind of project: its summary, its blueprint, rows for the table of files, and files → templates."""

    summary: str
    blueprint: str
    layout: str
    files: dict[str, str]


KINDS: t.Final[Mapping[str, Kind]] = {
    "api": Kind(
        "A JSON API. `/openapi.json` describes it.",
        "api",
        "| `@package@/api.py` | the views, below `/api` |\n"
        "| `@package@/notes.py` | the models, and where they are kept |",
        {
            "@package@/__init__.py": "api/init.py.txt",
            "@package@/api.py": "api/api.py.txt",
            "tests/test_api.py": "api/test_api.py.txt",
        },
    ),
    "web": Kind(
        "Pages for browsers.",
        "pages",
        "| `@package@/pages.py` | the views |\n"
        "| `@package@/notes.py` | the models, and where they are kept |\n"
        "| `@package@/templates/`, `@package@/static/` | Jinja templates, and files for browsers |",
        {
            "@package@/__init__.py": "web/init.py.txt",
            "@package@/pages.py": "web/pages.py.txt",
            "@package@/static/style.css": "web/style.css.txt",
            "@package@/templates/base.html": "web/base.html.txt",
            "@package@/templates/index.html": "web/index.html.txt",
            "tests/test_pages.py": "web/test_pages.py.txt",
        },
    ),
}


def write_project(folder: Path, name: ProjectName, kind: Kind) -> None:
    """Write a project of this kind to `folder`, which must be empty or must not exist.

    :raises OSError: if `folder` exists and is not an empty folder, or cannot be written. Then no file is left behind.
    """
    if os.path.lexists(folder) and (folder.is_symlink() or not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(None, "it exists and is not an empty folder")
    names = {"@layout@": kind.layout, "@summary@": kind.summary, "@blueprint@": kind.blueprint}
    names |= {"@package@": name.package, "@PREFIX@": name.prefix, "@project@": name}
    with _unfinished(folder) as unfinished:
        for path, template in (_COMMON | kind.files).items():
            file = unfinished / _filled(path, names)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(_filled((TEMPLATES / template).read_text("utf-8"), names), encoding="utf-8", newline="\n")


@contextmanager
def _unfinished(folder: Path) -> Iterator[Path]:
    """A temporary folder beside `folder`. The block's success renames it to `folder`, an error removes it."""
    unfinished = Path(tempfile.mkdtemp(prefix=".costrel-new-", dir=folder.parent)) / folder.name
    try:
        unfinished.mkdir()
        yield unfinished
        if folder.exists():
            folder.rmdir()  # raises OSError if it is no longer empty
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished.parent, ignore_errors=True)


def _filled(text: str, names: Mapping[str, str]) -> str:
    for placeholder, value in names.items():
        text = text.replace(placeholder, value)
    return text
