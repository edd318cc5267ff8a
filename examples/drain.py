"""Drain a worker before Azure takes its machine away.

The worker takes jobs from a queue. When this machine is about to be evicted, deleted, moved or restarted, it takes no
further job, finishes the one in hand while there is time, and gives the rest back. Then it approves the event, so that
nobody waits longer than needed, and ends. SIGTERM ends it as well.
"""

from __future__ import annotations

import queue
import signal
import threading

from azure_imds import EventChange, EventWatcher, ImdsClient


class Worker(threading.Thread):
    """Does one job after the other, until it is drained."""

    def __init__(self, jobs: queue.SimpleQueue[int]) -> None:
        super().__init__(name="worker")
        self._jobs = jobs
        self._draining = threading.Event()

    def run(self) -> None:
        while not self._draining.is_set():
            self._do(self._jobs.get())

    def _do(self, job: int) -> None:
        self._draining.wait(0.1)  # your work; it may look at self._draining to come to an end sooner

    def drain(self, seconds: float | None = None) -> bool:
        """Takes no further job, and waits for the one in hand; whether it was finished."""
        self._draining.set()
        self._jobs.put(-1)  # wakes a worker that waits for a job
        self.join(seconds)
        return not self.is_alive()


def main() -> None:
    jobs: queue.SimpleQueue[int] = queue.SimpleQueue()
    for job in range(1000):
        jobs.put(job)
    worker = Worker(jobs)

    with ImdsClient() as imds, EventWatcher(imds) as watcher:

        def leave(change: EventChange, seconds: float | None) -> None:
            event = change.event
            print(f"{event.event_type} {event.event_id}: {event.description}", flush=True)
            finished = worker.drain(seconds or 10.0)  # 0.0: it has begun already; None: nobody knows when it will
            print(f"{'drained' if finished else 'left in the middle of a job'}; {jobs.qsize()} jobs given back")
            watcher.stop()  # run() waits for its handlers, so that there is time for the rest
            if finished:
                watcher.approve(change)

        watcher.on_preempt(leave)
        watcher.on_terminate(leave)
        watcher.on_redeploy(leave)
        watcher.on_reboot(leave)  # Freeze is a pause of seconds: the worker need not know

        def end(signum: int, frame: object) -> None:
            watcher.stop()

        signal.signal(signal.SIGTERM, end)
        worker.start()
        print("working", flush=True)
        watcher.run()

    worker.drain()


if __name__ == "__main__":
    main()
