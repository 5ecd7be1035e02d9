"""The figures as Markdown: each function writes the text between two marks of docs/performance.md."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import results
from .goals import OF_PART, of_users
from .instructions.tables import REGIONS as INSTRUCTIONS
from .peers import GATEWAYS
from .rounds import by_rate, ratio
from .scenarios import SCENARIOS
from .seal import table as seal


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table whose first column is text."""
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def calls(gateway: str) -> Callable[[Any], str]:
    """Microseconds: a line for each scenario, a column for each peer."""

    def make(figures: Any) -> str:
        group = [peer for peer in GATEWAYS[gateway] if peer.name in figures[gateway] and not peer.only]
        rows = []
        for scenario in SCENARIOS:
            found = [figures[gateway][peer.name].get(scenario.name) for peer in group]
            own = figures[gateway]["costrel"][scenario.name]
            flask = figures[gateway]["flask"][scenario.name]
            cells = [f"{each * 1e6:.1f}" if each else "-" for each in found]
            rows.append([f"`{scenario.name}`", *cells, f"{flask / own:.1f}"])
        return table(["µs", *[peer.title for peer in group], "Flask ÷ Costrel"], rows)

    return make


def goals(figures: Any) -> str:
    """All goals of all parts that have figures."""
    rows = [
        goal.row()
        for part, of_part in OF_PART.items()
        if (found := results.load(part))
        for goal in of_part(found["figures"])
    ]
    reached = sum(row.endswith("yes |") for row in rows)
    head = ["| ratio | goal | measured | reached |", "| --- | --: | --: | --- |"]
    return f"{reached} of {len(rows)} goals are reached.\n\n" + "\n".join([*head, *rows])


def served_goals(figures: Any) -> str:
    """The goals of the users and of the databases."""
    rows = [goal.row() for goal in of_users(figures)]
    head = ["| ratio | goal | measured | reached |", "| --- | --: | --: | --- |"]
    return "\n".join([*head, *rows]) if rows else "Not measured yet."


