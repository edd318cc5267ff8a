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
        self._announced: dict[str, EventChange] = {}
        self._drainer: threading.Thread | None = None

    def run(self) -> int:
        """Returns 0 after a drain, or the status of the node if it has ended by itself."""
        threading.Thread(target=self._watch_process, daemon=True).start()
        for change in self._watcher:
            if change.event.event_type not in EVENT_TYPES:
                continue
            # A new dict, because the other thread reads it.
            self._announced = {**self._announced, change.event.event_id: change}
            if self._drainer is None:
                self._drainer = threading.Thread(target=self._drain, args=(change.event.event_type,))
                self._drainer.start()
            if all(known.kind == "gone" for known in self._announced.values()):
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
        times = [left for change in self._announced.values() if (left := change.seconds_left()) is not None]
        return min(times) - self._margin if times else None

    def _drain(self, event_type: str) -> None:
        self._node.drain(f"Azure: {event_type}", self._seconds_left)
        for change in self._announced.values():
            if change.kind != "gone" and change.event.event_status == "Scheduled":
                self._approve(change)

    def _approve(self, change: EventChange) -> None:
        event_id = change.event.event_id
        if len(change.event.resources) > 1:
            log.info("%s: not approved, because it also concerns other machines", event_id)
            return
        try:
            self._watcher.approve(change)
        except ImdsError as error:
            log.warning("%s: not approved, so it starts at its own time: %s", event_id, error)
        else:
            log.info("%s: approved", event_id)


def parse_seconds(text: str) -> float:
    if not 0 <= float(text) <= 3600:
        raise argparse.ArgumentTypeError(f"{text}: must be a number of seconds from 0 to 3600, such as 60")
    return float(text)


def main() -> int:
    parser = argparse.ArgumentParser(description="Runs a Ray node, and drains it before Azure stops its machine.")
    parser.add_argument("command", nargs="+", help="the command that runs the node, after --")
    parser.add_argument("--address", help="address of the cluster (default: that of this machine's node)")
    parser.add_argument("--node-id", help="id of the node (default: that of this machine's node)")
    parser.add_argument(
        "--grace",
        type=parse_seconds,
        default=60.0,
        metavar="SECONDS",
        help="how long tasks and actors may continue to run after the start of a drain (default: %(default)s)",
    )
    parser.add_argument(
        "--margin",
        type=parse_seconds,
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
        try:
            node = Node(options.command, drain_options, options.grace)
        except OSError as error:
            parser.error(f"{options.command[0]}: cannot be started: {error.strerror}. An example: -- ray start --block")
        return Program(node, watcher, options.margin).run()


if __name__ == "__main__":
    sys.exit(main())
