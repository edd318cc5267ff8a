"""The messages that docs/troubleshooting.md shows are those that the package raises."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from azure_imds import ImdsClient, ImdsCredential, ImdsError
from azure_imds_emulator import Emulator
from docs_support import DOCS, matches

VAULT = "https://vault.azure.net"
DEAD = "00000000-0000-0000-0000-00000000dead"

PAGE = (DOCS / "troubleshooting.md").read_text(encoding="utf-8")

#: The messages by heading. A message is a block of text, and `...` in it stands for anything.
MESSAGES = [
    (heading, message)
    for heading, section in re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    for message in re.findall(r"^```text\n(.*?)\n```", section, re.MULTILINE | re.DOTALL)
]


def get_token(emulator: Emulator, **selector: str) -> None:
    ImdsCredential(endpoint=emulator.endpoint, retry=None, deadline=1, **selector).get_token(VAULT)


def use_preset(preset: str) -> Callable[[Emulator], None]:
    def situation(emulator: Emulator) -> None:
        emulator.fail(preset=preset)
        get_token(emulator)

    return situation


def use_status(status: int) -> Callable[[Emulator], None]:
    def situation(emulator: Emulator) -> None:
        emulator.fail(status)
        get_token(emulator)

    return situation


def use_several_identities(emulator: Emulator) -> None:
    emulator.machine.system_assigned = None
    emulator.machine.add_user_assigned("id-a")
    emulator.machine.add_user_assigned("id-b")
    get_token(emulator)


def use_scope_as_resource(emulator: Emulator) -> None:
    ImdsClient(endpoint=emulator.endpoint).identity.get_token(resource=f"{VAULT}/.default")


def use_closed_port(emulator: Emulator) -> None:
    endpoint = emulator.endpoint
    emulator.stop()
    ImdsCredential(endpoint=endpoint, retry=None).get_token(VAULT)


def hang(emulator: Emulator) -> None:
    emulator.fail(hang=True)
    ImdsCredential(endpoint=emulator.endpoint, retry=None, deadline=0.2).get_token(VAULT)


def use_proxy(emulator: Emulator) -> None:
    emulator.fail(407, body="<html></html>", headers={"Content-Type": "text/html", "Server": "squid"})
    get_token(emulator)


def use_untrusted_certificate(emulator: Emulator) -> None:
    with Emulator(host="workload-identity") as authority, pytest.MonkeyPatch.context() as patch:
        for name, value in authority.environment.items():
            if name.startswith("AZURE_"):  # without the variables that name its certificate authority
                patch.setenv(name, value)
        ImdsCredential().get_token(VAULT)


def ask_for_new_version(emulator: Emulator) -> None:
    ImdsClient(endpoint=emulator.endpoint).instances.get_metadata(api_version="2099-01-01")


SITUATIONS: dict[str, Callable[[Emulator], None]] = {
    '400 "Identity not found"': lambda emulator: get_token(emulator, client_id=DEAD),
    '400 "Multiple user assigned identities exist"': use_several_identities,
    "400 or AADSTS500011: the resource is unknown": use_scope_as_resource,
    "403 with an empty body": use_preset("guest-proxy-agent-forbidden"),
    '403 "connecting to 169.254.169.254:80"': use_preset("docker-desktop"),
    "Connection refused in a container": use_closed_port,
    "It works on the host, and not in the pod": hang,
    "It hangs, or ends with a timeout": hang,
    "SSL: CERTIFICATE_VERIFY_FAILED": use_untrusted_certificate,
    "A web page, a redirect or 407: a proxy": use_proxy,
    "429 Too many requests": use_preset("throttled-spec"),
    "410 or 500 for about a minute": use_status(410),
    "404 on a new machine": use_status(404),
    '400 "Required metadata header not specified"': use_preset("legacy-missing-header"),
    '400 "api-version is invalid"': ask_for_new_version,
    "Nothing is sent: ImdsValidationError": lambda emulator: get_token(emulator, client_id=DEAD, object_id=DEAD),
}

#: Situations of the environment instead of an answer, each with its variables.
ENVIRONMENTS = {
    "No metadata on App Service, or no events in a pod": {
        "IDENTITY_ENDPOINT": "http://127.0.0.1:9",
        "IDENTITY_HEADER": "x",
    },
    "IMDS is disabled": {"AZURE_IMDS_DISABLED": "1"},
}


def test_every_message_is_checked() -> None:
    assert {heading for heading, _ in MESSAGES} == SITUATIONS.keys() | ENVIRONMENTS.keys()


@pytest.mark.parametrize(
    ("heading", "message"), [pytest.param(*entry, id=entry[0]) for entry in MESSAGES if entry[0] in SITUATIONS]
)
def test_a_message_is_what_the_package_says(heading: str, message: str) -> None:
    with Emulator() as emulator, pytest.raises(ImdsError) as caught:
        SITUATIONS[heading](emulator)
    assert matches(f"...: {message}...", str(caught.value)), str(caught.value)


@pytest.mark.parametrize(
    ("heading", "message"), [pytest.param(*entry, id=entry[0]) for entry in MESSAGES if entry[0] in ENVIRONMENTS]
)
def test_a_message_about_the_environment_is_what_the_package_says(
    heading: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ENVIRONMENTS[heading].items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ImdsError) as caught:
        ImdsClient().instances.get_metadata()
    assert matches(f"...: {message}...", str(caught.value)), str(caught.value)
