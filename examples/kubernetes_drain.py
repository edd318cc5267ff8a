"""Drain a Kubernetes node before Azure stops its machine.

It runs on each node, as the DaemonSet in kubernetes_drain.yaml. While an event of its machine is announced, it keeps
the node cordoned and evicts the pods, within the time that is left. When no pod is left, it approves the event, so that
Azure does not wait longer than needed. When the event was cancelled, or the machine is back, it uncordons the node.

What it has done is in annotations of the node, so after a restart it continues where it was.

Try it with the emulator and any cluster of which you have a kubeconfig. It evicts the pods of that node:

    azure-imds emulator --port 8169 --control-port 8170
    AZURE_POD_IDENTITY_AUTHORITY_HOST=http://127.0.0.1:8169 python kubernetes_drain.py --node NAME
    curl -H 'Content-Type: application/json' -d '{"event_type": "Preempt"}' http://127.0.0.1:8170/api/events
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import kubernetes
from kubernetes.client import (
    ApiClient,
    ApiException,
    Configuration,
    CoreV1Api,
    V1DeleteOptions,
    V1Eviction,
    V1Node,
    V1ObjectMeta,
    V1Pod,
    V1Preconditions,
)
from urllib3.exceptions import HTTPError

from azure_imds import EventChange, EventWatcher, ImdsClient, ImdsError

log = logging.getLogger("kubernetes_drain")

#: Annotations of the node: the ids of the announced events, the ids of those that this program approved, and whether it
#: cordoned the node.
EVENTS = "azure-imds/events"
APPROVED = "azure-imds/approved"
CORDONED = "azure-imds/cordoned"

#: Not Freeze: it pauses the machine for a few seconds, and the pods continue afterwards.
EVENT_TYPES = ["Preempt", "Terminate", "Redeploy", "Reboot"]

#: Seconds between two looks at the pods, for one request, and until a pod is tried again that its budget protects.
PAUSE = 1.0
TIMEOUT = 5.0
BLOCKED_PAUSE = 5.0


class Node:
    """This node and its pods, in the API of Kubernetes."""

    def __init__(self, api: CoreV1Api, name: str) -> None:
        self._api = api
        self.name = name
        self._blocked: dict[str, float] = {}
        self._reasons: dict[str, str] = {}

    def cordon(self, event_ids: Sequence[str]) -> list[str]:
        """Cordons the node for these events, unless it is. Returns the ids of those that are already approved."""
        node = self._read()
        notes, is_cordoned = notes_of(node), bool(node.spec and node.spec.unschedulable)
        approved = [event_id for event_id in notes.get(APPROVED, "").split() if event_id in event_ids]
        new = {EVENTS: " ".join(event_ids), APPROVED: " ".join(approved)}
        if CORDONED in notes or not is_cordoned:
            new[CORDONED] = "true"  # so it was not somebody else
        if new != notes or not is_cordoned:
            self._patch(node, new, unschedulable=True)
            log.info("%s: cordoned", self.name)
        return approved

    def note_approval(self, event_id: str) -> None:
        """Notes that an event is being approved."""
        node = self._read()
        self._patch(node, {APPROVED: " ".join([*notes_of(node).get(APPROVED, "").split(), event_id])})

    def read_events(self) -> list[str]:
        """Returns the ids of the events for which the node was drained."""
        return notes_of(self._read()).get(EVENTS, "").split()

    def release(self) -> None:
        """Uncordons the node if this program cordoned it, and removes the annotations."""
        node = self._read()
        nothing: dict[str, str | None] = {EVENTS: None, APPROVED: None, CORDONED: None}
        if CORDONED in notes_of(node):
            self._patch(node, nothing, unschedulable=None)
            log.info("%s: uncordoned", self.name)
        else:
            self._patch(node, nothing)

    def evict(self, seconds: float | None) -> int:
        """Evicts the pods, and returns how many are still there. It does not wait for them.

        Args:
            seconds: the time that the pods have to end. None: as long as each of them asks for.
        """
        pods = self._list_pods()
        for pod in pods:
            if must_be_evicted(pod, seconds) and self._blocked.get(uid_of(pod), 0.0) <= time.monotonic():
                self._evict(pod, seconds)
        return len(pods)

    def _list_pods(self) -> list[V1Pod]:
        answer = self._api.list_pod_for_all_namespaces(
            field_selector=f"spec.nodeName={self.name}", _request_timeout=TIMEOUT
        )
        return [pod for pod in answer.items if is_drained(pod)]

    def _evict(self, pod: V1Pod, seconds: float | None) -> None:
        metadata = pod.metadata or V1ObjectMeta()
        options = V1DeleteOptions(
            # Another pod may have the name by now, as in a StatefulSet.
            preconditions=V1Preconditions(uid=metadata.uid),
            grace_period_seconds=grace_seconds(pod, seconds),
        )
        eviction = V1Eviction(
            metadata=V1ObjectMeta(name=metadata.name, namespace=metadata.namespace), delete_options=options
        )
        try:
            self._api.create_namespaced_pod_eviction(
                metadata.name or "", metadata.namespace or "", eviction, _request_timeout=TIMEOUT
            )
        except (ApiException, HTTPError) as error:
            if isinstance(error, ApiException) and error.status in (404, 409):
                return  # deleted or replaced since it was listed
            # 429: its disruption budget does not allow it now. Other errors do not stop the drain of other pods: for
            # example, 500 if a pod has two budgets, and 403 if its namespace is being deleted.
            self._blocked[uid_of(pod)] = time.monotonic() + BLOCKED_PAUSE
            reason = explain(error)
            if self._reasons.get(uid_of(pod)) != reason:
                log.warning("%s: cannot be evicted now: %s", name_of(pod), reason)
            self._reasons[uid_of(pod)] = reason
        else:
            log.info("%s: evicted", name_of(pod))

    def _read(self) -> V1Node:
        return self._api.read_node(self.name, _request_timeout=TIMEOUT)

    def _patch(self, node: V1Node, notes: Mapping[str, str | None], **spec: bool | None) -> None:
        # If the node was changed since it was read, the answer is 409, and the next round reads it again.
        version = node.metadata.resource_version if node.metadata else None
        body = {"metadata": {"resourceVersion": version, "annotations": notes}, "spec": spec}
        self._api.patch_node(self.name, body, _request_timeout=TIMEOUT)


def notes_of(node: V1Node) -> dict[str, str]:
    """Returns the annotations that this program has written."""
    annotations = (node.metadata.annotations if node.metadata else None) or {}
    return {key: annotations[key] for key in (EVENTS, APPROVED, CORDONED) if key in annotations}


def is_drained(pod: V1Pod) -> bool:
    """Returns whether a drain concerns a pod.

    It does not concern pods that have ended, those of a DaemonSet, which would be created again, and static pods, which
    the API cannot delete.
    """
    metadata = pod.metadata or V1ObjectMeta()
    owners = metadata.owner_references or []
    return not (
        (pod.status and pod.status.phase in ("Succeeded", "Failed"))
        or "kubernetes.io/config.mirror" in (metadata.annotations or {})
        or any(owner.controller and owner.kind == "DaemonSet" for owner in owners)
    )


def must_be_evicted(pod: V1Pod, seconds: float | None) -> bool:
    """Returns whether to evict a pod: if it is not being deleted, or if that may take longer than the time left."""
    ends = pod.metadata.deletion_timestamp if pod.metadata else None
    if ends is None:
        return True
    # One second more, because these times are whole seconds.
    return seconds is not None and ends > datetime.now(UTC) + timedelta(seconds=seconds + 1)


def grace_seconds(pod: V1Pod, seconds: float | None) -> int | None:
    """Returns how long a pod may take to end, or None for the time that it asks for.

    With 0, the API would forget the pod while its processes are still running.
    """
    if seconds is None:
        return None
    own = pod.spec.termination_grace_period_seconds if pod.spec else None
    return max(1, min(int(seconds), 30 if own is None else own))


def name_of(pod: V1Pod) -> str:
    return f"{pod.metadata.namespace}/{pod.metadata.name}" if pod.metadata else ""


def uid_of(pod: V1Pod) -> str:
    return (pod.metadata.uid if pod.metadata else None) or ""


def explain(error: Exception) -> str:
    """Returns the message of an answer of the API."""
    if not isinstance(error, ApiException):
        return str(error)
    try:
        return f"{error.status}: {json.loads(error.body or '')['message']}"
    except (TypeError, ValueError, KeyError):
        return f"{error.status}: {error.reason}"


class Drainer:
    """Cordons, drains and approves while events are announced, and uncordons afterwards. It works in one thread."""

    def __init__(self, node: Node, imds: ImdsClient, watcher: EventWatcher[ImdsClient], options: Options) -> None:
        self._node = node
        self._imds = imds
        self._watcher = watcher
        self._options = options
        self._announced: dict[str, EventChange] = {}
        self._wake = threading.Event()
        self._wake.set()  # the node may have annotations from an earlier run
        self._stopped = False

    def notice(self, change: EventChange) -> None:
        """Takes a change of an event from the watcher."""
        event = change.event
        log.info("%s %s: %s, %s", event.event_type, event.event_id, change.kind, event.event_status)
        announced = dict(self._announced)
        if change.kind == "gone":
            announced.pop(event.event_id, None)
        else:
            announced[event.event_id] = change
        self._announced = announced  # a new dict, because the other thread reads it
        self._wake.set()

    def stop(self) -> None:
        self._stopped = True
        self._wake.set()

    def run(self) -> None:
        """Works until `stop()`. After an error it tries again."""
        pause: float | None = None
        failures = 0
        while not self._stopped:
            self._wake.wait(pause)
            self._wake.clear()
            try:
                pause, failures = self._work(self._announced), 0
            except (ApiException, HTTPError, ImdsError) as error:
                log.warning("%s: %s", self._node.name, explain(error))
                pause, failures = min(PAUSE * 2**failures, 8 * PAUSE), failures + 1

    def _work(self, announced: dict[str, EventChange]) -> float | None:
        """Does what is to be done now. Returns the seconds until the next time, or None to wait for a change."""
        if self._stopped:
            return None
        if not announced:
            return self._release()
        approved = self._node.cordon(sorted(announced))
        times = [left for change in announced.values() if (left := change.seconds_left()) is not None]
        if self._node.evict(max(0.0, min(times) - self._options.margin) if times else None):
            return PAUSE
        for event_id, change in announced.items():
            if change.event.event_status == "Scheduled" and event_id not in approved and self._options.approve:
                self._approve(change)
        return None

    def _approve(self, change: EventChange) -> None:
        event_id = change.event.event_id
        if len(change.event.resources) > 1:
            log.info("%s: not approved, because it also concerns other machines", event_id)
            return
        # First the note, then the approval: if this program ends in between, Azure waits until the announced time.
        self._node.note_approval(event_id)
        try:
            self._watcher.approve(change)
        except ImdsError as error:
            log.warning("%s: not approved, so it starts at its own time: %s", event_id, error)
        else:
            log.info("%s: drained and approved", event_id)

    def _release(self) -> float | None:
        events = self._node.read_events()
        if not events:
            return None
        # After a restart, the watcher may not have seen the events yet.
        if any(event.event_id in events for event in self._imds.scheduled_events.get_events().events):
            return BLOCKED_PAUSE
        self._node.release()
        return None


@dataclass
class Options:
    """The command line."""

    node: str
    on: list[str]
    margin: float
    approve: bool


def parse_seconds(text: str) -> float:
    if not 0 <= float(text) <= 3600:
        raise argparse.ArgumentTypeError(f"{text}: must be a number of seconds from 0 to 3600, such as 5")
    return float(text)


def parse_options() -> Options:
    parser = argparse.ArgumentParser(description="Drains a Kubernetes node before Azure stops its machine.")
    parser.add_argument(
        "--node",
        default=os.environ.get("NODE_NAME"),
        required="NODE_NAME" not in os.environ,
        help="name of this node in Kubernetes (default: the variable NODE_NAME)",
    )
    parser.add_argument(
        "--on",
        nargs="+",
        default=EVENT_TYPES,
        metavar="TYPE",
        help=f"types of events to drain for (default: {' '.join(EVENT_TYPES)})",
    )
    parser.add_argument(
        "--margin",
        type=parse_seconds,
        default=5.0,
        metavar="SECONDS",
        help="time between the end of the drain and the event (default: %(default)s)",
    )
    parser.add_argument(
        "--no-approve", dest="approve", action="store_false", help="let each event start at its own time"
    )
    return Options(**vars(parser.parse_args()))


def connect() -> CoreV1Api:
    """Connects as the pod's service account, or as the user of the kubeconfig."""
    try:
        if "KUBERNETES_SERVICE_HOST" in os.environ:
            kubernetes.config.load_incluster_config()  # type: ignore[no-untyped-call]
        else:
            kubernetes.config.load_kube_config()  # type: ignore[no-untyped-call]
    except kubernetes.config.ConfigException as error:
        sys.exit(f"kubernetes_drain.py: {error} Run it in a pod, or set KUBECONFIG to a file such as ~/.kube/config")
    configuration = Configuration.get_default_copy()
    configuration.retries = 0  # this program tries again by itself, as long as there is time
    return CoreV1Api(ApiClient(configuration))


def main() -> int:
    options = parse_options()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    types = {event_type.casefold() for event_type in options.on}
    failed: list[BaseException] = []

    with ImdsClient() as imds, EventWatcher(imds) as watcher:
        drainer = Drainer(Node(connect(), options.node), imds, watcher, options)

        def work() -> None:
            try:
                drainer.run()
            except BaseException as error:
                log.exception("%s: the program ends", options.node)
                failed.append(error)
                watcher.stop()

        def stop(signum: int, frame: object) -> None:
            watcher.stop()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        thread = threading.Thread(target=work, name="drain", daemon=True)
        thread.start()
        log.info("%s: watching", options.node)
        for change in watcher:
            if change.event.event_type.casefold() in types:
                drainer.notice(change)
        drainer.stop()
        thread.join(2 * TIMEOUT)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
