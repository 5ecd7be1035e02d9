"""Names of Flask and Werkzeug that an application uses and Costrel lacks: all are found, without false positives."""

import json
import subprocess
import sys

import pytest

from costrel.doctor import names
from costrel.doctor.members import MEMBERS

GONE = "does not exist on Costrel"


def lines(found, level="blocker"):
    return [problem.partition(" ")[0] for each, problem in found if each == level]


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("from flask import _request_ctx_stack", "flask._request_ctx_stack"),
        ("from flask import Flask, Markup, escape as e", "flask.Markup"),
        ("from flask.json import JSONEncoder", "flask.json.JSONEncoder"),
        ("from flask.ctx import _cv_request", "flask.ctx._cv_request"),
        ("import flask\nflask.helpers._wz_abort(404)", "flask.helpers._wz_abort"),
        ("import flask as f\nf.globals._request_ctx_stack.top", "flask.globals._request_ctx_stack"),
        ("import flask.helpers\nflask.helpers._wz_redirect", "flask.helpers._wz_redirect"),
        ("from flask import json\nclass Encoder(json.JSONEncoder): pass", "flask.json.JSONEncoder"),
        ("from flask import json\ndef view():\n    return json._default(1)", "flask.json._default"),
        ("from werkzeug.urls import url_quote", "werkzeug.urls.url_quote"),
        ("from werkzeug import secure_filename", "werkzeug.secure_filename"),
        ("from werkzeug.contrib.fixers import ProxyFix", "werkzeug.contrib.fixers"),
        ("import werkzeug.contrib.cache", "werkzeug.contrib.cache"),
        ("from flask.ext.login import LoginManager", "flask.ext.login"),
        ("import werkzeug\nwerkzeug.__version__", "werkzeug.__version__"),
        ("from werkzeug._reloader import reloader_loops", "werkzeug._reloader.reloader_loops"),
        ("import flask\ndef view():\n    import flask.cli\n    flask.cli._set_app", "flask.cli._set_app"),
        ("import flask\na = flask.Flask('x')\n@a.before_first_request\ndef f(): pass", "Flask.before_first_request"),
        ("from flask import current_app as c\nc.got_first_request", "Flask.got_first_request"),
        ("from flask import request\nrequest.is_xhr", "Request.is_xhr"),
        ("import flask\nflask.request.is_xhr", "Request.is_xhr"),
        ("from shop import app\nimport flask\n@app.before_first_request\ndef f(): pass", "Flask.before_first_request"),
        ("from werkzeug.routing import Rule\nclass R(Rule):\n    def f(self): self._parse_rule()", "Rule._parse_rule"),
        ("import flask\nclass A(flask.Flask): 0\nclass B(A): 0\nB().got_first_request", "Flask.got_first_request"),
        ("try:\n    import flask\nexcept KeyError:\n    pass\nflask.exthook", "flask.exthook"),
        ("class X:\n    flask = 1\n    def f(self): return flask.exthook\nimport flask", "flask.exthook"),
    ],
)  # fmt: skip
def test_a_name_that_is_missing_is_a_blocker(findings, code, name):
    assert name in lines(findings(code))


@pytest.mark.parametrize(
    "code",
    [
        "from flask import *\nimport flask, werkzeug",
        "import flask\nflask.__version__, flask.__file__, flask.globals._cv_app, flask.json.dumps",
        "from werkzeug.datastructures import OrderedMultiDict",
        "from flask import json, signals\nfrom werkzeug import security, exceptions",
        "try:\n    from flask import Markup\nexcept ImportError:\n    from markupsafe import Markup",
        "try:\n    from flask import _app_ctx_stack\nexcept:\n    _app_ctx_stack = None",
        "try:\n    from flask import request\nexcept ImportError:\n    from flask import _request_ctx_stack",
        "import flask, contextlib\nwith contextlib.suppress(ImportError, KeyError):\n    from flask import Markup",
        "import flask, typing\nif typing.TYPE_CHECKING:\n    from flask.typing import Nothing",
        "import flask\nif hasattr(flask, '_app_ctx_stack'):\n    flask._app_ctx_stack.top",
        "import flask\nif flask_version < (2, 2):\n    from flask import _request_ctx_stack",
        "try:\n    from flask import ctx\nexcept ImportError:\n    ctx = 0\nif not ctx:\n    from flask import Markup",
        "from flask import json\ndef view(json):\n    return json.JSONEncoder",
        "from flask import json\n[json.JSONEncoder for json in ()]\nlambda json: json.JSONEncoder",
        "try:\n    import ujson as json\nexcept ImportError:\n    from flask import json\njson.JSONEncoder",
        "import flask\nclass Parser:\n    def _parse_rule(self): pass\n    def f(self): return self._parse_rule()",
        "import flask\nuploads._storage, encoder.json_encoder",
        "from flask import Flask\nclass App(Flask):\n    got_first_request = 1",
        "from .flask import Markup\nimport flask",
        "import flask\n'flask._request_ctx_stack'  # from flask import Markup",
    ],
)
def test_code_that_works_has_no_finding(findings, code):
    assert [] == findings(code)


