"""`python -m azure_imds` is the command `azure-imds`."""

from __future__ import annotations

import sys

from ._cli import main

if __name__ == "__main__":
    sys.exit(main())
