"""The commands by topic, each with examples. The first example of a command is also in the list of commands."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from typing import Any

#: Topics of the list of commands, with the examples of each command.
TOPICS: dict[str, dict[str, tuple[str, ...]]] = {
    "Tokens": {
        "token": (
            "azure-imds token vault",
            "azure-imds token storage --client-id 00000000-0000-0000-0000-000000000003",
            "azure-imds token https://management.azure.com/ --header | curl --header @- URL",
            "azure-imds token https://vault.azure.net/.default --query expires_in",
        ),
        "exec": (
            "azure-imds exec --resource https://vault.azure.net -- ./upload",
            "azure-imds exec --resource https://vault.azure.net \\\n    --token-file /run/app/token -- ./serve",
        ),
        "wait": ("azure-imds wait --timeout 120", "azure-imds wait --for imds"),
    },
    "This machine": {
        "instance": (
            "azure-imds instance compute/location",
            "azure-imds instance network --output yaml",
            "azure-imds instance tags",
            "azure-imds instance tags --output env > tags.env",
            "azure-imds instance user-data | head -n 1",
            "azure-imds instance --query 'compute.tagsList[].name'",
        ),
        "identity": ("azure-imds identity --query tenantId",),
        "attested": ("azure-imds attested --nonce 0123456789", "azure-imds attested --verify"),
        "loadbalancer": ("azure-imds loadbalancer --output table",),
        "versions": ("azure-imds versions --query 'apiVersions[-1]'",),
    },
    "Scheduled events": {
        "events": (
            "azure-imds events --watch",
            "azure-imds events --output table",
            "azure-imds events --approve 602d9444-d2cd-49c7-8624-8643e7171297",
        ),
        "drain": (
            "azure-imds drain --exec ./save.sh",
            "azure-imds drain --exec ./save.sh --on Preempt,Terminate --approve --once",
        ),
    },
    "Tools": {
        "doctor": ("azure-imds doctor", "azure-imds doctor --redact", "azure-imds doctor --json"),
        "call": (
            "azure-imds call versions.get_versions",
            "azure-imds call identity.get_token --resource https://vault.azure.net",
        ),
        "emulator": ("azure-imds emulator -- pytest tests",),
    },
}

#: The columns of an example on a page of help, which is for 80 columns.
_WIDTH = 78

_EXAMPLES = {command: examples for topic in TOPICS.values() for command, examples in topic.items()}
_EXAMPLES["azure-imds"] = ("azure-imds token vault", "azure-imds instance compute/location", "azure-imds doctor")


def list_examples(command: Any) -> tuple[str, ...]:
    """The examples of a command: those of its own, or those of its name."""
    own: tuple[str, ...] | None = getattr(command, "examples", None)
    return own or _EXAMPLES.get(command.name or "", ())


def write_examples(formatter: Any, examples: Iterable[str]) -> None:
    """Adds examples to a page of help. Only their own line breaks are used, so that they can be copied."""
    formatter.write("\nExamples:\n")
    for line in "\n".join(examples).splitlines():
        formatter.write(f"  {line}\n")


def break_command(words: Iterable[str]) -> str:
    """A command line for a shell, broken between words so that it fits into a page of help."""
    lines = [""]
    for word in map(shlex.quote, words):
        if lines[-1].strip() and len(f"{lines[-1]} {word} \\") > _WIDTH:
            lines.append("   ")
        lines[-1] = f"{lines[-1]} {word}" if lines[-1] else word
    return " \\\n".join(lines)
