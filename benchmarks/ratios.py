"""What a benchmark comes to: ratios of things that took turns on the same machine."""

from __future__ import annotations

import gc
import statistics
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from attrs import frozen


@frozen
class Ratio:
    """Ours over the other, once a round.

    Attributes:
        what: what was done.
        against: what ours is compared with.
        rounds: the ratio in each round.
        limit: what the median should be at most, or at least; None where there is no target.
        least: whether `limit` is the least.
        margin: by which factor `--check` lets it miss the target: 1 for counts, which noise does not change, and
            endless for fixed times, which depend on the machine.
        worst: whether the worst round counts instead of the median, as for counts.
    """

    what: str
    against: str
    rounds: tuple[float, ...]
    limit: float | None = None
    least: bool = False
    margin: float = 2.0
    worst: bool = False

    @property
    def value(self) -> float:
        """The figure that the target is about."""
        return max(self.rounds) if self.worst else statistics.median(self.rounds)

    def meets(self, margin: float = 1.0) -> bool:
        """Whether it is within the target, widened by a factor."""
        if self.limit is None:
            return True
        return self.value >= self.limit / margin if self.least else self.value <= self.limit * margin

    @property
    def spread(self) -> float:
        """Half of the middle half of the rounds, over their median: 0 where all are alike."""
        if len(self.rounds) < 4:
            return 0.0
        low, middle, high = statistics.quantiles(self.rounds, n=4)
        return (high - low) / 2 / middle


@frozen
class Growth:
    """How a cost grows: for each size, the cost over that of the first size."""

    what: str
    size: str
    sizes: tuple[float, ...]
    costs: tuple[float, ...]


def turns(contenders: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """What each contender returns, round after round, in turns: what disturbs one disturbs the others."""
    found: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, contender in contenders.items():
            found[name].append(contender())
    return found


def over(ours: Sequence[float], others: Sequence[float]) -> tuple[float, ...]:
    """The ratio in each round."""
    return tuple(mine / other for mine, other in zip(ours, others, strict=True))


def seconds_of(action: Callable[[], object], times: int = 1) -> float:
    """Seconds for one call, of `times`, without the collector of garbage in between."""
    gc.disable()
    try:
        began = time.perf_counter()
        for _ in range(times):
            action()
        return (time.perf_counter() - began) / times
    finally:
        gc.enable()


def seconds_of_threads(threads: Sequence[threading.Thread]) -> float:
    """Seconds from the start of the first to the end of the last."""
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began
