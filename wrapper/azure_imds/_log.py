"""The logger of this package: `azure_imds`."""

from __future__ import annotations

import logging

log = logging.getLogger("azure_imds")
