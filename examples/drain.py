"""Drain a worker before Azure stops its machine.

The worker processes jobs from a queue. When Azure announces an eviction, deletion, move or restart of this machine, the
worker takes no new job, finishes the current job if there is time, and returns the remaining jobs. Then it approves the
event, so that Azure does not wait longer than needed, and exits. SIGTERM and Ctrl-C end it too.

Try it with the emulator:

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
    """Processes one job after the other until `drain` is called."""

    def __init__(self, jobs: Jobs) -> None:
        super().__init__(name="worker")
        self._jobs = jobs
        self._draining = threading.Event()

    def run(self) -> None:
        while not self._draining.is_set() and (job := self._jobs.get()) is not None:
            self._process(job)

    def _process(self, job: int) -> None:
        self._draining.wait(0.1)  # replace this with your work, which can check self._draining to finish early

    def drain(self, seconds: float | None = None) -> bool:
        """Takes no new job and waits for the current job. Returns whether it has finished."""
        self._draining.set()
        self._jobs.put(None)  # wakes a worker that waits for a job
        self.join(seconds)
        return not self.is_alive()


def give_back(jobs: Jobs) -> int:
    """Empties the queue and returns the number of jobs that were not started. Your program would requeue them."""
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
        # Not Freeze: it pauses the machine for a few seconds, and the worker continues afterwards.
        @watcher.on("Preempt", "Terminate", "Redeploy", "Reboot")
        def drain(change: EventChange, seconds: float | None) -> None:
            event = change.event
            print(f"{event.event_type} {event.event_id}: {event.description}", flush=True)
            finished = worker.drain(seconds or 10.0)  # 0.0: it has started already; None: its time is unknown
            watcher.stop()  # run() waits for this handler, so it can do the rest
            if finished:
                print(f"drained; {give_back(jobs)} jobs given back", flush=True)
                watcher.approve(change)
            else:
                print("the current job did not finish in time", flush=True)

        def stop(signum: int, frame: object) -> None:
            watcher.stop()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        worker.start()
        print("working", flush=True)
        try:
            watcher.run()
        finally:
            worker.drain()


if __name__ == "__main__":
    main()
