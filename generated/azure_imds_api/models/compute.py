# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..documents import ABSENT, NOTHING_LENT, DocumentModel
from ..models.known_azure_environment import KnownAzureEnvironment
from ..models.known_os_type import KnownOsType
from ..models.known_priority import KnownPriority
from ..types import COLLECTIONS, LISTS

T = TypeVar("T", bound="Compute")


@_attrs_define(getstate_setstate=False, eq=False, repr=False)
class Compute(DocumentModel):
    """The virtual machine itself. Missing on classic (pre-ARM) machines. "" means that a field does not apply.

    Absent members read as empty, and `in` tells which ones the document has: see DocumentModel.

    """

    additional_capabilities: AdditionalCapabilities = ABSENT
    """ Optional capabilities of the machine. Since 2021-11-01. """
    az_environment: KnownAzureEnvironment | str = ABSENT
    """ The cloud. It determines the authority, token audience and attestation domain. Compare without regard to
    case: documentation has AZUREPUBLICCLOUD, hosts send AzurePublicCloud. Since 2018-10-01. """
    custom_data: str = ABSENT
    """ Disabled, always "". Use userData instead. Since 2019-02-01. """
    eviction_policy: str = ABSENT
    """ What happens to a Spot machine on eviction (presumably Deallocate or Delete). "" for other machines. Since
    2020-12-01. """
    extended_location: ExtendedLocation = ABSENT
    """ The edge zone of the machine. Both fields are "" outside of edge zones. Since 2021-03-01. """
    host: Host = ABSENT
    """ The dedicated host of the machine. Never set together with hostGroup. Since 2021-11-15. """
    host_group: HostGroup = ABSENT
    """ The dedicated host group of the machine. Never set together with host. Since 2021-11-15. """
    interconnect_group_id: str = ABSENT
    """ Interconnect group of the machine, a GUID. "" outside of such groups. Not documented. Seen in use since
    2025-11-11. """
    interconnect_subgroup_id: str = ABSENT
    """ Subgroup of the interconnect group, a GUID. "" outside of such groups. Not documented. Seen in use since
    2025-11-11. """
    is_host_compatibility_layer_vm: str = ABSENT
    """ "true" or "false": whether the machine runs on the host compatibility layer. Since 2020-06-01. """
    is_vm_in_standby_pool: str = ABSENT
    """ Presumably "true" or "false": whether the machine is in a standby pool. Only "" has been captured. Not
    documented. Seen since 2023-11-15 with extended=true, and in use since 2025-07-24. """
    license_type: str = ABSENT
    """ License type under Azure Hybrid Benefit, such as Windows_Client. "" without it. Since 2020-09-01. """
    location: str = ABSENT
    """ Short name of the region, such as eastus. Compare without regard to case: old hosts are known to send
    SouthIndia. Since 2017-04-02. """
    name: str = ABSENT
    """ Name of the machine. An instance of a uniform scale set is named after the set, such as vmss_0. Since
    2017-04-02. """
    offer: str = ABSENT
    """ Offer of the platform or gallery image. "" for other disks. Since 2017-04-02. """
    os_profile: OsProfile = ABSENT
    """ Settings of the operating system at creation. All fields are "" for specialized disks. Since 2020-07-15. """
    os_type: KnownOsType | str = ABSENT
    """ Linux or Windows. Some samples have lower case. Since 2017-04-02. """
    physical_zone: str = ABSENT
    """ Physical availability zone, such as eastus-AZ01. Case and form vary. Since 2023-11-15. """
    placement_group_id: str = ABSENT
    """ Placement group of the scale set, as a GUID. "" outside of scale sets. Since 2017-08-01. """
    plan: Plan = ABSENT
    """ Marketplace plan of the image. All fields are "" for other images. Since 2018-04-02, in attested data since
    2018-10-01. """
    platform_fault_domain: str = ABSENT
    """ Fault domain, as decimal digits. Since 2017-04-02. """
    platform_sub_fault_domain: str = ABSENT
    """ Sub fault domain. Usually "". Since 2021-10-01. """
    platform_update_domain: str = ABSENT
    """ Update domain, as decimal digits. Since 2017-04-02. """
    priority: KnownPriority | str = ABSENT
    """ Regular or Spot. Low is possible, and "" has been observed on a regular machine. Since 2020-12-01. """
    provider: str = ABSENT
    """ Resource provider, Microsoft.Compute. Since 2018-10-01. """
    public_keys: list[PublicKey] = ABSENT
    """ SSH public keys of the machine. [] if there are none. Since 2018-04-02. """
    publisher: str = ABSENT
    """ Publisher of the image. "" for disks without an image. Since 2017-04-02. """
    resource_group_name: str = ABSENT
    """ Name of the resource group. Its case is not reliable. Since 2017-08-01. """
    resource_id: str = ABSENT
    """ Azure resource id of the machine. Compare without regard to case: tokens contain the same id in another
    case. Since 2019-03-11. """
    security_profile: SecurityProfile = ABSENT
    """ Security features of the machine. Since 2020-06-01. """
    signature_info: str = ABSENT
    """ A signature in base64. What it signs is not known. Not documented. Seen in use since 2025-11-15. """
    sku: str = ABSENT
    """ SKU of the image. "" for custom images. Since 2017-04-02. """
    storage_profile: StorageProfile = ABSENT
    """ Image and disks of the machine. Since 2019-06-01. """
    subscription_id: str = ABSENT
    """ Subscription id of the machine, a GUID. Since 2017-08-01. """
    system_fault_domain: str = ABSENT
    """ Presumably the fault domain of the hardware, as decimal digits. Not documented. Seen in use since
    2025-11-11. """
    tags: str = ABSENT
    """ All tags as one string: name:value pairs, joined by ";". Nothing is escaped, so a colon or semicolon in a
    tag makes the string ambiguous. Use tagsList instead. Since 2017-08-01. """
    tags_list: list[Tag] = ABSENT
    """ Tags of the machine. [] if there are none. Since 2019-06-04. """
    user_data: str = ABSENT
    """ User data in base64. "" if there is none. It may contain white space. Remove that before you decode it. Do
    not store secrets here: every process on the machine can read it. Since 2021-01-01. """
    version: str = ABSENT
    """ Version of the image. Since 2017-04-02. """
    virtual_machine_scale_set: VirtualMachineScaleSet = ABSENT
    """ The scale set of a machine in flexible orchestration. Since 2021-03-01. """
    vm_id: str = ABSENT
    """ Unique id of the machine, a GUID in lower case. With SMBIOS 2.6 and later it equals the SMBIOS UUID. Before,
    the bytes of that UUID are swapped. Since 2017-04-02. """
    vm_scale_set_name: str = ABSENT
    """ Name of the scale set. "" outside of scale sets. Since 2017-12-01. """
    vm_size: str = ABSENT
    """ Size of the machine, such as Standard_D2s_v5. Since 2017-04-02. """
    zone: str = ABSENT
    """ Logical availability zone, "1" to "3". "" if the machine is not in a zone. Since 2017-12-01. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    _MEMBERS: ClassVar[Mapping[str, tuple[str, Any]]] = {
        "additional_capabilities": ("additionalCapabilities", "AdditionalCapabilities"),
        "az_environment": ("azEnvironment", str),
        "custom_data": ("customData", str),
        "eviction_policy": ("evictionPolicy", str),
        "extended_location": ("extendedLocation", "ExtendedLocation"),
        "host": ("host", "Host"),
        "host_group": ("hostGroup", "HostGroup"),
        "interconnect_group_id": ("interconnectGroupId", str),
        "interconnect_subgroup_id": ("interconnectSubgroupId", str),
        "is_host_compatibility_layer_vm": ("isHostCompatibilityLayerVm", str),
        "is_vm_in_standby_pool": ("isVmInStandbyPool", str),
        "license_type": ("licenseType", str),
        "location": ("location", str),
        "name": ("name", str),
        "offer": ("offer", str),
        "os_profile": ("osProfile", "OsProfile"),
        "os_type": ("osType", str),
        "physical_zone": ("physicalZone", str),
        "placement_group_id": ("placementGroupId", str),
        "plan": ("plan", "Plan"),
        "platform_fault_domain": ("platformFaultDomain", str),
        "platform_sub_fault_domain": ("platformSubFaultDomain", str),
        "platform_update_domain": ("platformUpdateDomain", str),
        "priority": ("priority", str),
        "provider": ("provider", str),
        "public_keys": ("publicKeys", list),
        "publisher": ("publisher", str),
        "resource_group_name": ("resourceGroupName", str),
        "resource_id": ("resourceId", str),
        "security_profile": ("securityProfile", "SecurityProfile"),
        "signature_info": ("signatureInfo", str),
        "sku": ("sku", str),
        "storage_profile": ("storageProfile", "StorageProfile"),
        "subscription_id": ("subscriptionId", str),
        "system_fault_domain": ("systemFaultDomain", str),
        "tags": ("tags", str),
        "tags_list": ("tagsList", list),
        "user_data": ("userData", str),
        "version": ("version", str),
        "virtual_machine_scale_set": ("virtualMachineScaleSet", "VirtualMachineScaleSet"),
        "vm_id": ("vmId", str),
        "vm_scale_set_name": ("vmScaleSetName", str),
        "vm_size": ("vmSize", str),
        "zone": ("zone", str),
    }

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        self = cls.__new__(cls)
        if (additional_capabilities := d.pop("additionalCapabilities", None)) is not None:
            additional_capabilities = AdditionalCapabilities._read(additional_capabilities)

            self.additional_capabilities = additional_capabilities

        if (az_environment := d.pop("azEnvironment", None)) is not None:
            if type(az_environment) is not str and isinstance(az_environment, COLLECTIONS):
                raise TypeError

            self.az_environment = az_environment

        if (custom_data := d.pop("customData", None)) is not None:
            if type(custom_data) is not str and isinstance(custom_data, COLLECTIONS):
                raise TypeError

            self.custom_data = custom_data

        if (eviction_policy := d.pop("evictionPolicy", None)) is not None:
            if type(eviction_policy) is not str and isinstance(eviction_policy, COLLECTIONS):
                raise TypeError

            self.eviction_policy = eviction_policy

        if (extended_location := d.pop("extendedLocation", None)) is not None:
            extended_location = ExtendedLocation._read(extended_location)

            self.extended_location = extended_location

        if (host := d.pop("host", None)) is not None:
            host = Host._read(host)

            self.host = host

        if (host_group := d.pop("hostGroup", None)) is not None:
            host_group = HostGroup._read(host_group)

            self.host_group = host_group

        if (interconnect_group_id := d.pop("interconnectGroupId", None)) is not None:
            if type(interconnect_group_id) is not str and isinstance(interconnect_group_id, COLLECTIONS):
                raise TypeError

            self.interconnect_group_id = interconnect_group_id

        if (interconnect_subgroup_id := d.pop("interconnectSubgroupId", None)) is not None:
            if type(interconnect_subgroup_id) is not str and isinstance(interconnect_subgroup_id, COLLECTIONS):
                raise TypeError

            self.interconnect_subgroup_id = interconnect_subgroup_id

        if (is_host_compatibility_layer_vm := d.pop("isHostCompatibilityLayerVm", None)) is not None:
            if type(is_host_compatibility_layer_vm) is not str and isinstance(
                is_host_compatibility_layer_vm, COLLECTIONS
            ):
                raise TypeError

            self.is_host_compatibility_layer_vm = is_host_compatibility_layer_vm

        if (is_vm_in_standby_pool := d.pop("isVmInStandbyPool", None)) is not None:
            if type(is_vm_in_standby_pool) is not str and isinstance(is_vm_in_standby_pool, COLLECTIONS):
                raise TypeError

            self.is_vm_in_standby_pool = is_vm_in_standby_pool

        if (license_type := d.pop("licenseType", None)) is not None:
            if type(license_type) is not str and isinstance(license_type, COLLECTIONS):
                raise TypeError

            self.license_type = license_type

        if (location := d.pop("location", None)) is not None:
            if type(location) is not str and isinstance(location, COLLECTIONS):
                raise TypeError

            self.location = location

        if (name := d.pop("name", None)) is not None:
            if type(name) is not str and isinstance(name, COLLECTIONS):
                raise TypeError

            self.name = name

        if (offer := d.pop("offer", None)) is not None:
            if type(offer) is not str and isinstance(offer, COLLECTIONS):
                raise TypeError

            self.offer = offer

        if (os_profile := d.pop("osProfile", None)) is not None:
            os_profile = OsProfile._read(os_profile)

            self.os_profile = os_profile

        if (os_type := d.pop("osType", None)) is not None:
            if type(os_type) is not str and isinstance(os_type, COLLECTIONS):
                raise TypeError

            self.os_type = os_type

        if (physical_zone := d.pop("physicalZone", None)) is not None:
            if type(physical_zone) is not str and isinstance(physical_zone, COLLECTIONS):
                raise TypeError

            self.physical_zone = physical_zone

        if (placement_group_id := d.pop("placementGroupId", None)) is not None:
            if type(placement_group_id) is not str and isinstance(placement_group_id, COLLECTIONS):
                raise TypeError

            self.placement_group_id = placement_group_id

        if (plan := d.pop("plan", None)) is not None:
            plan = Plan._read(plan)

            self.plan = plan

        if (platform_fault_domain := d.pop("platformFaultDomain", None)) is not None:
            if type(platform_fault_domain) is not str and isinstance(platform_fault_domain, COLLECTIONS):
                raise TypeError

            self.platform_fault_domain = platform_fault_domain

        if (platform_sub_fault_domain := d.pop("platformSubFaultDomain", None)) is not None:
            if type(platform_sub_fault_domain) is not str and isinstance(platform_sub_fault_domain, COLLECTIONS):
                raise TypeError

            self.platform_sub_fault_domain = platform_sub_fault_domain

        if (platform_update_domain := d.pop("platformUpdateDomain", None)) is not None:
            if type(platform_update_domain) is not str and isinstance(platform_update_domain, COLLECTIONS):
                raise TypeError

            self.platform_update_domain = platform_update_domain

        if (priority := d.pop("priority", None)) is not None:
            if type(priority) is not str and isinstance(priority, COLLECTIONS):
                raise TypeError

            self.priority = priority

        if (provider := d.pop("provider", None)) is not None:
            if type(provider) is not str and isinstance(provider, COLLECTIONS):
                raise TypeError

            self.provider = provider

        if (public_keys := d.pop("publicKeys", None)) is not None:
            _public_keys = public_keys
            if not isinstance(_public_keys, LISTS):
                raise TypeError
            public_keys = []
            _public_keys = _public_keys
            for public_keys_item_data in _public_keys:
                public_keys_item = PublicKey._read(public_keys_item_data)

                public_keys.append(public_keys_item)

            self.public_keys = public_keys

        if (publisher := d.pop("publisher", None)) is not None:
            if type(publisher) is not str and isinstance(publisher, COLLECTIONS):
                raise TypeError

            self.publisher = publisher

        if (resource_group_name := d.pop("resourceGroupName", None)) is not None:
            if type(resource_group_name) is not str and isinstance(resource_group_name, COLLECTIONS):
                raise TypeError

            self.resource_group_name = resource_group_name

        if (resource_id := d.pop("resourceId", None)) is not None:
            if type(resource_id) is not str and isinstance(resource_id, COLLECTIONS):
                raise TypeError

            self.resource_id = resource_id

        if (security_profile := d.pop("securityProfile", None)) is not None:
            security_profile = SecurityProfile._read(security_profile)

            self.security_profile = security_profile

        if (signature_info := d.pop("signatureInfo", None)) is not None:
            if type(signature_info) is not str and isinstance(signature_info, COLLECTIONS):
                raise TypeError

            self.signature_info = signature_info

        if (sku := d.pop("sku", None)) is not None:
            if type(sku) is not str and isinstance(sku, COLLECTIONS):
                raise TypeError

            self.sku = sku

        if (storage_profile := d.pop("storageProfile", None)) is not None:
            storage_profile = StorageProfile._read(storage_profile)

            self.storage_profile = storage_profile

        if (subscription_id := d.pop("subscriptionId", None)) is not None:
            if type(subscription_id) is not str and isinstance(subscription_id, COLLECTIONS):
                raise TypeError

            self.subscription_id = subscription_id

        if (system_fault_domain := d.pop("systemFaultDomain", None)) is not None:
            if type(system_fault_domain) is not str and isinstance(system_fault_domain, COLLECTIONS):
                raise TypeError

            self.system_fault_domain = system_fault_domain

        if (tags := d.pop("tags", None)) is not None:
            if type(tags) is not str and isinstance(tags, COLLECTIONS):
                raise TypeError

            self.tags = tags

        if (tags_list := d.pop("tagsList", None)) is not None:
            _tags_list = tags_list
            if not isinstance(_tags_list, LISTS):
                raise TypeError
            tags_list = []
            _tags_list = _tags_list
            for tags_list_item_data in _tags_list:
                tags_list_item = Tag._read(tags_list_item_data)

                tags_list.append(tags_list_item)

            self.tags_list = tags_list

        if (user_data := d.pop("userData", None)) is not None:
            if type(user_data) is not str and isinstance(user_data, COLLECTIONS):
                raise TypeError

            self.user_data = user_data

        if (version := d.pop("version", None)) is not None:
            if type(version) is not str and isinstance(version, COLLECTIONS):
                raise TypeError

            self.version = version

        if (virtual_machine_scale_set := d.pop("virtualMachineScaleSet", None)) is not None:
            virtual_machine_scale_set = VirtualMachineScaleSet._read(virtual_machine_scale_set)

            self.virtual_machine_scale_set = virtual_machine_scale_set

        if (vm_id := d.pop("vmId", None)) is not None:
            if type(vm_id) is not str and isinstance(vm_id, COLLECTIONS):
                raise TypeError

            self.vm_id = vm_id

        if (vm_scale_set_name := d.pop("vmScaleSetName", None)) is not None:
            if type(vm_scale_set_name) is not str and isinstance(vm_scale_set_name, COLLECTIONS):
                raise TypeError

            self.vm_scale_set_name = vm_scale_set_name

        if (vm_size := d.pop("vmSize", None)) is not None:
            if type(vm_size) is not str and isinstance(vm_size, COLLECTIONS):
                raise TypeError

            self.vm_size = vm_size

        if (zone := d.pop("zone", None)) is not None:
            if type(zone) is not str and isinstance(zone, COLLECTIONS):
                raise TypeError

            self.zone = zone

        self.additional_properties = d
        self._received = src_dict
        self._lent = NOTHING_LENT
        return self


# Imported last, because models may refer to each other: this class exists now.
from ..models.additional_capabilities import AdditionalCapabilities
from ..models.extended_location import ExtendedLocation
from ..models.host import Host
from ..models.host_group import HostGroup
from ..models.os_profile import OsProfile
from ..models.plan import Plan
from ..models.public_key import PublicKey
from ..models.security_profile import SecurityProfile
from ..models.storage_profile import StorageProfile
from ..models.tag import Tag
from ..models.virtual_machine_scale_set import VirtualMachineScaleSet
