"""The search of the documentation site finds the words that people look for.

The site's own engine searches the index that `make site` has built: Material's worker with lunr, run by Chromium.
"""

import json
from pathlib import Path

import pytest

from ..browsers import needs_browser, new_browser

ROOT = Path(__file__).parents[2]
SITE = ROOT / "build" / "site"
INDEX = SITE / "search" / "search_index.json"

WORDS = {
    "CORS": "cors",
    "Access-Control-Allow-Origin": "cors",
    "CSRF": "csrf",
    "csrf token": "csrf",
    "cross-site request forgery": "csrf",
    "rate limit": "rate-limits",
    "429": "rate-limits",
    "upload": "uploads",
    "file upload": "uploads",
    "multipart": "uploads",
    "pagination": "pagination",
    "cursor": "pagination",
    "error page": "error-pages",
    "404": "error-pages",
    "errorhandler": "error-pages",
    "problem details": "error-pages",
    "testing": "testing",
    "pytest": "testing",
    "test client": "testing",
    "fixture": "testing",
    "logging": "logging",
    "JSON log": "logging",
    "structlog": "logging",
    "background": "after-response",
    "background task": "after-response",
    "after response": "after-response",
    "database": "databases",
    "SQLAlchemy": "databases",
    "sqlite3": "databases",
    "session": "sessions",
    "SECRET_KEY": "sessions",
    "cookie": "sessions",
    "Redis": "websockets",
    "login": "sign-in",
    "password": "sign-in",
    "password reset": "sign-in",
    "OpenID Connect": "sign-in",
    "OAuth": "sign-in",
    "bearer token": "authentication",
    "API key": "authentication",
    "WebSocket": "websockets",
    "server-sent events": "server-sent-events",
    "SSE": "server-sent-events",
    "EventSource": "server-sent-events",
    "streaming": "streaming",
    "stream_with_context": "streaming",
    "static files": "static",
    "Vite": "static",
    "CDN": "static",
    "nginx": "deploy-nginx",
    "Docker": "deploy-container",
    "container": "deploy-container",
    "systemd": "deploy-systemd",
    "Kubernetes": "deploy-kubernetes",
    "readiness": "deployment",
    "health check": "deployment",
    "workers": "deployment",
    "metrics": "metrics",
    "Prometheus": "metrics",
    "OpenTelemetry": "metrics",
    "traces": "metrics",
    "extensions": "extensions",
    "Flask-Login": "extensions",
    "Flask": "moving-from-flask",
    "costrel doctor": "moving-from-flask",
    "Quart": "moving-from-quart",
    "FastAPI": "moving-from-fastapi",
    "Django": "moving-from-django",
    "pydantic": "typed",
    "validation": "typed",
    "typed view": "typed",
    "dependency injection": "typed",
    "provider": "typed",
    "OpenAPI": "openapi",
    "Swagger": "openapi",
    "working outside of application context": "context-errors",
    "working outside of request context": "context-errors",
    "template": "templates",
    "Jinja": "templates",
    "configuration": "configuration",
    "environment variable": "configuration",
    "async": "async",
    "threads": "async",
    "middleware": "asgi",
    "compression": "compression",
    "gzip": "compression",
    "debugger": "debugging",
    "command line": "cli",
    "costrel new": "cli",
    "security headers": "security",
    "Content-Security-Policy": "security",
    "tutorial": "tutorial",
}
"""Searches, each with the page that must be among the first five."""

SEARCH = """
const [source, index, queries, done] = arguments;
const worker = new Worker(URL.createObjectURL(new Blob([source])));
const found = {};
let next = 0;
worker.onerror = (event) => done(String(event.message));
worker.onmessage = ({ data }) => {
  if (data.type === 3) found[queries[next++]] = data.data.items.map((pages) => pages.map((each) => each.location));
  if (next === queries.length) done(found);
  else worker.postMessage({ type: 2, data: queries[next] });
};
worker.postMessage({ type: 0, data: { ...index, options: { suggest: false } } });
"""


def is_built() -> bool:
    """Whether the site was built after the last change of a page."""
    pages = [*(ROOT / "docs").rglob("*.md"), ROOT / "mkdocs.yml"]
    return INDEX.exists() and INDEX.stat().st_mtime >= max(page.stat().st_mtime for page in pages)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """For each search, the pages in the order of the site."""
    [worker] = (SITE / "assets" / "javascripts" / "workers").glob("search.*.min.js")
    browser = new_browser(tmp_path_factory.mktemp("profile"))
    try:
        browser.get("about:blank")
        browser.set_script_timeout(60)
        results = browser.execute_async_script(
            SEARCH, worker.read_text(), json.loads(INDEX.read_text()), [*WORDS, "zzyzx"]
        )
    finally:
        browser.quit()
    assert isinstance(results, dict), results
    return {query: [pages[0].partition("#")[0] for pages in items] for query, items in results.items()}


pytestmark = [
    *needs_browser,
    pytest.mark.skipif(not is_built(), reason="needs the site: make site"),
]


def test_searches_find_their_pages(found: dict[str, list[str]]) -> None:
    missed = {query: found[query][:5] for query, page in WORDS.items() if f"{page}.html" not in found[query][:5]}
    assert missed == {}


def test_a_word_that_is_nowhere_is_not_found(found: dict[str, list[str]]) -> None:
    assert found["zzyzx"] == []
