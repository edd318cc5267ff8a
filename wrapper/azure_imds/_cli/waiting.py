"""`azure-imds wait`: waits until IMDS answers, or returns a token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._client.availability import AvailabilityWait
from ..errors import IdentityNotFoundError, ImdsError, ImdsUnavailableError
from .operations import find_operation
from .resources import check_request, resolve_resource
from .settings import Goal

if TYPE_CHECKING:
    from .._client.client import ImdsClient

#: Seconds that one request for a token may take. Hosts need longer for the first token than for metadata.
_CHECK_SECONDS = 15.0


def wait_for(goal: Goal, imds: ImdsClient, timeout: float, arguments: dict[str, Any], cloud: str | None = None) -> None:
    """Waits.

    Args:
        goal: what to wait for.
        imds: the client.
        timeout: seconds to wait at most.
        arguments: those of the request for a token, by Python name.
        cloud: the cloud in which the name of a resource is looked up. None: that of the machine.

    Raises:
        ImdsTimeoutError: the time is over. The message names the last problem.
        ImdsError: waiting does not help.
    """
    if goal is Goal.imds:
        imds.wait_until_available(timeout)
        return
    wait = AvailabilityWait(
        imds.options, timeout, caller="identity.get_token", failure="no token", check_seconds=_CHECK_SECONDS
    )
    while problem := _find_problem(imds.with_options(deadline=wait.check_seconds, retry=None), arguments, cloud):
        imds.options.clock.sleep(wait.pause_after(problem))


def _find_problem(imds: ImdsClient, arguments: dict[str, Any], cloud: str | None) -> ImdsError | None:
    """Why there is no token yet. None if there is one.

    Raises:
        ImdsError: waiting does not help.
    """
    try:
        check_request(find_operation("identity.get_token"), arguments, imds)
        resource: Any = resolve_resource(arguments["resource"], cloud, imds)
        imds.identity.get_token(**{**arguments, "resource": resource})
    except ImdsError as error:
        # An identity can be assigned while the machine starts, and its endpoint may not listen yet.
        if error.retryable or isinstance(error, (IdentityNotFoundError, ImdsUnavailableError)):
            return error
        raise
    return None