@pytest.mark.parametrize(
    ("code", "level", "problem"),
    [
        ("from flask import Flask\napp = Flask('x')\napp.json_encoder = 1", "change", "Setting Flask.json_encoder"),
        ("from flask import Flask\nclass A(Flask):\n    json_encoder = 1", "change", "Setting Flask.json_encoder"),
        ("from flask import Request\nclass A(Request):\n    _max_form_parts = 1", "change", "Setting Request._max"),
        ("import flask\nrule._encode_query_vars({})", "change", "If rule._encode_query_vars is"),
        ("try:\n    import x\nexcept ImportError:\n    from flask import Markup", "change", "flask.Markup does"),
        ("import flask\nflask.helpers.nothing = 1", "change", "Setting flask.helpers.nothing"),
        ("import flask\nflask.helpers.url_for = 1", "change", "flask.helpers.url_for is replaced. Code"),
        ("import werkzeug.utils\nwerkzeug.utils.send_file = 1", "note", "werkzeug.utils.send_file is replaced, which"),
    ],
)  # fmt: skip
def test_code_that_works_differently_is_a_change(findings, code, level, problem):
    found = findings(code)

    assert [level] == [each for each, _ in found]
    assert found[0][1].startswith(problem)


@pytest.mark.parametrize(
    ("code", "problems"),
    [
        ("from unittest import mock\nimport flask\nmock.patch('flask.helpers.gone')", ["In a test or"]),
        ("import flask\nmonkeypatch.setattr('flask.sessions.datetime', 1)", ["In a test or"]),
        ("import flask\nmonkeypatch.setattr(flask.app, 'request', 1)", ["flask.app.request is replaced."]),
        ("import flask\nmock.patch('flask.Flask.wsgi_app'); mock.patch('flask.templating._render')", []),
        ("import flask\nmock.patch('shop.flask.gone'); mock.patch('flask')", []),
        ("from flask import Markup", ["In a test or"]),
    ],
)  # fmt: skip
def test_tests_never_block(findings, code, problems):
    found = findings(code, "tests/test_shop.py")

    assert ["change"] * len(problems) == [level for level, _ in found]
    assert [] == [each for (_, each), begin in zip(found, problems, strict=True) if not each.startswith(begin)]


def test_a_remedy_names_the_module(write, report):
    write("app.py", "from werkzeug import check_password_hash, url_quote\nfrom flask import Markup\n")

    remedies = [finding["remedy"] for finding in report()["findings"]]

    assert remedies == [
        "Import it from werkzeug.security.",
        "Costrel has its own code there. Use a public name, or keep this on Flask.",
        "Flask 3.0 removed it. Import it from markupsafe.",
    ]


LISTED = """
import importlib, json, pkgutil, sys, warnings
warnings.simplefilter("ignore")
if sys.argv[1] == "alias":
    import costrel
    costrel.install_as_flask()
import flask, werkzeug

names = {}
for package in (flask, werkzeug):
    modules = [m.name for m in pkgutil.walk_packages(package.__path__, package.__name__ + ".")]
    for name in [package.__name__, *modules]:
        if not name.endswith("__main__"):
            names[name] = sorted(vars(importlib.import_module(name)))

app = flask.Flask("x")
with app.test_request_context() as ctx:
    rule = next(app.url_map.iter_rules())
    objects = {
        "Flask": app, "Blueprint": flask.Blueprint("b", "b"), "Request": flask.request._get_current_object(),
        "RequestContext": ctx, "AppContext": flask.globals._cv_app.get(), "Rule": rule,
        "MapAdapter": app.url_map.bind("x"), "LocalStack": werkzeug.local.LocalStack(),
        "EnvironBuilder": werkzeug.test.EnvironBuilder(),
    }
    members = {kind: sorted({*dir(each), *getattr(each, "__dict__", ())}) for kind, each in objects.items()}
# without names whose use is an AttributeError that tells where to look
members["Flask"] = [name for name in members["Flask"] if hasattr(app, name)]
members["LocalProxy"] = sorted(object.__dir__(werkzeug.local.LocalProxy(lambda: 1)))
members["DebuggedApplication"] = dir(werkzeug.debug.DebuggedApplication)
members["MultipartDecoder"] = dir(werkzeug.sansio.multipart.MultipartDecoder)
print(json.dumps([names, members]))
"""


@pytest.fixture(scope="module")
def both():
    """The names of modules and the members of objects: of Flask and Werkzeug, and of Costrel under the alias."""

    def listed(which):
        done = subprocess.run([sys.executable, "-c", LISTED, which], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return listed("original"), listed("alias")


def test_the_names_that_are_read_from_the_sources_are_those_of_the_alias(both):
    (_, _), (alias, _) = both

    for module, found in alias.items():
        assert names.module_exists(module)
        assert [] == [name for name in found if not names.has_name(module, name)], module


def test_the_names_of_the_original_that_the_alias_lacks_are_found(both):
    (original, _), (alias, _) = both
    lacking = {f"{module}.{name}" for module in original for name in original[module] if name not in alias[module]}

    found = {f"{module}.{name}" for module in original for name in original[module] if not names.has_name(module, name)}

    assert found <= lacking
    assert [] == [name for name in lacking - found if not name.rpartition(".")[2].startswith("__")]
    assert "flask.cli._set_app" in found


def test_older_names_are_not_here(both):
    (original, _), _ = both

    for name in names.OLDER_NAMES:
        module, _, last = name.rpartition(".")
        assert last not in original.get(module, ()), name
        assert not names.module_exists(name)
        assert not (names.module_exists(module) and names.has_name(module, last)), name


def test_the_table_of_members_has_those_that_are_missing(both):
    (_, original), (_, alias) = both
    missing = {
        (kind, name)
        for kind in original
        for name in {*original[kind]} - {*alias[kind]}
        if name.startswith("_") and not name.startswith(("__", "_abc"))
    }

    assert {(owner, name) for name, member in MEMBERS.items() for owner in member.owners} >= missing - {
        ("MultipartDecoder", "_last_partial_boundary_index")  # an instance attribute of the original
    }


def test_no_member_of_the_table_is_there(both):
    _, (_, alias) = both

    assert [] == [(owner, name) for name, member in MEMBERS.items() for owner in member.owners if name in alias[owner]]
