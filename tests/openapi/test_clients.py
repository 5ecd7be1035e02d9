"""Clients that others' generators make of a document: they compile, and understand what `costrel serve` answers.

`make clients` installs the generators that npm has, and runs these tests.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..processes import LoggedProcess, environ, wait_until

ROOT = Path(__file__).parents[2]
CLIENTS = Path(__file__).parent / "clients"
MODULES = CLIENTS / "node_modules"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.environ.get("COSTREL_TEST_CLIENTS") != "required", reason="run by make clients: needs npm"),
]

SEEN = {
    "success": [201, "Ada", 1, "open"],
    "invalid": [422, ["#/customer", "#/lines/0/sku", "#/lines/0/qty"], ["length", "length", "range"]],
    "missing": [404, "Not here"],
    "file": ["application/pdf", 8],
    "upload": 5,
    "stream": ['data: {"sku":"pen0","qty":1}', 'data: {"sku":"pen1","qty":1}'],
}


def run(*command: object, folder: Path, **variables: str) -> str:
    """The output of a command, which must succeed."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=environ(**variables),
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    return done.stdout


def costrel(*arguments: object) -> None:
    """Run a command of Costrel's in the repository."""
    run(sys.executable, "-m", "costrel", *arguments, folder=ROOT)


def save(app: str, path: Path, *options: str) -> Path:
    """Save the document of an application."""
    costrel("--app", app, "openapi", *options, "-o", path)
    return path


@pytest.fixture(scope="module")
def document(tmp_path_factory) -> Path:
    return save("tests/openapi/everything.py", tmp_path_factory.mktemp("document") / "everything.json")


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("served") / "log.txt"
    command = [sys.executable, "-m", "costrel", "--app", "tests/openapi/everything.py", "serve"]
    with LoggedProcess([*command, "--workers", "1", "--bind", "127.0.0.1:0"], ROOT, environ(), log) as served:
        url = f"http://127.0.0.1:{served.port}"
        wait_until(lambda: answers(url), "the server answers")
        yield url


def answers(url: str) -> bool:
    from urllib.request import urlopen

    try:
        with urlopen(f"{url}/openapi.json", timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def test_a_client_in_typescript(document, address, tmp_path):
    for name in ("main.ts", "package.json", "tsconfig.json"):
        shutil.copy(CLIENTS / name, tmp_path)
    (tmp_path / "node_modules").symlink_to(MODULES)
    tools = MODULES / ".bin"
    run(tools / "openapi-typescript", document, "--default-non-nullable", "false", "-o", "schema.ts", folder=tmp_path)
    run(tools / "tsc", "-p", ".", folder=tmp_path)
    seen = json.loads(run("node", "built/main.js", address, folder=tmp_path))
    assert seen == {**SEEN, "incomplete": False}


def test_a_client_in_python(document, address, tmp_path):
    generate = [sys.executable, "-m", "openapi_python_client", "generate", "--config", CLIENTS / "config.yaml"]
    said = run(*generate, "--path", document, "--output-path", "everything_client", "--meta", "none", folder=tmp_path)
    assert "Warning" not in said
    seen = json.loads(run(sys.executable, CLIENTS / "main.py", address, folder=tmp_path, PYTHONPATH=str(tmp_path)))
    assert seen == {**SEEN, "lines": ['{"sku":"pen0","qty":1}', '{"sku":"pen1","qty":1}']}


PLAIN = """
import costrel
costrel.install_as_flask()
from costrel.app.api_document import OpenAPI
from costrel.openapi.document import document_of, dumps
from tests.openapi.plain_flask import make
print(dumps(document_of(make(), OpenAPI(untyped=True))))
"""


def test_a_linter_finds_no_error(document, tmp_path):
    gallery = save("examples/gallery", tmp_path / "gallery.json")
    plain = tmp_path / "plain.json"
    plain.write_text(run(sys.executable, "-c", PLAIN, folder=ROOT))
    lint = [MODULES / ".bin/redocly", "lint", "--config", CLIENTS / "redocly.yaml", "--format", "json"]
    for path in (document, gallery, plain):
        found = json.loads(run(*lint, path, folder=CLIENTS, REDOCLY_TELEMETRY="off"))
        assert [each["message"] for each in found["problems"] if each["severity"] == "error"] == [], path.name