def machine(figures: Any) -> str:
    """The machine of the measurement, and the versions."""
    found = (results.load("calls") or {})["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in found["packages"].items())
    return f"Measured on {found['day']} with CPython {found['python']} on {found['system']}: {versions}."


def imports(figures: Any) -> str:
    rows = [
        [f"`{name}`", f"{each['seconds'] * 1e3:.0f}", f"{each['bytes'] / 2**20:.1f}"]
        for name, each in figures["imports"].items()
    ]
    return table(["import", "CPU time, ms", "memory, MiB"], rows)


def rules(figures: Any) -> str:
    rows = [
        [name, f"{each['first answer']:.3f}", f"{each['hello'] * 1e6:.1f}", f"{each['params'] * 1e6:.1f}"]
        for name, each in figures["rules"].items()
    ]
    return table(["application, rules", "to the first answer, s", "`hello`, µs", "`params`, µs"], rows)


def growth(figures: Any) -> str:
    rows = [
        [f"[{name}](performance/{slug(name)}.png)", span(each), f"{each['costrel']['slope']:.2f}", flask_slope(each)]
        for name, each in figures.items()
    ]
    return table(["number of", "Costrel, from … to", "Costrel's slope", "Flask's"], rows)


def slug(name: str) -> str:
    """The name of a plot's file."""
    return "growth-" + name.lower().replace(",", "").replace(" ", "-")


def span(each: Any) -> str:
    """The first and the last point of a line."""
    own = each["costrel"]
    first, last = own["seconds"][0], own["seconds"][-1]
    return f"{first * 1e6:.0f} µs at {own['sizes'][0]} … {last * 1e6:.0f} µs at {own['sizes'][-1]}"


def flask_slope(each: Any) -> str:
    return f"{each['flask']['slope']:.2f}" if "flask" in each else "-"


def bodies(figures: Any) -> str:
    rows = [
        [
            f"{kind}: {name}", f"{each['MiB a second']:.0f}", f"{each['CPU seconds']:.2f}",
            f"{each['memory before']:.1f}", f"{each['memory at most']:.1f}",
        ]
        for kind in ("upload", "download")
        for name, each in figures[kind].items()
    ]  # fmt: skip
    return table(["1 GiB", "MiB a second", "server's CPU, s", "memory before, MiB", "at most, MiB"], rows)


def memory(figures: Any) -> str:
    rows = [
        [name, f"{each['MiB'][0]:.1f}", f"{each['MiB'][-1]:.1f}", f"{each['growth per 100,000']:+.2f}"]
        for name, each in figures["cases"].items()
    ]
    requests = figures["requests a leg"] * (len(next(iter(figures["cases"].values()))["MiB"]) - 1)
    return table(["worker", "MiB at first", f"after {requests:,}", "growth per 100,000 in the second half"], rows)


def rates(figures: Any) -> str:
    rows = []
    for name, paths in figures["rates"].items():
        hello, params = paths["hello"], paths["params"]
        numbers = [hello["per second"], hello["p99"], hello["CPU"], params["per second"], params["CPU"]]
        rows.append([name, *[f"{number:.1f}" if number == hello["p99"] else f"{number:.0f}" for number in numbers]])
    head = ["view, server", "`hello`, a second", "99 % within, ms", "CPU, µs", "`params`, a second", "CPU, µs"]
    return table(head, rows)


PLOTTED = {"users": ["json", "params", "page", "form"], "databases": ["query", "queries", "fortunes", "updates"]}
"""Section → the targets that have a plot."""


def compared(section: str) -> Callable[[Any], str]:
    """The cases of a section, the fastest first: for each target requests a second, latencies and CPU time."""

    def make(figures: Any) -> str:
        found = figures.get(section)
        if found is None:
            return "Not measured yet."
        targets = list(next(iter(found.values())))
        rows = []
        for name in by_rate(found, targets[0]):
            row, each = [name], found[name]
            for target in targets:
                row += [f"{each[target]['per second']:.0f}", f"{each[target]['CPU']:.0f}"]
            first, most = each[targets[0]], max(measured["MiB"] for measured in each.values())
            rows.append([*row, f"{first['p50']:.1f}", f"{first['p99']:.1f}", f"{most:.0f}"])
        head = ["application, server", *[cell for target in targets for cell in (f"`{target}`, a second", "CPU, µs")]]
        head += [f"`{targets[0]}`: 50 %, ms", "99 %, ms", "MiB"]
        plots = [f"![{target}](performance/{section}-{target}.svg)" for target in PLOTTED[section]]
        return "\n\n".join([table(head, rows), *plots])

    return make


def log_cost(figures: Any) -> str:
    """The CPU time of a request with the access log, as a multiple of that without."""
    found = figures.get("users") or {}
    rows = []
    for name, targets in found.items():
        logging = f"{name}, access log"
        if logging in found:
            rows.append([name, *[f"{ratio(found, target, 'CPU', logging, name):.2f}" for target in targets]])
    targets = [f"`{target}`" for target in next(iter(found.values()), {})]
    return table(["CPU with the access log ÷ without", *targets], rows) if rows else "Not measured yet."


def grown(section: str, what: str) -> Callable[[Any], str]:
    """Requests a second for growing numbers of connections or of workers."""

    def make(figures: Any) -> str:
        found = figures[section]
        rows = [
            [f"{name}: {title}", *[f"{each[key]:.0f}" for each in line]]
            for key, title in (("per second", "requests a second"), ("CPU", "CPU, µs a request"))
            for name, line in found["cases"].items()
        ]
        return table([what, *map(str, found["sizes"])], rows)

    return make


def where(figures: Any) -> str:
    """The functions that take most of each scenario over WSGI."""
    rows = []
    for scenario, functions in figures["wsgi"].items():
        shown = "<br>".join(f"{share:.0%} `{name}`" for name, share, _ in functions[:5])
        rows.append([f"`{scenario}`", shown])
    return table(["scenario", "share of the time, by function"], rows).replace("--:", "---")


REGIONS: dict[str, tuple[str, Callable[[Any], str]]] = {
    "machine": ("calls", machine),
    "goals": ("calls", goals),
    "calls-wsgi": ("calls", calls("wsgi")),
    "calls-asgi": ("calls", calls("asgi")),
    "imports": ("startup", imports),
    "rules": ("startup", rules),
    "seal": ("seal", seal),
    "growth": ("growth", growth),
    "bodies": ("bodies", bodies),
    "memory": ("memory", memory),
    "users": ("served", compared("users")),
    "databases": ("served", compared("databases")),
    "log": ("served", log_cost),
    "served-goals": ("served", served_goals),
    "rates": ("served", rates),
    "concurrency": ("served", grown("concurrency", "connections")),
    "workers": ("served", grown("workers", "workers")),
    "where": ("where", where),
    **{mark: ("instructions", make) for mark, make in INSTRUCTIONS.items()},
}
"""Mark in docs/performance.md → the part whose figures it shows, and the function that writes it."""
