"""Make sdist, wheel and bill of materials in dist/, checked."""

from __future__ import annotations

import argparse

from .problem import Problem


def configure(parser: argparse.ArgumentParser) -> None:
    pass


def run(arguments: argparse.Namespace) -> int:
    raise Problem("not built yet")
