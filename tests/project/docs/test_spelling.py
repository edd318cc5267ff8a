"""The documentation has one spelling: British, with -ize."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support import ROOT

#: Spellings that are not ours, by the one that is.
OTHERS = {
    "behaviour": "behavior",
    "cancelled": "canceled",
    "colour": "color",
    "licence server": "license server",
    "optimize": "optimise",
    "organization": "organisation",
    "recognize": "recognise",
    "serialize": "serialise",
    "summarize": "summarise",
}
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "changelog.d").glob("*.md")]


@pytest.mark.parametrize("other", OTHERS.values())
def test_a_word_is_spelled_in_one_way(other: str) -> None:
    def has_it(page: Path) -> bool:
        prose = re.sub(r"^ *```.*?^ *```|`[^`]*`|\]\([^)]*\)", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
        return re.search(rf"\b{other}", prose, re.IGNORECASE) is not None

    assert [page.relative_to(ROOT).as_posix() for page in PAGES if has_it(page)] == []
