# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
"""The API's models. Each is imported when it is first used."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .additional_capabilities import AdditionalCapabilities
    from .amd_certification import AmdCertification
    from .attested_data import AttestedData
    from .attested_document import AttestedDocument
    from .attested_time_stamp import AttestedTimeStamp
    from .cloud_shell_token_request import CloudShellTokenRequest
    from .compute import Compute
    from .data_disk import DataDisk
    from .diff_disk_settings import DiffDiskSettings
    from .disk_encryption_key import DiskEncryptionKey
    from .disk_image import DiskImage
    from .encryption_settings import EncryptionSettings
    from .error_response import ErrorResponse
    from .extended import Extended
    from .extended_compute import ExtendedCompute
    from .extended_location import ExtendedLocation
    from .host import Host
    from .host_group import HostGroup
    from .identity_error_response import IdentityErrorResponse
    from .identity_info_response import IdentityInfoResponse
    from .identity_token_response import IdentityTokenResponse
    from .image_reference import ImageReference
    from .inbound_rule import InboundRule
    from .instance import Instance
    from .instances_get_metadata_format import InstancesGetMetadataFormat
    from .ip_address_block import IpAddressBlock
    from .ipv_4_address import Ipv4Address
    from .ipv_4_configuration import Ipv4Configuration
    from .ipv_6_address import Ipv6Address
    from .ipv_6_configuration import Ipv6Configuration
    from .key_encryption_key import KeyEncryptionKey
    from .known_azure_environment import KnownAzureEnvironment
    from .known_disk_caching import KnownDiskCaching
    from .known_event_source import KnownEventSource
    from .known_event_status import KnownEventStatus
    from .known_event_type import KnownEventType
    from .known_identity_error_code import KnownIdentityErrorCode
    from .known_os_type import KnownOsType
    from .known_pps_type import KnownPpsType
    from .known_priority import KnownPriority
    from .known_security_type import KnownSecurityType
    from .load_balancer import LoadBalancer
    from .load_balancer_response import LoadBalancerResponse
    from .managed_disk import ManagedDisk
    from .network import Network
    from .network_interface import NetworkInterface
    from .os_disk import OsDisk
    from .os_profile import OsProfile
    from .outbound_rule import OutboundRule
    from .plan import Plan
    from .public_ip_address import PublicIpAddress
    from .public_key import PublicKey
    from .resource_disk import ResourceDisk
    from .scheduled_event import ScheduledEvent
    from .scheduled_events import ScheduledEvents
    from .security_profile import SecurityProfile
    from .source_vault import SourceVault
    from .start_events_request import StartEventsRequest
    from .start_request import StartRequest
    from .storage_profile import StorageProfile
    from .subnet import Subnet
    from .tag import Tag
    from .true_flag import TrueFlag
    from .versions_response import VersionsResponse
    from .vhd import Vhd
    from .virtual_machine_scale_set import VirtualMachineScaleSet
    from .workload_identity_token_request import WorkloadIdentityTokenRequest

_HOME = {
    "AdditionalCapabilities": ".additional_capabilities",
    "AmdCertification": ".amd_certification",
    "AttestedData": ".attested_data",
    "AttestedDocument": ".attested_document",
    "AttestedTimeStamp": ".attested_time_stamp",
    "CloudShellTokenRequest": ".cloud_shell_token_request",
    "Compute": ".compute",
    "DataDisk": ".data_disk",
    "DiffDiskSettings": ".diff_disk_settings",
    "DiskEncryptionKey": ".disk_encryption_key",
    "DiskImage": ".disk_image",
    "EncryptionSettings": ".encryption_settings",
    "ErrorResponse": ".error_response",
    "Extended": ".extended",
    "ExtendedCompute": ".extended_compute",
    "ExtendedLocation": ".extended_location",
    "Host": ".host",
    "HostGroup": ".host_group",
    "IdentityErrorResponse": ".identity_error_response",
    "IdentityInfoResponse": ".identity_info_response",
    "IdentityTokenResponse": ".identity_token_response",
    "ImageReference": ".image_reference",
    "InboundRule": ".inbound_rule",
    "Instance": ".instance",
    "InstancesGetMetadataFormat": ".instances_get_metadata_format",
    "IpAddressBlock": ".ip_address_block",
    "Ipv4Address": ".ipv_4_address",
    "Ipv4Configuration": ".ipv_4_configuration",
    "Ipv6Address": ".ipv_6_address",
    "Ipv6Configuration": ".ipv_6_configuration",
    "KeyEncryptionKey": ".key_encryption_key",
    "KnownAzureEnvironment": ".known_azure_environment",
    "KnownDiskCaching": ".known_disk_caching",
    "KnownEventSource": ".known_event_source",
    "KnownEventStatus": ".known_event_status",
    "KnownEventType": ".known_event_type",
    "KnownIdentityErrorCode": ".known_identity_error_code",
    "KnownOsType": ".known_os_type",
    "KnownPpsType": ".known_pps_type",
    "KnownPriority": ".known_priority",
    "KnownSecurityType": ".known_security_type",
    "LoadBalancer": ".load_balancer",
    "LoadBalancerResponse": ".load_balancer_response",
    "ManagedDisk": ".managed_disk",
    "Network": ".network",
    "NetworkInterface": ".network_interface",
    "OsDisk": ".os_disk",
    "OsProfile": ".os_profile",
    "OutboundRule": ".outbound_rule",
    "Plan": ".plan",
    "PublicIpAddress": ".public_ip_address",
    "PublicKey": ".public_key",
    "ResourceDisk": ".resource_disk",
    "ScheduledEvent": ".scheduled_event",
    "ScheduledEvents": ".scheduled_events",
    "SecurityProfile": ".security_profile",
    "SourceVault": ".source_vault",
    "StartEventsRequest": ".start_events_request",
    "StartRequest": ".start_request",
    "StorageProfile": ".storage_profile",
    "Subnet": ".subnet",
    "Tag": ".tag",
    "TrueFlag": ".true_flag",
    "VersionsResponse": ".versions_response",
    "Vhd": ".vhd",
    "VirtualMachineScaleSet": ".virtual_machine_scale_set",
    "WorkloadIdentityTokenRequest": ".workload_identity_token_request",
}


if not TYPE_CHECKING:
    # For type checkers, a module with `__getattr__` would have every name.

    def __getattr__(name: str) -> object:
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        try:
            module = import_module(_HOME[name], __name__)
        except AttributeError as error:
            # As an AttributeError, it would mean that this package lacks the name.
            raise ImportError(f"{__name__} cannot import {name}: AttributeError: {error}") from error
        value = globals()[name] = getattr(module, name)
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})


__all__ = (
    "AdditionalCapabilities",
    "AmdCertification",
    "AttestedData",
    "AttestedDocument",
    "AttestedTimeStamp",
    "CloudShellTokenRequest",
    "Compute",
    "DataDisk",
    "DiffDiskSettings",
    "DiskEncryptionKey",
    "DiskImage",
    "EncryptionSettings",
    "ErrorResponse",
    "Extended",
    "ExtendedCompute",
    "ExtendedLocation",
    "Host",
    "HostGroup",
    "IdentityErrorResponse",
    "IdentityInfoResponse",
    "IdentityTokenResponse",
    "ImageReference",
    "InboundRule",
    "Instance",
    "InstancesGetMetadataFormat",
    "IpAddressBlock",
    "Ipv4Address",
    "Ipv4Configuration",
    "Ipv6Address",
    "Ipv6Configuration",
    "KeyEncryptionKey",
    "KnownAzureEnvironment",
    "KnownDiskCaching",
    "KnownEventSource",
    "KnownEventStatus",
    "KnownEventType",
    "KnownIdentityErrorCode",
    "KnownOsType",
    "KnownPpsType",
    "KnownPriority",
    "KnownSecurityType",
    "LoadBalancer",
    "LoadBalancerResponse",
    "ManagedDisk",
    "Network",
    "NetworkInterface",
    "OsDisk",
    "OsProfile",
    "OutboundRule",
    "Plan",
    "PublicIpAddress",
    "PublicKey",
    "ResourceDisk",
    "ScheduledEvent",
    "ScheduledEvents",
    "SecurityProfile",
    "SourceVault",
    "StartEventsRequest",
    "StartRequest",
    "StorageProfile",
    "Subnet",
    "Tag",
    "TrueFlag",
    "VersionsResponse",
    "Vhd",
    "VirtualMachineScaleSet",
    "WorkloadIdentityTokenRequest",
)
