"""Output of the results: for a terminal, and for the documentation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from .plots import as_svg
from .ratios import Growth, Ratio
from .summary import Results, as_summary, as_table

#: A subject with at least this many ratios gets a plot.
PLOTTED = 4


def as_number(value: float) -> str:
    """Returns a ratio with the digits that are more than noise."""
    return f"{value:.3f}" if value < 0.1 else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def as_text(result: Ratio | Growth) -> str:
    """Returns one line for a terminal."""
    if isinstance(result, Growth):
        steps = ", ".join(f"{size:g}: {cost:.2f}" for size, cost in zip(result.sizes, result.costs, strict=True))
        return f"      {result.what} by {result.size}: {steps}"
    rounds = f"min {as_number(min(result.rounds))}, median of {len(result.rounds)}, spread {result.spread:.0%}"
    target = "" if result.limit is None else f"; target at most {as_number(result.limit)}"
    mark = "" if result.limit is None else "ok" if result.meets() else "over"
    return f"{mark:4}  {as_number(result.value):>7}  {result.what} / {result.against}  ({rounds}{target})"


def as_markdown(found: Results, titles: Mapping[str, str], machine: str) -> str:
    """Returns the summary, then a section per subject: a table of its ratios, growths, and a plot of many ratios."""
    lines = [*as_summary(found, as_number), "", f"Measured on {machine}, while other work was running."]
    lines += ["", "## Measurements"]
    for subject, results in found.items():
        ratios = [result for result in results if isinstance(result, Ratio)]
        rows = [["Comparison", "Ratio", "Target", "Spread"], *map(_row, ratios)]
        lines += ["", f"### {titles[subject]}"]
        if len(ratios) >= PLOTTED:
            lines += [
                "",
                '<figure class="diagram" markdown="0">',
                f'--8<-- "docs/benchmarks/{subject}.svg"',
                "</figure>",
            ]
        lines += ["", *as_table(rows, "lrrr")]
        lines += _explanations(ratios)
        for growth in results:
            if isinstance(growth, Growth):
                lines += ["", f"Growth: {as_text(growth).strip()}."]
    return "\n".join([*lines, ""])


def _row(ratio: Ratio) -> list[str]:
    spread = f"{ratio.spread:.0%}" if len(ratio.rounds) >= PLOTTED else ""
    target = "" if ratio.limit is None else as_number(ratio.limit)
    missed = "" if ratio.meets() else " (target not reached)"
    return [f"{ratio.what}, relative to {ratio.against}{missed}", as_number(ratio.value), target, spread]


def _explanations(ratios: Sequence[Ratio]) -> Iterator[str]:
    """Yields a paragraph for each reason why targets were not reached."""
    missed: dict[str, list[Ratio]] = {}
    for ratio in ratios:
        if not ratio.meets():
            missed.setdefault(ratio.reason, []).append(ratio)
    for reason, several in missed.items():
        yield ""
        for ratio in several:
            target = as_number(ratio.limit or 0.0)
            yield f"- {ratio.what}, relative to {ratio.against}: {as_number(ratio.value)}, target {target}."
        if reason:
            yield from ("", reason)


def write_plots(found: Results, titles: Mapping[str, str], folder: Path) -> None:
    """Writes a plot for each subject with enough ratios."""
    for subject, results in found.items():
        ratios = [result for result in results if isinstance(result, Ratio)]
        if len(ratios) >= PLOTTED:
            plot = as_svg(titles[subject], ratios, as_number)
            (folder / f"{subject}.svg").write_text(plot, encoding="utf-8")
