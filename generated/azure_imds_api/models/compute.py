# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.known_azure_environment import KnownAzureEnvironment
from ..models.known_os_type import KnownOsType
from ..models.known_priority import KnownPriority
from ..types import LISTS, UNSET, Model, Unset

T = TypeVar("T", bound="Compute")


@_attrs_define(getstate_setstate=False)
class Compute(Model):
    """The virtual machine itself. Missing on classic (pre-ARM) machines. "" means that a field does not apply."""

    additional_capabilities: AdditionalCapabilities | Unset = UNSET
    """ Optional capabilities of the machine. Since 2021-11-01. """
    az_environment: KnownAzureEnvironment | str | Unset = UNSET
    """ The cloud. It determines the authority, token audience and attestation domain. Compare without regard to
    case: documentation has AZUREPUBLICCLOUD, hosts send AzurePublicCloud. Since 2018-10-01. """
    custom_data: str | Unset = UNSET
    """ Disabled, always "". Use userData instead. Since 2019-02-01. """
    eviction_policy: str | Unset = UNSET
    """ What happens to a Spot machine on eviction (presumably Deallocate or Delete). "" for other machines. Since
    2020-12-01. """
    extended_location: ExtendedLocation | Unset = UNSET
    """ The edge zone of the machine. Both fields are "" outside of edge zones. Since 2021-03-01. """
    host: Host | Unset = UNSET
    """ The dedicated host of the machine. Never set together with hostGroup. Since 2021-11-15. """
    host_group: HostGroup | Unset = UNSET
    """ The dedicated host group of the machine. Never set together with host. Since 2021-11-15. """
    is_host_compatibility_layer_vm: str | Unset = UNSET
    """ "true" or "false": whether the machine runs on the host compatibility layer. Since 2020-06-01. """
    license_type: str | Unset = UNSET
    """ License type under Azure Hybrid Benefit, such as Windows_Client. "" without it. Since 2020-09-01. """
    location: str | Unset = UNSET
    """ Short name of the region, such as eastus. Compare without regard to case: old hosts are known to send
    SouthIndia. Since 2017-04-02. """
    name: str | Unset = UNSET
    """ Name of the machine. An instance of a uniform scale set is named after the set, such as vmss_0. Since
    2017-04-02. """
    offer: str | Unset = UNSET
    """ Offer of the platform or gallery image. "" for other disks. Since 2017-04-02. """
    os_profile: OsProfile | Unset = UNSET
    """ Settings of the operating system at creation. All fields are "" for specialized disks. Since 2020-07-15. """
    os_type: KnownOsType | str | Unset = UNSET
    """ Linux or Windows. Some samples have lower case. Since 2017-04-02. """
    physical_zone: str | Unset = UNSET
    """ Physical availability zone, such as eastus-AZ01. Case and form vary. Since 2023-11-15. """
    placement_group_id: str | Unset = UNSET
    """ Placement group of the scale set, as a GUID. "" outside of scale sets. Since 2017-08-01. """
    plan: Plan | Unset = UNSET
    """ Marketplace plan of the image. All fields are "" for other images. Since 2018-04-02, in attested data since
    2018-10-01. """
    platform_fault_domain: str | Unset = UNSET
    """ Fault domain, as decimal digits. Since 2017-04-02. """
    platform_sub_fault_domain: str | Unset = UNSET
    """ Sub fault domain. Usually "". Since 2021-10-01. """
    platform_update_domain: str | Unset = UNSET
    """ Update domain, as decimal digits. Since 2017-04-02. """
    priority: KnownPriority | str | Unset = UNSET
    """ Regular or Spot. Low is possible, and "" has been observed on a regular machine. Since 2020-12-01. """
    provider: str | Unset = UNSET
    """ Resource provider, Microsoft.Compute. Since 2018-10-01. """
    public_keys: list[PublicKey] | Unset = UNSET
    """ SSH public keys of the machine. [] if there are none. Since 2018-04-02. """
    publisher: str | Unset = UNSET
    """ Publisher of the image. "" for disks without an image. Since 2017-04-02. """
    resource_group_name: str | Unset = UNSET
    """ Name of the resource group. Its case is not reliable. Since 2017-08-01. """
    resource_id: str | Unset = UNSET
    """ Azure resource id of the machine. Compare without regard to case: tokens contain the same id in another
    case. Since 2019-03-11. """
    security_profile: SecurityProfile | Unset = UNSET
    """ Security features of the machine. Since 2020-06-01. """
    sku: str | Unset = UNSET
    """ SKU of the image. "" for custom images. Since 2017-04-02. """
    storage_profile: StorageProfile | Unset = UNSET
    """ Image and disks of the machine. Since 2019-06-01. """
    subscription_id: str | Unset = UNSET
    """ Subscription id of the machine, a GUID. Since 2017-08-01. """
    tags: str | Unset = UNSET
    """ All tags as one string: name:value pairs, joined by ";". Nothing is escaped, so a colon or semicolon in a
    tag makes the string ambiguous. Use tagsList instead. Since 2017-08-01. """
    tags_list: list[Tag] | Unset = UNSET
    """ Tags of the machine. [] if there are none. Since 2019-06-04. """
    user_data: str | Unset = UNSET
    """ User data in base64. "" if there is none. It may contain white space; remove that before you decode it. Do
    not store secrets here: every process on the machine can read it. Since 2021-01-01. """
    version: str | Unset = UNSET
    """ Version of the image. Since 2017-04-02. """
    virtual_machine_scale_set: VirtualMachineScaleSet | Unset = UNSET
    """ The scale set of a machine in flexible orchestration. Since 2021-03-01. """
    vm_id: str | Unset = UNSET
    """ Unique id of the machine, a GUID in lower case. With SMBIOS 2.6 and later it equals the SMBIOS UUID; before,
    the bytes of that UUID are swapped. Since 2017-04-02. """
    vm_scale_set_name: str | Unset = UNSET
    """ Name of the scale set. "" outside of scale sets. Since 2017-12-01. """
    vm_size: str | Unset = UNSET
    """ Size of the machine, such as Standard_D2s_v5. Since 2017-04-02. """
    zone: str | Unset = UNSET
    """ Logical availability zone, "1" to "3". "" if the machine is not in a zone. Since 2017-12-01. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    def to_dict(self) -> dict[str, Any]:
        additional_capabilities: dict[str, Any] | Unset = UNSET
        if not isinstance(self.additional_capabilities, Unset):
            additional_capabilities = self.additional_capabilities.to_dict()

        az_environment: str | Unset
        if isinstance(self.az_environment, Unset):
            az_environment = UNSET
        elif isinstance(self.az_environment, str):
            az_environment = self.az_environment
        else:
            az_environment = self.az_environment

        custom_data = self.custom_data

        eviction_policy = self.eviction_policy

        extended_location: dict[str, Any] | Unset = UNSET
        if not isinstance(self.extended_location, Unset):
            extended_location = self.extended_location.to_dict()

        host: dict[str, Any] | Unset = UNSET
        if not isinstance(self.host, Unset):
            host = self.host.to_dict()

        host_group: dict[str, Any] | Unset = UNSET
        if not isinstance(self.host_group, Unset):
            host_group = self.host_group.to_dict()

        is_host_compatibility_layer_vm = self.is_host_compatibility_layer_vm

        license_type = self.license_type

        location = self.location

        name = self.name

        offer = self.offer

        os_profile: dict[str, Any] | Unset = UNSET
        if not isinstance(self.os_profile, Unset):
            os_profile = self.os_profile.to_dict()

        os_type: str | Unset
        if isinstance(self.os_type, Unset):
            os_type = UNSET
        elif isinstance(self.os_type, str):
            os_type = self.os_type
        else:
            os_type = self.os_type

        physical_zone = self.physical_zone

        placement_group_id = self.placement_group_id

        plan: dict[str, Any] | Unset = UNSET
        if not isinstance(self.plan, Unset):
            plan = self.plan.to_dict()

        platform_fault_domain = self.platform_fault_domain

        platform_sub_fault_domain = self.platform_sub_fault_domain

        platform_update_domain = self.platform_update_domain

        priority: str | Unset
        if isinstance(self.priority, Unset):
            priority = UNSET
        elif isinstance(self.priority, str):
            priority = self.priority
        else:
            priority = self.priority

        provider = self.provider

        public_keys: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.public_keys, Unset):
            public_keys = []
            for public_keys_item_data in self.public_keys:
                public_keys_item = public_keys_item_data.to_dict()
                public_keys.append(public_keys_item)

        publisher = self.publisher

        resource_group_name = self.resource_group_name

        resource_id = self.resource_id

        security_profile: dict[str, Any] | Unset = UNSET
        if not isinstance(self.security_profile, Unset):
            security_profile = self.security_profile.to_dict()

        sku = self.sku

        storage_profile: dict[str, Any] | Unset = UNSET
        if not isinstance(self.storage_profile, Unset):
            storage_profile = self.storage_profile.to_dict()

        subscription_id = self.subscription_id

        tags = self.tags

        tags_list: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.tags_list, Unset):
            tags_list = []
            for tags_list_item_data in self.tags_list:
                tags_list_item = tags_list_item_data.to_dict()
                tags_list.append(tags_list_item)

        user_data = self.user_data

        version = self.version

        virtual_machine_scale_set: dict[str, Any] | Unset = UNSET
        if not isinstance(self.virtual_machine_scale_set, Unset):
            virtual_machine_scale_set = self.virtual_machine_scale_set.to_dict()

        vm_id = self.vm_id

        vm_scale_set_name = self.vm_scale_set_name

        vm_size = self.vm_size

        zone = self.zone

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if additional_capabilities is not UNSET:
            field_dict["additionalCapabilities"] = additional_capabilities
        if az_environment is not UNSET:
            field_dict["azEnvironment"] = az_environment
        if custom_data is not UNSET:
            field_dict["customData"] = custom_data
        if eviction_policy is not UNSET:
            field_dict["evictionPolicy"] = eviction_policy
        if extended_location is not UNSET:
            field_dict["extendedLocation"] = extended_location
        if host is not UNSET:
            field_dict["host"] = host
        if host_group is not UNSET:
            field_dict["hostGroup"] = host_group
        if is_host_compatibility_layer_vm is not UNSET:
            field_dict["isHostCompatibilityLayerVm"] = is_host_compatibility_layer_vm
        if license_type is not UNSET:
            field_dict["licenseType"] = license_type
        if location is not UNSET:
            field_dict["location"] = location
        if name is not UNSET:
            field_dict["name"] = name
        if offer is not UNSET:
            field_dict["offer"] = offer
        if os_profile is not UNSET:
            field_dict["osProfile"] = os_profile
        if os_type is not UNSET:
            field_dict["osType"] = os_type
        if physical_zone is not UNSET:
            field_dict["physicalZone"] = physical_zone
        if placement_group_id is not UNSET:
            field_dict["placementGroupId"] = placement_group_id
        if plan is not UNSET:
            field_dict["plan"] = plan
        if platform_fault_domain is not UNSET:
            field_dict["platformFaultDomain"] = platform_fault_domain
        if platform_sub_fault_domain is not UNSET:
            field_dict["platformSubFaultDomain"] = platform_sub_fault_domain
        if platform_update_domain is not UNSET:
            field_dict["platformUpdateDomain"] = platform_update_domain
        if priority is not UNSET:
            field_dict["priority"] = priority
        if provider is not UNSET:
            field_dict["provider"] = provider
        if public_keys is not UNSET:
            field_dict["publicKeys"] = public_keys
        if publisher is not UNSET:
            field_dict["publisher"] = publisher
        if resource_group_name is not UNSET:
            field_dict["resourceGroupName"] = resource_group_name
        if resource_id is not UNSET:
            field_dict["resourceId"] = resource_id
        if security_profile is not UNSET:
            field_dict["securityProfile"] = security_profile
        if sku is not UNSET:
            field_dict["sku"] = sku
        if storage_profile is not UNSET:
            field_dict["storageProfile"] = storage_profile
        if subscription_id is not UNSET:
            field_dict["subscriptionId"] = subscription_id
        if tags is not UNSET:
            field_dict["tags"] = tags
        if tags_list is not UNSET:
            field_dict["tagsList"] = tags_list
        if user_data is not UNSET:
            field_dict["userData"] = user_data
        if version is not UNSET:
            field_dict["version"] = version
        if virtual_machine_scale_set is not UNSET:
            field_dict["virtualMachineScaleSet"] = virtual_machine_scale_set
        if vm_id is not UNSET:
            field_dict["vmId"] = vm_id
        if vm_scale_set_name is not UNSET:
            field_dict["vmScaleSetName"] = vm_scale_set_name
        if vm_size is not UNSET:
            field_dict["vmSize"] = vm_size
        if zone is not UNSET:
            field_dict["zone"] = zone

        return self._with_unread(field_dict)

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        _additional_capabilities = d.pop("additionalCapabilities", UNSET)
        additional_capabilities: AdditionalCapabilities | Unset
        if _additional_capabilities is UNSET:
            additional_capabilities = UNSET
        else:
            additional_capabilities = AdditionalCapabilities._read(_additional_capabilities)

        az_environment = d.pop("azEnvironment", UNSET)

        custom_data = d.pop("customData", UNSET)

        eviction_policy = d.pop("evictionPolicy", UNSET)

        _extended_location = d.pop("extendedLocation", UNSET)
        extended_location: ExtendedLocation | Unset
        if _extended_location is UNSET:
            extended_location = UNSET
        else:
            extended_location = ExtendedLocation._read(_extended_location)

        _host = d.pop("host", UNSET)
        host: Host | Unset
        if _host is UNSET:
            host = UNSET
        else:
            host = Host._read(_host)

        _host_group = d.pop("hostGroup", UNSET)
        host_group: HostGroup | Unset
        if _host_group is UNSET:
            host_group = UNSET
        else:
            host_group = HostGroup._read(_host_group)

        is_host_compatibility_layer_vm = d.pop("isHostCompatibilityLayerVm", UNSET)

        license_type = d.pop("licenseType", UNSET)

        location = d.pop("location", UNSET)

        name = d.pop("name", UNSET)

        offer = d.pop("offer", UNSET)

        _os_profile = d.pop("osProfile", UNSET)
        os_profile: OsProfile | Unset
        if _os_profile is UNSET:
            os_profile = UNSET
        else:
            os_profile = OsProfile._read(_os_profile)

        os_type = d.pop("osType", UNSET)

        physical_zone = d.pop("physicalZone", UNSET)

        placement_group_id = d.pop("placementGroupId", UNSET)

        _plan = d.pop("plan", UNSET)
        plan: Plan | Unset
        if _plan is UNSET:
            plan = UNSET
        else:
            plan = Plan._read(_plan)

        platform_fault_domain = d.pop("platformFaultDomain", UNSET)

        platform_sub_fault_domain = d.pop("platformSubFaultDomain", UNSET)

        platform_update_domain = d.pop("platformUpdateDomain", UNSET)

        priority = d.pop("priority", UNSET)

        provider = d.pop("provider", UNSET)

        _public_keys = d.pop("publicKeys", UNSET)
        if _public_keys is not UNSET and not isinstance(_public_keys, LISTS):
            raise TypeError
        _public_keys = _public_keys
        public_keys: list[PublicKey] | Unset = UNSET
        if _public_keys is not UNSET:
            public_keys = []
            for public_keys_item_data in _public_keys:
                public_keys_item = PublicKey._read(public_keys_item_data)

                public_keys.append(public_keys_item)

        publisher = d.pop("publisher", UNSET)

        resource_group_name = d.pop("resourceGroupName", UNSET)

        resource_id = d.pop("resourceId", UNSET)

        _security_profile = d.pop("securityProfile", UNSET)
        security_profile: SecurityProfile | Unset
        if _security_profile is UNSET:
            security_profile = UNSET
        else:
            security_profile = SecurityProfile._read(_security_profile)

        sku = d.pop("sku", UNSET)

        _storage_profile = d.pop("storageProfile", UNSET)
        storage_profile: StorageProfile | Unset
        if _storage_profile is UNSET:
            storage_profile = UNSET
        else:
            storage_profile = StorageProfile._read(_storage_profile)

        subscription_id = d.pop("subscriptionId", UNSET)

        tags = d.pop("tags", UNSET)

        _tags_list = d.pop("tagsList", UNSET)
        if _tags_list is not UNSET and not isinstance(_tags_list, LISTS):
            raise TypeError
        _tags_list = _tags_list
        tags_list: list[Tag] | Unset = UNSET
        if _tags_list is not UNSET:
            tags_list = []
            for tags_list_item_data in _tags_list:
                tags_list_item = Tag._read(tags_list_item_data)

                tags_list.append(tags_list_item)

        user_data = d.pop("userData", UNSET)

        version = d.pop("version", UNSET)

        _virtual_machine_scale_set = d.pop("virtualMachineScaleSet", UNSET)
        virtual_machine_scale_set: VirtualMachineScaleSet | Unset
        if _virtual_machine_scale_set is UNSET:
            virtual_machine_scale_set = UNSET
        else:
            virtual_machine_scale_set = VirtualMachineScaleSet._read(_virtual_machine_scale_set)

        vm_id = d.pop("vmId", UNSET)

        vm_scale_set_name = d.pop("vmScaleSetName", UNSET)

        vm_size = d.pop("vmSize", UNSET)

        zone = d.pop("zone", UNSET)

        model = cls(
            additional_capabilities,
            az_environment,
            custom_data,
            eviction_policy,
            extended_location,
            host,
            host_group,
            is_host_compatibility_layer_vm,
            license_type,
            location,
            name,
            offer,
            os_profile,
            os_type,
            physical_zone,
            placement_group_id,
            plan,
            platform_fault_domain,
            platform_sub_fault_domain,
            platform_update_domain,
            priority,
            provider,
            public_keys,
            publisher,
            resource_group_name,
            resource_id,
            security_profile,
            sku,
            storage_profile,
            subscription_id,
            tags,
            tags_list,
            user_data,
            version,
            virtual_machine_scale_set,
            vm_id,
            vm_scale_set_name,
            vm_size,
            zone,
            d,
        )
        model._received = src_dict
        return model

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties


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
