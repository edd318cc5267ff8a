"""Run a Ray node, and drain it before Azure stops its machine.

Start the node with this program instead of `ray start`:

    python ray_drain.py -- ray start --address=HEAD:6379 --block

When an event of this machine is announced, it asks Ray to drain the node until the event starts: the node gets no new
task or actor. It stops the node when nothing is running on it, or when the time is over, and then approves the event.
Actors with `max_restarts`, and tasks with retries, continue on other nodes.

It ends when the event is over, with status 0. Then a supervisor such as systemd starts it again, as a new node.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

from azure_imds import EventChange, EventWatcher, ImdsClient, ImdsError

log = logging.getLogger("ray_drain")

#: Not Freeze: it pauses the machine for a few seconds, and the node continues afterwards.
EVENT_TYPES = ["Preempt", "Terminate", "Redeploy", "Reboot"]


class Node:
    """The Ray node of this machine, as a process.

    Args:
        command: the command that runs it. It ends when the node ends.
        drain_options: options of `ray drain-node`, if it cannot find the node without them.
        grace: seconds that tasks and actors may continue to run after the start of a drain.
    """

    def __init__(self, command: list[str], drain_options: list[str], grace: float) -> None:
        # On SIGTERM, Ray would drain once more, for 30 seconds.
        self.process = subprocess.Popen(command, env=os.environ | {"RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": "0"})
        self._drain_options = drain_options
        self._grace = grace

    def drain(self, reason: str, seconds_left: Callable[[], float | None]) -> None:
        """Drains the node, and returns when it has ended.

        Args:
            reason: a text that Ray shows.
            seconds_left: returns the time until the node must have ended. None: there is no limit but the grace.
        """
        end = time.monotonic() + self._grace

        def left() -> float:
            limit = seconds_left()
            return min(end - time.monotonic(), self._grace if limit is None else limit)

        log.info("%s: draining the node for %.0f seconds", reason, max(0.0, left()))
        command = ["ray", "drain-node", "--reason", "DRAIN_NODE_REASON_PREEMPTION", "--reason-message", reason]
        command += ["--deadline-remaining-seconds", str(max(0, int(left()))), *self._drain_options]
        try:
            subprocess.run(command, check=True, timeout=max(5.0, left()), stdout=subprocess.DEVNULL)
        except (OSError, subprocess.SubprocessError) as error:
            log.warning("the node gets new tasks until it ends: %s", error)
        while self._has_raylet() and left() > 0:
            time.sleep(0.5)
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        log.info("the node has ended")

    def _has_raylet(self) -> bool:
        """Returns whether the node is still there. `ray start --block` continues after its raylet has ended itself."""
        search = ["pgrep", "--parent", str(self.process.pid), "--exact", "raylet"]
        try:
            return subprocess.run(search, stdout=subprocess.DEVNULL).returncode == 0
        except OSError:  # there is no pgrep, so an idle node does not end early
            return self.process.poll() is None


class Program:
    """Watches for events while the node is running."""

    def __init__(self, node: Node, watcher: EventWatcher[ImdsClient], margin: float) -> None:
        self._node = node
        self._watcher = watcher
        self._margin = margin
        self._change: EventChange | None = None
        self._drainer: threading.Thread | None = None

    def run(self) -> int:
        """Returns 0 after a drain, or the status of the node if it has ended by itself."""
        threading.Thread(target=self._watch_process, daemon=True).start()
        for change in self._watcher:
            if self._change is None:
                if change.event.event_type in EVENT_TYPES and change.kind != "gone":
                    self._change = change
                    self._drainer = threading.Thread(target=self._drain)
                    self._drainer.start()
            elif change.event.event_id == self._change.event.event_id:
                self._change = change  # the time of the event may have moved
                if change.kind == "gone":
                    break
        if self._drainer is not None:
            self._drainer.join()
            return 0
        if self._node.process.poll() is None:
            self._node.drain("stopped", lambda: None)
            return 0
        return self._node.process.wait()

    def _watch_process(self) -> None:
        self._node.process.wait()
        if self._drainer is None:
            self._watcher.stop()

    def _seconds_left(self) -> float | None:
        assert self._change is not None
        left = self._change.seconds_left()
        return None if left is None else left - self._margin

    def _drain(self) -> None:
        assert self._change is not None
        self._node.drain(f"Azure: {self._change.event.event_type}", self._seconds_left)
        event = self._change.event
        if self._change.kind == "gone" or event.event_status != "Scheduled":
            return
        if len(event.resources) > 1:
            log.info("%s: not approved, because it also concerns other machines", event.event_id)
            return
        try:
            self._watcher.approve(event)
            log.info("%s: approved", event.event_id)
        except ImdsError as error:
            log.warning("%s: not approved, so it starts at its own time: %s", event.event_id, error)


def main() -> int:
    parser = argparse.ArgumentParser(description="Runs a Ray node, and drains it before Azure stops its machine.")
    parser.add_argument("command", nargs="+", help="the command that runs the node, after --")
    parser.add_argument("--address", help="address of the cluster (default: that of this machine's node)")
    parser.add_argument("--node-id", help="id of the node (default: that of this machine's node)")
    parser.add_argument(
        "--grace",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="how long tasks and actors may continue to run after the start of a drain (default: %(default)s)",
    )
    parser.add_argument(
        "--margin",
        type=float,
        default=10.0,
        metavar="SECONDS",
        help="time between the end of the drain and the event (default: %(default)s)",
    )
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    drain_options = [
        *(("--address", options.address) if options.address else ()),
        *(("--node-id", options.node_id) if options.node_id else ()),
    ]

    with ImdsClient() as imds, EventWatcher(imds) as watcher:

        def stop(signum: int, frame: object) -> None:
            watcher.stop()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        node = Node(options.command, drain_options, options.grace)
        return Program(node, watcher, options.margin).run()


if __name__ == "__main__":
    sys.exit(main())
