"""API servers of Kubernetes: a small one of our own, and kube-apiserver.

kube-apiserver comes from no package registry, so only `make test-kubernetes` uses it, from the folder in the variable
KUBEBUILDER_ASSETS. The same tests run with both, which shows that the small one behaves like the real one.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from integration import parts
from integration.certificates import Certificate

kubernetes = parts.module("kubernetes")

ADMIN_TOKEN = "the-token-of-an-administrator"


@dataclass
class ApiServer:
    """A running API server.

    Attributes:
        url: its address.
        authority: the certificate that clients trust.
        is_real: whether it is kube-apiserver.
    """

    url: str
    authority: Path
    is_real: bool
    small: SmallServer | None = None

    def connect(self, token: str = ADMIN_TOKEN) -> Any:
        """Returns a client of the API that has this token."""
        configuration = kubernetes.client.Configuration(host=self.url)
        configuration.ssl_ca_cert = str(self.authority)
        configuration.api_key = {"authorization": f"Bearer {token}"}
        return kubernetes.client.ApiClient(configuration)

    def write_kubeconfig(self, path: Path, token: str) -> Path:
        cluster = {"server": self.url, "certificate-authority": str(self.authority)}
        settings = {
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": "test", "user": {"token": token}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
            "current-context": "test",
        }
        path.write_text(json.dumps(settings), encoding="utf-8")
        return path


@contextmanager
def run_kube_apiserver(certificate: Certificate, folder: Path) -> Iterator[ApiServer]:
    """Runs etcd and kube-apiserver until the end of the block."""
    assets = parts.package(Path(os.environ.get("KUBEBUILDER_ASSETS") or "KUBEBUILDER_ASSETS"), "setup-envtest")
    etcd_port, peer_port, port = free_ports(3)
    (folder / "tokens.csv").write_text(f'{ADMIN_TOKEN},admin,1,"system:masters"\n', encoding="utf-8")
    etcd_url, peer_url = f"http://127.0.0.1:{etcd_port}", f"http://127.0.0.1:{peer_port}"
    commands = [
        [
            shutil.which("etcd", path=assets) or "etcd",
            f"--data-dir={folder / 'etcd'}",
            f"--listen-client-urls={etcd_url}",
            f"--advertise-client-urls={etcd_url}",
            f"--listen-peer-urls={peer_url}",
        ],
        [
            str(parts.package(assets / "kube-apiserver", "setup-envtest")),
            f"--etcd-servers={etcd_url}",
            "--bind-address=127.0.0.1",
            f"--secure-port={port}",
            f"--tls-cert-file={certificate.certificate}",
            f"--tls-private-key-file={certificate.key}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={certificate.certificate}",
            f"--service-account-signing-key-file={certificate.key}",
            f"--token-auth-file={folder / 'tokens.csv'}",
            "--authorization-mode=RBAC",
            "--service-cluster-ip-range=10.0.0.0/24",
            # No controller is running that would create the account of each namespace.
            "--disable-admission-plugins=ServiceAccount",
        ],
    ]
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for command in commands:
            with (folder / f"{Path(command[0]).name}.log").open("wb") as output:
                processes.append(subprocess.Popen(command, cwd=folder, stdout=output, stderr=output))
        server = ApiServer(f"https://127.0.0.1:{port}", certificate.authority, is_real=True)
        wait_until_ready(server, processes, folder)
        yield server
    finally:
        for process in processes:  # nothing of them is used again
            process.kill()
            process.wait()


def wait_until_ready(server: ApiServer, processes: list[subprocess.Popen[bytes]], folder: Path) -> None:
    end = time.monotonic() + 100
    with server.connect() as client:
        while True:
            try:
                client.call_api("GET", f"{server.url}/readyz", _request_timeout=5).read()
                kubernetes.client.SchedulingV1Api(client).read_priority_class("system-node-critical")
                return
            except Exception as error:
                if time.monotonic() > end or any(process.poll() is not None for process in processes):
                    logs = "".join(log.read_text(errors="replace")[-3000:] for log in folder.glob("*.log"))
                    raise AssertionError(logs) from error
                time.sleep(0.2)


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@contextmanager
def run_small_server(certificate: Certificate) -> Iterator[ApiServer]:
    """Runs the small server until the end of the block."""
    server = SmallServer(("127.0.0.1", 0), Handler)
    server.socket = certificate.server_context().wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield ApiServer(f"https://127.0.0.1:{server.server_port}", certificate.authority, is_real=False, small=server)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Refusal(Exception):
    """An answer of the API with an error status."""

    def __init__(self, status: int, reason: str, message: str, **details: Any) -> None:
        self.status = status
        self.body = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            "reason": reason,
            "details": details,
            "code": status,
        }


#: The collections of the small server: the end of their path, and the model of the official client that describes them.
MODELS = {"nodes": "V1Node", "pods": "V1Pod", "poddisruptionbudgets": "V1PodDisruptionBudget"}

PATH = re.compile(
    r"/(?:api/v1|apis/policy/v1)(?:/namespaces/(?P<namespace>[^/]+))?/(?P<collection>nodes|pods|poddisruptionbudgets)"
    r"(?:/(?P<name>[^/]+)(?:/(?P<part>eviction|status))?)?"
)


class SmallServer(ThreadingHTTPServer):
    """The part of the API that a drain needs: nodes, pods, disruption budgets and evictions.

    What it receives is checked by the description of the API that the official client contains.

    Attributes:
        failures: how many of the next requests of the program fail with 503.
    """

    daemon_threads = True

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.lock = threading.Lock()
        self.objects: dict[tuple[str, str, str], dict[str, Any]] = {}
        self.version = 0
        self.failures = 0

    def answer(self, method: str, path: str, query: str, body: Any) -> dict[str, Any]:
        found = PATH.fullmatch(path)
        assert found, path
        collection, name = found["collection"], found["name"] or ""
        namespace = found["namespace"] or ""
        if method == "GET" and not name:
            return self.list(collection, query)
        if method == "POST" and found["part"] == "eviction":
            return self.evict(namespace, name, body)
        if method == "POST":
            return self.create(collection, namespace, body)
        current = self.find(collection, namespace, name)
        if method == "GET":
            return current
        if method == "DELETE":
            grace = (body or {}).get("gracePeriodSeconds", 30)
            return self.delete((collection, namespace, name), grace)
        assert method == "PATCH"
        return self.patch(collection, current, body)

    def list(self, collection: str, query: str) -> dict[str, Any]:
        node = re.fullmatch(r"fieldSelector=spec\.nodeName%3D(.+)", query)
        assert node, query
        items = [
            value
            for (kind, _, _), value in self.objects.items()
            if kind == collection and value["spec"].get("nodeName") == node[1]
        ]
        return {
            "kind": "PodList",
            "apiVersion": "v1",
            "metadata": {"resourceVersion": str(self.version)},
            "items": items,
        }

    def create(self, collection: str, namespace: str, body: Any) -> dict[str, Any]:
        check(body, MODELS[collection])
        key = (collection, namespace, body["metadata"]["name"])
        if key in self.objects:
            raise Refusal(409, "AlreadyExists", f'{collection} "{key[2]}" already exists')
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        body["metadata"] |= {"uid": str(uuid.uuid4()), "creationTimestamp": now}
        body.setdefault("spec", {})
        if namespace:
            body["metadata"]["namespace"] = namespace
        if collection == "pods":
            body["spec"].setdefault("terminationGracePeriodSeconds", 30)
            body["status"] = {"phase": "Pending"}
        self.objects[key] = body
        return self.changed(body)

    def changed(self, value: dict[str, Any]) -> dict[str, Any]:
        self.version += 1
        value["metadata"]["resourceVersion"] = str(self.version)
        return value

    def find(self, collection: str, namespace: str, name: str) -> dict[str, Any]:
        if value := self.objects.get((collection, namespace, name)):
            return value
        raise Refusal(404, "NotFound", f'{collection} "{name}" not found', name=name, kind=collection)

    def patch(self, collection: str, current: dict[str, Any], body: Any) -> dict[str, Any]:
        check(body, MODELS[collection])
        expected = body.get("metadata", {}).pop("resourceVersion", None)
        if expected not in (None, current["metadata"]["resourceVersion"]):
            raise Refusal(409, "Conflict", "the object has been modified")
        merge(current, body)
        return self.changed(current)

    def delete(self, key: tuple[str, str, str], grace: int) -> dict[str, Any]:
        """Deletes an object. A pod on a node stays until its node has confirmed its end, with a grace of 0."""
        value = self.objects[key]
        if grace == 0 or key[0] != "pods" or value["status"]["phase"] in ("Succeeded", "Failed"):
            return self.objects.pop(key)
        metadata = value["metadata"]
        if metadata.get("deletionGracePeriodSeconds", grace + 1) > grace:  # it only ever becomes shorter
            ends = datetime.now(UTC) + timedelta(seconds=grace)
            metadata |= {
                "deletionGracePeriodSeconds": grace,
                "deletionTimestamp": ends.strftime("%Y-%m-%dT%H:%M:%SZ"),
            }
            self.changed(value)
        return value

    def evict(self, namespace: str, name: str, body: Any) -> dict[str, Any]:
        check(body, "V1Eviction")
        pod = self.find("pods", namespace, name)
        metadata, options = pod["metadata"], body.get("deleteOptions", {})
        if options.get("preconditions", {}).get("uid", metadata["uid"]) != metadata["uid"]:
            raise Refusal(409, "Conflict", "the UID in the precondition does not match")
        # The disruption budget does not count for pods that are not ready, or that are being deleted.
        is_ready = any(
            one["type"] == "Ready" and one["status"] == "True" for one in pod["status"].get("conditions", [])
        )
        if is_ready and "deletionTimestamp" not in metadata:
            self.check_budgets(namespace, metadata.get("labels", {}))
        grace = options.get("gracePeriodSeconds", pod["spec"]["terminationGracePeriodSeconds"])
        self.delete(("pods", namespace, name), grace)
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}

    def check_budgets(self, namespace: str, labels: dict[str, str]) -> None:
        budgets = [
            value
            for (kind, where, _), value in self.objects.items()
            if kind == "poddisruptionbudgets"
            and where == namespace
            and value["spec"]["selector"]["matchLabels"].items() <= labels.items()
        ]
        if len(budgets) > 1:
            raise Refusal(
                500,
                "InternalError",
                "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
            )
        if budgets and not budgets[0].get("status", {}).get("disruptionsAllowed"):
            message = "Cannot evict pod as it would violate the pod's disruption budget."
            raise Refusal(429, "TooManyRequests", message, causes=[{"reason": "DisruptionBudget"}])


def merge(current: dict[str, Any], patch: dict[str, Any]) -> None:
    for key, value in patch.items():
        if value is None:
            current.pop(key, None)
        elif isinstance(value, dict):
            merge(current.setdefault(key, {}), value)
        else:
            current[key] = value


def check(value: Any, kind: str) -> None:
    """Refuses what the model of the official client does not describe, as fieldValidation=Strict does."""
    if value is None:
        return  # a patch removes a member so
    model = getattr(kubernetes.client, kind, None)
    if item := re.fullmatch(r"List\[(.+)\]", kind):
        for one in value:
            check(one, item[1])
    elif item := re.fullmatch(r"Dict\[str, (.+)\]", kind):
        for one in value.values():
            check(one, item[1])
    elif model is None:
        expected = {"str": str, "int": int, "bool": bool, "datetime": str, "object": object}[kind]
        if not isinstance(value, expected):
            raise Refusal(400, "BadRequest", f"strict decoding error: {value!r} is not of type {kind}")
    else:
        types = {json_name: model.openapi_types[name] for name, json_name in model.attribute_map.items()}
        for key, one in value.items():
            if key not in types:
                raise Refusal(400, "BadRequest", f'strict decoding error: unknown field "{key}" of {kind}')
            check(one, types[key])


class Handler(BaseHTTPRequestHandler):
    """HTTP for the small server. Every request must have a token."""

    protocol_version = "HTTP/1.1"
    server: SmallServer

    def respond(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(size) or "null")
        path, _, query = self.path.partition("?")
        try:
            scheme, _, token = (self.headers.get("Authorization") or "").partition(" ")
            if scheme != "Bearer":
                raise Refusal(401, "Unauthorized", "Unauthorized")
            with self.server.lock:
                if token != ADMIN_TOKEN and self.server.failures:
                    self.server.failures -= 1
                    raise Refusal(503, "ServiceUnavailable", "the server is starting")
                status, answer = 200, json.dumps(self.server.answer(self.command, path, query, body)).encode()
        except Refusal as refusal:
            status, answer = refusal.status, json.dumps(refusal.body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_PATCH = do_DELETE = respond

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


@dataclass
class Cluster:
    """One node of a cluster, as its operators and its kubelet see it.

    Attributes:
        node: the name of the node.
        namespace: the namespace of its pods.
        kubeconfig: the file for the program, with the rights that the manifest gives it.
    """

    server: ApiServer
    node: str
    namespace: str
    kubeconfig: Path
    api: Any = field(init=False)
    policies: Any = field(init=False)

    def __post_init__(self) -> None:
        client = self.server.connect()
        self.api, self.policies = kubernetes.client.CoreV1Api(client), kubernetes.client.PolicyV1Api(client)

    def add_pod(self, name: str, *, owner: str | None = None, phase: str = "Running", **options: Any) -> Any:
        """Adds a pod that runs on the node."""
        metadata: dict[str, Any] = {"name": name, "labels": {"app": name}, **options.pop("metadata", {})}
        if owner:
            reference = {"apiVersion": "apps/v1", "kind": owner, "name": "owner", "uid": "1", "controller": True}
            metadata["ownerReferences"] = [reference]
        spec = {"nodeName": self.node, "containers": [{"name": "main", "image": "example/main:1"}], **options}
        body = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
        self.api.create_namespaced_pod(self.namespace, body)
        ready = {"type": "Ready", "status": "True" if phase == "Running" else "False"}
        status = {"status": {"phase": phase, "conditions": [ready]}}
        return self.api.patch_namespaced_pod_status(name, self.namespace, status)

    def read_pod(self, name: str) -> Any:
        """Returns a pod, or None if it is gone."""
        try:
            return self.api.read_namespaced_pod(name, self.namespace)
        except kubernetes.client.ApiException as error:
            if error.status == 404:
                return None
            raise

    def is_ending(self, name: str) -> bool:
        pod = self.read_pod(name)
        return pod is None or pod.metadata.deletion_timestamp is not None

    def end_pod(self, name: str) -> None:
        """Confirms that the processes of a pod have ended, as a kubelet does."""
        self.api.delete_namespaced_pod(name, self.namespace, grace_period_seconds=0, body={"gracePeriodSeconds": 0})

    def set_budget(self, name: str, app: str, allowed: int) -> None:
        """Creates a disruption budget if needed, and sets how many disruptions it allows, as its controller does."""
        body = {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": name},
            "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": app}}},
        }
        try:
            self.policies.create_namespaced_pod_disruption_budget(self.namespace, body)
        except kubernetes.client.ApiException as error:
            if error.status != 409:
                raise
        counts = {"currentHealthy": 1, "desiredHealthy": 1, "expectedPods": 1, "observedGeneration": 1}
        status = {"status": {"disruptionsAllowed": allowed, **counts}}
        self.policies.patch_namespaced_pod_disruption_budget_status(name, self.namespace, status)

    def read_node(self) -> Any:
        return self.api.read_node(self.node)

    @property
    def is_cordoned(self) -> bool:
        return bool(self.read_node().spec.unschedulable)

    @property
    def notes(self) -> dict[str, str]:
        """The annotations of the program."""
        annotations = self.read_node().metadata.annotations or {}
        return {key: value for key, value in annotations.items() if key.startswith("azure-imds/")}
