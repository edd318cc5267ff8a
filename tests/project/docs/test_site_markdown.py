"""The Markdown of pages for agents and scripts, llms.txt, and the changes to the HTML of a page."""

from __future__ import annotations

import copy
import re
from pathlib import Path

import pytest
from markdown import markdown

from azure_imds import ImdsError, errors
from generator.specification import Specification
from maintenance.site.markdown_pages import Entry, list_headings, make_llms_txt, make_page
from maintenance.site.page_html import change_html
from maintenance.site.specification_pages import make_specification_page
from support import ROOT

EVERY_ERROR = [
    name for name, member in vars(errors).items() if isinstance(member, type) and issubclass(member, ImdsError)
]


def test_included_files_and_lines_are_part_of_the_page(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("one\ntwo\nthree\n")
    (tmp_path / "a.svg").write_text("<svg/>")
    assert make_page('x\n\n--8<-- "a.py"\n', tmp_path) == "x\n\none\ntwo\nthree\n"
    assert make_page('  --8<-- "a.py:2:3"\n', tmp_path) == "  two\n  three\n"
    assert make_page('--8<-- "a.svg"', tmp_path) == "(A drawing is on the page.)"


def test_a_drawing_is_described(tmp_path: Path) -> None:
    (tmp_path / "a.svg").write_text('<svg><title id="t">A call</title><desc>A &amp; B.</desc><text>x</text></svg>')
    page = '<figure class="diagram" markdown="0">\n--8<-- "a.svg"\n</figure>\n'
    assert make_page(page, tmp_path) == "(Drawing: A call. A & B.)\n"


@pytest.mark.parametrize(
    ("page", "plain"),
    [
        ("``` { .python }\na = 1  # { .x }\n```\n", "```python\na = 1  # { .x }\n```\n"),
        ("[](){ #a.b hidden=hidden }\n\n### B { #b .field }\n", "### B\n"),
        ("#### <span>B.</span>c { #b.c .field }\n", "#### B.c\n"),
        ('<code>list&#91;<a href="#T">T</a>&#93;</code> · `c` in JSON\n', "`list[T]` · `c` in JSON\n"),
    ],
)
def test_what_only_the_site_needs_is_left_out(page: str, plain: str) -> None:
    assert make_page(page, ROOT) == plain


def test_no_file_outside_the_project_is_included(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "project").mkdir()
    assert make_page('--8<-- "../secret"\n', tmp_path / "project") == "\n"


def test_an_object_is_described_with_its_methods() -> None:
    page = make_page(
        "# Title\n\n::: azure_imds.ImdsCredential\n    options:\n      inherited_members: [clear]\n\nEnd.\n", ROOT
    )
    assert "### `azure_imds.ImdsCredential.get_token`" in page
    assert "### `azure_imds.ImdsCredential.clear`" in page
    assert "```python\nget_token(self, *scopes: str, claims: str | None = None," in page
    assert "members:" not in page
    assert " at 0x" not in page
    assert page.endswith("End.\n")


def test_only_the_chosen_members_are_described() -> None:
    page = make_page("::: azure_imds.EventWatcher\n    options:\n      heading_level: 3\n      members: [stop]\n", ROOT)
    assert re.findall("^#.*", page, re.MULTILINE) == [
        "### `azure_imds.EventWatcher`",
        "#### `azure_imds.EventWatcher.stop`",
    ]


def test_a_module_is_described_with_its_classes() -> None:
    page = make_page("::: azure_imds.errors\n", ROOT)
    assert [name for name in EVERY_ERROR if f"\n### `azure_imds.errors.{name}`\n" not in page] == []


@pytest.mark.parametrize("value", ['x\n\n--8<-- "LICENSE"\n\ny', "a\n\n::: os\n\nb"])
def test_a_value_of_the_specification_is_no_instruction(value: str) -> None:
    document = copy.deepcopy(Specification.load(ROOT / "openapi.yaml").document)
    document["components"]["schemas"]["Compute"]["properties"]["odd"] = {"type": "string", "pattern": value}
    page = make_specification_page(document)
    assert make_page(page, ROOT) == re.sub(r"^(#+ .*) \{ #[\w-]+ \}$", r"\1", page, flags=re.MULTILINE)


def test_the_list_has_a_section_for_each_group() -> None:
    entries = [Entry("A", "One", "one.md"), Entry("A", "Two", "two.md", "2 · 3"), Entry("B", "Three", "b/three.md")]
    assert make_llms_txt("T", "S.", entries) == (
        "# T\n\n> S.\n\n## A\n\n- [One](one.md)\n- [Two](two.md): 2 · 3\n\n## B\n\n- [Three](b/three.md)\n"
    )


def test_a_page_is_described_by_the_headings_of_its_sections() -> None:
    page = "# A\n\n## B `c`\n\n```sh\n## no\n```\n\n### no\n\n## D { #d }\n"
    assert list_headings(page) == "B `c` · D"
    assert list_headings("# A\n\nText.\n") == ""


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
    ("code", "name"), [("--client-id", True), ("azure-imds token", True), ("x-" * 20, False), ("a", True)]
)
def test_a_short_name_does_not_break(code: str, name: bool) -> None:
    assert ('<code class="name">' in to_html(f"`{code}`")) == name
