"""The systemd unit of `drain --print-unit`."""

from __future__ import annotations

import ipaddress
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from .drain_options import DrainOptions
from .settings import Settings

_IMDS = "169.254.169.254"
#: Where systemd lets the service write, and the file there.
_FOLDER = "azure-imds"
_STATE = Path("/var/lib", _FOLDER, "drain.json")

_UNIT = """\
# Save this as /etc/systemd/system/azure-imds-drain.service, then run:
#   systemctl daemon-reload && systemctl enable --now azure-imds-drain
[Unit]
Description=Run a command before Azure stops this machine
After=network.target

[Service]
Type=exec
ExecStart={command}
Restart=on-failure
RestartSec=2
# SIGTERM goes to azure-imds, which ends the command.
KillMode=mixed
TimeoutStopSec={stop_seconds}
StateDirectory={folder}
{more}
# The command has these limits too. To give it more, use: systemctl edit azure-imds-drain
# Network: IMDS and this machine. For a command that talks to 10.0.0.5, add IPAddressAllow=10.0.0.5
{network}
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
# Root without its privileges, except to send signals to the processes of others.
CapabilityBoundingSet=CAP_KILL
NoNewPrivileges=yes
# Files: only the state, and a /tmp of its own. For a command that writes elsewhere, add ReadWritePaths=/srv/app
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
DevicePolicy=closed
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
LockPersonality=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
UMask=0077

[Install]
WantedBy=multi-user.target
"""


def make_unit(options: DrainOptions, settings: Settings) -> str:
    """The text of a unit that runs `drain` with these options."""
    state = _STATE if options.state is None else options.state.absolute()
    arguments = [*_find_program(), "drain", "--on", ",".join(options.event_types), "--exec", options.command]
    arguments += ["--grace", f"{options.grace:g}", "--state", str(state)]
    arguments += ["--approve"] if options.approve else []
    arguments += ["--once"] if options.once else []
    arguments += ["--endpoint", settings.endpoint] if settings.endpoint else []
    arguments += ["--deadline", f"{settings.deadline:g}"] if settings.deadline else []
    arguments += ["--verbose"] if settings.verbose else []
    more = [] if options.state is None else [f"ReadWritePaths={quote(str(state.parent), variables=False)}"]
    return _UNIT.format(
        command=quote_all(arguments),
        stop_seconds=round(options.grace) + 15,
        folder=_FOLDER,
        more="".join(f"{line}\n" for line in more),
        network=_make_network(settings.endpoint),
    )


def quote_all(arguments: Sequence[str]) -> str:
    """A command line of a unit."""
    return " ".join(map(quote, arguments))


def quote(argument: str, *, variables: bool = True) -> str:
    """One word of a unit, as systemd.syntax(7) describes it.

    Args:
        argument: any text.
        variables: whether the setting replaces variables, as ExecStart does.
    """
    text = argument.replace("%", "%%")
    if variables:
        text = text.replace("$", "$$")
    plain = argument and all(letter.isalnum() or letter in "/._-,:=+@%" for letter in argument)
    if plain:
        return text
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}
    return '"' + "".join(escapes.get(letter) or _escape_control(letter) for letter in text) + '"'


def _escape_control(letter: str) -> str:
    return letter if letter >= " " and letter != "\x7f" else f"\\x{ord(letter):02x}"


def _find_program() -> list[str]:
    """The absolute path of this program."""
    given = shutil.which(sys.argv[0]) if Path(sys.argv[0]).name.startswith("azure-imds") else None
    return [str(Path(given).absolute() if given else Path(sys.executable).with_name("azure-imds"))]


def _make_network(endpoint: str | None) -> str:
    """The addresses that the service may use. All of them, if that of the endpoint is not known before a request."""
    host = urlsplit(endpoint).hostname or "" if endpoint else _IMDS
    try:
        ipaddress.ip_address(host)
    except ValueError:
        if host != "localhost":
            return f"# Not limited, because the address of {quote(host)} is not known."
    local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    return f"IPAddressDeny=any\nIPAddressAllow={'' if local else f'{host} '}localhost"
