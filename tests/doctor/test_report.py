"""The report of `costrel doctor`: extensions, settings, servers, the application in a child process, the way back."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from costrel.cli import cli
from costrel.doctor.tested import TESTED
from costrel.doctor.versions import Requirement, canonical, parse_requirement

ROOT = Path(__file__).parents[2]


@pytest.fixture
def shop(write):
    """A small application of several files, as on disk."""
    write(
        "requirements.txt",
        "Flask-Login==0.6.3\nFlask-SQLAlchemy>=3\nFlask-Session==0.5.0\nflask-nothing-such\nFlask>=3\n",
    )
    write(
        "shop/__init__.py",
        """\
        from flask import Flask

        raise RuntimeError("imported")
        """,
    )
    write("shop/config.py", "MAX_CONTENT_LENGTH = 1024\nTHREADS = 3\nSECRET_KEY = 'x'\n")
    write("shop/views.py", "from flask import Blueprint, request\n\nbp = Blueprint('shop', __name__)\n")
    write("Procfile", "web: gunicorn shop:app --workers 4\n")
    write(".venv/pyvenv.cfg", "")
    write(".venv/lib/flask_old.py", "from flask import Markup\n")
    write("env/pyvenv.cfg", "")
    write("env/lib/flask_old.py", "from flask import Markup\n")


def test_an_application_without_blockers(shop, doctor):
    result = doctor()

    assert result.exit_code == 0
    assert "3 Python files" in result.output
    assert "nothing was imported" in result.output
    assert "Blockers\n  None." in result.output


def test_it_ends_with_the_way_back(shop, doctor):
    text = doctor().output

    assert "Nothing was changed." in text.rpartition("The way back")[2]
    assert text.index("The way there") < text.index("The way back")


def test_lines_are_wrapped_to_a_narrow_terminal(shop, doctor, monkeypatch):
    monkeypatch.setenv("COLUMNS", "50")

    lines = doctor().output.partition("Extensions")[2].splitlines()

    assert [] == [line for line in lines if len(line) > 50 and " " in line.strip()]
    assert "    " in {line[:4] for line in lines}


def test_blockers_fail(write, doctor):
    write("app.py", "from flask import Markup")

    assert doctor().exit_code == 1


def test_extensions_are_compared_with_the_table(shop, report):
    found = {each["name"]: (each["status"], each["version"]) for each in report()["extensions"]}

    assert found["Flask-Login"] == ("tested", "0.6.3")
    assert found["Flask-Session"] == ("other release", "0.5.0")
    assert found["flask-nothing-such"] == ("not tested", None)
    assert found["Flask-SQLAlchemy"][0] in ("tested", "other release")  # another one may be installed
    assert "flask" not in {name.lower() for name in found}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("requirements/base.txt", "Flask-Login==0.6.3  # accounts\n-r other.txt\nhttps://example.org/x.whl\n"),
        ("pyproject.toml", '[project]\ndependencies = ["flask_login==0.6.3"]\n'),
        ("pyproject.toml", '[project.optional-dependencies]\nweb = ["Flask.Login[x] (==0.6.3)"]\n'),
        ("pyproject.toml", '[dependency-groups]\nweb = ["flask-login==0.6.3", {include-group = "x"}]\n'),
        ("pyproject.toml", '[tool.poetry.dependencies]\npython = "^3.11"\nflask-login = "0.6.3"\n'),
        ("pyproject.toml", '[tool.poetry.group.web.dependencies]\nflask-login = {version = "0.6.3"}\n'),
        ("Pipfile", '[packages]\nflask-login = "==0.6.3"\n'),
        ("Pipfile.lock", '{"default": {"flask-login": {"version": "==0.6.3"}}}'),
        ("poetry.lock", '[[package]]\nname = "flask-login"\nversion = "0.6.3"\n'),
        ("uv.lock", '[[package]]\nname = "flask-login"\nversion = "0.6.3"\n'),
        ("setup.cfg", "[options]\ninstall_requires =\n    flask-login==0.6.3\n"),
        ("setup.py", "from setuptools import setup\nsetup(install_requires=['flask-login==0.6.3'])\n"),
        ("PKG-INFO", "Name: shop\nRequires-Dist: Flask-Login==0.6.3; extra == 'web'\n"),
    ],
)
def test_requirements_are_read_from_the_files_of_projects(write, report, name, text):
    write("app.py", "import flask")
    write(name, text)

    assert [("Flask-Login", "0.6.3", "tested")] == [
        (each["name"], each["version"], each["status"]) for each in report()["extensions"]
    ]


@pytest.mark.parametrize("text", ["[project", '{"default": 3}', "{", "\x00", "[options]\n[options]\n"])
@pytest.mark.parametrize("name", ["pyproject.toml", "Pipfile", "Pipfile.lock", "setup.cfg", "requirements.txt"])
def test_files_that_are_broken_are_passed_over(write, report, name, text):
    write("app.py", "import flask")
    write(name, text)

    assert [] == report()["extensions"]


def test_extensions_that_are_imported_only(write, report):
    write("app.py", "import flask\nfrom flask_login import LoginManager\nimport sentry_sdk\nimport flask_shop")
    write("flask_shop/__init__.py", "")

    assert ["Flask-Login", "sentry-sdk"] == [each["name"] for each in report()["extensions"]]


def test_an_abandoned_extension_blocks(write, report):
    write("app.py", "import flask\nfrom flask_script import Manager")

    found = report()

    assert ["abandoned"] == [each["status"] for each in found["extensions"]]
    assert ["blocker"] == [each["level"] for each in found["findings"]]


@pytest.mark.parametrize(
    ("requirement", "problems"),
    [
        ("flask<3", 1),
        ("Flask==2.2.5", 1),
        ("werkzeug<3.0", 1),
        ("flask>=2.3,<4", 0),
        ("flask~=3.0", 0),
        ("flask~=3.0.2", 1),
        ("flask==3.*", 0),
        ("flask!=3.1.3", 1),
        ("flask<3; python_version < '3.9'", 0),
        ("flask", 0),
    ],
)
def test_requirements_of_flask_itself(write, report, requirement, problems):
    write("app.py", "import flask")
    write("requirements.txt", requirement)

    assert ["change"] * problems == [each["level"] for each in report()["findings"]]


@pytest.mark.parametrize(
    ("name", "text", "levels"),
    [
        ("pyproject.toml", '[project]\nrequires-python = ">=3.8"\n', []),
        ("pyproject.toml", '[project]\nrequires-python = ">=3.8,<3.11"\n', ["blocker"]),
        ("pyproject.toml", '[tool.poetry.dependencies]\npython = "^3.8"\n', []),
        ("runtime.txt", "python-3.9.18\n", ["blocker"]),
        (".python-version", "3.12\n", []),
    ],
)
def test_the_versions_of_python(write, report, name, text, levels):
    write("app.py", "import flask")
    write(name, text)

    assert levels == [each["level"] for each in report()["findings"]]


def test_settings_with_two_defaults_are_listed_with_their_place(shop, report):
    found = {each["name"]: each for each in report()["settings"]}

    assert (found["MAX_CONTENT_LENGTH"]["flask"], found["MAX_CONTENT_LENGTH"]["costrel"]) == ("None", "16 MiB")
    assert found["MAX_CONTENT_LENGTH"]["set_at"] == "shop/config.py:1"
    assert found["CSRF_PROTECTION"]["set_at"] is None
    assert "TESTING" not in found


@pytest.mark.parametrize(
    "code",
    [
        "app.config['THREADS'] = 3",
        "app.config.update(THREADS=3)",
        "app.config.from_mapping({'THREADS': 3})",
        "current_app.config.setdefault('THREADS', 3)",
        "class ProductionConfig:\n    THREADS: int = 3",
    ],
)
def test_a_setting_of_the_applications_own_may_collide(write, report, code):
    write("app.py", f"import flask\n{code}")

    assert ["The application sets THREADS,"] == [each["problem"][:29] for each in report()["findings"]]


def test_other_uses_of_a_settings_name_do_not(write, report):
    write("app.py", "import flask\nTHREADS = 3\nshop['THREADS'] = 1\napp.config['THREADS']\n")

    assert [] == report()["findings"]


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("Procfile", "web: gunicorn shop:app", 1),
        ("Procfile", "web: costrel serve --as-flask shop:app", 0),
        ("Procfile", "web: python -m costrel.as_flask -m gunicorn shop:app", 0),
        ("Dockerfile", 'RUN pip install gunicorn\n# gunicorn\nCMD ["uwsgi", "--ini", "x.ini"]', 1),
        ("docker-compose.yml", "command: flask --app shop run", 1),
        ("deploy/shop.service", "ExecStart=/srv/bin/waitress-serve shop:app", 1),
        ("README.md", "gunicorn shop:app", 0),
    ],
)
def test_servers_that_would_import_flask(write, report, name, text, found):
    write("app.py", "import flask")
    write(name, text)

    assert found == len(report()["findings"])


def test_gevent(write, report):
    write("app.py", "import flask\nfrom gevent import monkey\nmonkey.patch_all()")

    assert ["It imports gevent."] == [each["problem"][:18] for each in report()["findings"]]


def test_files_that_cannot_be_read_are_named(write, report):
    write("app.py", "import flask")
    write("old.py", "import flask\nprint 'x'")
    (Path("latin.py")).write_bytes(b"import flask\n'\xe9'")
    write("deep.py", f"import flask\n{'(' * 500}{')' * 500}")

    found = report()["findings"]

    assert {"old.py", "latin.py", "deep.py"} == {each["place"] for each in found}
    assert {"note"} == {each["level"] for each in found}


def test_a_folder_without_flask_is_an_error(write, doctor):
    write("app.py", "import bottle")

    result = doctor()

    assert result.exit_code == 2
    assert "imports flask or werkzeug" in result.output


def test_a_path_that_is_not_there_is_an_error(doctor):
    assert doctor("nowhere").exit_code == 2


def test_a_single_file(write, report):
    write("app.py", "from flask import Markup")
    write("other.py", "from flask import escape")

    assert ["app.py:1"] == [each["place"] for each in report("app.py")["findings"]]


APP = """\
import threading

