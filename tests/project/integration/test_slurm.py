"""The Slurm part of docs/guides/drain-batch.md, with a controller and a node of Slurm, and the emulator."""

from __future__ import annotations

import getpass
import os
import platform
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from integration import parts

from azure_imds_emulator import Emulator
from docs_support import DOCS, find_commands, find_programs, write_files
from emulator_support import wait_until
from support import run_program

pytestmark = pytest.mark.integration

PAGE = DOCS / "guides" / "drain-batch.md"
NODE = "vm-example-0"
TIME_LIMIT = 60

CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
AuthType=auth/none
CredType=cred/none
SlurmUser={user}
SlurmdUser={user}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
PluginDir={plugins}
ProctrackType=proctrack/pgid
TaskPlugin=task/none
MpiDefault=none
SelectType=select/linear
KillWait=1
NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 CPUs=1 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def unpacked(path: str) -> Path:
    return parts.package(parts.DEBIAN_ROOT / path)


class Slurm:
    """A controller and a node with one processor, on loopback."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        libraries = next(unpacked("usr/lib").glob("*-linux-gnu"))
        plugins = libraries / "slurm-wlm"
        host = platform.node().partition(".")[0]
        with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
            ports = one.getsockname()[1], other.getsockname()[1]
        settings = folder / "slurm.conf"
        settings.write_text(
            CONFIGURATION.format(
                host=host, ports=ports, user=getpass.getuser(), folder=folder, plugins=plugins, node=NODE
            )
        )
        self.environment = {
            **os.environ,
            "SLURM_CONF": str(settings),
            "SLURM_NODE": NODE,
            "LD_LIBRARY_PATH": f"{libraries}:{plugins}",
            "PATH": f"{unpacked('usr/bin/scontrol').parent}:{find_programs()}",
        }

    def run(self, *command: str) -> str:
        done = run_program(list(command), timeout=TIME_LIMIT, env=self.environment, cwd=self.folder)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def submit(self, script: str, *options: str) -> str:
        return self.run("sbatch", "--parsable", "--output=job-%j", *options, f"--wrap={script}")

    @property
    def state(self) -> str:
        return self.run("sinfo", "--noheader", "--format=%T")

    def state_of(self, job: str) -> str:
        return self.run("squeue", "--noheader", "--format=%T", f"--jobs={job}")


@pytest.fixture
def slurm() -> Iterator[Slurm]:
    unpacked("usr/sbin/slurmctld-wlm")
    with ExitStack() as ending:
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        for name in ("state", "spool"):
            (folder / name).mkdir()
        cluster = Slurm(folder)
        stepd = str(unpacked("usr/sbin/slurmstepd-wlm"))
        for name, options in (("slurmctld", ["-i"]), ("slurmd", ["-N", NODE, "-d", stepd])):
            log = ending.enter_context(open(folder / f"{name}.log", "w"))
            process = subprocess.Popen(
                [unpacked(f"usr/sbin/{name}-wlm"), "-D", *options],
                env=cluster.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            ending.callback(end, process)
        wait_until(lambda: "idle" in query(cluster, "sinfo", "--noheader", "--format=%T"))
        ending.callback(cancel_jobs, cluster)
        yield cluster


def cancel_jobs(cluster: Slurm) -> None:
    """Ends all jobs and their processes, which would survive the daemons."""
    query(cluster, "scancel", "--state=PENDING")
    query(cluster, "scancel", "--state=RUNNING")
    wait_until(lambda: query(cluster, "squeue", "--noheader") == "")


def query(cluster: Slurm, *command: str) -> str:
    """What a command prints, also while the controller starts."""
    return run_program(list(command), timeout=TIME_LIMIT, env=cluster.environment).stdout


def end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def drain(cluster: Slurm, emulator: Emulator) -> str:
    """Runs the command of the page for one event, and returns its log."""
    write_files(PAGE, cluster.folder)
    [(command, _)] = find_commands(PAGE)
    environment = {**cluster.environment, **emulator.environment}
    done = run_program(["sh", "-c", f"exec {command} --once"], timeout=TIME_LIMIT, env=environment, cwd=cluster.folder)
    return done.stderr


def test_jobs_return_to_the_queue_before_an_eviction(slurm: Slurm, imds_emulator: Emulator) -> None:
    long = slurm.submit("touch begun; sleep 600", "--requeue")
    wait_until((slurm.folder / "begun").exists)
    waiting = slurm.submit("touch never", "--requeue")
    imds_emulator.schedule("Preempt", notice=28)
    log = drain(slurm, imds_emulator)
    assert [event.status for event in imds_emulator.events.events] == ["Started"], log
    assert slurm.state == "drained"
    assert slurm.run("sinfo", "--noheader", "--format=%E") == "Azure Preempt"
    assert (slurm.state_of(long), slurm.state_of(waiting)) == ("PENDING", "PENDING")
    assert not (slurm.folder / "never").exists()


def test_jobs_that_finish_in_time_are_waited_for(slurm: Slurm, imds_emulator: Emulator) -> None:
    job = slurm.submit("touch begun; sleep 3; touch ended", "--requeue")
    wait_until((slurm.folder / "begun").exists)
    imds_emulator.schedule("Reboot", notice=900)
    log = drain(slurm, imds_emulator)
    assert [event.status for event in imds_emulator.events.events] == ["Started"], log
    assert (slurm.folder / "ended").exists()
    assert slurm.run("scontrol", "show", "job", job).count("JobState=COMPLETED") == 1
    slurm.run("scontrol", "update", f"NodeName={NODE}", "State=RESUME")
    wait_until(lambda: slurm.state == "idle")


def test_a_job_that_may_not_run_twice_keeps_the_event_from_being_approved(
    slurm: Slurm, imds_emulator: Emulator
) -> None:
    slurm.submit("touch begun; sleep 600", "--no-requeue")
    wait_until((slurm.folder / "begun").exists)
    imds_emulator.schedule("Preempt", notice=28)
    log = drain(slurm, imds_emulator)
    assert "the command returned" in log
    assert [event.status for event in imds_emulator.events.events] == ["Scheduled"]
