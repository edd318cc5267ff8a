# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from typing import Literal, cast

InstancesGetMetadataFormat = Literal["json", "text"]

INSTANCES_GET_METADATA_FORMAT_VALUES: set[InstancesGetMetadataFormat] = {
    "json",
    "text",
}


def check_instances_get_metadata_format(value: str) -> InstancesGetMetadataFormat:
    return cast(InstancesGetMetadataFormat, value)
