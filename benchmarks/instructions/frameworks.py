"""The frameworks whose instructions are counted, and the module with the application of each."""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass
from typing import Any

from .scenarios import OVER, Scenario


@dataclass(frozen=True)
class Framework:
    """One column of a table.

    :param lacks: the scenarios for which it has no application.
    :param in_place: whether its application is called as `costrel serve` does for a `def` view without a body.
    :param compares: the table in which it is a column; by default the table of its gateway.
    """

    name: str
    title: str
    gateway: str
    module: str
    needs: str
    lacks: tuple[str, ...] = ()
    in_place: bool = False
    compares: str = ""

    @property
    def group(self) -> str:
        """The scenarios that it answers, and the table that shows them."""
        return self.compares or self.gateway

    @property
    def called(self) -> str:
        return "in place" if self.in_place else self.gateway

    @property
    def is_installed(self) -> bool:
        parent, _, _ = self.needs.partition(".")
        return importlib.util.find_spec(parent) is not None and importlib.util.find_spec(self.needs) is not None

    def scenarios(self, names: list[str]) -> list[Scenario]:
        """Its scenarios: all, or those of the names."""
        return [each for each in OVER[self.group] if each.name not in self.lacks and (not names or each.name in names)]

    def build(self, scenario: str) -> Any:
        """The application of a scenario."""
        if self.name == "costrel-as-flask":
            import costrel

            costrel.install_as_flask()
        module = importlib.import_module(f"benchmarks.instructions.{self.module}")
        return getattr(module, self.gateway)(scenario)


WITHOUT_HOOKS = ("hooks", "mixed_hooks")
WITHOUT_TYPES = ("six_errors",)
FRAMEWORKS = [
    Framework("costrel", "Costrel", "wsgi", "costrel_app", "costrel"),
    Framework("costrel-as-flask", "Costrel, as Flask", "wsgi", "flask_app", "costrel"),
    Framework("flask", "Flask", "wsgi", "flask_app", "flask"),
    Framework("costrel-async", "Costrel, async views", "asgi", "costrel_async_app", "costrel"),
    Framework("starlette", "Starlette, async views", "asgi", "starlette_app", "starlette", WITHOUT_HOOKS),
    Framework("costrel-def", "Costrel, def views", "asgi", "costrel_app", "costrel"),
    Framework(
        "costrel-in-place", "Costrel, def views in place", "asgi", "costrel_app", "costrel", ("form", "postjson"), True
    ),
    Framework(
        "starlette-def",
        "Starlette, def views",
        "asgi",
        "starlette_def_app",
        "starlette",
        ("form", "postjson", *WITHOUT_HOOKS),
    ),
    *(
        Framework(name, title, gateway, module, needs, lacks, compares="typed")
        for name, title, gateway, module, needs, lacks in (
            ("by-hand", "Costrel, by hand, WSGI", "wsgi", "by_hand_app", "costrel", WITHOUT_TYPES),
            ("typed", "Costrel, typed, WSGI", "wsgi", "typed_app", "costrel", ()),
            ("by-hand-async", "Costrel, by hand, ASGI", "asgi", "by_hand_app", "costrel", WITHOUT_TYPES),
            ("typed-async", "Costrel, typed, ASGI", "asgi", "typed_app", "costrel", ()),
            ("fastapi", "FastAPI", "asgi", "fastapi_app", "fastapi", ()),
            ("litestar", "Litestar", "asgi", "litestar_app", "litestar", ()),
        )
    ),
]
ONLY_IF_NAMED = [
    Framework(name, title, gateway, module, "opentelemetry.sdk", lacks, in_place)
    for gateway, suffix, lacks, in_place in (("wsgi", "", (), False), ("asgi", "-in-place", ("form", "postjson"), True))
    for name, title, module in (
        (f"costrel-api-only{suffix}", "Costrel, traced without the SDK", "costrel_api_only_app"),
        (f"costrel-unsampled{suffix}", "Costrel, traced, no span is sampled", "costrel_unsampled_app"),
        (f"costrel-ratio{suffix}", "Costrel, traced, by a ratio of 0", "costrel_ratio_app"),
        (f"costrel-sampled{suffix}", "Costrel, traced, all spans are sampled", "costrel_sampled_app"),
    )
] + [
    Framework(name, title, "asgi", module, "costrel", ("form", "postjson"), True)
    for name, title, module in (
        ("costrel-served", "Costrel, in place, behind costrel serve without its log", "served_quietly_app"),
        ("costrel-served-log", "Costrel, in place, behind costrel serve with its log", "served_app"),
    )
]
"""Costrel with OpenTelemetry and behind the server's own code, to be compared with itself; not part of the tables."""

BY_NAME = {framework.name: framework for framework in [*FRAMEWORKS, *ONLY_IF_NAMED]}
BARE = {gateway: Framework("bare", "no framework", gateway, "bare_app", "costrel") for gateway in ("wsgi", "asgi")}
