"""The programs of events.md, cli.md and drain-gunicorn.md, and the image of drain-kubernetes.md, with the emulator."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from azure_imds_emulator import Emulator
from docs_support import DOCS, find_blocks, find_commands, find_programs, join_python, write_files
from emulator_support import wait_until
from support import ROOT

pytestmark = pytest.mark.integration

EVENTS, COMMANDS = DOCS / "events.md", DOCS / "cli.md"
CELERY = DOCS / "guides" / "drain-celery.md"
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
    command = find_commands(GUNICORN)[0][0]
    python, *words = command.split()
    assert python == "python"
    return [sys.executable, *words]


def address(process: subprocess.Popen[str]) -> str:
    return find_line(process, r"http://127\.0\.0\.1:\d+")


@pytest.mark.parametrize("page", [CELERY, GUNICORN, KUBERNETES], ids=["celery", "gunicorn", "kubernetes"])
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


@contextmanager
def drain(page: Path, folder: Path, emulator: Emulator) -> Iterator[subprocess.Popen[str]]:
    """Runs the command of a page that calls `azure-imds drain`, for one event."""
    command = find_commands(page)[-1][0]
    assert command.startswith("azure-imds drain ")
    words = ["sh", "-c", f"exec {command} --once"]
    with program(words, folder, emulator, PATH=find_programs()) as process:
        yield process


@contextmanager
def waited_for(process: subprocess.Popen[str]) -> Iterator[list[str]]:
    """Collects the output of a process, and waits for it as its parent, so that no zombie remains."""
    lines: list[str] = []

    def read() -> None:
        assert process.stdout is not None
        lines.extend(process.stdout)
        process.wait()

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    yield lines
    thread.join(TIME_LIMIT)


def test_the_command_of_the_guide_ends_gunicorn_and_its_requests_are_answered(
    web: Path, imds_emulator: Emulator
) -> None:
    (web / "app.py").write_text(
        "import time\n\n\n"
        "def app(environ, start_response):\n"
        "    open('begun', 'w').close()\n"
        "    time.sleep(2)\n"
        "    start_response('200 OK', [])\n"
        "    return [b'here']\n",
        encoding="utf-8",
    )
    words = [sys.executable, "-m", "gunicorn", "--pid", "gunicorn.pid", "app:app"]
    with program(words, web, imds_emulator) as server:
        url = address(server)
        with waited_for(server), ThreadPoolExecutor() as pool, drain(GUNICORN, web, imds_emulator) as process:
            answer = pool.submit(httpx.get, url, trust_env=False, timeout=30)
            wait_until((web / "begun").exists)
            imds_emulator.schedule("Preempt")
            output = rest(process)
            assert process.returncode == 0, output
            assert answer.result().text == "here"
    assert server.returncode == 0
    assert [event.status for event in imds_emulator.events.events] == ["Started"]


def test_a_process_that_saves_its_work_has_ended_before_the_approval(tmp_path: Path, imds_emulator: Emulator) -> None:
    [command] = re.findall(r"^azure-imds drain .*worker\.pid.*$", COMMANDS.read_text(encoding="utf-8"), re.MULTILINE)
    worker = "echo $$ > worker.pid; trap 'sleep 1; touch saved; exit 0' TERM; echo ready; while :; do sleep 0.1; done"
    with program(["sh", "-c", worker], tmp_path, imds_emulator) as process, waited_for(process) as lines:
        wait_until(lambda: lines == ["ready\n"])
        words = ["sh", "-c", f"exec {command} --once"]
        with program(words, tmp_path, imds_emulator, PATH=find_programs()) as drain_process:
            event = imds_emulator.schedule("Preempt")
            assert event.status == "Scheduled"
            wait_until(lambda: event.status == "Started")
            assert (tmp_path / "saved").exists()
            assert "approved" in rest(drain_process)


@contextmanager
def loop(folder: Path, emulator: Emulator, work: str = "time.sleep(1)") -> Iterator[subprocess.Popen[str]]:
    """Runs the loop of the page with other work, and yields it when the first job has begun."""
    [block] = [block for block in find_blocks(EVENTS) if block.title == "worker.py"]
    assert "time.sleep(1)" in block.text
    (folder / "worker.py").write_text(block.text.replace("time.sleep(1)", work), encoding="utf-8")
    with program([sys.executable, "-W", "error", "worker.py"], folder, emulator) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "job 1\n"
        yield process


def read_end(process: subprocess.Popen[str]) -> str:
    """Waits for the end, and returns the other lines. `communicate` would lose those that `readline` has buffered."""
    assert process.stdout is not None
    output = process.stdout.read()
    process.wait(TIME_LIMIT)
    return output


def test_the_loop_of_the_page_ends_before_the_approval(tmp_path: Path, imds_emulator: Emulator) -> None:
    with loop(tmp_path, imds_emulator) as process:
        event = imds_emulator.schedule("Preempt")
        output = read_end(process)
    assert output.endswith("saved\n")
    assert process.returncode == 0
    assert event.status == "Started"


def test_an_event_is_not_approved_before_the_loop_has_ended(tmp_path: Path, imds_emulator: Emulator) -> None:
    with loop(tmp_path, imds_emulator, "time.sleep(3)") as process:
        imds_emulator.schedule("Preempt", notice=5.5)
        output = read_end(process)
    assert "the worker has not finished" in output
    # The status depends on the time that has passed. The machine approves with a POST.
    assert {request.method for request in imds_emulator.requests} == {"GET"}


def test_ctrl_c_ends_the_loop_of_the_page(tmp_path: Path, imds_emulator: Emulator) -> None:
    with loop(tmp_path, imds_emulator) as process:
        process.send_signal(signal.SIGINT)
        assert "saved\n" in read_end(process)


def test_an_exception_ends_the_program_with_its_loop(tmp_path: Path, imds_emulator: Emulator) -> None:
    with loop(tmp_path, imds_emulator, "raise ValueError('no work')") as process:
        assert "no work" in read_end(process)


@pytest.fixture
def queue(tmp_path: Path) -> Path:
    """The folder with the files of the guide, and a broker that needs no server."""
    write_files(CELERY, tmp_path)
    config = tmp_path / "celeryconfig.py"
    text = config.read_text(encoding="utf-8").replace("redis://broker.example", "filesystem://").replace("= 15", "= 3")
    folders = {"data_folder_in": "queue", "data_folder_out": "queue", "control_folder": "control"}
    config.write_text(f"{text}broker_transport_options = {folders}\n", encoding="utf-8")
    for name in ("queue", "control"):
        (tmp_path / name).mkdir()
    return tmp_path


def work(folder: Path, emulator: Emulator) -> Any:
    """Starts the worker of the guide with two processes."""
    command = find_commands(CELERY)[0][0]
    assert command.startswith("REMAP_SIGTERM=SIGQUIT celery ")
    words = ["sh", "-c", f"{command.replace(' celery ', ' exec celery ')} --concurrency 2 --loglevel INFO"]
    return program(words, folder, emulator, PATH=find_programs(), C_FORCE_ROOT="1")


def count(lines: list[str], word: str) -> dict[str, int]:
    """How often each task has begun or ended."""
    return dict(Counter(re.findall(rf"\b{word} (\w+)", "".join(lines))))


def test_celery_finishes_or_returns_every_task_before_an_eviction(queue: Path, imds_emulator: Emulator) -> None:
    tasks = {"short": 2, "long": 12, "first": 0, "second": 0}
    code = "".join(f"tasks.work.delay({name!r}, {seconds})\n" for name, seconds in tasks.items())
    subprocess.run([sys.executable, "-c", f"import tasks\n{code}"], cwd=queue, check=True, timeout=TIME_LIMIT)
    with work(queue, imds_emulator) as worker, waited_for(worker) as before:
        wait_until(lambda: len(count(before, "begin")) == 2)
        with drain(CELERY, queue, imds_emulator) as process:
            imds_emulator.schedule("Preempt")
            output = rest(process)
            assert process.returncode == 0, output
    assert worker.returncode == 0, before
    assert [event.status for event in imds_emulator.events.events] == ["Started"]
    with work(queue, imds_emulator) as worker, waited_for(worker) as after:
        wait_until(lambda: len(count(after, "end")) + len(count(before, "end")) == len(tasks))
        worker.terminate()
    ended = Counter(count(before, "end")) + Counter(count(after, "end"))
    assert ended == dict.fromkeys(tasks, 1), "no task is lost, and none is finished twice"
    assert list((queue / "queue").iterdir()) == []


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
