"""examples/kubernetes_drain.py with the official client: on a small API server, and on kube-apiserver.

`make test-kubernetes` runs them on kube-apiserver too, and with the rights of examples/kubernetes_drain.yaml. The tests
are the kubelet of the node: a pod that was evicted is there until they confirm its end.
"""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from integration import parts
from integration.certificates import Certificate
from integration.kubernetes_api import ApiServer, Cluster, check, run_kube_apiserver, run_small_server

from azure_imds_emulator import Emulator
from emulator_support import wait_until
from support import ROOT

kubernetes = parts.module("kubernetes")

pytestmark = pytest.mark.integration

PROGRAM = ROOT / "examples" / "kubernetes_drain.py"
MANIFEST = ROOT / "examples" / "kubernetes_drain.yaml"
ACCOUNT = "azure-imds-drain"
MARGIN = 5.0

DOCUMENTS: list[dict[str, Any]] = list(yaml.safe_load_all(MANIFEST.read_text(encoding="utf-8")))
PARTS: dict[str, dict[str, Any]] = {document["kind"]: document for document in DOCUMENTS}

#: How many clusters this module has made, so that each has its own names.
COUNT = iter(range(1, 10**6))


REAL = pytest.param("kube-apiserver", marks=pytest.mark.large)

on_small_server = pytest.mark.parametrize("server", ["small"], indirect=True)
on_kube_apiserver = pytest.mark.parametrize("server", [REAL], indirect=True)


@pytest.fixture(scope="module", params=["small", REAL])
def server(
    request: pytest.FixtureRequest, certificate: Certificate, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ApiServer]:
    if request.param == "small":
        with run_small_server(certificate) as server:
            yield server
    else:
        with run_kube_apiserver(certificate, tmp_path_factory.mktemp("kubernetes")) as server:
            with server.connect() as client:
                kubernetes.utils.create_from_yaml(client, str(MANIFEST), field_validation="Strict")
            yield server


