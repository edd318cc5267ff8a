"""The instance document: which fields an api-version has, sub-paths, and the text form."""

from __future__ import annotations

from collections.abc import Mapping

from .machine import Json, is_array, is_object

#: The api-version that introduced a field, by its path; `[]` stands for every element of an array. A field counts
#: with everything below it. Fields that are not listed are as old as the endpoint.
SINCE: Mapping[str, str] = {
    "compute.additionalCapabilities": "2021-11-01",
    "compute.azEnvironment": "2018-10-01",
    "compute.customData": "2019-02-01",
    "compute.evictionPolicy": "2020-12-01",
    "compute.extendedLocation": "2021-03-01",
    "compute.host": "2021-11-15",
    "compute.hostGroup": "2021-11-15",
    "compute.isHostCompatibilityLayerVm": "2020-06-01",
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
    "compute.tags": "2017-08-01",
    "compute.tagsList": "2019-06-04",
    "compute.userData": "2021-01-01",
    "compute.virtualMachineScaleSet": "2021-03-01",
    "compute.vmScaleSetName": "2017-12-01",
    "compute.zone": "2017-12-01",
}

#: The first version at which provisioning agents ask for `extended`; before it the parameter is ignored (a guess).
EXTENDED_SINCE = "2021-08-01"


class NoSuchNode(LookupError):
    """A segment of the path names no key or index of the document."""


def document(instance: Json, version: str, *, since: Mapping[str, str] = SINCE) -> Json:
    """The instance document as that api-version knows it: later fields are absent, keys stand in alphabetical order."""
    return _cut(instance, "", version, since)


def _cut(node: Json, path: str, version: str, since: Mapping[str, str]) -> Json:
    if is_object(node):
        cut: dict[str, Json] = {}
        for key in sorted(node):
            below = f"{path}.{key}" if path else key
            if since.get(below, "") <= version:
                cut[key] = _cut(node[key], below, version, since)
        return cut
    if is_array(node):
        return [_cut(element, f"{path}.[]", version, since) for element in node]
    return node


def walk(node: Json, segments: list[str]) -> Json:
    """The node that the path segments lead to: keys of objects (exact case) and indexes of arrays.

    Raises:
        NoSuchNode: a segment leads nowhere.
    """
    for segment in segments:
        if is_object(node) and segment in node:
            node = node[segment]
        elif is_array(node) and segment.isascii() and segment.isdecimal() and int(segment) < len(node):
            node = node[int(segment)]
        else:
            raise NoSuchNode(segment)
    return node


def is_leaf(node: Json) -> bool:
    """Whether the node is a scalar, which exists in text form only."""
    return not (is_object(node) or is_array(node))


def text(node: Json) -> str:
    """The text form: a scalar's bare value, or the names of a container's children, one a line.

    Children that are containers carry a trailing slash. Neither the slash nor the absence of a final newline is
    documented; both follow common recollection.
    """
    if is_object(node):
        return "\n".join(name if is_leaf(child) else f"{name}/" for name, child in node.items())
    if is_array(node):
        return "\n".join(str(index) if is_leaf(child) else f"{index}/" for index, child in enumerate(node))
    if isinstance(node, bool):
        return "true" if node else "false"
    return "" if node is None else str(node)
