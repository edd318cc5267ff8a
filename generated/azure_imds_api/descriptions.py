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


DESCRIPTIONS: Mapping[str, Description] = {
    "versions.get_versions": Description(
        operation_id="Versions_GetVersions",
        summary="List the API versions that this host supports",
        description=(
            "The versions of /instance, oldest first: the last one is the newest. "
            "Scheduled events follows its own\n"
            "list, and may take versions that are missing here.\n"
            "\n"
            "The only operation without `api-version`. Microsoft's specification gives it "
            "no `Metadata` header\n"
            "either, but the general rule asks for the header and every known client "
            "sends it."
        ),
        arguments={},
    ),
    "instances.get_metadata": Description(
        operation_id="Instances_GetMetadata",
        summary="Describe this virtual machine",
        description=(
            "The whole document: `compute`, `network` and, on request, `extended`. Almost "
            "every scalar is a string,\n"
            'numbers and booleans too. A field that does not apply is `""`, a list '
            "without members is `[]`, and a\n"
            "field younger than the requested version is missing.\n"
            "\n"
            "Data may lag: tags of a scale set reach IMDS after a restart, reimage or "
            "disk change, and a machine\n"
            "that has not been touched for long may show old values. Early in boot the "
            "list of interfaces can be\n"
            "incomplete. A classic (pre-ARM) machine has `network` only. Azure Arc serves "
            "a subset of these fields.\n"
            "\n"
            "**Sub-paths.** Any key or array index of the document may be appended to the "
            "path, as in\n"
            "`/instance/compute/tagsList` or `/instance/network/interface/0/macAddress`. "
            "The answer is that node\n"
            "alone, without a wrapper, or 404 if there is none. Send keys in their exact "
            "case. An object or array\n"
            "comes as JSON. A scalar has no JSON form: without `format=text` it is "
            "answered with 400.\n"
            "\n"
            "**Text.** `format=text` turns a scalar into its bare value (empty body for "
            '`""`) and an object or\n'
            "array into the names of its children, one on a line; whether inner nodes end "
            "in `/` is not documented,\n"
            "so accept both. Only /instance and its sub-paths have a text form. This "
            "operation reads JSON."
        ),
        arguments={
            "api_version": (
                "Version of the document. The default is the oldest one with every field that "
                "is documented today; newer ones, up to 2025-04-07, document no more, and are "
                "missing on hosts that are updated late. A version that the host does not "
                "know is answered with 400 and `newest-versions`: choose from these, or ask "
                "/versions. On Azure Stack Hub use 2021-05-01 or older. Default: 2023-11-15."
            ),
            "format_": (
                "How to write the answer; json unless asked otherwise. For the whole document "
                "only json gives the model described here, since text lists names of "
                "children. text is for sub-paths."
            ),
            "extended": (
                "Adds `extended`, meant for provisioning agents. Known from cloud-init and "
                "azure-init, not from Microsoft's documentation. cloud-init asks for it at "
                "2021-08-01 and, if that is answered with 400, does without."
            ),
        },
    ),
    "attested.get_document": Description(
        operation_id="Attested_GetDocument",
        summary="Get a signed statement about this virtual machine",
        description=(
            "A PKCS #7 blob in which Azure signs the id of the machine, its subscription, "
            "SKU, plan, license and a\n"
            "time span. AttestedData describes what is inside. Whoever receives it has to "
            "verify: signature,\n"
            "certificate chain up to an allowed root, certificate name "
            "(`metadata.azure.com` or below;\n"
            "`metadata.azure.us` and `metadata.azure.cn` in those clouds), nonce, "
            "`expiresOn`, and `vmId` against a\n"
            "source of its own.\n"
            "\n"
            "It proves that Azure issued it for this machine, not that the sender is this "
            "machine: every process\n"
            "inside can fetch it and pass it on. Let the verifier choose the nonce.\n"
            "\n"
            "Not available on Azure Stack Hub. No sub-paths and no text form."
        ),
        arguments={
            "api_version": (
                "Version of the statement, 2018-10-01 or later. The default is the version "
                "whose specification documents a nonce of up to 32 characters; every "
                "documented field is older, and later versions document no change here. "
                "Default: 2023-07-01."
            ),
            "nonce": (
                "A value that the verifier chose, repeated inside the signed data. Sources "
                "disagree on its form: Learn asks for ten digits, the 2023-07-01 "
                "specification for up to 32 letters and digits, and 32 characters of "
                "base64url are used in the field with success. Ten digits are the most "
                "cautious choice. Without it, IMDS signs a UTC time stamp in its place."
            ),
        },
    ),
    "identity.get_token": Description(
        operation_id="Identity_GetToken",
        summary="Get an access token for a managed identity",
        description=(
            "One access token for one resource. Name the identity with at most one of "
            "`client_id`, `object_id` and\n"
            "`msi_res_id`. With none, the system-assigned identity answers if there is "
            "one; else the only\n"
            "user-assigned identity; with several of these the request is refused (400). "
            "So on a machine with a\n"
            "single user-assigned identity, a request without a name gives a token of "
            "that identity.\n"
            "\n"
            "Azure keeps tokens for about 24 hours per resource and hands out the stored "
            "one: `expires_in` is then\n"
            "less than a full life, and a change of roles or groups takes hours to show.\n"
            "\n"
            "400: IMDS is there, but has no identity to use, or the resource is unknown "
            "in the tenant. 404: may\n"
            "pass, since a fresh identity takes a while to arrive and an update of the "
            "host looks the same. 429:\n"
            "more than 20 a second or 5 at once.\n"
            "\n"
            "**Azure Arc.** Without `Authorization` the answer is 401, with the path of a "
            "key file in\n"
            "`Www-Authenticate`. Ask again with the content of that file to get the "
            "token. Agents that know\n"
            "user-assigned identities repeat the selector in the answer; older ones "
            "ignore it and give a token of\n"
            "the system-assigned identity."
        ),
        arguments={
            "resource": (
                "App ID URI of the service the token is for; it becomes the `aud` claim. A "
                "resource, not a scope: leave out `/.default`. Services compare it character "
                "by character, so a trailing slash matters."
            ),
            "api_version": (
                "Version of the identity endpoints, 2018-02-01 or later. Old enough for every "
                "host; no change is documented since. Azure Arc wants 2020-06-01. Default: "
                "2018-10-01."
            ),
            "client_id": "Client (application) id of a user-assigned identity of this machine.",
            "object_id": "Object (principal) id of a user-assigned identity of this machine.",
            "msi_res_id": (
                "Azure resource id of a user-assigned identity of this machine. Other hosts "
                "(App Service, for example) spell the parameter `mi_res_id`; Azure Arc "
                "ignores that spelling."
            ),
            "authority": (
                "The token authority to ask, as an https URL or a host, instead of the one "
                "the identity belongs to. In Microsoft's specification, but sent by no known "
                "SDK."
            ),
            "bypass_cache": (
                "Ask Entra for a new token rather than taking the stored one. In Microsoft's "
                "specification; the FAQ on managed identities, however, says that a refresh "
                "before expiry cannot be forced."
            ),
        },
    ),
    "identity.get_info": Description(
        operation_id="Identity_GetInfo",
        summary="Get the tenant of the machine's identity",
        description=(
            "The Entra tenant of the system-assigned identity, and nothing else: IMDS "
            "never lists identities. What\n"
            "a machine without a system-assigned identity gets is not documented; expect "
            "400. 404 may pass, as for\n"
            "tokens."
        ),
        arguments={
            "api_version": (
                "Version of the identity endpoints, 2018-02-01 or later. Old enough for every "
                "host; no change is documented since. Azure Arc wants 2020-06-01. Default: "
                "2018-10-01."
            ),
        },
    ),
    "scheduled_events.get_events": Description(
        operation_id="ScheduledEvents_GetEvents",
        summary="List the maintenance that is announced",
        description=(
            "All announced or running events of the group: an availability set, a "
            "scale-set placement group, a\n"
            "cloud service, or a machine of its own. Every member sees the events of all, "
            "so look for your own name\n"
            "in `Resources`.\n"
            "\n"
            "The first request switches the feature on. That answer may take two minutes, "
            "and events appear within\n"
            "five. After 24 hours without a request it is off again. Poll about once a "
            "second.\n"
            "\n"
            "Shortest notice: Freeze and Reboot 15 minutes, Redeploy 10 minutes, "
            "Terminate 5 to 15 minutes (as the\n"
            "scale set says), Preempt 30 seconds. A failure of the host gives no notice; "
            "its event is Started when\n"
            "first seen."
        ),
        arguments={
            "api_version": (
                "Version of scheduled events, whose list is its own: 2017-08-01, 2017-11-01 "
                "(Preempt), 2019-01-01 (Terminate), 2019-04-01 (Description), 2019-08-01 "
                "(EventSource), 2020-07-01 (DurationInSeconds, current). The newest versions "
                "of /instance, such as 2025-04-07, are not in it. Default: 2020-07-01."
            ),
        },
    ),
    "scheduled_events.start_events": Description(
        operation_id="ScheduledEvents_StartEvents",
        summary="Let announced events begin now",
        description=(
            "Consents to one or more events, so that Azure need not wait for `NotBefore`. "
            "Consent holds for all\n"
            "machines named in the event, not only for this one. An event begins once "
            "every affected tenant has\n"
            "agreed or its time has come.\n"
            "\n"
            "Consenting again, or after another machine did, is answered with 200 as "
            "well. 400: the header or the\n"
            "body is malformed. What an unknown `EventId` gets is not documented; expect "
            "400."
        ),
        arguments={
            "body": "The request's body.",
            "api_version": (
                "Version of scheduled events, whose list is its own: 2017-08-01, 2017-11-01 "
                "(Preempt), 2019-01-01 (Terminate), 2019-04-01 (Description), 2019-08-01 "
                "(EventSource), 2020-07-01 (DurationInSeconds, current). The newest versions "
                "of /instance, such as 2025-04-07, are not in it. Default: 2020-07-01."
            ),
        },
    ),
    "load_balancer.get_metadata": Description(
        operation_id="LoadBalancer_GetMetadata",
        summary="Describe the load balancer in front of this virtual machine",
        description=(
            "Instance-level public addresses and the inbound and outbound rules that "
            "concern this machine. For\n"
            "machines behind a Standard load balancer or with a Standard public address; "
            "/instance shows no such\n"
            "address. Ports are integers here, unlike the strings of /instance.\n"
            "\n"
            "IPv6 addresses come in brackets (`[2001:db8::4]`) according to the "
            "Kubernetes cloud provider, bare in\n"
            "Microsoft's sample: accept both.\n"
            "\n"
            "404 has three meanings: no load balancer here or one of the Basic SKU, a "
            "wrong path, or a feature that\n"
            "is still being enabled. Only the text tells them apart. Not available on "
            "Azure Stack Hub."
        ),
        arguments={
            "api_version": (
                "Version of the answer, 2020-10-01 or later. The default is the version that "
                "introduced the category, the one in Microsoft's own samples and so the one "
                "on most hosts; nothing is documented as added since. 2023-07-01 is in use in "
                "the field too. Default: 2020-10-01."
            ),
        },
    ),
}
"""Descriptions by what users type, such as `identity.get_token`."""
