"""Costrel's, with `def` views (`sync`) and with `async def` views (`asynchronous`)."""

from __future__ import annotations

import costrel

from ..peers import HERE
from .flask_api import build
from .queries import MESSAGE, Async

sync = build(costrel, costrel.Costrel)
asynchronous = costrel.Costrel("benchmark", root_path=str(HERE))
asynchronous.config["COMPRESS"] = False  # the others do not compress either
database = Async()


@asynchronous.route("/")
async def hello():
    return "Hello"


@asynchronous.route("/json")
async def json():
    return MESSAGE


@asynchronous.route("/db")
async def db():
    return await database.world()


@asynchronous.route("/queries")
async def queries():
    return await database.worlds()


@asynchronous.route("/updates")
async def updates():
    return await database.updated()


@asynchronous.route("/fortunes")
async def fortunes():
    return costrel.render_template("fortunes.html", fortunes=await database.fortunes())
