"""The reader of documents: YAML and JSON as OpenAPI allows them, and limits that no document exceeds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from generator import reader
from generator.reader import MAX_DEPTH, MAX_SIZE, MAX_VALUES, DocumentError, parse, read_file
from generator.specification import Specification, SpecificationError
from support import ROOT

#: Each level stands for ten times the level below it. All together stand for ten billion values.
BOMB = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]\n" if n else "l0: &l0 [x]\n" for n in range(11))

needs_fifo = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs")


def read(text: str) -> Any:
    return parse(text).plain()


# Values


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("True", True),
        ("false", False),
        ("yes", "yes"),
        ("on", "on"),
        ("12", 12),
        ("-012", -12),
        ("0o17", 15),
        ("0x1f", 31),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("1.50", 1.5),
        ("-.5e3", -500.0),
        ("1.2.3", "1.2.3"),
        ("2018-02-01", "2018-02-01"),
        ("2018-02-01T10:00:00Z", "2018-02-01T10:00:00Z"),
        ("'12'", "12"),
        ("!!str 12", "12"),
        ("! 12", "12"),
        ("|\n 12\n", "12\n"),
        ("[1, &a [b], *a]", [1, ["b"], ["b"]]),
    ],
)
def test_a_scalar_has_the_type_of_yaml_1_2(text: str, value: object) -> None:
    read_value = read(text)
    assert (read_value, type(read_value)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "value"),
    [("!!int '3'", 3), ('!!float "3"', 3.0), ("!!bool 'true'", True), ("!!null ''", None), ("!!str 3", "3")],
)
def test_a_scalar_may_state_its_type(text: str, value: object) -> None:
    read_value = read(text)
    assert (read_value, type(read_value)) == (value, type(value))


@pytest.mark.parametrize("key", ["200", "1.10", "true", "null", "on", "2018-02-01", '"200"'])
def test_a_name_is_its_text(key: str) -> None:
    assert read(f"{key}: x") == {key.strip('"'): "x"}


def test_the_values_of_an_alias_are_separate() -> None:
    first, second = read("[&a {b: c}, *a]")
    assert first == second
    assert first is not second


def test_json_is_read_with_tabs_and_escapes() -> None:
    value = {"a": ['tab\t, quote", slash/', "é", 1.5, None, {"b": {}}], "c": "😀"}
    assert read(json.dumps(value, indent="\t")) == value
    assert read('{"a": "\\/\\u00e9"}') == {"a": "/é"}


@pytest.mark.parametrize("quoted", ["a value", "a name"])
def test_an_escaped_surrogate_pair_is_one_character(quoted: str) -> None:
    text = '{"\\ud83d\\ude80": 1}' if quoted == "a name" else '["\\ud83d\\ude80"]'
    assert read(text) in ({"🚀": 1}, ["🚀"])


def test_the_contract_as_json_with_escapes_is_the_same_document() -> None:
    contract = Specification.load(ROOT / "openapi.yaml").document
    contract["info"]["title"] = "IMDS 🚀"
    assert Specification(json.dumps(contract)).document == contract


def test_a_byte_order_mark_is_ignored() -> None:
    assert read("\ufeffa: 1") == {"a": 1}


def test_each_value_has_its_line() -> None:
    spec = Specification("a:\n  - b: 1\n    c: &x\n      d: e\n  -\n    f\ng: *x\n")
    places = [("a",), ("a", 0), ("a", 0, "c"), ("a", 0, "c", "d"), ("a", 1), ("g",), ("g", "d"), ("a", 7), ("h", "i")]
    assert [spec.line(place) for place in places] == [1, 2, 3, 4, 6, 7, 4, 1, 1]


# Refused


@pytest.mark.parametrize(
    ("text", "line", "rule", "reason"),
    [
        (BOMB, 6, "size", f"the document has more than {MAX_VALUES} values"),
        ("a: &a [*a]", 1, "yaml", "undefined alias 'a'"),
        ("[" * 3_000, 1, "size", f"nested deeper than {MAX_DEPTH} levels"),
        ("a:\n  " + "{b: " * 3_000, 2, "size", f"nested deeper than {MAX_DEPTH} levels"),
        ('{"a":\n' + "[" * 3_000 + "]" * 3_000 + "}", 2, "size", f"nested deeper than {MAX_DEPTH} levels"),
        ("- " * 3_000, 1, "size", f"nested deeper than {MAX_DEPTH} levels"),
        (
            "".join(f"l{n}: &l{n} [*l{n - 1}]\n" if n else "l0: &l0 []\n" for n in range(99)),
            MAX_DEPTH,
            "size",
            f"nested deeper than {MAX_DEPTH} levels",
        ),
        ("- x\n" * (MAX_VALUES + 1), MAX_VALUES, "size", f"the document has more than {MAX_VALUES} values"),
        ("#" * (MAX_SIZE + 1), 1, "size", f"the document has more than {MAX_SIZE} bytes"),
        ("a: 1\nb: " + "9" * 5_000, 2, "size", "a number has more than 40 characters"),
        ("a: .inf", 1, "yaml", ".inf is not a finite number"),
        ("a: 1e999", 1, "yaml", "1e999 is not a finite number"),
        ("a: 1\na: 2\n", 2, "yaml", 'duplicate key "a", already on line 1'),
        ('200: 1\n"200": 2\n', 2, "yaml", 'duplicate key "200", already on line 1'),
        ("x: &x {a: 1}\ny:\n  <<: *x\n", 3, "yaml", "merge keys (<<) are not part of OpenAPI; write the members out"),
        ("? [a]\n: b", 1, "yaml", "the names in a mapping must be texts"),
        ("a: !!python/object:os.system x", 1, "yaml", "the tag tag:yaml.org,2002:python/object:os.system is not"),
        ("a: 1\nb: !!int 'x'", 2, "yaml", "'x' is not of the type !!int"),
        ("a: !!int 'true'", 1, "yaml", "'true' is not of the type !!int"),
        ("a: !!binary YQ==", 1, "yaml", "the tag tag:yaml.org,2002:binary is not supported"),
        ("a: 1\nb: !x [c]", 2, "yaml", "the tag !x is not supported"),
        ('a: 1\nb: "\\ud800"', 2, "yaml", "half of a surrogate pair is not a character"),
        ('a: 1\nb: "\\UFFFFFFFF"', 2, "yaml", ""),
        ("a: 1\n--- \nb: 1\n", 2, "yaml", "another document starts here"),
        ("a: *b", 1, "yaml", "undefined alias 'b'"),
        ("a: 1\nb: \x1b", 2, "yaml", "unacceptable character #x001b"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else None,
)
def test_a_document_is_refused_with_its_line_and_rule(text: str, line: int, rule: str, reason: str) -> None:
    with pytest.raises(DocumentError) as raised:
        parse(text)
    assert (raised.value.line, raised.value.rule) == (line, rule)
    assert raised.value.reason.startswith(reason)


def test_an_alias_bomb_is_refused_before_it_is_read_completely(monkeypatch: pytest.MonkeyPatch) -> None:
    builders: list[Any] = []
    monkeypatch.setattr(reader, "_Builder", lambda: builders.append(Builder()) or builders[-1])
    with pytest.raises(DocumentError):
        parse(BOMB)
    assert builders[0].added < 100


class Builder(reader._Builder):
    """Counts the values that it adds."""

    added = 0

    def _add(self, part: Any) -> None:
        self.added += 1
        super()._add(part)


def test_a_specification_reports_what_the_reader_refuses() -> None:
    with pytest.raises(SpecificationError, match=r"^openapi\.yaml:6: \[size\] the document has more than"):
        Specification(BOMB)


# Files


@needs_fifo
def test_only_regular_files_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path / "fifo", Path("/dev/zero")):
        with pytest.raises(DocumentError, match=f"{path} cannot be read: not a regular file"):
            read_file(path)


def test_a_large_file_is_not_read_completely(tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(DocumentError, match="more than 524288 bytes"):
        read_file(tmp_path / "large")


@needs_fifo
def test_make_ends_with_the_reason(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "openapi.yaml")
    assert_refused("generator", "--root", str(tmp_path), reason="openapi.yaml cannot be read: not a regular file")


def test_make_compare_ends_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "bomb.yaml").write_text(BOMB, encoding="utf-8")
    assert_refused(
        "maintenance", "compare", "--upstream", str(tmp_path / "bomb.yaml"), reason="bomb.yaml:6: [size] the document"
    )


def assert_refused(*arguments: str, reason: str) -> None:
    done = subprocess.run([sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert reason in done.stderr
    assert "Traceback" not in done.stderr
