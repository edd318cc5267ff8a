"""Output of the results: for a terminal, for the documentation, and as plots."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from .ratios import Growth, Ratio

#: A subject with at least this many ratios gets a plot.
PLOTTED = 4


def as_text(result: Ratio | Growth) -> str:
    """Returns one line for a terminal."""
    if isinstance(result, Growth):
        steps = ", ".join(f"{size:g}: {cost:.2f}" for size, cost in zip(result.sizes, result.costs, strict=True))
        return f"      {result.what} by {result.size}: {steps}"
    rounds = f"min {min(result.rounds):.2f}, median of {len(result.rounds)}, spread {result.spread:.0%}"
    return f"{_mark(result):4}  {result.value:7.2f}  {result.what} / {result.against}  ({rounds}{_target(result)})"


def _target(result: Ratio) -> str:
    if result.limit is None:
        return ""
    return f"; target at {'least' if result.least else 'most'} {result.limit:g}"


def _mark(result: Ratio) -> str:
    return "" if result.limit is None else "ok" if result.meets() else "MISS"


def as_markdown(found: Mapping[str, list[Ratio | Growth]], titles: Mapping[str, str], machine: str) -> str:
    """Returns a section per subject: a table of its ratios, a line per growth, and a plot of many ratios."""
    lines = [f"Measured on {machine}, while other work was running."]
    for subject, results in found.items():
        lines += ["", f"### {titles[subject]}"]
        ratios = [result for result in results if isinstance(result, Ratio)]
        lines += ["", "| Comparison | Ratio | Smallest | Spread | Target |", "| --- | ---: | ---: | ---: | --- |"]
        for ratio in ratios:
            target = _target(ratio).removeprefix("; target ")
            missed = "" if ratio.meets() else ", **missed**"
            lines.append(
                f"| {ratio.what}, relative to {ratio.against} | {ratio.value:.2f} | {min(ratio.rounds):.2f}"
                f" | {ratio.spread:.0%} | {target}{missed} |"
            )
        for growth in results:
            if isinstance(growth, Growth):
                lines += ["", f"Growth: {as_text(growth).strip()}."]
        if len(ratios) >= PLOTTED:
            lines += ["", f"![{titles[subject]}]({subject}.svg)"]
    return "\n".join([*lines, "", "### Growth", "", "![Growth](growth.svg)", ""])


def as_plots(found: Mapping[str, list[Ratio | Growth]], folder: Path) -> None:
    """Writes SVG plots: one per subject with enough ratios, and one of all growths."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "azure-imds", "font.size": 10, "svg.fonttype": "none"})
    from matplotlib import pyplot

    for subject, results in found.items():
        ratios = [result for result in results if isinstance(result, Ratio)]
        if len(ratios) < PLOTTED:
            continue
        figure, axes = pyplot.subplots(figsize=(9, 0.6 + 0.42 * len(ratios)))
        for row, result in enumerate(reversed(ratios)):
            axes.plot(result.rounds, [row] * len(result.rounds), "|", color="#7f8fa6", markersize=9)
            axes.plot([result.value], [row], "o", color="#2f6f4f" if result.meets() else "#b23a48")
            if result.limit is not None:
                axes.plot([result.limit], [row], ">" if result.least else "<", color="#444444")
        axes.set_yticks(range(len(ratios)), [f"{r.what} / {r.against}" for r in reversed(ratios)])
        axes.set_xscale("log")
        axes.axvline(1, color="#cccccc", linewidth=1, zorder=0)
        axes.set_xlabel("ratio (| one round, o median, < maximum, > minimum)")
        _save(figure, folder / f"{subject}.svg")
    growths = [result for results in found.values() for result in results if isinstance(result, Growth)]
    if growths:
        figure, several = pyplot.subplots(1, len(growths), figsize=(3.4 * len(growths), 3), squeeze=False)
        for axes, growth in zip(several[0], growths, strict=True):
            axes.plot(growth.sizes, growth.costs, "o-", color="#2f6f4f")
            axes.set_title(growth.what, fontsize=10)
            axes.set_xlabel(growth.size)
            if max(growth.sizes) > 100:
                axes.set_xscale("log")
            if max(growth.costs) > 10:
                axes.set_yscale("log")
            axes.set_ylim(bottom=min(0.5, min(growth.costs)))
        _save(figure, folder / "growth.svg")


def _save(figure: object, path: Path) -> None:
    from matplotlib.figure import Figure

    assert isinstance(figure, Figure)
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None})
