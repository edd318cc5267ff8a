"""Makes the copy button of console blocks copy the commands only."""

from __future__ import annotations

import html
import re

#: A block of commands and their output, as Pygments formats it.
_CONSOLE = re.compile(
    r'<div class="highlight">(<pre><span></span><code>(?=<span class="gp">)(.*?)</code></pre>)', re.DOTALL
)

_OUTPUT = re.compile(r'<span class="go">|<span class="gp">(?!\$ </span>)')


def add_commands_to_copy(page: str) -> str:
    """Returns HTML in which the button of a console block copies the commands only, without prompts and output."""

    def mark(found: re.Match[str]) -> str:
        # Output that begins with a dollar sign, such as `$env:A = 1`, looks like a prompt without its space.
        lines = [line for line in found[2].splitlines() if line and not _OUTPUT.search(line)]
        # Texts in the block are escaped already, and stay so.
        commands = [re.sub(r'<span class="gp">.*?</span>|<[^>]*>', "", line) for line in lines]
        copied = html.escape(html.unescape("\n".join(commands)))
        return f'<div class="highlight" data-copy="{copied}">{found[1]}'

    return _CONSOLE.sub(mark, page)
