"""The Markdown of pages for agents and scripts, llms.txt, and the changes to the HTML of a page."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
from markdown import markdown

from generator.specification import Specification
from maintenance.site.markdown_pages import Entry, make_llms_txt, make_page
from maintenance.site.page_html import change_html
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


def to_html(text: str) -> str:
    extensions = ["pymdownx.superfences", "pymdownx.highlight", "tables"]
    return change_html(
        markdown(text, extensions=extensions, extension_configs={"pymdownx.highlight": {"pygments_lang_class": True}})
    )


def copied(block: str) -> str:
    return to_html(f"```console\n{block}\n```").partition('data-copy="')[2].partition('"')[0]


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


@pytest.mark.parametrize(
    ("language", "block", "aligned"),
    [
        ("text", "a message", False),
        ("text", "a\n└── b", True),
        ("", "a\n└── b", True),
        ("console", "$ azure-imds doctor\npass  route         Requests leave.", True),
        ("console", '$ curl x\n{\n    "a": 1\n}', False),
        ("sh", "make        # everything", False),
    ],
)
def test_only_blocks_with_columns_or_drawings_keep_their_lines(language: str, block: str, aligned: bool) -> None:
    assert ("highlight aligned" in to_html(f"```{language}\n{block}\n```")) == aligned


def test_a_cell_has_the_heading_of_its_column() -> None:
    page = to_html('| A `b` | "C" &amp; d |\n| --- | ---: |\n| 1 | 2 |\n\n| | |\n| --- | --- |\n| 3 | 4 |')
    for cell in (
        '<td data-heading="A b">1</td>',
        '<td data-heading="&quot;C&quot; &amp; d" style="text-align: right;">2</td>',
        '<td data-heading="">3</td>',
        '<td data-heading="">4</td>',
    ):
        assert cell in page


@pytest.mark.parametrize(
    ("code", "name"), [("--client-id", True), ("azure-imds token", False), ("x-" * 20, False), ("a", True)]
)
def test_a_short_name_does_not_break(code: str, name: bool) -> None:
    assert ('<code class="name">' in to_html(f"`{code}`")) == name
