"""The figures as plots, each a PNG and an SVG in docs/performance/."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl

from . import results
from .peers import GATEWAYS
from .scenarios import SCENARIOS
from .tables import PLOTTED, slug

mpl.use("svg")
mpl.rcParams.update(
    {"svg.hashsalt": "costrel", "svg.fonttype": "none", "font.size": 9, "axes.grid": True, "grid.alpha": 0.3}
)

from matplotlib import pyplot as plt  # noqa: E402 - after the choice of the backend

OWN_COLOUR, OTHER_COLOUR = "#b5432a", "#4a6d8c"
COLOURS = {"costrel": OWN_COLOUR, "flask": OTHER_COLOUR}


def keep(figure: Any, name: str) -> None:
    figure.tight_layout()
    for kind in ("png", "svg"):
        figure.savefig(results.FOLDER / f"{name}.{kind}", dpi=110, metadata={"Date": None} if kind == "svg" else None)
    plt.close(figure)


def calls(figures: Any) -> None:
    """For each gateway, the peers as points on a line for each scenario; the scale is logarithmic."""
    markers = "osD^v<>Pph*X"
    for gateway, group in figures.items():
        figure, axes = plt.subplots(figsize=(8, 5.5))
        names = [scenario.name for scenario in SCENARIOS]
        for number, peer in enumerate(peer for peer in GATEWAYS[gateway] if peer.name in group and not peer.only):
            found = [(group[peer.name][name] * 1e6, y) for y, name in enumerate(names) if name in group[peer.name]]
            own = peer.name == "costrel"
            axes.scatter(
                *zip(*found, strict=True), marker=markers[number], s=60 if own else 28, label=peer.title,
                zorder=3 if own else 2, color=OWN_COLOUR if own else f"C{number}", alpha=1 if own else 0.7,
            )  # fmt: skip
        axes.set_xscale("log")
        axes.set_yticks(range(len(names)), names)
        axes.invert_yaxis()
        axes.set_xlabel(f"µs of CPU time for one call over {gateway.upper()} (less is better)")
        axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
        keep(figure, f"calls-{gateway}")


def growth(figures: Any) -> None:
    """A plot for each number that grows, with the slope of its upper half."""
    for name, lines in figures.items():
        figure, axes = plt.subplots(figsize=(4.6, 3.2))
        for api, line in lines.items():
            times = [seconds * 1e6 for seconds in line["seconds"]]
            label = f"{api.title()}: slope {line['slope']:.2f}"
            axes.plot(line["sizes"], times, marker="o", markersize=4, color=COLOURS[api], label=label)
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.set_xlabel(f"number of {name}" if "bytes" not in name else "bytes of the body")
        axes.set_ylabel("µs of CPU time")
        axes.legend(fontsize=8)
        keep(figure, slug(name))


def memory(figures: Any) -> None:
    figure, axes = plt.subplots(figsize=(6, 3.2))
    for name, case in figures["cases"].items():
        requests = [leg * figures["requests a leg"] for leg in range(len(case["MiB"]))]
        axes.plot(requests, case["MiB"], marker="o", markersize=3, label=name)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("mixed requests")
    axes.set_ylabel("MiB of the worker")
    axes.legend(fontsize=8)
    keep(figure, "memory")


def served(figures: Any) -> None:
    of_peers(figures)
    rates = {name: paths["hello"]["per second"] for name, paths in figures["rates"].items()}
    figure, axes = plt.subplots(figsize=(7, 3.6))
    colours = [OWN_COLOUR if name.startswith("Costrel") else OTHER_COLOUR for name in rates]
    axes.barh(list(rates), list(rates.values()), color=colours)
    axes.invert_yaxis()
    axes.set_xlabel("requests a second, one worker on one core (more is better)")
    keep(figure, "served")
    for section, label in (("concurrency", "connections"), ("workers", "workers, on two cores with the load")):
        figure, axes = plt.subplots(figsize=(4.6, 3.2))
        for name, line in figures[section]["cases"].items():
            colour = COLOURS[name.split(",")[0].lower()]
            rates_of_line = [each["per second"] for each in line]
            axes.plot(figures[section]["sizes"], rates_of_line, marker="o", markersize=4, color=colour, label=name)
        axes.set_xscale("log", base=2)
        axes.set_ylim(bottom=0)
        axes.set_xlabel(label)
        axes.set_ylabel("requests a second")
        axes.legend(fontsize=8)
        keep(figure, f"growth-{section}")


def compared(figures: Any, section: str, target: str, key: str, label: str) -> None:
    """A bar for each case, the best first."""
    found = {name: targets[target][key] for name, targets in figures.get(section, {}).items()}
    if not found:
        return
    found = dict(sorted(found.items(), key=lambda item: item[1], reverse=key == "per second"))
    figure, axes = plt.subplots(figsize=(8, 0.22 * len(found) + 1))
    colours = [OWN_COLOUR if name.startswith("Costrel") else OTHER_COLOUR for name in found]
    axes.barh(list(found), list(found.values()), color=colours)
    axes.invert_yaxis()
    axes.tick_params(axis="y", labelsize=7)
    axes.set_xlabel(label)
    keep(figure, f"{section}-{target}")


def of_peers(figures: Any) -> None:
    """The plots of the sections of `served` that compare peers."""
    for target in PLOTTED["users"]:
        compared(figures, "users", target, "per second", f"`{target}`: requests a second (more is better)")
    for target in PLOTTED["databases"]:
        compared(figures, "databases", target, "CPU", f"`{target}`: µs of CPU time for a request (less is better)")


PLOTS = {"calls": calls, "growth": growth, "memory": memory, "served": served}
