"""Changes the HTML of a page: what the copy button of a console block copies, and what fits a phone."""

from __future__ import annotations

import html
import itertools
import re

#: A block of commands and their output, as Pygments formats it.
_CONSOLE = re.compile(
    r'<div class="language-console highlight">(<pre><span></span><code>(?=<span class="gp">)(.*?)</code></pre>)',
    re.DOTALL,
)

_OUTPUT = re.compile(r'<span class="go">|<span class="gp">(?!\$ </span>)')

#: Inline code that fits a line of a phone.
_NAME = re.compile(r"<code>(?=[^\n<]{1,28}</code>)")

#: A block of text or of commands and their output, and what shows that it has columns or is a drawing.
_LINES = re.compile(r'<div class="language-(?:text|console) highlight"[^>]*>(.*?)</div>', re.DOTALL)
_ALIGNED = re.compile(r"[│├└]|\S {3,}\S")

_TABLE = re.compile(r"<table>.*?</table>", re.DOTALL)
_HEADING = re.compile(r"<th\b[^>]*>(.*?)</th>", re.DOTALL)
_ROW = re.compile(r"<tr>.*?</tr>", re.DOTALL)
_CELL = re.compile(r"<td\b")
_TAG = re.compile(r"<[^>]*>")


def change_html(page: str) -> str:
    """Returns the HTML of a page with all changes."""
    for change in (add_commands_to_copy, mark_aligned_blocks, add_headings_to_cells, mark_names):
        page = change(page)
    return page


def add_commands_to_copy(page: str) -> str:
    """Returns HTML in which the button of a console block copies the commands only, without prompts and output."""

    def mark(found: re.Match[str]) -> str:
        # Output that begins with a dollar sign, such as `$env:A = 1`, looks like a prompt without its space.
        lines = [line for line in found[2].splitlines() if line and not _OUTPUT.search(line)]
        # Texts in the block are escaped already, and stay so.
        commands = [re.sub(r'<span class="gp">.*?</span>|<[^>]*>', "", line) for line in lines]
        copied = _escape_again("\n".join(commands))
        return f'<div class="language-console highlight" data-copy="{copied}">{found[1]}'

    return _CONSOLE.sub(mark, page)


def add_headings_to_cells(page: str) -> str:
    """Returns HTML in which each cell has the heading of its column. On a phone, a row is a block that shows them."""

    def mark_table(table: re.Match[str]) -> str:
        headings = [_escape_again(_TAG.sub("", heading)) for heading in _HEADING.findall(table[0])]

        def mark_row(row: re.Match[str]) -> str:
            columns = itertools.chain(headings, itertools.repeat(""))
            return _CELL.sub(lambda cell: f'{cell[0]} data-heading="{next(columns)}"', row[0])

        return _ROW.sub(mark_row, table[0])

    return _TABLE.sub(mark_table, page)


def mark_aligned_blocks(page: str) -> str:
    """Returns HTML in which blocks with columns or drawings have the class `aligned`. Their lines are not wrapped."""

    def mark(block: re.Match[str]) -> str:
        if not _ALIGNED.search(_TAG.sub("", block[1])):
            return block[0]
        return block[0].replace('highlight"', 'highlight aligned"', 1)

    return _LINES.sub(mark, page)


def mark_names(page: str) -> str:
    """Returns HTML in which short inline code has the class `name`, which does not break at spaces and hyphens."""
    return _NAME.sub('<code class="name">', page)


def _escape_again(text: str) -> str:
    """Returns a text of HTML as the value of an attribute."""
    return html.escape(html.unescape(text))
