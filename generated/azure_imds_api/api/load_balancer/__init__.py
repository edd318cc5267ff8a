# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
"""Standard load balancer rules and Standard public IP addresses of the machine."""

from __future__ import annotations

from typing import Any

from ... import models
from .. import AsyncSend, Operation, Send
from . import load_balancer_get_metadata as _load_balancer_get_metadata


def _given(**arguments: Any) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value is not None}


LOAD_BALANCER_GET_METADATA: Operation[models.LoadBalancerResponse] = Operation(
    build=_load_balancer_get_metadata._get_kwargs,
    parse=_load_balancer_get_metadata._parse_response,
    id="LoadBalancer_GetMetadata",
    name="load_balancer.get_metadata",
    method="GET",
    path="/loadbalancer",
    success=[(200, 200)],
    rules={
        "api_version": {
            "example": "2020-10-01",
            "in": "query",
            "name": "api-version",
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}\\Z",
            "type": "string",
        },
        "metadata": {"enum": ["true"], "in": "header", "name": "Metadata", "type": "string"},
    },
    answer={"properties": {"loadbalancer": {"type": "object"}}, "required": ["loadbalancer"], "type": "object"},
    idempotent=True,
    version_fallback=True,
    hints={
        404: "This machine is not behind a Standard load balancer and has no Standard "
        "public address, or the feature is being enabled right now."
    },
)


class LoadBalancerOperations:
    """Standard load balancer rules and Standard public IP addresses of the machine."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def get_metadata(
        self,
        *,
        api_version: str | None = None,
    ) -> models.LoadBalancerResponse:
        """Get the load balancer configuration of this virtual machine

        Returns the instance-level public IP addresses of this machine, and the inbound and outbound rules
        that apply to it. Only for machines behind a Standard load balancer or with a Standard public IP
        address, which /instance does not contain. Ports are integers here, unlike the strings of
        /instance.

        IPv6 addresses have brackets (`[2001:db8::4]`) according to the Kubernetes cloud provider, and no
        brackets in Microsoft's sample. Accept both.

        The request fails with 404 if the machine has no load balancer or one of the Basic SKU, and while
        the feature is still being enabled. Only the error text distinguishes these cases. Not available
        on Azure Stack Hub.

        Args:
            api_version: Version of the response, 2020-10-01 or later. The default is the version that introduced
                this operation. Microsoft's samples use it, so most hosts support it. No later addition is documented.
                2023-07-01 is also in use. Default: 2020-10-01.

        Returns:
            LoadBalancerResponse: Addresses and rules. Each list may be empty.

        Raises:
            ImdsError: the call failed, or an argument is invalid. `azure_imds.errors` lists the classes.
        """
        return self._send(
            LOAD_BALANCER_GET_METADATA,
            _given(
                api_version=api_version,
            ),
        )


class AsyncLoadBalancerOperations:
    """Standard load balancer rules and Standard public IP addresses of the machine."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    async def get_metadata(
        self,
        *,
        api_version: str | None = None,
    ) -> models.LoadBalancerResponse:
        """Get the load balancer configuration of this virtual machine

        Returns the instance-level public IP addresses of this machine, and the inbound and outbound rules
        that apply to it. Only for machines behind a Standard load balancer or with a Standard public IP
        address, which /instance does not contain. Ports are integers here, unlike the strings of
        /instance.

        IPv6 addresses have brackets (`[2001:db8::4]`) according to the Kubernetes cloud provider, and no
        brackets in Microsoft's sample. Accept both.

        The request fails with 404 if the machine has no load balancer or one of the Basic SKU, and while
        the feature is still being enabled. Only the error text distinguishes these cases. Not available
        on Azure Stack Hub.

        Args:
            api_version: Version of the response, 2020-10-01 or later. The default is the version that introduced
                this operation. Microsoft's samples use it, so most hosts support it. No later addition is documented.
                2023-07-01 is also in use. Default: 2020-10-01.

        Returns:
            LoadBalancerResponse: Addresses and rules. Each list may be empty.

        Raises:
            ImdsError: the call failed, or an argument is invalid. `azure_imds.errors` lists the classes.
        """
        return await self._send(
            LOAD_BALANCER_GET_METADATA,
            _given(
                api_version=api_version,
            ),
        )
