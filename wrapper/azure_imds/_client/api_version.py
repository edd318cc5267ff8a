"""Which api-version a call asks for: the caller's, the client's, the newest of the host, or one step down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from azure_imds_api.api import Operation

from .._log import log
from .options import NEWEST, VERSION, Options


class ApiVersion:
    """The api-version of one call."""

    def __init__(self, options: Options, operation: Operation[Any], arguments: Mapping[str, Any]) -> None:
        self._options = options
        self._operation = operation
        self._is_open = operation.version_fallback and "api_version" not in arguments
        self._older = ""

    @property
    def argument(self) -> Mapping[str, str]:
        """The argument for a caller who named no version. Empty for the operation's own default."""
        version = self._value()
        return {"api_version": version} if version and "api_version" in self._operation.rules else {}

    def _value(self) -> str | None:
        options = self._options
        if self._is_open:
            asked = options.memory.newest if options.api_version == NEWEST else options.api_version
            return options.memory.versions.get(self._operation.id) or asked or options.host.server.api_version
        return self._older or options.host.server.api_version

    @property
    def needs_newest(self) -> bool:
        """Whether the host's versions are needed before the call can be sent.

        Not if the host requires a version, as Azure Arc does: it has no list.
        """
        options = self._options
        is_known = options.memory.newest is not None or options.host.server.api_version is not None
        return self._is_open and options.api_version == NEWEST and not is_known

    def use_newest(self, versions: Sequence[str]) -> None:
        """Selects the newest of the host's versions, which may be in any order."""
        self._options.memory.newest = max(filter(VERSION.fullmatch, versions), default=None)

    def step_down(self, refused: str, supported: Sequence[str]) -> bool:
        """Selects the newest version that the host supports and that is older than the refused one, once.

        Returns:
            Whether there is one. The client uses it from now on.
        """
        older = [version for version in supported if VERSION.fullmatch(version) and version < refused]
        if not self._is_open or not self._options.step_down or not older:
            return False
        self._is_open = False
        self._older = self._options.memory.versions[self._operation.id] = max(older)
        log.info(
            "%s: this host does not support %s; using %s from now on",
            *(self._operation.name, refused, self._older),
            extra={"operation": self._operation.name, "host": self._options.host.name, "status": 400},
        )
        return True
