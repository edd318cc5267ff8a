"""`python -m generator [--check] [--root DIR]`: regenerate, or say what regenerating would change."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from .generate import GenerationError, drift, generate
from .specification import SpecificationError


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m generator", description="Make generated/ from openapi.yaml.")
    parser.add_argument(
        "--check", action="store_true", help="change nothing; exit 1 with the difference if there is one"
    )
    parser.add_argument("--root", type=Path, default=Path(__file__).parent.parent, help="the folder of openapi.yaml")
    arguments = parser.parse_args()
    # An ordinary exit takes the temporary folder away.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        if arguments.check:
            changes = drift(arguments.root)
            if changes:
                print(changes)
                print(
                    "generated/ is not what openapi.yaml and generator/ give: run `make` and commit it.",
                    file=sys.stderr,
                )
                return 1
            print("generated/ is what openapi.yaml gives.")
        else:
            changed = generate(arguments.root)
            print("generated/azure_imds_api: " + ("regenerated." if changed else "unchanged."))
    except (SpecificationError, GenerationError) as error:
        print(error, file=sys.stderr)
        print("\ngenerated/ is as it was.", file=sys.stderr)
        return 1
    return 0


sys.exit(main())
