"""Tells growth of memory from its ups and downs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

WINDOWS = 10
"""How many windows the time after the warm-up is divided into."""

Sample = tuple[float, int]
"""Seconds since the start, and bytes of memory then."""


class Growth:
    """The memory of several processes over time."""

    def __init__(self) -> None:
        self.samples: defaultdict[str, list[Sample]] = defaultdict(list)

    def note(self, at: float, sizes: dict[str, int]) -> None:
        """Add a sample of each process."""
        for name, size in sizes.items():
            self.samples[name].append((at, size))

    def slopes(self, warm_up: float) -> dict[str, float]:
        """Bytes an hour of each process after `warm_up` seconds."""
        return {name: slope(samples, warm_up) for name, samples in self.samples.items()}


def slope(samples: Iterable[Sample], warm_up: float) -> float:
    """Bytes of memory an hour after `warm_up` seconds: the least squares over the smallest sample of each window.

    Buffers of requests come and go, so that single samples differ by megabytes. They raise the smallest sample of a
    window little; memory that is never freed raises all of them.
    """
    floors = _floors([sample for sample in samples if sample[0] >= warm_up])
    mean_x = sum(at for at, _ in floors) / len(floors)
    mean_y = sum(size for _, size in floors) / len(floors)
    spread = sum((at - mean_x) ** 2 for at, _ in floors)
    rise = sum((at - mean_x) * (size - mean_y) for at, size in floors)
    return rise / spread * 3600 if spread else 0.0


def _floors(samples: list[Sample]) -> list[tuple[float, int]]:
    """The middle and the smallest size of each window."""
    begun, seconds = samples[0][0], (samples[-1][0] - samples[0][0]) / WINDOWS
    windows: defaultdict[int, list[int]] = defaultdict(list)
    for at, size in samples:
        number = int((at - begun) / seconds) if seconds else 0
        windows[min(number, WINDOWS - 1)].append(size)
    return [(begun + (number + 0.5) * seconds, min(sizes)) for number, sizes in windows.items()]
