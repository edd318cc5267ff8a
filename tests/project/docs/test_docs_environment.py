"""The page of environment variables has each variable that the package reads, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from docs_support import DOCS
from generator.specification import Specification
from generator.stand_ins import server_places
from support import ROOT

PAGE = (DOCS / "reference" / "environment.md").read_text(encoding="utf-8")

#: How a shell asks for completion.
COMPLETION = {"COMP_CWORD", "COMP_WORDS"}

#: Names that are one word, and those that Python or a library reads.
OTHERS = {"COLUMNS", "LOCALAPPDATA", "NO_COLOR", "PROGRAMDATA", "TERM", "TMPDIR"}
TLS_AND_PROXIES = {"ALL_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_DIR", "SSL_CERT_FILE"}


def variables_of_the_code() -> Iterator[str]:
    """Names that a mapping is asked for or that a constant holds, if they look like variables of the environment."""
    for path in (ROOT / "wrapper" / "azure_imds").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=str(name)), *_]):
                    found = re.fullmatch(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+", name)
                case ast.Constant(value=str(name)):
                    found = re.fullmatch(r"(AZURE|IDENTITY|IMDS|KUBERNETES|MSI|MSNOTEBOOKUTILS)(_[A-Z0-9]+)+", name)
                case _:
                    continue
            if found:
                yield found[0]


def variables_of_the_specification() -> Iterator[str]:
    for place, server in server_places(Specification.load(ROOT / "openapi.yaml")):
        when = server.get("x-when", {})
        yield from (*when.get("set", ()), *when.get("unset", ()), *server.get("x-variables", ()))
        yield from re.findall(r"\{([A-Z_]+)\}", f"{when} {server.get('x-url', '')} {place}")


def test_the_page_has_each_variable_that_is_read() -> None:
    shown = set(re.findall(r"`([A-Z][A-Z0-9_]+)`", PAGE))
    read = {*variables_of_the_code(), *variables_of_the_specification(), *OTHERS, *TLS_AND_PROXIES}
    assert shown - read == {"AZURE_IMDS_EMULATOR_PORT", "AZURE_IMDS_EMULATOR_CONTROL_URL"}
    assert read - shown == COMPLETION
