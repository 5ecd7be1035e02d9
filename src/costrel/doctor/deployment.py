"""The servers that an application is started with, as far as its files tell, and the same start on Costrel."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterator

from .findings import Finding
from .sources import Tree, read_text

_FILES: t.Final = re.compile(
    r"(?:^|/)(?:Procfile[^/]*|[^/]*Dockerfile[^/]*|[^/]*compose[^/]*\.ya?ml|[^/]*\.(?:service|sh|ini|conf)|Makefile)$"
)
_OWN: t.Final = "Use costrel serve --as-flask MODULE:NAME, which replaces the workers too"

_SERVERS: t.Final[t.Mapping[str, str]] = {
    r"\bgunicorn\b": f"{_OWN}, or put python -m costrel.as_flask -m before gunicorn.",
    r"\buwsgi\b": f"{_OWN}, or call costrel.install_as_flask() on the first lines of the module that it loads.",
    r"\bwaitress-serve\b": f"{_OWN}, or put python -m costrel.as_flask -m before waitress.",
    r"\bWSGIScriptAlias\b": "Call costrel.install_as_flask() on the first lines of the script that it loads.",
    r"\bflask\b(?:\s+(?:-A|--app)[ =]\S+)?\s+run\b": "Use costrel run --as-flask; in production serve.",
}
_PATTERNS: t.Final = [(re.compile(pattern), remedy) for pattern, remedy in _SERVERS.items()]

_PATCHERS: t.Final = ("gevent", "eventlet")


def servers_of(tree: Tree) -> Iterator[Finding]:
    """Files that start the application on a server which imports the installed Flask."""
    for file in tree.others:
        place = tree.name_of(file)
        if not _FILES.search(place):
            continue
        seen = set()
        for number, line in enumerate(read_text(file).splitlines(), 1):
            if line.lstrip().startswith(("#", ";")) or "install " in line or "costrel" in line:
                continue
            for pattern, remedy in _PATTERNS:
                if pattern not in seen and pattern.search(line):
                    seen.add(pattern)
                    yield Finding("change", f"{place}:{number}", f"It starts {line.strip()[:80]!r} on Flask.", remedy)


def patched_threads(tree: Tree) -> Iterator[Finding]:
    """Sources that import gevent or eventlet, whose greenlets a server of their own has to run."""
    for source in tree.sources:
        if source.is_aside:
            continue
        for name in {module.partition(".")[0] for module in source.imports} & {*_PATCHERS}:
            yield Finding(
                "change",
                source.path,
                f"It imports {name}. costrel serve runs views in threads; {name} needs a WSGI server that runs its"
                " greenlets.",
                f"Leave {name} out, or keep the server: python -m costrel.as_flask -m gunicorn -k {name} MODULE:NAME.",
            )
