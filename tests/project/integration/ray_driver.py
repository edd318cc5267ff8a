"""A job on a Ray cluster, run with the Python that has Ray. It prints a line of JSON for each line that it reads.

An actor and a task start on one node. The first line that it reads asks where the actor is and which nodes are alive.
After `end`, it waits for the task.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy


def find_node() -> str:
    return str(ray.get_runtime_context().get_node_id())


@ray.remote(num_cpus=0.1)
class Actor:
    def find_node(self) -> str:
        return find_node()


@ray.remote(num_cpus=0.1, max_retries=0)
def work(seconds: float) -> str:
    time.sleep(seconds)
    return find_node()


def main(address: str, node_id: str, seconds: str) -> None:
    ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    here = NodeAffinitySchedulingStrategy(node_id, soft=True)
    actor: Any = Actor.options(scheduling_strategy=here, max_restarts=1, max_task_retries=-1).remote()
    task = work.options(scheduling_strategy=here).remote(float(seconds))
    new = work.options(scheduling_strategy=here)
    print(json.dumps({"actor": ray.get(actor.find_node.remote())}), flush=True)
    for line in sys.stdin:
        nodes = {node["NodeID"]: node.get("DeathReasonMessage") for node in ray.nodes() if not node["Alive"]}
        answer = {"actor": ray.get(actor.find_node.remote()), "new": ray.get(new.remote(0.0)), "dead": nodes}
        if line.strip() == "end":
            answer["task"] = ray.get(task)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
