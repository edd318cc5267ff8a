"""`python -m generator [--check] [--root DIR]`: generates the client, or shows what generating would change."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from .generate import GenerationError, drift, generate
from .specification import SpecificationError
from .terminal import printable, run_program


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m generator", description="Generate generated/azure_imds_api from openapi.yaml."
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; print the difference and exit with 1 if there is one"
    )
    parser.add_argument(
        "--root", type=Path, default=Path(__file__).parent.parent, help="folder that contains openapi.yaml"
    )
    arguments = parser.parse_args()
    # SystemExit, unlike the signal's default action, lets the temporary folder be removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        if arguments.check:
            changes = drift(arguments.root)
            if changes:
                print(printable(changes))
                print(
                    "generated/ is out of date: run `make` and commit the result.",
                    file=sys.stderr,
                )
                return 1
            print("generated/ is up to date.")
        else:
            changed = generate(arguments.root)
            print("generated/azure_imds_api: " + ("regenerated." if changed else "unchanged."))
    except (SpecificationError, GenerationError) as error:
        print(printable(str(error)), file=sys.stderr)
        print("\ngenerated/ was not changed.", file=sys.stderr)
        return 1
    return 0


sys.exit(run_program(main))
