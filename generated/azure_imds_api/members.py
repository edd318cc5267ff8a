# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
"""The members of the specification's models, as data. Importing this imports nothing else."""

from collections.abc import Mapping
from typing import NamedTuple


class Member(NamedTuple):
    """A member of an object."""

    attribute: str
    """The attribute of the model, such as `vm_size` for `vmSize`."""
    model: str = ""
    """The model of the value, or of each item if the value is a list. "" if it is not an object."""
    is_list: bool = False
    is_required: bool = False


MEMBERS: Mapping[str, Mapping[str, Member]] = {
    "AdditionalCapabilities": {
        "hibernationEnabled": Member("hibernation_enabled"),
    },
    "AmdCertification": {
        "vcekCert": Member("vcek_cert", is_required=True),
        "certificateChain": Member("certificate_chain", is_required=True),
        "tcbm": Member("tcbm"),
        "cacheControl": Member("cache_control"),
    },
    "AttestedData": {
        "licenseType": Member("license_type"),
        "nonce": Member("nonce"),
        "plan": Member("plan", model="Plan"),
        "sku": Member("sku"),
        "subscriptionId": Member("subscription_id"),
        "timeStamp": Member("time_stamp", model="AttestedTimeStamp"),
        "vmId": Member("vm_id"),
    },
    "AttestedDocument": {
        "encoding": Member("encoding", is_required=True),
        "signature": Member("signature", is_required=True),
    },
    "AttestedTimeStamp": {
        "createdOn": Member("created_on"),
        "expiresOn": Member("expires_on"),
    },
    "CloudShellTokenRequest": {
        "resource": Member("resource", is_required=True),
    },
    "Compute": {
        "additionalCapabilities": Member("additional_capabilities", model="AdditionalCapabilities"),
        "azEnvironment": Member("az_environment"),
        "customData": Member("custom_data"),
        "evictionPolicy": Member("eviction_policy"),
        "extendedLocation": Member("extended_location", model="ExtendedLocation"),
        "host": Member("host", model="Host"),
        "hostGroup": Member("host_group", model="HostGroup"),
        "interconnectGroupId": Member("interconnect_group_id"),
        "interconnectSubgroupId": Member("interconnect_subgroup_id"),
        "isHostCompatibilityLayerVm": Member("is_host_compatibility_layer_vm"),
        "isVmInStandbyPool": Member("is_vm_in_standby_pool"),
        "licenseType": Member("license_type"),
        "location": Member("location"),
        "name": Member("name"),
        "offer": Member("offer"),
        "osProfile": Member("os_profile", model="OsProfile"),
        "osType": Member("os_type"),
        "physicalZone": Member("physical_zone"),
        "placementGroupId": Member("placement_group_id"),
        "plan": Member("plan", model="Plan"),
        "platformFaultDomain": Member("platform_fault_domain"),
        "platformSubFaultDomain": Member("platform_sub_fault_domain"),
        "platformUpdateDomain": Member("platform_update_domain"),
        "priority": Member("priority"),
        "provider": Member("provider"),
        "publicKeys": Member("public_keys", model="PublicKey", is_list=True),
        "publisher": Member("publisher"),
        "resourceGroupName": Member("resource_group_name"),
        "resourceId": Member("resource_id"),
        "securityProfile": Member("security_profile", model="SecurityProfile"),
        "signatureInfo": Member("signature_info"),
        "sku": Member("sku"),
        "storageProfile": Member("storage_profile", model="StorageProfile"),
        "subscriptionId": Member("subscription_id"),
        "systemFaultDomain": Member("system_fault_domain"),
        "tags": Member("tags"),
        "tagsList": Member("tags_list", model="Tag", is_list=True),
        "userData": Member("user_data"),
        "version": Member("version"),
        "virtualMachineScaleSet": Member("virtual_machine_scale_set", model="VirtualMachineScaleSet"),
        "vmId": Member("vm_id"),
        "vmScaleSetName": Member("vm_scale_set_name"),
        "vmSize": Member("vm_size"),
        "zone": Member("zone"),
    },
    "DataDisk": {
        "bytesPerSecondThrottle": Member("bytes_per_second_throttle"),
        "caching": Member("caching"),
        "createOption": Member("create_option"),
        "diskCapacityBytes": Member("disk_capacity_bytes"),
        "diskSizeGB": Member("disk_size_gb"),
        "image": Member("image", model="DiskImage"),
        "isSharedDisk": Member("is_shared_disk"),
        "isUltraDisk": Member("is_ultra_disk"),
        "lun": Member("lun"),
        "managedDisk": Member("managed_disk", model="ManagedDisk"),
        "name": Member("name"),
        "opsPerSecondThrottle": Member("ops_per_second_throttle"),
        "vhd": Member("vhd", model="Vhd"),
        "writeAcceleratorEnabled": Member("write_accelerator_enabled"),
    },
    "DiffDiskSettings": {
        "option": Member("option"),
    },
    "DiskEncryptionKey": {
        "secretUrl": Member("secret_url"),
        "sourceVault": Member("source_vault", model="SourceVault"),
    },
    "DiskImage": {
        "uri": Member("uri"),
    },
    "EncryptionSettings": {
        "diskEncryptionKey": Member("disk_encryption_key", model="DiskEncryptionKey"),
        "enabled": Member("enabled"),
        "keyEncryptionKey": Member("key_encryption_key", model="KeyEncryptionKey"),
    },
    "ErrorResponse": {
        "error": Member("error"),
        "newest-versions": Member("newest_versions", is_list=True),
    },
    "Extended": {
        "compute": Member("compute", model="ExtendedCompute"),
    },
    "ExtendedCompute": {
        "hasCustomData": Member("has_custom_data"),
        "ppsType": Member("pps_type"),
    },
    "ExtendedLocation": {
        "name": Member("name"),
        "type": Member("type_"),
    },
    "Host": {
        "id": Member("id"),
    },
    "HostGroup": {
        "id": Member("id"),
    },
    "IdentityErrorResponse": {
        "error": Member("error"),
        "error_description": Member("error_description"),
    },
    "IdentityInfoResponse": {
        "tenantId": Member("tenant_id", is_required=True),
    },
    "IdentityTokenResponse": {
        "access_token": Member("access_token", is_required=True),
        "client_id": Member("client_id"),
        "expires_in": Member("expires_in"),
        "expires_on": Member("expires_on"),
        "ext_expires_in": Member("ext_expires_in"),
        "msi_res_id": Member("msi_res_id"),
        "not_before": Member("not_before"),
        "object_id": Member("object_id"),
        "refresh_in": Member("refresh_in"),
        "refresh_token": Member("refresh_token"),
        "resource": Member("resource"),
        "token_type": Member("token_type"),
    },
    "ImageReference": {
        "communityGalleryImageId": Member("community_gallery_image_id"),
        "exactVersion": Member("exact_version"),
        "id": Member("id"),
        "offer": Member("offer"),
        "publisher": Member("publisher"),
        "sharedGalleryImageId": Member("shared_gallery_image_id"),
        "sku": Member("sku"),
        "version": Member("version"),
    },
    "InboundRule": {
        "frontendIpAddress": Member("frontend_ip_address"),
        "protocol": Member("protocol"),
        "frontendPort": Member("frontend_port"),
        "backendPort": Member("backend_port"),
        "privateIpAddress": Member("private_ip_address"),
    },
    "Instance": {
        "compute": Member("compute", model="Compute"),
        "extended": Member("extended", model="Extended"),
        "network": Member("network", model="Network"),
    },
    "IpAddressBlock": {},
    "Ipv4Address": {
        "privateIpAddress": Member("private_ip_address"),
        "publicIpAddress": Member("public_ip_address"),
    },
    "Ipv4Configuration": {
        "ipAddress": Member("ip_address", model="Ipv4Address", is_list=True),
        "ipAddressBlock": Member("ip_address_block", model="IpAddressBlock", is_list=True),
        "subnet": Member("subnet", model="Subnet", is_list=True),
    },
    "Ipv6Address": {
        "privateIpAddress": Member("private_ip_address"),
    },
    "Ipv6Configuration": {
        "ipAddress": Member("ip_address", model="Ipv6Address", is_list=True),
        "ipAddressBlock": Member("ip_address_block", model="IpAddressBlock", is_list=True),
    },
    "KeyEncryptionKey": {
        "keyUrl": Member("key_url"),
        "sourceVault": Member("source_vault", model="SourceVault"),
    },
    "LoadBalancer": {
        "publicIpAddresses": Member("public_ip_addresses", model="PublicIpAddress", is_list=True),
        "inboundRules": Member("inbound_rules", model="InboundRule", is_list=True),
        "outboundRules": Member("outbound_rules", model="OutboundRule", is_list=True),
    },
    "LoadBalancerResponse": {
        "loadbalancer": Member("loadbalancer", model="LoadBalancer", is_required=True),
    },
    "ManagedDisk": {
        "id": Member("id"),
        "storageAccountType": Member("storage_account_type"),
    },
    "Network": {
        "interface": Member("interface", model="NetworkInterface", is_list=True),
    },
    "NetworkInterface": {
        "interfaceCompartmentId": Member("interface_compartment_id"),
        "interfaceCompartmentVersion": Member("interface_compartment_version"),
        "ipv4": Member("ipv4", model="Ipv4Configuration"),
        "ipv6": Member("ipv6", model="Ipv6Configuration"),
        "macAddress": Member("mac_address"),
    },
    "OsDisk": {
        "caching": Member("caching"),
        "createOption": Member("create_option"),
        "diffDiskSettings": Member("diff_disk_settings", model="DiffDiskSettings"),
        "diskSizeGB": Member("disk_size_gb"),
        "encryptionSettings": Member("encryption_settings", model="EncryptionSettings"),
        "image": Member("image", model="DiskImage"),
        "managedDisk": Member("managed_disk", model="ManagedDisk"),
        "name": Member("name"),
        "osType": Member("os_type"),
        "vhd": Member("vhd", model="Vhd"),
        "writeAcceleratorEnabled": Member("write_accelerator_enabled"),
    },
    "OsProfile": {
        "adminUsername": Member("admin_username"),
        "computerName": Member("computer_name"),
        "disablePasswordAuthentication": Member("disable_password_authentication"),
    },
    "OutboundRule": {
        "frontendIpAddress": Member("frontend_ip_address"),
        "privateIpAddress": Member("private_ip_address"),
    },
    "Plan": {
        "name": Member("name"),
        "product": Member("product"),
        "publisher": Member("publisher"),
    },
    "PublicIpAddress": {
        "frontendIpAddress": Member("frontend_ip_address"),
        "privateIpAddress": Member("private_ip_address"),
    },
    "PublicKey": {
        "keyData": Member("key_data"),
        "path": Member("path"),
    },
    "ResourceDisk": {
        "size": Member("size"),
    },
    "ScheduledEvent": {
        "EventId": Member("event_id", is_required=True),
        "EventType": Member("event_type", is_required=True),
        "Resources": Member("resources", is_list=True, is_required=True),
        "EventStatus": Member("event_status", is_required=True),
        "ResourceType": Member("resource_type"),
        "NotBefore": Member("not_before"),
        "Description": Member("description"),
        "EventSource": Member("event_source"),
        "DurationInSeconds": Member("duration_in_seconds"),
    },
    "ScheduledEvents": {
        "DocumentIncarnation": Member("document_incarnation", is_required=True),
        "Events": Member("events", model="ScheduledEvent", is_list=True, is_required=True),
    },
    "SecurityProfile": {
        "encryptionAtHost": Member("encryption_at_host"),
        "secureBootEnabled": Member("secure_boot_enabled"),
        "securityType": Member("security_type"),
        "virtualTpmEnabled": Member("virtual_tpm_enabled"),
    },
    "SourceVault": {
        "id": Member("id"),
    },
    "StartEventsRequest": {
        "StartRequests": Member("start_requests", model="StartRequest", is_list=True, is_required=True),
    },
    "StartRequest": {
        "EventId": Member("event_id", is_required=True),
    },
    "StorageProfile": {
        "dataDisks": Member("data_disks", model="DataDisk", is_list=True),
        "imageReference": Member("image_reference", model="ImageReference"),
        "osDisk": Member("os_disk", model="OsDisk"),
        "resourceDisk": Member("resource_disk", model="ResourceDisk"),
    },
    "Subnet": {
        "address": Member("address"),
        "prefix": Member("prefix"),
    },
    "Tag": {
        "name": Member("name"),
        "value": Member("value"),
    },
    "VersionsResponse": {
        "apiVersions": Member("api_versions", is_list=True, is_required=True),
    },
    "Vhd": {
        "uri": Member("uri"),
    },
    "VirtualMachineScaleSet": {
        "id": Member("id"),
    },
    "WorkloadIdentityTokenRequest": {
        "client_id": Member("client_id", is_required=True),
        "client_assertion": Member("client_assertion", is_required=True),
        "scope": Member("scope", is_required=True),
        "grant_type": Member("grant_type", is_required=True),
        "client_assertion_type": Member("client_assertion_type", is_required=True),
    },
}
"""Members by the name of the model, and by their names in documents."""

RESULTS: Mapping[str, str] = {
    "versions.get_versions": "VersionsResponse",
    "instances.get_metadata": "Instance",
    "attested.get_document": "AttestedDocument",
    "identity.get_token": "IdentityTokenResponse",
    "identity.get_info": "IdentityInfoResponse",
    "scheduled_events.get_events": "ScheduledEvents",
    "load_balancer.get_metadata": "LoadBalancerResponse",
    "trusted_hardware.get_amd_certification": "AmdCertification",
    "identity.get_token": "IdentityTokenResponse",
    "identity.get_token": "IdentityTokenResponse",
    "identity.get_token": "IdentityTokenResponse",
    "identity.get_token": "IdentityTokenResponse",
    "identity.get_token": "IdentityTokenResponse",
}
"""The models of successes, by what users type, such as `identity.get_token`. Without operations that return none."""
