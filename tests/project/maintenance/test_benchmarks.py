"""What `make bench` prints and writes, and when `make bench-check` fails."""

from __future__ import annotations

import types
import xml.etree.ElementTree as xml
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks import __main__ as command
from benchmarks import instructions
from benchmarks.plots import as_svg
from benchmarks.ratios import Growth, Ratio
from benchmarks.report import as_markdown, as_number
from benchmarks.summary import add_to_history, as_summary

COLD = Ratio("cold process to first token", "azure-identity", (0.5, 0.53, 0.6), 0.55)
CALL = Ratio("cached get_token", "msal", (0.07, 0.08, 0.081), 1 / 12)
OVER = Ratio("import", "<json>", (1.2, 1.3, 1.4), 1.0, reason="Both do the same.")
RESULTS: dict[str, list[Ratio | Growth]] = {"processes": [COLD, OVER, Growth("reading", "size", (1, 2), (1.0, 2.0))]}
TITLES = {"processes": "Processes"}


@pytest.mark.parametrize(("value", "text"), [(0.0412, "0.041"), (0.128, "0.13"), (3.456, "3.46"), (118.8, "118.8")])
def test_a_ratio_has_the_digits_that_matter(value: float, text: str) -> None:
    assert as_number(value) == text


def test_the_summary_has_a_line_for_each_library() -> None:
    herd = [Ratio(f"64 threads, cold: {part}", "msal", (ratio,)) for part, ratio in (("requests", 0.02), ("time", 0.7))]
    head, line, *libraries = as_summary({"a": [COLD], "b": [CALL, *herd]}, as_number)
    assert line == "| --- | ---: | ---: | --- |"
    assert head.startswith("| Relative to | Cold start | Cached call | 64 callers |")
    assert libraries[0] == "| azure-identity | 0.53 |  |  |"
    assert libraries[1] == "| msal |  | 0.080 | 0.020 of the requests, 0.70 of the time |"


def test_the_summary_comes_first() -> None:
    assert as_markdown(RESULTS, TITLES, "this machine").splitlines()[2] == "| azure-identity | 0.53 |  |  |"


def test_a_target_that_was_not_reached_is_explained_below_the_table() -> None:
    text = as_markdown(RESULTS, TITLES, "this machine")
    assert "| import, relative to <json> (target not reached) | 1.30 | 1.00 |  |\n" in text
    assert "\n- import, relative to <json>: 1.30, target 1.00.\n\nBoth do the same.\n" in text


def test_a_target_that_was_reached_is_not_explained() -> None:
    assert "- cold process" not in as_markdown(RESULTS, TITLES, "this machine")


def test_the_history_has_one_line_for_each_release(tmp_path: Path) -> None:
    file = tmp_path / "history.md"
    for version, ratio in (("1.0", 0.7), ("1.1", 0.8), ("1.1", 0.9)):
        add_to_history(file, {"a": [Ratio(COLD.what, COLD.against, (ratio,))]}, version, as_number)
    lines = file.read_text(encoding="utf-8").splitlines()
    assert [line.split("|")[1:4] for line in lines[2:]] == [[" 1.0 ", "  ", " 0.70 "], [" 1.1 ", "  ", " 0.90 "]]


def test_a_plot_names_every_ratio_and_is_as_wide_as_a_phone() -> None:
    plot = xml.fromstring(as_svg("Processes", [COLD, CALL, OVER], as_number))
    texts = [text.text for text in plot.iter("{http://www.w3.org/2000/svg}text")]
    assert {COLD.what, CALL.what, "relative to <json>", "0.53", "0.080", "1.30"} <= {*texts}
    assert plot.attrib["viewBox"].split()[2] == "340"


def test_long_names_take_several_lines_of_a_plot() -> None:
    long = Ratio(" ".join(["what"] * 20), " ".join(["against"] * 20), (1.0,))
    plot = xml.fromstring(as_svg("Processes", [long, COLD], as_number))
    texts = [text for text in plot.iter("{http://www.w3.org/2000/svg}text") if text.get("x") == "8"]
    assert " ".join(text.text or "" for text in texts).startswith(f"{long.what} relative to {long.against} {COLD.what}")
    assert all(len(text.text or "") <= 52 for text in texts)
    assert len({text.attrib["y"] for text in texts}) == len(texts)
    assert int(texts[-1].attrib["y"]) < int(plot.attrib["viewBox"].split()[3]) - 14


def test_all_marks_of_a_plot_are_inside() -> None:
    plot = xml.fromstring(as_svg("Processes", [COLD, CALL, OVER], as_number))
    places = [float(circle.attrib["cx"]) for circle in plot.iter("{http://www.w3.org/2000/svg}circle")]
    assert len(places) == 3
    assert all(5 <= place <= 335 for place in places)


@pytest.mark.parametrize(
    ("medians", "code"),
    [([1.2], 0), ([1.3, 1.2], 0), ([1.3, 1.3], 1)],
    ids=["within the margin", "missed once", "missed twice"],
)
def test_the_check_fails_if_a_target_is_missed_twice(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], medians: list[float], code: int
) -> None:
    left = [*medians]

    def measure(quick: bool) -> Iterator[Ratio]:
        yield Ratio("this", "that", (left.pop(0),), 1.0)

    monkeypatch.setattr(command, "SUBJECTS", {"one": types.SimpleNamespace(measure=measure)})
    monkeypatch.setattr("sys.argv", ["benchmarks", "--check"])
    assert (command.main(), left) == (code, [])
    assert ("misses its target: " in capsys.readouterr().err) == bool(code)


def test_a_machine_that_cannot_count_instructions_counts_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert instructions.instructions_of("python3", {"one": "pass"}, {"PATH": "/nowhere"}) == {}
