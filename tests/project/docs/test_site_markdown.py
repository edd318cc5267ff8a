"""The Markdown of pages for agents and scripts, llms.txt, and what the copy button of a console block copies."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
from markdown import markdown

from generator.specification import Specification
from maintenance.site.console_blocks import add_commands_to_copy
from maintenance.site.markdown_pages import Entry, make_llms_txt, make_page
from maintenance.site.specification_pages import make_specification_page
from support import ROOT


def test_included_files_and_lines_are_part_of_the_page(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("one\ntwo\nthree\n")
    (tmp_path / "a.svg").write_text("<svg/>")
    assert make_page('x\n\n--8<-- "a.py"\n', tmp_path) == "x\n\none\ntwo\nthree\n"
    assert make_page('  --8<-- "a.py:2:3"\n', tmp_path) == "  two\n  three\n"
    assert make_page('--8<-- "a.svg"', tmp_path) == "(A drawing is on the page.)"


def test_no_file_outside_the_project_is_included(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "project").mkdir()
    assert make_page('--8<-- "../secret"\n', tmp_path / "project") == "\n"


def test_an_object_is_described_with_its_methods() -> None:
    page = make_page("# Title\n\n::: azure_imds.ImdsCredential\n    options:\n      members: [x]\n\nEnd.\n", ROOT)
    assert "### `azure_imds.ImdsCredential.get_token`" in page
    assert "```python\nget_token(self, *scopes: " in page
    assert "members:" not in page
    assert " at 0x" not in page
    assert page.endswith("End.\n")


@pytest.mark.parametrize("value", ['x\n\n--8<-- "LICENSE"\n\ny', "a\n\n::: os\n\nb"])
def test_a_value_of_the_specification_is_no_instruction(value: str) -> None:
    document = copy.deepcopy(Specification.load(ROOT / "openapi.yaml").document)
    document["components"]["schemas"]["Compute"]["properties"]["odd"] = {"type": "string", "pattern": value}
    page = make_specification_page(document)
    assert make_page(page, ROOT) == page


def test_the_list_has_a_section_for_each_group() -> None:
    entries = [Entry("A", "One", "one.md"), Entry("A", "Two", "two.md"), Entry("B", "Three", "b/three.md")]
    assert make_llms_txt("T", "S.", entries) == (
        "# T\n\n> S.\n\n## A\n\n- [One](one.md)\n- [Two](two.md)\n\n## B\n\n- [Three](b/three.md)\n"
    )


def copied(block: str) -> str:
    extensions = ["pymdownx.superfences", "pymdownx.highlight"]
    page = add_commands_to_copy(markdown(f"```console\n{block}\n```", extensions=extensions))
    return page.partition('data-copy="')[2].partition('"')[0]


@pytest.mark.parametrize(
    ("block", "commands"),
    [
        ("$ one\n1\n2\n$ two\n3", "one\ntwo"),
        ("$ azure-imds emulator\n$env:A = 'b'\nexport A=b", "azure-imds emulator"),
        ("$ echo \\\n  two", "echo \\\n  two"),
        ('$ echo "<b>" && x', "echo &quot;&lt;b&gt;&quot; &amp;&amp; x"),
    ],
)
def test_the_button_copies_commands_only(block: str, commands: str) -> None:
    assert copied(block) == commands


def test_other_blocks_are_copied_whole() -> None:
    assert copied("one") == ""
