"""Typed views together with extensions that wrap views, natively and under the names of Flask."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.ci  # with the packages of others

PROGRAM = """
import sys
import warnings

warnings.simplefilter("ignore")
import costrel

costrel.install_as_flask()

from typing import Annotated as A

from flask import Flask, Response
from flask_caching import Cache
from flask_httpauth import HTTPTokenAuth
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager, UserMixin, login_required
from flask_pydantic import validate
from marshmallow import Schema, fields
from msgspec import Struct
from pydantic import BaseModel
from webargs.flaskparser import use_args, use_kwargs

from costrel import Costrel, Query, typed


class Line(Struct):
    sku: str


class LineSchema(Schema):
    sku = fields.Str(required=True)


class LineModel(BaseModel):
    sku: str
    size: int = 1


class User(UserMixin):
    id = "1"


app = {"native": Costrel, "flask": Flask}[sys.argv[1]]("beside")
app.config.update(SECRET_KEY="x" * 32, CSRF_PROTECTION=False, CACHE_TYPE="SimpleCache")
manager = LoginManager(app)


@manager.request_loader
def load(request):
    return User() if request.headers.get("X-User") else None


limiter = Limiter(get_remote_address, app=app, storage_uri="memory://")
cache = Cache(app)
calls = []


@app.get("/login")
@login_required
@typed
def login(limit: int) -> A[Line, Query()]:
    return Line(str(limit))


@app.get("/limited")
@limiter.limit("2/minute")
@typed
def limited(limit: int):
    return str(limit)


@app.get("/cached")
@cache.cached(query_string=True)
@typed
def cached(limit: int):
    calls.append(limit)
    return str(limit)


@app.post("/args")
@use_args(LineSchema)
def args(line):
    return line["sku"]


@app.get("/kwargs")
@use_kwargs({"limit": fields.Int(required=True)}, location="query")
def kwargs(limit: int):
    return str(limit)


@app.post("/pydantic")
@validate()
def by_pydantic(body: LineModel, query: LineModel):
    return LineModel(sku=body.sku + query.sku, size=body.size)


@app.get("/plain")
def plain(limit: int = 3) -> Response:
    return Response(str(limit))


untouched = {name: app.view_functions[name] for name in ("args", "kwargs", "plain", "login", "by_pydantic")}
client = app.test_client()
user = {"X-User": "1"}
assert client.get("/login?limit=x").status_code == 401
assert client.get("/login?limit=x", headers=user).status_code == 422
assert client.get("/login?limit=1", headers=user).json == {"sku": "1"}
assert [client.get("/limited?limit=1").status_code for _ in range(3)] == [200, 200, 429]
assert [client.get("/cached?limit=1").text for _ in range(2)] == ["1", "1"] and calls == [1]
assert client.post("/args", json={"sku": "abc"}).text == "abc"
assert client.post("/args", json={}).status_code == 422
assert client.get("/kwargs?limit=5").text == "5"
assert client.post("/pydantic?sku=b", json={"sku": "a"}).json == {"sku": "ab", "size": 1}
assert client.post("/pydantic?sku=b", json={"size": "x"}).status_code == 400
assert client.get("/plain?limit=5").text == "3"
assert untouched == {name: app.view_functions[name] for name in untouched}
"""


@pytest.mark.parametrize("profile", ["native", "flask"])
def test_extensions_and_typed_views_do_not_meet(profile: str, tmp_path) -> None:
    program = tmp_path / "beside.py"
    program.write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, str(program), profile], capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode == 0, done.stderr
