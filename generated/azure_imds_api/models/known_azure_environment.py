# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from typing import Literal, cast

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
    return cast(KnownAzureEnvironment, value)
