# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
"""The specification's descriptions of operations and their arguments, as data. Importing this imports nothing else."""

from collections.abc import Mapping
from typing import NamedTuple


class Description(NamedTuple):
    """The description of one operation."""

    operation_id: str
    """The specification's `operationId`, such as `Identity_GetToken`."""
    summary: str
    """One line, without a period at its end."""
    description: str
    """Paragraphs of Markdown with blank lines between them. May be empty."""
    arguments: Mapping[str, str]
    """A description of each argument by its Python name, in the order of the method's signature."""
    deprecated: str = ""
    """The warning for callers, if the operation is deprecated."""


DESCRIPTIONS: Mapping[str, Description] = {
    "versions.get_versions": Description(
        operation_id="Versions_GetVersions",
        summary="List the API versions that this host supports",
        description=(
            "Returns the versions of /instance, oldest first, so the last one is the "
            "newest. Scheduled events\n"
            "have their own list, which may contain versions that are missing here."
        ),
        arguments={},
    ),
    "instances.get_metadata": Description(
        operation_id="Instances_GetMetadata",
        summary="Describe this virtual machine",
        description=(
            "Returns `compute`, `network` and, on request, `extended`. Almost all values "
            "are strings, including\n"
            'numbers and booleans. A field that does not apply is `""`, and an empty list '
            "is `[]`. Fields that\n"
            "are newer than the requested version are missing.\n"
            "\n"
            "The data can be out of date. Tags of a scale set are updated here after a "
            "restart, reimage or disk\n"
            "change, and a machine that has not changed for a long time may return old "
            "values. Early during\n"
            "boot the list of network interfaces can be incomplete. A classic (pre-ARM) "
            "machine returns\n"
            "`network` only. Azure Arc returns a subset of the fields.\n"
            "\n"
            "A single node, such as `compute/location`, can be read by its path, without "
            "the rest of the document."
        ),
        arguments={
            "api_version": (
                "Version of the document. The default is the oldest version with all fields "
                "that are documented today. Newer versions, up to 2025-04-07, document no "
                "further fields, and some hosts do not support them yet. If a host does not "
                "support the default, azure-imds falls back to an older version. Azure Stack "
                "Hub supports 2021-05-01 and older. Default: 2023-11-15."
            ),
            "format_": (
                "Format of the response: json, which is also the default. The text form is "
                "meant for sub-paths. For the whole document it contains only the names of "
                "the top-level nodes."
            ),
            "extended": (
                "Adds `extended`, which is meant for provisioning agents. Known from "
                "cloud-init and azure-init, not from Microsoft's documentation. cloud-init "
                "requests it at 2021-08-01, and repeats the request without it after a 400."
            ),
        },
    ),
    "attested.get_document": Description(
        operation_id="Attested_GetDocument",
        summary="Get a signed document about this virtual machine",
        description=(
            "Returns a PKCS #7 document in which Azure signs the id of the machine, its "
            "subscription, SKU,\n"
            "plan, license and a validity period.\n"
            "\n"
            "The recipient must verify the signature, the certificate chain up to a "
            "trusted root, the\n"
            "certificate's name (`metadata.azure.com` or a name below it; "
            "`metadata.azure.us` and\n"
            "`metadata.azure.cn` in those clouds), the nonce, `expiresOn`, and `vmId` "
            "against an independent\n"
            "source.\n"
            "\n"
            "The document proves that Azure issued it for this machine. It does not prove "
            "that the sender is\n"
            "this machine, because every process on the machine can request the document "
            "and pass it on. So let\n"
            "the verifier choose the nonce.\n"
            "\n"
            "Not available on Azure Stack Hub."
        ),
        arguments={
            "api_version": (
                "Version of the document, 2018-10-01 or later. The default is the version "
                "whose specification documents a nonce of up to 32 characters. All documented "
                "fields are older, and later versions document no change. Default: "
                "2023-07-01."
            ),
            "nonce": (
                "A value that the verifier has chosen. The signed data repeats it. Sources "
                "disagree about its form: Microsoft Learn requires ten digits, the 2023-07-01 "
                "specification allows up to 32 letters and digits, and 32 characters of "
                "base64url are known to work. Ten digits are the safest choice. Without a "
                "nonce, IMDS signs a UTC time stamp in its place."
            ),
        },
    ),
    "identity.get_token": Description(
        operation_id="Identity_GetToken",
        summary="Get an access token for a managed identity",
        description=(
            "Returns one access token for one resource. `client_id`, `object_id` or "
            "`msi_res_id` selects a\n"
            "user-assigned identity. Pass at most one of them. Without a selector, IMDS "
            "uses the\n"
            "system-assigned identity. If there is none, it uses the only user-assigned "
            "identity. If there are\n"
            "several, the request fails with 400.\n"
            "\n"
            "Azure caches tokens for about 24 hours per resource. So `expires_in` can be "
            "less than the full\n"
            "lifetime, and changes of roles or group memberships take hours to appear in "
            "tokens.\n"
            "\n"
            "The request fails with 400 if the machine has no such identity, or if the "
            "tenant does not know the\n"
            "resource. It fails with 404 while a new identity is not available yet, or "
            "while the host is being\n"
            "updated, and azure-imds retries that. It fails with 429 above 20 requests "
            "per second or 5 at the same\n"
            "time.\n"
            "\n"
            "On Azure Arc, azure-imds answers the agent's challenge, which requires read "
            "access to the agent's key\n"
            "file. Agents that support user-assigned identities repeat the selector in "
            "the response. Older agents\n"
            "ignore the selector and return a token of the system-assigned identity, "
            "which azure-imds rejects."
        ),
        arguments={
            "resource": (
                "App ID URI of the service that the token is for. It becomes the token's "
                "`aud` claim. Pass a resource, not a scope: omit `/.default`. Services "
                "compare the value character by character, so a trailing slash matters."
            ),
            "api_version": (
                "Version of the identity endpoints, 2018-02-01 or later. Every host supports "
                "the default, and no later change is documented. On Azure Arc, the default is "
                "2020-06-01. Default: 2018-10-01."
            ),
            "client_id": "Client (application) id of a user-assigned identity of this machine.",
            "object_id": "Object (principal) id of a user-assigned identity of this machine.",
            "msi_res_id": "Azure resource id of a user-assigned identity of this machine.",
            "authority": (
                "Token authority to use instead of the identity's own, as an https URL or a "
                "host name. Microsoft's specification defines it, but no known SDK sends it."
            ),
            "bypass_cache": (
                "Request a new token from Entra instead of the cached one. Microsoft's "
                "specification defines it, but the FAQ on managed identities says that a "
                "refresh before expiry cannot be forced."
            ),
        },
    ),
    "identity.get_info": Description(
        operation_id="Identity_GetInfo",
        summary="Get the tenant of the system-assigned identity",
        description=(
            "Returns the Entra tenant of the system-assigned identity. IMDS has no "
            "operation that lists\n"
            "identities. The response for a machine without a system-assigned identity is "
            "not documented.\n"
            "Expect 400. The request fails with 404 while a new identity is not available "
            "yet, as for tokens, and\n"
            "azure-imds retries that."
        ),
        arguments={
            "api_version": (
                "Version of the identity endpoints, 2018-02-01 or later. Every host supports "
                "the default, and no later change is documented. On Azure Arc, the default is "
                "2020-06-01. Default: 2018-10-01."
            ),
        },
    ),
    "scheduled_events.get_events": Description(
        operation_id="ScheduledEvents_GetEvents",
        summary="List scheduled events",
        description=(
            "Returns all scheduled and started events of the machine's group: an "
            "availability set, a scale-set\n"
            "placement group, a cloud service, or the machine alone. Every machine of the "
            "group gets the events\n"
            "of all, so look for your machine's name in `Resources`.\n"
            "\n"
            "The first request enables scheduled events for the machine. Its response may "
            "take two minutes, and\n"
            "events appear within five minutes. After 24 hours without a request they are "
            "disabled again. Poll\n"
            "about once per second.\n"
            "\n"
            "Minimum notice: Freeze and Reboot 15 minutes, Redeploy 10 minutes, Terminate "
            "5 to 15 minutes\n"
            "(configured in the scale set), Preempt 30 seconds. A host failure gives no "
            "notice. Its event is\n"
            "already Started when it first appears."
        ),
        arguments={
            "api_version": (
                "Version of scheduled events, which have their own list of versions: "
                "2017-08-01, 2017-11-01 (Preempt), 2019-01-01 (Terminate), 2019-04-01 "
                "(Description), 2019-08-01 (EventSource), 2020-07-01 (DurationInSeconds, "
                "current). The newest versions of /instance, such as 2025-04-07, are not in "
                "the list. Default: 2020-07-01."
            ),
        },
    ),
    "scheduled_events.start_events": Description(
        operation_id="ScheduledEvents_StartEvents",
        summary="Approve scheduled events, so that they start now",
        description=(
            "Approves one or more events, so that Azure does not wait until `NotBefore`. "
            "An approval applies to\n"
            "all machines that the event names, not only to this one. An event starts "
            "when every affected\n"
            "tenant has approved it, or when its time has come.\n"
            "\n"
            "Approving an event again succeeds, also after another machine has approved "
            "it. The response to an\n"
            "unknown `EventId` is not documented. Expect 400."
        ),
        arguments={
            "body": "The events to approve, by their ids.",
            "api_version": (
                "Version of scheduled events, which have their own list of versions: "
                "2017-08-01, 2017-11-01 (Preempt), 2019-01-01 (Terminate), 2019-04-01 "
                "(Description), 2019-08-01 (EventSource), 2020-07-01 (DurationInSeconds, "
                "current). The newest versions of /instance, such as 2025-04-07, are not in "
                "the list. Default: 2020-07-01."
            ),
        },
    ),
    "load_balancer.get_metadata": Description(
        operation_id="LoadBalancer_GetMetadata",
        summary="Get the load balancer configuration of this virtual machine",
        description=(
            "Returns the instance-level public IP addresses of this machine, and the "
            "inbound and outbound rules\n"
            "that apply to it. Only for machines behind a Standard load balancer or with "
            "a Standard public IP\n"
            "address, which /instance does not contain. Ports are integers here, unlike "
            "the strings of\n"
            "/instance.\n"
            "\n"
            "IPv6 addresses have brackets (`[2001:db8::4]`) according to the Kubernetes "
            "cloud provider, and no\n"
            "brackets in Microsoft's sample. Accept both.\n"
            "\n"
            "The request fails with 404 if the machine has no load balancer or one of the "
            "Basic SKU, and while\n"
            "the feature is still being enabled. Only the error text distinguishes these "
            "cases. Not available\n"
            "on Azure Stack Hub."
        ),
        arguments={
            "api_version": (
                "Version of the response, 2020-10-01 or later. The default is the version "
                "that introduced this operation. Microsoft's samples use it, so most hosts "
                "support it. No later addition is documented. 2023-07-01 is also in use. "
                "Default: 2020-10-01."
            ),
        },
    ),
    "trusted_hardware.get_amd_certification": Description(
        operation_id="TrustedHardware_GetAmdCertification",
        summary="Get AMD's certificates for the processor of this confidential machine",
        description=(
            "Returns the certificate of this processor for AMD SEV-SNP (VCEK) and its "
            "chain, with which an attestation\n"
            "report of the machine is verified. For confidential virtual machines, "
            "confidential AKS nodes and pods.\n"
            "\n"
            "Not verified: the response on other machines. The emulator returns 404, as "
            "for an unknown path. In a\n"
            "confidential container group, the endpoint is the address in "
            "Fabric_NodeIPOrFQDN with port 2377. Pass it as\n"
            "the endpoint."
        ),
        arguments={},
    ),
}
"""Descriptions by what users type, such as `identity.get_token`."""
