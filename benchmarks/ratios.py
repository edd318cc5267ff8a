"""Results of benchmarks: ratios of programs that run in turns on the same machine."""

from __future__ import annotations

import gc
import statistics
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from attrs import frozen

#: How much the median of several rounds may vary on a busy machine, as a factor.
NOISE = 1.25


@frozen
class Ratio:
    """Our figure divided by the other one, once per round. Below 1, ours is better.

    Attributes:
        what: what was measured.
        against: what it is compared with.
        rounds: the ratio of each round.
        limit: the target, a maximum for the median. None if there is no target.
        margin: factor by which `--check` allows the target to be missed: 1 for counts, which noise does not change, and
            infinity for fixed times, which depend on the machine.
        worst: whether the worst round counts instead of the median, as for counts.
        reason: why the target may not be reached, as sentences.
    """

    what: str
    against: str
    rounds: tuple[float, ...]
    limit: float | None = None
    margin: float = NOISE
    worst: bool = False
    reason: str = ""

    @property
    def value(self) -> float:
        """The figure that is compared with the target."""
        return max(self.rounds) if self.worst else statistics.median(self.rounds)

    def meets(self, margin: float = 1.0) -> bool:
        """Returns whether the value meets the target, relaxed by the factor `margin`."""
        return self.limit is None or self.value <= self.limit * margin

    @property
    def spread(self) -> float:
        """Half of the interquartile range divided by the median; 0 if all rounds are equal."""
        if len(self.rounds) < 4:
            return 0.0
        low, middle, high = statistics.quantiles(self.rounds, n=4)
        return (high - low) / 2 / middle


@frozen
class Growth:
    """Growth of a cost: for each size, the cost relative to that of the first size."""

    what: str
    size: str
    sizes: tuple[float, ...]
    costs: tuple[float, ...]


def turns(contenders: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Runs the contenders in turns, so that a disturbance affects all of them; returns the results per contender."""
    found: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, contender in contenders.items():
            found[name].append(contender())
    return found


def over(ours: Sequence[float], others: Sequence[float]) -> tuple[float, ...]:
    """Returns the ratio of each round."""
    return tuple(mine / other for mine, other in zip(ours, others, strict=True))


def seconds_of(action: Callable[[], object], times: int = 1) -> float:
    """Returns the seconds per call, averaged over `times` calls without garbage collection."""
    gc.disable()
    try:
        began = time.perf_counter()
        for _ in range(times):
            action()
        return (time.perf_counter() - began) / times
    finally:
        gc.enable()


def seconds_of_threads(threads: Sequence[threading.Thread]) -> float:
    """Starts the threads; returns the seconds from the first start to the last end."""
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began
