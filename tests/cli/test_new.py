"""`costrel new`: a project that passes its own lint, types and tests, or a clear error and no project."""

import http.client
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import costrel
from costrel.cli import FlaskGroup, cli, projects
from costrel.cli.project_names import ProjectName

from ..processes import Process, environ

ROOT = Path(__file__).parents[2]
MYPY_CACHE = ROOT / ".mypy_cache"  # after `make types`, it has the types of Costrel


def python(folder, *arguments, **variables):
    """Run Python in a folder; its output, and an error with the output if it fails."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environ(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module", params=["api", "web"])
def project(request, tmp_path_factory):
    """A project of each kind."""
    folder = tmp_path_factory.mktemp("projects")
    projects.write_project(folder / "my-shop", ProjectName("my-shop"), projects.KINDS[request.param])
    return folder / "my-shop"


def test_a_project_passes_lint(project):
    python(project, "-m", "ruff", "check", "--no-cache", ".")
    python(project, "-m", "ruff", "format", "--no-cache", "--check", ".")


@pytest.mark.ci
def test_a_project_passes_its_type_check(project):
    python(project, "-m", "mypy", "--cache-dir", str(MYPY_CACHE))


@pytest.mark.ci
def test_a_project_passes_its_tests(project):
    output = python(project, "-m", "pytest", "-q", "-p", "no:cacheprovider")

    assert "passed" in output


@pytest.mark.ci
def test_a_project_is_served(project):
    command = [sys.executable, "-m", "costrel", "run", "--port", "0"]
    with Process(command, project, environ(), stderr=subprocess.STDOUT) as server:
        port = int(server.wait_for(r"Running on http://127\.0\.0\.1:(\d+)")[1])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        path, expected = (
            ("/api/notes", "[]") if (project / "my_shop" / "api.py").exists() else ("/", "<h1>my-shop</h1>")
        )
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read().decode()
        connection.close()
        assert server.end() == 0
    assert response.status == 200
    assert expected in body


def test_nothing_of_a_template_is_left_over(project):
    for path in project.rglob("*"):
        assert "@" not in path.name
        if path.is_file() and path.suffix not in (".pyc", ""):
            text = path.read_text()
            assert [] == [name for name in ("@package@", "@project@", "@PREFIX@", "@layout@") if name in text]


def test_its_container_copies_files_that_are_there(project):
    copied = [line.split()[1:-1] for line in (project / "Dockerfile").read_text().splitlines() if line[:5] == "COPY "]
    allowed = (project / ".dockerignore").read_text().split()

    for source in [name for names in copied for name in names]:
        assert f"!{source.partition('/')[0]}" in allowed
        assert source.startswith("wheels/") or (project / source).exists()


def test_its_notes_name_the_files_that_are_there(project):
    rows = (project / "AGENTS.md").read_text().partition("## Layout")[2].partition("##")[0].splitlines()
    named = [name.strip("` ") for row in rows if row.startswith("| `") for name in row.split("|")[1].split(",")]

    assert [] == [name for name in named if not (project / name).exists()]
    assert "my_shop/__init__.py" in named


def test_pages_are_the_default(folder, invoke):
    result = invoke(cli, "new", "shop")

    assert result.exit_code == 0
    assert (folder / "shop" / "shop" / "pages.py").exists()
    assert "costrel run --debug" in result.output


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("class", "keyword"),
        ("None", "keyword"),
        ("json", "module of Python itself"),
        ("JSON", "module of Python itself"),
        ("click", "installed module"),
        ("_costrel-test-x", "not a valid name"),
        ("costrel", "Costrel's own package"),
        ("werkzeug", "stands in for"),
        ("tests", "folder of the project's tests"),
        ("a/b", "is a path"),
        ("a\\b", "is a path"),
        ("..", "is a path"),
        ("/tmp/shop", "is a path"),
        ("", "not a valid name"),
        ("my shop", "not a valid name"),
        ("1shop", "not a valid name"),
        ("shop-", "not a valid name"),
        ("shop.web", "not a valid name"),
        ("shöp", "not a valid name"),
        ("a\nb", "not a valid name"),
        ("s" * 41, "at most 40"),
    ],
)
def test_a_name_that_does_not_do(folder, invoke, name, said):
    result = invoke(cli, "new", "--", name)

    assert result.exit_code == 2
    assert said in result.output
    assert [] == list(folder.iterdir())


def test_a_folder_with_files_is_left_alone(write, folder, invoke):
    write("shop/mine.txt", "mine")

    result = invoke(cli, "new", "shop")

    assert result.exit_code == 1
    assert "exists and is not an empty folder" in result.output
    assert [folder / "shop", folder / "shop" / "mine.txt"] == sorted(folder.rglob("*"))


@pytest.mark.parametrize("make", [lambda path: path.write_text("mine"), lambda path: path.symlink_to("nowhere")])
def test_what_is_no_folder_is_left_alone(folder, invoke, make):
    make(folder / "shop")

    assert invoke(cli, "new", "shop").exit_code == 1
    assert [folder / "shop"] == list(folder.iterdir())


def test_an_empty_folder_is_filled(folder, invoke):
    (folder / "shop").mkdir()

    assert invoke(cli, "new", "shop").exit_code == 0
    assert (folder / "shop" / "wsgi.py").exists()


def test_nothing_is_left_of_a_project_that_cannot_be_written(folder, invoke, monkeypatch):
    write_text, written = Path.write_text, []

    def full(path, *arguments, **options):
        if len(written) == 3:
            raise OSError(28, "No space left on device")
        written.append(path)
        return write_text(path, *arguments, **options)

    monkeypatch.setattr(Path, "write_text", full)
    result = invoke(cli, "new", "shop")

    assert result.exit_code == 1
    assert "No space left on device" in result.output
    assert len(written) == 3
    assert [] == list(folder.iterdir())


def test_it_imports_no_application(write, invoke):
    write("app.py", "raise RuntimeError('imported')")

    assert invoke(cli, "new", "shop").exit_code == 0


def test_an_application_keeps_its_own_command(invoke):
    app = costrel.Costrel("shop")
    app.cli.command("new")(lambda: print("mine"))

    assert invoke(FlaskGroup(create_app=lambda: app), "new").output == "mine\n"


def test_the_files_belong_to_everyone_whom_the_umask_allows(folder, invoke):
    before = os.umask(0o022)
    try:
        invoke(cli, "new", "shop")
    finally:
        os.umask(before)

    assert 0o755 == (folder / "shop").stat().st_mode & 0o777
    assert 0o644 == (folder / "shop" / "wsgi.py").stat().st_mode & 0o777


@pytest.mark.ci
def test_the_wheel_has_the_templates(tmp_path):
    python(ROOT, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path))
    with zipfile.ZipFile(next(tmp_path.glob("costrel-*.whl"))) as wheel:
        wheel.extractall(tmp_path / "unpacked")
    files = [path.relative_to(projects.TEMPLATES) for path in projects.TEMPLATES.rglob("*") if path.is_file()]

    assert len(files) > 20
    assert [] == [path for path in files if not (tmp_path / "unpacked/costrel/cli/project" / path).is_file()]
    where = python(tmp_path, "-c", "import costrel; print(costrel.__file__)", PYTHONPATH=str(tmp_path / "unpacked"))
    assert str(tmp_path) in where
    python(tmp_path, "-m", "costrel", "new", "shop", PYTHONPATH=str(tmp_path / "unpacked"))
    assert (tmp_path / "shop" / "shop" / "templates" / "index.html").exists()
