"""The instance document: its fields in each api-version, its sub-paths, and its text form."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .machine import Json, is_array, is_object

#: The api-version that introduced a field, by path. `[]` stands for every element of an array. A version applies to
#: everything below its field. Fields that are not listed exist in all versions.
SINCE: Mapping[str, str] = {
    "compute.additionalCapabilities": "2021-11-01",
    "compute.azEnvironment": "2018-10-01",
    "compute.customData": "2019-02-01",
    "compute.evictionPolicy": "2020-12-01",
    "compute.extendedLocation": "2021-03-01",
    "compute.host": "2021-11-15",
    "compute.hostGroup": "2021-11-15",
    "compute.interconnectGroupId": "2025-11-11",
    "compute.interconnectSubgroupId": "2025-11-11",
    "compute.isHostCompatibilityLayerVm": "2020-06-01",
    "compute.isVmInStandbyPool": "2025-07-24",
    "compute.licenseType": "2020-09-01",
    "compute.osProfile": "2020-07-15",
    "compute.osProfile.disablePasswordAuthentication": "2020-10-01",
    "compute.physicalZone": "2023-11-15",
    "compute.placementGroupId": "2017-08-01",
    "compute.plan": "2018-04-02",
    "compute.platformSubFaultDomain": "2021-10-01",
    "compute.priority": "2020-12-01",
    "compute.provider": "2018-10-01",
    "compute.publicKeys": "2018-04-02",
    "compute.resourceGroupName": "2017-08-01",
    "compute.resourceId": "2019-03-11",
    "compute.securityProfile": "2020-06-01",
    "compute.securityProfile.encryptionAtHost": "2021-11-01",
    "compute.securityProfile.securityType": "2021-12-13",
    "compute.signatureInfo": "2025-11-15",
    "compute.storageProfile": "2019-06-01",
    "compute.storageProfile.dataDisks.[].bytesPerSecondThrottle": "2021-05-01",
    "compute.storageProfile.dataDisks.[].diskCapacityBytes": "2021-05-01",
    "compute.storageProfile.dataDisks.[].isSharedDisk": "2021-05-01",
    "compute.storageProfile.dataDisks.[].isUltraDisk": "2021-05-01",
    "compute.storageProfile.dataDisks.[].opsPerSecondThrottle": "2021-05-01",
    "compute.storageProfile.imageReference.communityGalleryImageId": "2023-07-01",
    "compute.storageProfile.imageReference.exactVersion": "2023-07-01",
    "compute.storageProfile.imageReference.sharedGalleryImageId": "2023-07-01",
    "compute.storageProfile.osDisk.encryptionSettings.diskEncryptionKey": "2021-11-01",
    "compute.storageProfile.osDisk.encryptionSettings.keyEncryptionKey": "2021-11-01",
    "compute.storageProfile.resourceDisk": "2021-02-01",
    "compute.subscriptionId": "2017-08-01",
    "compute.systemFaultDomain": "2025-11-11",
    "compute.tags": "2017-08-01",
    "compute.tagsList": "2019-06-04",
    "compute.userData": "2021-01-01",
    "compute.virtualMachineScaleSet": "2021-03-01",
    "compute.vmScaleSetName": "2017-12-01",
    "compute.zone": "2017-12-01",
    "network.interface.[].interfaceCompartmentId": "2025-07-24",
    "network.interface.[].interfaceCompartmentVersion": "2025-07-24",
    "network.interface.[].ipv4.ipAddressBlock": "2025-07-24",
    "network.interface.[].ipv6.ipAddressBlock": "2025-07-24",
}

#: Fields that requests with `extended=true` get in older api-versions too. Observed in the answer to such a request.
SINCE_EXTENDED: Mapping[str, str] = {**SINCE, "compute.isVmInStandbyPool": "2023-11-15"}

#: The first api-version in which provisioning agents request `extended`. We assume that older versions ignore it.
EXTENDED_SINCE = "2021-08-01"


#: Longer numbers are not indexes, and Python refuses to parse very long ones.
_INDEX = re.compile(r"[0-9]{1,9}")


class NoSuchNode(LookupError):
    """A segment of the path is not a key or an index of the document."""


def select_fields(instance: Json, version: str, *, since: Mapping[str, str] = SINCE) -> Json:
    """Returns the instance document of an api-version: without newer fields, keys in alphabetical order."""
    return _select_fields(instance, "", version, since)


def _select_fields(node: Json, path: str, version: str, since: Mapping[str, str]) -> Json:
    if is_object(node):
        selected: dict[str, Json] = {}
        for key in sorted(node):
            key_path = f"{path}.{key}" if path else key
            if since.get(key_path, "") <= version:
                selected[key] = _select_fields(node[key], key_path, version, since)
        return selected
    if is_array(node):
        return [_select_fields(element, f"{path}.[]", version, since) for element in node]
    return node


def find_node(node: Json, segments: list[str]) -> Json:
    """Returns the node at the path segments, which are keys of objects (case-sensitive) and indexes of arrays.

    Raises:
        NoSuchNode: there is no node at this path.
    """
    for segment in segments:
        if is_object(node) and segment in node:
            node = node[segment]
        elif is_array(node) and _INDEX.fullmatch(segment) and int(segment) < len(node):
            node = node[int(segment)]
        else:
            raise NoSuchNode(segment)
    return node


def is_leaf(node: Json) -> bool:
    """Whether the node is a scalar, which IMDS returns in text form only."""
    return not (is_object(node) or is_array(node))


def format_text(node: Json) -> str:
    """Returns the text form: the value of a scalar, or the names of a container's children, one per line.

    The names of children that are containers end with a slash. The documentation describes neither this slash nor
    whether the text ends with a newline. We assume a slash and no newline.
    """
    if is_object(node):
        return "\n".join(name if is_leaf(child) else f"{name}/" for name, child in node.items())
    if is_array(node):
        return "\n".join(str(index) if is_leaf(child) else f"{index}/" for index, child in enumerate(node))
    if isinstance(node, bool):
        return "true" if node else "false"
    return "" if node is None else str(node)
