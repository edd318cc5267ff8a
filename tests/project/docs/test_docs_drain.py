"""The program of docs/guides/drain-gunicorn.md, run against the emulator, and the image of drain-kubernetes.md."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest
import yaml

from azure_imds_emulator import Emulator
from docs_support import DOCS, find_blocks, find_commands, join_python, write_files
from support import ROOT

pytestmark = pytest.mark.integration

GUNICORN = DOCS / "guides" / "drain-gunicorn.md"
KUBERNETES = DOCS / "guides" / "drain-kubernetes.md"

#: Seconds after which a program is killed, so that a test that waits for its output fails.
TIME_LIMIT = 60


@contextmanager
def program(words: list[str], folder: Path, emulator: Emulator, **more: str) -> Iterator[subprocess.Popen[str]]:
    """Runs a program. At the end it is killed with all processes that it started, also after a failed assertion."""
    environment = {**os.environ, **emulator.environment, "PYTHONUNBUFFERED": "1", **more}
    with subprocess.Popen(
        words,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:

        def kill() -> None:
            with suppress(ProcessLookupError):  # all of its processes have ended
                os.killpg(process.pid, signal.SIGKILL)

        time_limit = threading.Timer(TIME_LIMIT, kill)
        time_limit.start()
        try:
            yield process
        finally:
            time_limit.cancel()
            kill()


def find_line(process: subprocess.Popen[str], pattern: str) -> str:
    """Reads until a line matches, and returns the match. Fails with all of the output if the program ends first."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if found := re.search(pattern, line):
            return found[0]
    raise AssertionError("".join(lines))


def rest(process: subprocess.Popen[str]) -> str:
    return process.communicate(timeout=TIME_LIMIT)[0]


@pytest.fixture
def web(tmp_path: Path) -> Path:
    """The folder with the files of the guide, which listens on a free port here."""
    write_files(GUNICORN, tmp_path)
    config = tmp_path / "gunicorn.conf.py"
    config.write_text(config.read_text(encoding="utf-8").replace(":8000", ":0"), encoding="utf-8")
    return tmp_path


@pytest.fixture
def serve() -> list[str]:
    """The command of the guide."""
    [(command, _)] = find_commands(GUNICORN)
    python, *words = command.split()
    assert python == "python"
    return [sys.executable, *words]


def address(process: subprocess.Popen[str]) -> str:
    return find_line(process, r"http://127\.0\.0\.1:\d+")


@pytest.mark.parametrize("page", [GUNICORN, KUBERNETES], ids=["gunicorn", "kubernetes"])
def test_the_guides_show_no_python_outside_the_files_that_these_tests_run(page: Path) -> None:
    assert join_python(page) == ""


def test_gunicorn_ends_before_an_eviction_which_is_then_approved(
    web: Path, serve: list[str], imds_emulator: Emulator
) -> None:
    with program(serve, web, imds_emulator) as process:
        assert httpx.get(address(process), trust_env=False).text == "here\n"
        imds_emulator.schedule("Preempt")
        output = rest(process)
    assert process.returncode == 0, output
    assert "Preempt: stopping gunicorn" in output
    assert [event.status for event in imds_emulator.events.events] == ["Started"]


def test_gunicorn_keeps_running_during_a_pause(web: Path, serve: list[str], imds_emulator: Emulator) -> None:
    imds_emulator.schedule("Freeze")
    with program(serve, web, imds_emulator) as process:
        assert httpx.get(address(process), trust_env=False).text == "here\n"
        imds_emulator.schedule("Preempt")
        output = rest(process)
    assert "Freeze" not in output
    assert [event.status for event in imds_emulator.events.events] == ["Scheduled", "Started"]


def test_sigterm_is_passed_on_to_gunicorn(web: Path, serve: list[str], imds_emulator: Emulator) -> None:
    with program(serve, web, imds_emulator) as process:
        address(process)
        process.terminate()
        assert "Handling signal: term" in rest(process)
    assert process.returncode == 0


def test_the_table_and_the_emulator_have_the_same_notices() -> None:
    from azure_imds_emulator.scheduled_event import NOTICE

    rows = dict(re.findall(r"^\| `(\w+)` \| (\d+) ", GUNICORN.read_text(encoding="utf-8"), re.MULTILINE))
    seconds = {kind: int(number) * (1 if kind == "Preempt" else 60) for kind, number in rows.items()}
    assert seconds == {kind: NOTICE[kind] for kind in rows}


def test_the_image_contains_the_program_of_the_guide_and_runs_it_as_the_user_of_the_manifest() -> None:
    [dockerfile] = find_blocks(KUBERNETES, "dockerfile")
    program, manifest = [block.source for block in find_blocks(KUBERNETES) if block.source]
    [(name, path)] = re.findall(r"^COPY (\S+) (\S+)$", dockerfile.text, re.MULTILINE)
    assert name == Path(program).name
    assert yaml.safe_load(dockerfile.text.rpartition("ENTRYPOINT ")[2]) == ["python", path]
    documents = list(yaml.safe_load_all((ROOT / manifest).read_text(encoding="utf-8")))
    [daemons] = [document["spec"] for document in documents if document["kind"] == "DaemonSet"]
    user = daemons["template"]["spec"]["securityContext"]
    assert f"USER {user['runAsUser']}:{user['runAsGroup']}\n" in dockerfile.text