from flask import Flask

app = Flask(__name__)


@app.before_request
def look():
    pass


@app.route("/<path:p>/<n>")
def deep(p, n):
    return ""


@app.route("/<n>/stats")
async def stats(n):
    return ""


stop = threading.Event()
threading.Thread(target=stop.wait, name="poller").start()
"""


def test_the_application_in_a_child_process(write, doctor):
    write("shop.py", APP)

    result = doctor("--json", "--app", "shop:app")

    assert "Importing shop:app in a child process" in result.stderr
    assert "shop" not in sys.modules
    app = json.loads(result.stdout)["app"]
    assert app["hooks"] == {"before_request": ["shop.look"]}
    assert app["views"] == {"def": 2, "async def": 1, "generator": 0}
    assert app["threads"] == ["poller"]
    problems = " ".join(each["problem"] for each in json.loads(result.stdout)["findings"])
    assert "starts threads (poller)" in problems
    assert "'deep' answers paths that also match" in problems


def test_an_application_that_does_not_load(write, doctor):
    write("shop.py", "import flask\nraise SystemExit(3)")

    result = doctor("--app", "shop:app")

    assert result.exit_code == 1
    assert "shop:app could not be examined. SystemExit: 3" in result.output


def test_the_option_before_the_command_imports_nothing_here(write, invoke_cli):
    write("shop.py", "import flask\nprint('imported')\napp = flask.Flask('x')")

    result = invoke_cli("--app", "shop:app", "doctor")

    assert "Importing shop:app in a child process" in result.stderr
    assert "shop" not in sys.modules


@pytest.mark.parametrize("options", [(), ("--as-flask", "--app", "app")])
def test_nothing_is_imported_by_any_way_of_calling_it(write, options):
    write("app.py", "import flask, pathlib\npathlib.Path('trace').write_text(str(__import__('os').getpid()))")
    command = [sys.executable, "-m", "costrel", *options, "doctor"]
    done = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    done.communicate(timeout=60)

    assert done.returncode == (1 if options else 0)  # the application has no app: the child process says so
    assert not Path("trace").exists() or int(Path("trace").read_text()) != done.pid


@pytest.fixture
def invoke_cli():
    from click.testing import CliRunner

    return lambda *arguments: CliRunner().invoke(cli, arguments, catch_exceptions=False)


def test_the_table_is_that_of_the_page():
    page = (ROOT / "docs" / "compatibility.md").read_text().partition("## Extensions")[2].partition("Their commands")[0]
    for row in TESTED.values():
        assert re.search(rf"\s{re.escape(row.name)}\s+{re.escape(row.version)}[,;.\s]", page), row
    listed = re.findall(r"([A-Za-z][\w-]+)\s+\d+\.\d", page)
    assert {canonical(name) for name in listed} == {*TESTED}


def test_the_table_is_that_of_the_lock_file():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = dict(line.split("==") for line in lines if line.count("==") == 1)

    assert {} == {name: row.version for name, row in TESTED.items() if pinned.get(name) != row.version}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Flask_Login[x] >= 0.6 , <1 ; extra == 'a'", ("Flask_Login", ">=0.6,<1")),
        ("flask @ git+https://example.org/flask", ("flask", "")),
        ("-e .", None),
        ("# flask", None),
        ("./flask.whl", None),
        ("https://example.org/flask.whl", None),
        ("", None),
        ("not a requirement", None),
    ],
)
def test_a_requirement_is_read(text, expected):
    found = parse_requirement(text, "here")

    assert expected == (found and (found.name, found.specifiers))


@pytest.mark.parametrize(
    ("specifiers", "version", "admitted"),
    [
        ("", "1", True),
        ("==1.2", "1.2.0", True),
        ("==1.2.*", "1.2.9", True),
        ("==1.2.*", "1.20", False),
        ("!=1.2", "1.2", False),
        ("~=1.4", "1.9", True),
        ("~=1.4", "2.0", False),
        (">1.9,<2", "1.10", True),
        ("<=0.66", "0.66b1", True),
    ],
)
def test_specifiers(specifiers, version, admitted):
    assert Requirement("x", specifiers, "").admits(version) is admitted
