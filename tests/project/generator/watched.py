"""Uses documents as `make`, `make update`, `make compare` and `make docs` do, and records what that opens and contacts.

Arguments: the file for the record, the folder for projects, and a file with the documents, a JSON list of texts.
A line of the record is `document NUMBER`, or an event of Python with its first argument.
"""

from __future__ import annotations

import contextlib
import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

EVENTS = ("open", "socket.", "urllib.", "subprocess.", "os.exec", "os.system", "os.posix_spawn", "os.listdir")


def watch(record: str) -> None:
    """Appends events to the record, as soon as they happen."""
    file = os.open(record, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event.startswith(EVENTS):
            first = arguments[0] if arguments else ""
            shown = os.fsdecode(first) if isinstance(first, str | bytes | os.PathLike) else repr(first)
            os.write(file, f"{event} {shown}\n".encode("utf-8", "backslashreplace"))

    sys.addaudithook(hook)


def watch_trial(record: str) -> None:
    """Makes the trial of the generated package, which is a program of its own, append to the record too."""
    run = subprocess.run

    def run_watched(command: list[Any], *arguments: Any, **options: Any) -> Any:
        if command[:2] == [sys.executable, "-P"]:
            command = [sys.executable, "-P", __file__, "--trial", record, *command[2:]]
        return run(command, *arguments, **options)

    subprocess.run = run_watched  # type: ignore[assignment]


def use(text: str, folder: Path) -> None:
    """Does with a document what the commands do. Each check runs, even if one before it refuses the document."""
    from generator import lint
    from generator.specification import Specification, SpecificationError
    from maintenance import compare, source, update
    from maintenance.problem import Problem
    from maintenance.site import hook

    folder.mkdir()
    file = folder / "openapi.yaml"
    file.write_text(text, encoding="utf-8")
    with contextlib.suppress(SpecificationError):
        specification = Specification.load(file)
        for stage in lint.STAGES:
            # The checks after the first rely on it. They can fail in any way, but they must not load anything.
            with contextlib.suppress(Exception):
                list(stage(specification))
    with contextlib.suppress(Problem):
        source.read_source(str(file), "--spec")
        update._generate(folder)
    with contextlib.suppress(Problem):
        compare.read_outline(str(file))
    with contextlib.suppress(Exception):
        document = hook._read_specification(file)
        hook.make_specification_page(document)
        hook.make_operations_page(document)


def main() -> None:
    if sys.argv[1] == "--trial":
        watch(sys.argv[2])
        sys.argv = sys.argv[3:]
        runpy.run_path(sys.argv[0], run_name="__main__")
        return
    record, folder, documents = sys.argv[1:]
    texts = json.loads(Path(documents).read_text(encoding="utf-8"))
    watch(record)
    watch_trial(record)
    for number, text in enumerate(texts):
        with open(record, "a", encoding="utf-8") as file:
            file.write(f"document {number}\n")
        use(text, Path(folder, str(number)))


if __name__ == "__main__":
    main()
