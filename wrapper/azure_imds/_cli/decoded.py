"""Parts of the instance document that IMDS sends in a form of their own: `instance tags` and `instance user-data`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from .application import JSON_VIEW
from .operations import OPERATIONS
from .session import Session
from .values import make_printable

if TYPE_CHECKING:
    from azure_imds_api.models import Instance

#: What users write in place of a path.
TAGS, USER_DATA = "tags", "user-data"


def complete_path(incomplete: str) -> list[str]:
    """Paths of the instance document, down to the next slash, and these words, for shells."""
    from .._client.path_suggestions import list_paths

    words = [word for word in (TAGS, USER_DATA) if word.startswith(incomplete)]
    return [*list_paths(OPERATIONS["instance"], incomplete), *words]


def show_decoded(session: Session, name: str, document: Instance) -> None:
    """Prints the tags by name, or the content of the user data."""
    from .._values import tags, user_data

    if name == TAGS:
        session.show(tags(document), JSON_VIEW)
        return
    content = user_data(document)
    text = content.decode(errors="replace")
    if session.settings.output or session.settings.query:
        session.show(text, JSON_VIEW)
    elif sys.stdout.isatty():
        print(make_printable(text))
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