@pytest.fixture
def cluster(server: ApiServer, tmp_path: Path) -> Cluster:
    """A node without pods."""
    name = f"node-{next(COUNT)}"
    cluster = Cluster(server, name, name, tmp_path / "kubeconfig")
    cluster.api.create_node({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": {"a": "b"}}})
    # The API gives this taint to a node that is not ready yet, and a controller would remove it.
    cluster.api.patch_node(name, {"spec": {"taints": None}})
    token = "the-token-of-the-program"
    if server.is_real:
        cluster.api.create_namespace({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        token = make_token(cluster)
    server.write_kubeconfig(cluster.kubeconfig, token)
    return cluster


def make_token(cluster: Cluster) -> str:
    """Returns the token that a pod of the DaemonSet has on this node."""
    reference = {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": ACCOUNT, "uid": "1", "controller": True}
    template = PARTS["DaemonSet"]["spec"]["template"]
    body = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"{ACCOUNT}-{cluster.node}", "ownerReferences": [reference]} | template["metadata"],
        "spec": template["spec"] | {"nodeName": cluster.node},
    }
    pod = cluster.api.create_namespaced_pod("kube-system", body)
    bound = {"apiVersion": "v1", "kind": "Pod", "name": pod.metadata.name, "uid": pod.metadata.uid}
    request = {"spec": {"audiences": [], "boundObjectRef": bound}}
    answer = cluster.api.create_namespaced_service_account_token(ACCOUNT, "kube-system", request)
    return str(answer.status.token)


class Program:
    """The running program.

    Attributes:
        lines: its output so far.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(iter(self.process.stdout.readline, ""))

    @property
    def log(self) -> str:
        return "".join(self.lines)

    def wait(self, condition: Callable[[], bool]) -> None:
        """Waits for a condition. If the program ends or nothing happens, the test fails with its output."""

        def is_met() -> bool:
            assert self.process.poll() is None, self.log
            threading.Event().wait(0.05)
            return condition()

        try:
            wait_until(is_met)
        except AssertionError as error:
            raise AssertionError(self.log) from error

    def wait_for(self, pattern: str) -> None:
        self.wait(lambda: re.search(pattern, self.log) is not None)

    def end(self) -> int:
        self.process.terminate()
        status = self.process.wait(60)
        self._reader.join()
        return status


@contextmanager
def running(cluster: Cluster, emulator: Emulator, *arguments: str) -> Iterator[Program]:
    """Runs the program until the end of the block."""
    environment = {
        name: value for name, value in os.environ.items() if name not in ("KUBERNETES_SERVICE_HOST", "NODE_NAME")
    }
    environment |= {**emulator.environment, "NODE_NAME": cluster.node, "KUBECONFIG": str(cluster.kubeconfig)}
    command = [sys.executable, "-u", "-W", "error", str(PROGRAM), *arguments]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield Program(process)
        finally:
            process.kill()


def approvals(emulator: Emulator) -> int:
    return sum(request.method == "POST" for request in emulator.requests)


def test_the_pods_are_evicted_and_then_the_event_is_approved_once(cluster: Cluster, imds_emulator: Emulator) -> None:
    cluster.add_pod("web")
    cluster.add_pod("logs", owner="DaemonSet")
    cluster.add_pod("done", phase="Succeeded")
    mirror = {"kubernetes.io/config.mirror": "1", "kubernetes.io/config.source": "file"}
    cluster.add_pod("static", metadata={"annotations": mirror})
    with running(cluster, imds_emulator) as program:
        program.wait_for("watching")
        event = imds_emulator.schedule("Preempt")
        program.wait(lambda: cluster.is_ending("web"))
        assert cluster.is_cordoned
        assert approvals(imds_emulator) == 0
        cluster.end_pod("web")
        program.wait_for("drained and approved")
        program.wait(lambda: event.status == "Started")
    assert approvals(imds_emulator) == 1
    assert [name for name in ("logs", "done", "static") if cluster.is_ending(name)] == []
    assert cluster.notes == {
        "azure-imds/events": event.event_id,
        "azure-imds/approved": event.event_id,
        "azure-imds/cordoned": "true",
    }


def test_a_pod_that_its_budget_protects_is_evicted_as_soon_as_the_budget_allows_it(
    cluster: Cluster, imds_emulator: Emulator
) -> None:
    cluster.add_pod("web")
    cluster.add_pod("other")
    cluster.set_budget("budget", "web", allowed=0)
    imds_emulator.schedule("Preempt", notice=300)
    with running(cluster, imds_emulator) as program:
        program.wait_for("web: cannot be evicted now: 429")
        program.wait(lambda: cluster.is_ending("other"))
        assert not cluster.is_ending("web")
        cluster.set_budget("budget", "web", allowed=1)
        program.wait(lambda: cluster.is_ending("web"))


def test_a_pod_with_two_budgets_does_not_stop_the_drain_of_the_others(
    cluster: Cluster, imds_emulator: Emulator
) -> None:
    cluster.add_pod("a-web")
    cluster.add_pod("other")
    cluster.set_budget("one", "a-web", allowed=1)
    cluster.set_budget("two", "a-web", allowed=1)
    imds_emulator.schedule("Preempt", notice=300)
    with running(cluster, imds_emulator) as program:
        program.wait_for("a-web: cannot be evicted now: 500: This pod has more than one PodDisruptionBudget")
        program.wait(lambda: cluster.is_ending("other"))
        assert approvals(imds_emulator) == 0


def test_pods_end_before_the_event_starts(cluster: Cluster, imds_emulator: Emulator) -> None:
    cluster.add_pod("slow", terminationGracePeriodSeconds=3600)
    cluster.add_pod("quick", terminationGracePeriodSeconds=2)
    cluster.add_pod("ending", terminationGracePeriodSeconds=3600)
    cluster.api.delete_namespaced_pod("ending", cluster.namespace, body={"gracePeriodSeconds": 3600})
    event = imds_emulator.schedule("Preempt", notice=60)
    starts = datetime.fromtimestamp(event.not_before, UTC)
    with running(cluster, imds_emulator) as program:
        for name in ("slow", "quick"):
            program.wait(lambda name=name: cluster.is_ending(name))  # type: ignore[misc]
        program.wait(lambda: cluster.read_pod("ending").metadata.deletion_grace_period_seconds <= 60 - MARGIN)
    assert cluster.read_pod("quick").metadata.deletion_grace_period_seconds == 2
    assert 1 <= cluster.read_pod("slow").metadata.deletion_grace_period_seconds <= 60 - MARGIN
    assert cluster.read_pod("slow").metadata.deletion_timestamp < starts


def test_an_earlier_time_shortens_the_time_that_pods_have(cluster: Cluster, imds_emulator: Emulator) -> None:
    cluster.add_pod("slow", terminationGracePeriodSeconds=3600)
    imds_emulator.schedule("Redeploy", notice=900)
    with running(cluster, imds_emulator) as program:
        program.wait(lambda: cluster.is_ending("slow"))
        assert cluster.read_pod("slow").metadata.deletion_grace_period_seconds > 60
        imds_emulator.schedule("Preempt", notice=60)
        program.wait(lambda: cluster.read_pod("slow").metadata.deletion_grace_period_seconds <= 60 - MARGIN)


def test_a_cancelled_event_stops_the_drain_and_uncordons_the_node(cluster: Cluster, imds_emulator: Emulator) -> None:
    cluster.add_pod("web")
    cluster.set_budget("budget", "web", allowed=0)
    event = imds_emulator.schedule("Redeploy")
    with running(cluster, imds_emulator) as program:
        program.wait_for("cannot be evicted now")
        assert cluster.is_cordoned
        imds_emulator.events.cancel(event.event_id)
        program.wait_for("uncordoned")
    assert not cluster.is_cordoned
    assert cluster.notes == {}
    assert not cluster.is_ending("web")
    assert approvals(imds_emulator) == 0


def test_a_node_that_somebody_else_cordoned_stays_cordoned(cluster: Cluster, imds_emulator: Emulator) -> None:
    cluster.api.patch_node(cluster.node, {"spec": {"unschedulable": True}})
    event = imds_emulator.schedule("Redeploy")
    with running(cluster, imds_emulator) as program:
        program.wait(lambda: "azure-imds/events" in cluster.notes)
        imds_emulator.events.cancel(event.event_id)
        program.wait(lambda: cluster.notes == {})
    assert cluster.is_cordoned


def test_a_node_stays_cordoned_until_the_last_event_is_gone(cluster: Cluster, imds_emulator: Emulator) -> None:
    events = [imds_emulator.schedule("Redeploy"), imds_emulator.schedule("Reboot")]
    with running(cluster, imds_emulator, "--no-approve") as program:
        ids = " ".join(sorted(event.event_id for event in events))
        program.wait(lambda: cluster.notes.get("azure-imds/events") == ids)
        imds_emulator.events.cancel(events[0].event_id)
        program.wait(lambda: cluster.notes["azure-imds/events"] == events[1].event_id)
        assert cluster.is_cordoned
        imds_emulator.events.cancel(events[1].event_id)
        program.wait_for("uncordoned")
    assert not cluster.is_cordoned


def test_a_restart_approves_nothing_twice(cluster: Cluster, imds_emulator: Emulator) -> None:
    note = {"azure-imds/events": "E1", "azure-imds/approved": "E1", "azure-imds/cordoned": "true"}
    cluster.api.patch_node(cluster.node, {"metadata": {"annotations": note}, "spec": {"unschedulable": True}})
    imds_emulator.schedule("Redeploy", event_id="E1")
    imds_emulator.schedule("Reboot", event_id="E2")
    with running(cluster, imds_emulator) as program:
        program.wait_for("E2: drained and approved")
    assert "E1: drained" not in program.log
    assert approvals(imds_emulator) == 1
    assert cluster.notes["azure-imds/approved"] == "E1 E2"


def test_a_restart_continues_a_drain(cluster: Cluster, imds_emulator: Emulator) -> None:
    cluster.add_pod("web")
    imds_emulator.schedule("Redeploy")
    with running(cluster, imds_emulator) as program:
        program.wait(lambda: cluster.is_ending("web"))
        assert program.end() == 0
    assert cluster.is_cordoned
    with running(cluster, imds_emulator) as program:
        program.wait_for("watching")
        cluster.end_pod("web")
        program.wait_for("drained and approved")
    assert approvals(imds_emulator) == 1


def test_a_node_is_uncordoned_if_the_event_ended_while_the_program_was_not_running(
    cluster: Cluster, imds_emulator: Emulator
) -> None:
    note = {"azure-imds/events": "E1", "azure-imds/cordoned": "true"}
    cluster.api.patch_node(cluster.node, {"metadata": {"annotations": note}, "spec": {"unschedulable": True}})
    with running(cluster, imds_emulator) as program:
        program.wait_for("uncordoned")
    assert not cluster.is_cordoned
    assert cluster.notes == {}


def test_an_event_of_several_machines_is_not_approved(cluster: Cluster, imds_emulator: Emulator) -> None:
    name = imds_emulator.machine.name
    imds_emulator.schedule("Redeploy", resources=[name, "other"])
    with running(cluster, imds_emulator) as program:
        program.wait_for("not approved, because it also concerns other machines")
    assert cluster.is_cordoned
    assert approvals(imds_emulator) == 0


def test_a_pause_and_events_of_other_machines_are_ignored(cluster: Cluster, imds_emulator: Emulator) -> None:
    imds_emulator.schedule("Freeze")
    imds_emulator.schedule("Preempt", resources=["other"])
    imds_emulator.schedule("Redeploy", event_id="E1")
    with running(cluster, imds_emulator) as program:
        program.wait_for("E1: drained and approved")
    assert cluster.notes["azure-imds/events"] == "E1"


def test_an_event_that_has_started_is_not_approved(cluster: Cluster, imds_emulator: Emulator) -> None:
    cluster.add_pod("web")
    imds_emulator.schedule("Reboot", started=True)
    with running(cluster, imds_emulator) as program:
        program.wait(lambda: cluster.is_ending("web"))
        cluster.end_pod("web")
        program.wait(lambda: cluster.is_cordoned)
    assert approvals(imds_emulator) == 0


def test_an_eviction_does_not_concern_a_pod_that_has_replaced_another(cluster: Cluster) -> None:
    node = runpy.run_path(str(PROGRAM), run_name="program")["Node"](make_api(cluster), cluster.node)
    old = cluster.add_pod("db-0")
    cluster.end_pod("db-0")
    cluster.add_pod("db-0")
    node._evict(old, 20.0)
    assert not cluster.is_ending("db-0")
    cluster.end_pod("db-0")
    node._evict(old, 20.0)  # the pod is gone: no error


@on_small_server
def test_an_outage_of_the_api_is_survived(cluster: Cluster, imds_emulator: Emulator) -> None:
    small = cluster.server.small
    assert small is not None
    cluster.add_pod("web")
    with running(cluster, imds_emulator) as program:
        program.wait_for("watching")
        small.failures = 3
        imds_emulator.schedule("Preempt", notice=300)
        program.wait_for("503: the server is starting")
        program.wait(lambda: cluster.is_ending("web"))


@on_kube_apiserver
@pytest.mark.parametrize(
    ("patch", "message"),
    [
        ({"metadata": {"labels": {"a": "c"}}}, "may not change the labels"),
        ({"spec": {"taints": [{"key": "k", "effect": "NoSchedule"}]}}, "may not change the taints"),
    ],
    ids=["labels", "taints"],
)
def test_the_account_can_change_nothing_else_of_its_node(cluster: Cluster, patch: dict[str, Any], message: str) -> None:
    with pytest.raises(kubernetes.client.ApiException, match=message):
        make_api(cluster).patch_node(cluster.node, patch)


@on_kube_apiserver
def test_the_account_cannot_change_another_node(cluster: Cluster) -> None:
    cluster.api.create_node({"apiVersion": "v1", "kind": "Node", "metadata": {"name": f"{cluster.node}-other"}})
    with pytest.raises(kubernetes.client.ApiException, match="may change only its own node"):
        make_api(cluster).patch_node(f"{cluster.node}-other", {"spec": {"unschedulable": True}})


@on_kube_apiserver
def test_the_account_cannot_read_secrets_or_delete_pods(cluster: Cluster) -> None:
    api = make_api(cluster)
    with pytest.raises(kubernetes.client.ApiException, match="Forbidden"):
        api.list_secret_for_all_namespaces()
    with pytest.raises(kubernetes.client.ApiException, match="Forbidden"):
        api.delete_namespaced_pod("web", cluster.namespace)


def make_api(cluster: Cluster) -> Any:
    """Returns a client with the rights of the program."""
    kubernetes.config.load_kube_config(str(cluster.kubeconfig))
    return kubernetes.client.CoreV1Api()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--margin", "nan"], "argument --margin: nan: must be a number of seconds from 0 to 3600, such as 5"),
        (["--margin", "-1"], "argument --margin: -1: must be"),
        (["--margin", "5"], "No configuration found. Run it in a pod, or set KUBECONFIG"),
    ],
)
def test_wrong_settings_end_the_program_with_a_reason(tmp_path: Path, arguments: list[str], message: str) -> None:
    environment = {"PATH": os.environ["PATH"], "NODE_NAME": "node", "KUBECONFIG": str(tmp_path / "missing")}
    done = subprocess.run(
        [sys.executable, str(PROGRAM), *arguments], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode in (1, 2)
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("document", DOCUMENTS, ids=[document["kind"] for document in DOCUMENTS])
def test_the_description_of_the_api_has_each_member_of_the_manifest(document: dict[str, Any]) -> None:
    check(document, f"V1{document['kind']}")


def test_the_parts_of_the_manifest_match() -> None:
    account, role, binding = PARTS["ServiceAccount"]["metadata"], PARTS["ClusterRole"], PARTS["ClusterRoleBinding"]
    daemon = PARTS["DaemonSet"]
    pod = daemon["spec"]["template"]
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    assert binding["subjects"] == [{"kind": "ServiceAccount", **account}]
    assert pod["spec"]["serviceAccountName"] == account["name"]
    assert daemon["metadata"]["namespace"] == account["namespace"]
    assert daemon["spec"]["selector"]["matchLabels"] == pod["metadata"]["labels"]
    [condition] = PARTS["ValidatingAdmissionPolicy"]["spec"]["matchConditions"]
    assert f'"system:serviceaccount:{account["namespace"]}:{account["name"]}"' in condition["expression"]
    bound = PARTS["ValidatingAdmissionPolicyBinding"]["spec"]["policyName"]
    assert bound == PARTS["ValidatingAdmissionPolicy"]["metadata"]["name"]


def test_the_role_allows_what_the_program_does_and_nothing_else() -> None:
    rules = {(rule["resources"][0], *rule["verbs"]) for rule in PARTS["ClusterRole"]["rules"]}
    assert rules == {("nodes", "get", "patch"), ("pods", "list"), ("pods/eviction", "create")}


def test_the_pod_is_in_the_network_of_the_node_and_has_no_other_rights() -> None:
    spec = PARTS["DaemonSet"]["spec"]["template"]["spec"]
    [container] = spec["containers"]
    assert spec["hostNetwork"] is True
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
