"""The goals of the project, as ratios between figures of one run, and whether they are reached."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .peers import GATEWAYS
from .rounds import ratio

NOT_ON_JINJA = ("django",)
SLOPE = 1.15
"""The largest slope that counts as linear: 1, plus the effects of the clock and the memory caches."""

OF_FLASK = {
    "hello": 20, "json": 20, "params": 20, "form": 12, "postjson": 12, "upload": 12, "session": 8, "hooks": 8,
    "static": 8, "not_modified": 8, "error404": 8, "abort": 8,
}  # fmt: skip
"""Scenario → the wanted ratio of Flask's cost to Costrel's."""

NO_SLOWER: dict[str, dict[str, tuple[str, ...]]] = {
    "hello": {"wsgi": ("falcon",), "asgi": ("falcon", "blacksheep")},
    "json": {"wsgi": ("falcon",), "asgi": ("falcon", "blacksheep")},
    "params": {"wsgi": ("falcon",), "asgi": ("falcon", "blacksheep")},
    "form": {"wsgi": ("falcon",), "asgi": ("falcon",)},
    "postjson": {"wsgi": ("falcon",), "asgi": ("falcon",)},
    "upload": {"wsgi": ("falcon",), "asgi": ("falcon",)},
}
TITLES = {peer.name: peer.title for group in GATEWAYS.values() for peer in group}
OWN = ("costrel", "costrel_sync", "as_flask", "jinja")


@dataclass(frozen=True)
class Goal:
    """One goal: `measured` should be at least `wanted`, or at most if `at_most` is set."""

    text: str
    measured: float
    wanted: float
    at_most: bool = False

    @property
    def is_reached(self) -> bool:
        return self.measured <= self.wanted if self.at_most else self.measured >= self.wanted

    def row(self) -> str:
        """A line of a Markdown table."""
        bound = "≤" if self.at_most else "≥"
        return f"| {self.text} | {bound} {self.wanted:g} | {self.measured:.2f} | {'yes' if self.is_reached else 'no'} |"


def of_calls(figures: dict[str, Any]) -> Iterator[Goal]:
    """The goals of single calls."""
    wsgi, asgi = figures["wsgi"], figures["asgi"]
    for scenario, times in OF_FLASK.items():
        yield Goal(f"`{scenario}`: Flask ÷ Costrel, WSGI", wsgi["flask"][scenario] / wsgi["costrel"][scenario], times)
    jinja = wsgi["jinja"]["template"]
    others = [group["template"] - jinja for group in (wsgi["flask"], wsgi["costrel"])]
    yield Goal("`template`, without Jinja's own part: Flask ÷ Costrel, WSGI", others[0] / others[1], 4)
    for scenario, gateways in NO_SLOWER.items():
        for gateway, names in gateways.items():
            for name in names:
                group = asgi if gateway == "asgi" else wsgi
                ratio = group[name][scenario] / group["costrel"][scenario]
                yield Goal(f"`{scenario}`: {TITLES[name]} ÷ Costrel, {gateway.upper()}", ratio, 1)
    for gateway, group in figures.items():
        for scenario, left_out in (("session", ()), ("template", NOT_ON_JINJA)):
            rivals = {
                name: each[scenario]
                for name, each in group.items()
                if scenario in each and name not in OWN and name not in left_out
            }
            fastest = min(rivals, key=rivals.__getitem__)
            ratio = rivals[fastest] / group["costrel"][scenario]
            yield Goal(f"`{scenario}`: the fastest other ({TITLES[fastest]}) ÷ Costrel, {gateway.upper()}", ratio, 1)


def of_startup(figures: dict[str, Any]) -> Iterator[Goal]:
    """The goals of starting, and of many rules."""
    imports, rules = figures["imports"], figures["rules"]
    flask, costrel = imports["flask"], imports["costrel"]
    yield Goal("`import`: Flask ÷ Costrel, CPU time", flask["seconds"] / costrel["seconds"], 2)
    yield Goal("`import`: Flask ÷ Costrel, memory", flask["bytes"] / costrel["bytes"], 2)
    first = "first answer"
    yield Goal(
        "start with 10,000 rules: Flask ÷ Costrel", rules["flask 10000"][first] / rules["costrel 10000"][first], 15
    )
    ratio = max(rules["costrel 10000"][path] / rules["costrel 10"][path] for path in ("hello", "params"))
    yield Goal("a request among 10,000 rules ÷ among 10", ratio, 1.2, at_most=True)


def of_bodies(figures: dict[str, Any]) -> Iterator[Goal]:
    """The goals of bodies of 1 GiB."""
    speed = "MiB a second"
    upload, download = figures["upload"], figures["download"]
    own = upload["Costrel, costrel serve"]
    yield Goal(
        "upload of 1 GiB: Costrel ÷ Flask on Granian, throughput", own[speed] / upload["Flask on Granian"][speed], 1.5
    )
    yield Goal("upload of 1 GiB: MiB of memory at most", own["memory at most"], 64, at_most=True)
    own = download["Costrel, costrel serve"]
    ratio = download["Costrel on gunicorn"][speed] / download["Flask on gunicorn"][speed]
    yield Goal("download of 1 GiB: Costrel ÷ Flask, both on gunicorn, throughput", ratio, 1)
    ratio = own[speed] / download["Flask on gunicorn"][speed]
    yield Goal("download of 1 GiB: costrel serve ÷ Flask on gunicorn, throughput", ratio, 1)
    yield Goal("download of 1 GiB: MiB of memory added", own["memory at most"] - own["memory before"], 16, at_most=True)


def of_memory(figures: dict[str, Any]) -> Iterator[Goal]:
    """The goals of a worker that runs for long."""
    flask, costrel = figures["cases"]["Flask on Granian"], figures["cases"]["Costrel, costrel serve"]
    yield Goal("memory after 100,000 requests: Costrel ÷ Flask", costrel["MiB"][-1] / flask["MiB"][-1], 1, at_most=True)
    yield Goal("MiB that the last 50,000 requests add, per 100,000", costrel["growth per 100,000"], 1, at_most=True)


def of_served(figures: dict[str, Any]) -> Iterator[Goal]:
    """The goals of served requests; the server is Granian for all, inside of `costrel serve` too."""
    rates = {name: paths["hello"]["per second"] for name, paths in figures["rates"].items()}
    for server in ("costrel serve", "Granian over WSGI", "Granian"):
        rate, words = rates[f"Costrel, def, {server}"], WORDS[server]
        yield Goal(f"{words}, `def` views: Costrel ÷ Flask", rate / rates["Flask, def, Granian"], 4)
        yield Goal(f"{words}, `def` views: Costrel ÷ Starlette", rate / rates["Starlette, def, Granian"], 2)
    for server in ("costrel serve", "Granian"):
        measured = rates[f"Costrel, async, {server}"] / rates["Starlette, async, Granian"]
        yield Goal(f"{WORDS[server]}, `async def` views: Costrel ÷ Starlette", measured, 1)


USERS = {"json": (3, 0.9), "params": (2.4, 0.95), "page": (1.9, 0.95)}
"""Target → the wanted ratios of requests a second, with the access log, to Flask's and to Starlette's without."""

MOST_LOG = 1.12
MOST_CPU = 1.05


def of_users(figures: dict[str, Any]) -> Iterator[Goal]:
    """The goals of browsers' requests and of the databases, as far as they were measured."""
    found = figures.get("users") or {}
    flask, starlette, own = "Flask, granian wsgi", "Starlette, granian asgi", "Costrel, def, costrel serve"
    if {flask, starlette, own} <= set(found):
        for target, (of_flask, of_starlette) in USERS.items():
            logging = f"{own}, access log"
            rate = ratio(found, target, "per second", logging, flask)
            yield Goal(f"`{target}`, `def`, access log: Costrel ÷ Flask, requests a second", rate, of_flask)
            rate = ratio(found, target, "per second", logging, starlette)
            yield Goal(f"`{target}`, `def`, access log: Costrel ÷ Starlette, requests a second", rate, of_starlette)
            for kind in ("def", "async def"):
                rate = ratio(found, target, "per second", f"Costrel, {kind}, costrel serve", starlette)
                yield Goal(f"`{target}`, `{kind}`, no log: Costrel ÷ Starlette, requests a second", rate, 1)
            for kind in ("def", "async def"):
                name = f"Costrel, {kind}, costrel serve"
                cost = ratio(found, target, "CPU", f"{name}, access log", name)
                yield Goal(f"`{target}`, `{kind}`: CPU with the access log ÷ without", cost, MOST_LOG, at_most=True)
    found = figures.get("databases") or {}
    own_names = [name for name in found if name.startswith("Costrel")]
    others = [name for name in found if name not in own_names]
    if own_names and others:
        for target in ("fortunes", "query", "queries"):
            best, other = (min(names, key=lambda name: found[name][target]["CPU"]) for names in (own_names, others))
            cost = ratio(found, target, "CPU", best, other)
            yield Goal(f"`{target}` on PostgreSQL: CPU, {best} ÷ {other}", cost, MOST_CPU, at_most=True)


WORDS = {
    "costrel serve": "served by `costrel serve`",
    "Granian": "served by `granian --interface asgi`",
    "Granian over WSGI": "served by `granian --interface wsgi`",
}


def of_growth(figures: dict[str, Any]) -> Iterator[Goal]:
    """The goals of growth: no cost grows faster than linearly."""
    for name, each in figures.items():
        yield Goal(f"slope over {name}", each["costrel"]["slope"], SLOPE, at_most=True)


OF_PART = {
    "calls": of_calls, "startup": of_startup, "bodies": of_bodies, "memory": of_memory, "served": of_served,
    "growth": of_growth,
}  # fmt: skip
