"""Drain a worker before Azure takes its machine away.

The worker takes jobs from a queue. When this machine is about to be evicted, deleted, moved or restarted, it takes no
further job, finishes the one in hand while there is time, and gives the rest back. Then it approves the event, so that
nobody waits longer than needed, and ends. SIGTERM and Ctrl-C end it as well.

With the emulator:

    azure-imds emulator --port 8169 --control-port 8170
    AZURE_POD_IDENTITY_AUTHORITY_HOST=http://127.0.0.1:8169 python drain.py
    curl -H 'Content-Type: application/json' -d '{"event_type": "Preempt"}' http://127.0.0.1:8170/api/events
"""

from __future__ import annotations

import queue
import signal
import threading

from azure_imds import EventChange, EventWatcher, ImdsClient

Jobs = queue.SimpleQueue[int | None]


class Worker(threading.Thread):
    """Does one job after the other, until it is drained."""

    def __init__(self, jobs: Jobs) -> None:
        super().__init__(name="worker")
        self._jobs = jobs
        self._draining = threading.Event()

    def run(self) -> None:
        while not self._draining.is_set() and (job := self._jobs.get()) is not None:
            self._do(job)

    def _do(self, job: int) -> None:
        self._draining.wait(0.1)  # your work; it may look at self._draining to come to an end sooner

    def drain(self, seconds: float | None = None) -> bool:
        """Takes no further job, and waits for the one in hand; whether it was finished."""
        self._draining.set()
        self._jobs.put(None)  # wakes a worker that waits for a job
        self.join(seconds)
        return not self.is_alive()


def give_back(jobs: Jobs) -> int:
    """Empties the queue and says how many jobs nobody has begun. Yours would go back to where they came from."""
    count = 0
    while not jobs.empty():
        count += jobs.get() is not None
    return count


def main() -> None:
    jobs: Jobs = queue.SimpleQueue()
    for job in range(1000):
        jobs.put(job)
    worker = Worker(jobs)

    with ImdsClient() as imds, EventWatcher(imds) as watcher:

        def leave(change: EventChange, seconds: float | None) -> None:
            event = change.event
            print(f"{event.event_type} {event.event_id}: {event.description}", flush=True)
            finished = worker.drain(seconds or 10.0)  # 0.0: it has begun already; None: nobody knows when it will
            watcher.stop()  # run() waits for its handlers, so that there is time for the rest
            if finished:
                print(f"drained; {give_back(jobs)} jobs given back", flush=True)
                watcher.approve(change)
            else:
                print("left in the middle of a job", flush=True)

        watcher.on_preempt(leave)
        watcher.on_terminate(leave)
        watcher.on_redeploy(leave)
        watcher.on_reboot(leave)  # Freeze is a pause of seconds: the worker need not know

        def end(signum: int, frame: object) -> None:
            watcher.stop()

        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, end)
        worker.start()
        print("working", flush=True)
        try:
            watcher.run()
        finally:
            worker.drain()


if __name__ == "__main__":
    main()
