"""Plots as SVG, in the colours of the page that includes them, and narrow enough for a phone."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Sequence
from html import escape

from .ratios import Ratio

#: Width in pixels. On a wide screen, the page makes the plot at most 1.5 times as large.
WIDTH = 340
LEFT, RIGHT = 8, 332
ROW = 30
LINE = 14
HEAD = 24

#: Characters that fit a line, and that fit it next to the number.
LINE_LENGTH, LINE_LENGTH_BEFORE_NUMBER = 52, 46

#: Colours of the site's theme. Other viewers use the second value.
TEXT = "var(--md-default-fg-color, #222)"
LIGHT = "var(--md-default-fg-color--light, #666)"
FAINT = "var(--md-default-fg-color--lightest, #ddd)"
ACCENT = "var(--md-typeset-a-color, #4051b5)"


def as_svg(title: str, ratios: Sequence[Ratio], number: Callable[[float], str]) -> str:
    """Returns a plot with a row for each ratio: its rounds as ticks, its median as a dot, its target as a triangle."""
    values = [value for ratio in ratios for value in (*ratio.rounds, ratio.limit or 1.0) if value > 0]
    low, high = math.log(min(values) * 0.9), math.log(max(*values, 1.0) * 1.1)

    def x(value: float) -> float:
        return LEFT + (RIGHT - LEFT) * (math.log(max(value, math.exp(low))) - low) / (high - low)

    texts = [_wrap(ratio) for ratio in ratios]
    height = HEAD + sum(ROW + LINE * len(text) for text in texts)
    one = f"{x(1.0):.1f}"
    anchor = "start" if x(1.0) < WIDTH / 4 else "end" if x(1.0) > 3 * WIDTH / 4 else "middle"
    name = "plot-" + "-".join(title.lower().replace(",", "").split())
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-labelledby="{name}" font-family="var(--md-text-font-family, system-ui, sans-serif)" font-size="12">',
        f'  <title id="{name}">{escape(title)}: ratios, below 1 is better</title>',
        f'  <text x="{one}" y="14" text-anchor="{anchor}" fill="{LIGHT}">1: equal</text>',
    ]
    top = HEAD
    for ratio, text in zip(ratios, texts, strict=True):
        base = top - 4
        for line, colour in text:
            base += LINE
            lines.append(f'  <text x="{LEFT}" y="{base}" fill="{colour}">{escape(line)}</text>')
        track = base + LINE
        top += ROW + LINE * len(text)
        lines += [
            f'  <text x="{RIGHT}" y="{base}" text-anchor="end" font-weight="600" fill="{TEXT}">'
            f"{number(ratio.value)}</text>",
            f'  <line x1="{LEFT}" y1="{track}" x2="{RIGHT}" y2="{track}" stroke="{FAINT}"/>',
            f'  <path d="M{one} {track - 9}v18" stroke="{LIGHT}" stroke-dasharray="2 2"/>',
        ]
        ticks = "".join(f"M{x(value):.1f} {track - 5}v10" for value in ratio.rounds)
        lines.append(f'  <path d="{ticks}" stroke="{LIGHT}" stroke-opacity="0.5"/>')
        if ratio.limit is not None:
            place = x(ratio.limit)
            triangle = f"M{place:.1f} {track + 2}l-4 7h8z"
            lines.append(f'  <path d="{triangle}" fill="{LIGHT}"/>')
        lines.append(f'  <circle cx="{x(ratio.value):.1f}" cy="{track}" r="4.5" fill="{ACCENT}"/>')
    return "\n".join([*lines, "</svg>", ""])


def _wrap(ratio: Ratio) -> list[tuple[str, str]]:
    """Returns the lines that name a ratio, each with its colour."""
    what = textwrap.wrap(ratio.what, LINE_LENGTH)
    against = textwrap.wrap(f"relative to {ratio.against}", LINE_LENGTH_BEFORE_NUMBER)
    return [*((line, TEXT) for line in what), *((line, LIGHT) for line in against)]
