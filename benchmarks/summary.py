"""The results that matter most: the table at the top of the page, and the line of a release in the history."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from .herds import THREADS
from .processes import COLD
from .ratios import Growth, Ratio
from .tokens import CACHED_CALL

#: The columns of the summary, and the libraries with the names that they have in comparisons.
COLUMNS = {"Cold start": COLD, "Cached call": CACHED_CALL}
LIBRARIES = {
    "azure-identity": ("azure-identity",),
    "msal": ("msal",),
    "httpx and attrs, by hand": ("bare httpx and attrs", "bare httpx"),
    "http.client, by hand": ("http.client",),
}

#: The columns of the history.
HISTORY = {
    "Cold start / httpx": (COLD, "bare httpx and attrs"),
    "/ azure-identity": (COLD, "azure-identity"),
    "/ msal": (COLD, "msal"),
    "Async / httpx": (f"{COLD}, async", "bare httpx.AsyncClient and attrs"),
    "Cached call / msal": (CACHED_CALL, "msal"),
    "Warm request / httpx": ("token request on a warm connection", "bare httpx"),
    "Document / json.loads": ("get_metadata(): the full document read into models", "json.loads"),
    "Memory / httpx": ("peak memory after the first token", "bare httpx and attrs"),
}

Results = Mapping[str, list[Ratio | Growth]]


def find_ratio(found: Results, what: str, against: Iterable[str]) -> Ratio | None:
    """Returns the first comparison of `what` with one of the others."""
    ratios = [result for results in found.values() for result in results if isinstance(result, Ratio)]
    return next((ratio for ratio in ratios if ratio.what == what and ratio.against in against), None)


def as_table(rows: Iterable[list[str]], alignment: str) -> list[str]:
    """Returns the lines of a Markdown table. `alignment` has `l` or `r` for each column."""
    first, *rest = ["| " + " | ".join(row) + " |" for row in rows]
    return [first, "| " + " | ".join("---:" if side == "r" else "---" for side in alignment) + " |", *rest]


def as_summary(found: Results, number: Callable[[float], str]) -> list[str]:
    """Returns the table that comes first: a line for each library."""
    rows = [["Relative to", *COLUMNS, "64 callers"]]
    for library, names in LIBRARIES.items():
        cells = [find_ratio(found, what, names) for what in COLUMNS.values()]
        herd = [(part, find_ratio(found, f"{THREADS}: {part}", names)) for part in ("requests", "time")]
        together = ", ".join(f"{number(cell.value)} of the {part}" for part, cell in herd if cell is not None)
        rows.append([library, *("" if cell is None else number(cell.value) for cell in cells), together])
    return as_table(rows, "l" + "r" * len(COLUMNS) + "l")


def add_to_history(file: Path, found: Results, version: str, number: Callable[[float], str]) -> None:
    """Writes the line of a release, and replaces an older line of the same release."""
    cells = [find_ratio(found, what, [against]) for what, against in HISTORY.values()]
    line = f"| {version} | " + " | ".join("" if cell is None else number(cell.value) for cell in cells) + " |"
    old = file.read_text(encoding="utf-8").splitlines()[2:] if file.exists() else []
    kept = [row for row in old if not row.startswith(f"| {version} |")]
    head = as_table([["Release", *HISTORY]], "l" + "r" * len(HISTORY))
    file.write_text("\n".join([*head, *kept, line, ""]), encoding="utf-8")
