"""The logger of the package, named `azure_imds`."""

from __future__ import annotations

import logging

log = logging.getLogger("azure_imds")
