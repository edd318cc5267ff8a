"""The hatch hook that writes the text of the package's page on an index from README.md.

README.md links to other files of the repository. An index does not have these files, so such a link would be broken on
its page. pyproject.toml can state the address of a file, as `files` of this hook: then the links lead there. Without
it, only the text of the links remains.

hatch loads this file by its path when it builds the package, so it imports nothing of this project.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

#: A block of code, or a link to a file of the repository: its text, its path and its anchor.
_CODE_OR_LINK = re.compile(
    r"^```.*?^```|\[(?P<text>[^\]]*)\]\((?![a-z]+:|#)(?P<path>[^)#\s]+)(?P<anchor>#[^)\s]*)?\)",
    re.DOTALL | re.MULTILINE,
)


class IndexPageHook(MetadataHookInterface):
    """Sets `readme` in the metadata of the project."""

    def update(self, metadata: dict[str, Any]) -> None:
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": rewrite_links(text, self.config["files"])}


def rewrite_links(markdown: str, files: str) -> str:
    """Returns Markdown without relative links.

    Args:
        markdown: the text of a file in the root folder of the repository.
        files: the address of a file of the repository, with `{path}` in place of its path. Empty: such links become
            plain text.
    """

    def rewrite(found: re.Match[str]) -> str:
        text, path, anchor = found["text"], found["path"], found["anchor"] or ""
        if path is None:
            return found[0]
        return f"[{text}]({files.format(path=path)}{anchor})" if files else text

    return _CODE_OR_LINK.sub(rewrite, markdown)
