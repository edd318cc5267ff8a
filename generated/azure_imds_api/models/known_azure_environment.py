# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from typing import Literal

KnownAzureEnvironment = Literal[
    "AzureChinaCloud", "AzureGermanCloud", "AzurePublicCloud", "AzureStack", "AzureUSGovernmentCloud"
]

KNOWN_AZURE_ENVIRONMENT_VALUES: set[KnownAzureEnvironment] = {
    "AzureChinaCloud",
    "AzureGermanCloud",
    "AzurePublicCloud",
    "AzureStack",
    "AzureUSGovernmentCloud",
}


def check_known_azure_environment(value: str) -> KnownAzureEnvironment:
    if value in KNOWN_AZURE_ENVIRONMENT_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {KNOWN_AZURE_ENVIRONMENT_VALUES!r}")
