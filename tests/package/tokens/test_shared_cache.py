"""The shared cache: one fetch for all processes, files that only the user can read, and never an error."""

from __future__ import annotations

import errno
import gc
import json
import logging
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from azure_imds import ImdsCredential, ImdsValidationError
from azure_imds._client.files import open_without_blocking
from azure_imds._tokens import private_files as _private_files
from azure_imds._tokens import shared_cache as _shared_cache
from azure_imds._tokens.access_token import AccessToken
from azure_imds._tokens.cache import Entry
from azure_imds._tokens.shared_cache import SharedCache
from azure_imds_emulator import Emulator
from injection import injected
from support import CANARY, CLIENT_ID, COLOURS, ROOT, Colour
from token_support import DAY, DOWN, FOREVER, HOUR, SCOPE, Clocks, Gate, Held, Imds, holding, number

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="owners and modes are POSIX's")

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

NOW = 1_700_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the cache. It does not exist yet."""
    return tmp_path / "tokens"


@pytest.fixture
def warnings(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    return lambda: [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


@contextmanager
def sharing(colour: Colour, folder: Any, imds: Imds, **options: Any) -> Iterator[Held]:
    with holding(colour, transport=imds, clock=imds.clock, shared_cache=folder, **options) as credential:
        yield credential


def files(folder: Path, kind: str = "json") -> list[Path]:
    return sorted(folder.glob(f"*.{kind}"))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def spoil(folder: Path, **changes: Any) -> None:
    """Changes members of the only token file."""
    (file,) = files(folder)
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def test_two_credentials_share_a_token(colour: Colour, folder: Path) -> None:
    imds = Imds(Clocks(NOW))
    with sharing(colour, folder, imds) as one, sharing(colour, folder, imds) as other:
        first, second = one.get_token(), other.get_token()
    assert first == second
    assert len(imds) == 1


def test_both_kinds_of_credential_share_a_token(folder: Path) -> None:
    imds = Imds(Clocks(NOW))
    for colour in COLOURS:
        with sharing(colour, folder, imds) as credential:
            assert number(credential.get_token()) == 1
    assert len(imds) == 1


def test_nothing_is_shared_by_default(colour: Colour, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with holding(colour, transport=Imds()) as credential:
        credential.get_token()
    assert not list(tmp_path.iterdir())


def test_a_shared_token_has_all_its_times(colour: Colour, folder: Path) -> None:
    imds = Imds(Clocks(NOW))
    with sharing(colour, folder, imds) as one:
        first = one.get_token()
    imds.clock.advance(DAY / 2 - 1)  # type: ignore[attr-defined]
    with sharing(colour, folder, imds) as other:
        assert other.get_token() == first
        other.wait_for_refreshes()
        assert len(imds) == 1
        imds.clock.advance(1)  # type: ignore[attr-defined]
        assert other.get_token() == first
        other.wait_for_refreshes()
        assert number(other.get_token()) == 2


def test_identities_resources_and_endpoints_do_not_share(folder: Path) -> None:
    imds = Imds(Clocks(NOW))
    ways: list[dict[str, Any]] = [
        {},
        {"client_id": CLIENT_ID},
        {"object_id": CLIENT_ID},
        {"resource_id": f"/{CLIENT_ID}"},
        {"endpoint": "http://127.0.0.1:1"},
    ]
    tokens = []
    for way in ways:
        for scope in ("https://a", "https://a/", "https://A"):
            with sharing(COLOURS[0], folder, imds, **way) as credential:
                tokens.append(number(credential.get_token(scope)))
    assert len(set(tokens)) == len(tokens) == 15


def test_members_of_enums_share_by_their_values(folder: Path) -> None:
    imds = Imds(Clocks(NOW))
    tokens = []
    for client_id in (CLIENT_ID, CLIENT_ID.replace("3", "5"), CLIENT_ID):
        identity = Enum("Identity", {"WEB": client_id}, type=str)
        with sharing(COLOURS[0], folder, imds, client_id=identity["WEB"]) as credential:
            tokens.append(number(credential.get_token()))
    assert tokens == [1, 2, 1]


def test_an_identity_is_the_same_in_any_case(folder: Path) -> None:
    imds = Imds(Clocks(NOW))
    for client_id in ("abcdef00-0000-0000-0000-000000000000", "ABCDEF00-0000-0000-0000-000000000000"):
        with sharing(COLOURS[0], folder, imds, client_id=client_id) as credential:
            assert number(credential.get_token()) == 1


def test_many_resources_in_one_process_do_not_wait_for_each_other(colour: Colour, folder: Path) -> None:
    imds, gate = Imds(Clocks(NOW)), Gate()
    imds.gates = [gate]
    with sharing(colour, folder, imds) as credential:
        held = credential.crowd(1, "https://a")
        gate.wait_for()
        credential.get_token("https://b")
        gate.open()
        held.results()


PROGRAM = """
import json, sys
from azure_imds import AsyncImdsCredential, ImdsCredential
kind, endpoint, folder, *scopes = sys.argv[1:]
options = {"endpoint": endpoint, "shared_cache": folder}
for scope in scopes:
    if kind == "sync":
        token = ImdsCredential(**options).get_token(scope)
    else:
        import anyio
        token = anyio.run(AsyncImdsCredential(**options).get_token, scope, backend=kind)
    print(json.dumps([token.token, token.expires_on, token.refresh_on]))
"""


@contextmanager
def process(*arguments: Any) -> Iterator[subprocess.Popen[str]]:
    """Runs the program. At the end it is killed, also after a failed assertion."""
    command = [sys.executable, "-W", "error", "-c", PROGRAM, *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as started:
        try:
            yield started
        finally:
            started.kill()


def test_processes_share_a_token_in_any_colour(folder: Path) -> None:
    with Emulator(rate_limits=True) as emulator, ExitStack() as stack:
        processes = [stack.enter_context(process(colour, emulator.endpoint, folder, SCOPE)) for colour in COLOURS]
        results = [started.communicate(timeout=FOREVER) for started in processes]
        assert len({out for out, _ in results}) == 1
        assert not [err for _, err in results if err]
        assert emulator.requests.total == 1


def test_a_process_that_starts_later_needs_no_imds(folder: Path) -> None:
    with Emulator() as emulator:
        endpoint = emulator.endpoint
        with process("sync", endpoint, folder, SCOPE) as started:
            first = started.communicate(timeout=FOREVER)
    with process("asyncio", endpoint, folder, SCOPE) as started:
        assert started.communicate(timeout=FOREVER) == first


def test_only_the_user_can_use_the_folder_and_its_files(colour: Colour, folder: Path) -> None:
    previous = os.umask(0)
    try:
        with sharing(colour, folder / "deep", Imds(Clocks(NOW))) as credential:
            credential.get_token()
    finally:
        os.umask(previous)
    assert mode(folder / "deep") == 0o700
    assert {mode(path) for path in (folder / "deep").iterdir()} == {0o600}
    assert {path.suffix for path in (folder / "deep").iterdir()} == {".json", ".lock"}


def test_no_file_name_reveals_identity_or_resource(colour: Colour, folder: Path) -> None:
    with sharing(colour, folder, Imds(Clocks(NOW), client_id=CLIENT_ID), client_id=CLIENT_ID) as credential:
        token = credential.get_token()
    names = " ".join(path.name for path in folder.iterdir())
    for secret in (token.token, CANARY, CLIENT_ID, "vault", "azure.net"):
        assert secret not in names


def unused(held: Held, imds: Imds, warnings: Callable[[], list[str]]) -> str:
    """Checks that the cache is not used and that there is one warning. Returns the warning."""
    before = len(imds)
    held.get_token()
    held.get_token("https://other")
    held.get_token(force_refresh=True)
    held.clear()
    held.get_token()
    assert len(imds) == before + 4
    (warning,) = warnings()
    assert CANARY not in warning
    return warning


def test_a_folder_of_another_user_is_ignored_with_one_warning(
    colour: Colour, folder: Path, warnings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.mkdir(mode=0o700)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    imds = Imds(Clocks(NOW))
    with sharing(colour, folder, imds) as credential:
        assert "belongs to another user" in unused(credential, imds, warnings)
    assert not list(folder.iterdir())


@pytest.mark.parametrize("bits", [0o750, 0o705, 0o770, 0o777, 0o710, 0o1777])
def test_a_folder_that_others_can_enter_is_ignored_with_one_warning(
    colour: Colour, folder: Path, warnings: Any, bits: int
) -> None:
    folder.mkdir()
    folder.chmod(bits)
    imds = Imds(Clocks(NOW))
    with sharing(colour, folder, imds) as credential:
        assert "open to other users" in unused(credential, imds, warnings)
    assert not list(folder.iterdir())


@pytest.mark.parametrize("end", ["", "/", "/."])
def test_a_symbolic_link_to_a_folder_is_ignored_with_one_warning(
    colour: Colour, tmp_path: Path, folder: Path, warnings: Any, end: str
) -> None:
    real = tmp_path / "real"
    real.mkdir(mode=0o700)
    folder.symlink_to(real)
    imds = Imds(Clocks(NOW))
    with sharing(colour, f"{folder}{end}", imds) as credential:
        assert "not a folder" in unused(credential, imds, warnings)
    assert not list(real.iterdir())


def test_a_file_instead_of_the_folder_is_ignored_with_one_warning(colour: Colour, folder: Path, warnings: Any) -> None:
    folder.write_text("")
    imds = Imds(Clocks(NOW))
    with sharing(colour, folder, imds) as credential:
        assert "not a folder" in unused(credential, imds, warnings)


def test_a_folder_that_cannot_be_created_is_ignored_with_one_warning(
    colour: Colour, folder: Path, warnings: Any
) -> None:
    folder.write_text("")
    imds = Imds(Clocks(NOW))
    with sharing(colour, folder / "below", imds) as credential:
        unused(credential, imds, warnings)


def test_a_folder_that_cannot_be_written_is_ignored_with_one_warning(
    colour: Colour, folder: Path, warnings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = os.open

    def read_only(path: Any, flags: int, *rest: Any, **options: Any) -> int:
        if str(path).startswith(str(folder)) and flags & os.O_CREAT:
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return usual(path, flags, *rest, **options)

    folder.mkdir(mode=0o700)
    monkeypatch.setattr(os, "open", read_only)
    imds = Imds(Clocks(NOW))
    with sharing(colour, folder, imds) as credential:
        assert "Permission denied" in unused(credential, imds, warnings)


def test_a_full_disk_is_not_an_error_and_leaves_no_temporary_file(
    colour: Colour, folder: Path, warnings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    imds = Imds(Clocks(NOW))
    with sharing(colour, folder, imds) as credential:
        assert "No space left" in unused(credential, imds, warnings)
    assert {path.suffix for path in folder.iterdir()} == {".lock"}


@pytest.mark.parametrize("kind", ["json", "lock"])
def test_a_file_that_others_can_read_is_not_used(colour: Colour, folder: Path, warnings: Any, kind: str) -> None:
    imds = Imds(Clocks(NOW))
    with sharing(colour, folder, imds) as one:
        one.get_token()
    (file,) = files(folder, kind)
    file.chmod(0o640)
    if kind == "lock":
        files(folder)[0].unlink()
    with sharing(colour, folder, imds) as other:
        assert number(other.get_token()) == 2
    (warning,) = warnings()
    assert "open to other users" in warning


def test_a_token_file_that_others_can_read_is_replaced_by_a_private_file(colour: Colour, folder: Path) -> None:
    imds = Imds(Clocks(NOW))
    with sharing(colour, folder, imds) as one:
        one.get_token()
    files(folder)[0].chmod(0o644)
    with sharing(colour, folder, imds) as other:
        other.get_token()
    assert mode(files(folder)[0]) == 0o600


def test_a_file_of_another_user_is_not_used(
    colour: Colour, folder: Path, warnings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    imds = Imds(Clocks(NOW))
    with sharing(colour, folder, imds) as one:
        one.get_token()
    usual = os.fstat

    def foreign(descriptor: int) -> os.stat_result:
        found = usual(descriptor)
        return os.stat_result((*found[:4], 12345, *found[5:])) if stat.S_ISREG(found.st_mode) else found

    monkeypatch.setattr(os, "fstat", foreign)
    with sharing(colour, folder, imds) as other:
        assert number(other.get_token()) == 2
    (warning,) = warnings()
    assert "belongs to another user" in warning


@pytest.mark.parametrize("kind", ["json", "lock"])
def test_the_target_of_a_symbolic_link_is_neither_read_nor_written(
    colour: Colour, tmp_path: Path, folder: Path, warnings: Any, kind: str
) -> None:
    imds = Imds(Clocks(NOW))
    with sharing(colour, folder, imds) as one:
        one.get_token()
    (file,) = files(folder, kind)
    victim = tmp_path / "victim"
    file.rename(victim)
    victim.chmod(0o600)
    file.symlink_to(victim)
    before = victim.read_bytes()
    if kind == "lock":
        files(folder)[0].unlink()
    with sharing(colour, folder, imds) as other:
        assert number(other.get_token()) == 2
    assert victim.read_bytes() == before
    assert len(warnings()) == 1


@pytest.mark.parametrize("kind", ["json", "lock"])
def test_a_fifo_is_not_opened(colour: Colour, folder: Path, warnings: Any, kind: str) -> None:
    imds = Imds(Clocks(NOW))
    with sharing(colour, folder, imds) as one:
        one.get_token()
    (file,) = files(folder, kind)
    file.unlink()
    os.mkfifo(file, 0o600)  # opening it could block forever
    if kind == "lock":
        files(folder)[0].unlink()
    with sharing(colour, folder, imds) as other:
        assert number(other.get_token()) == 2
    assert len(warnings()) == 1


GARBAGE: dict[str, bytes] = {
    "empty": b"",
    "text": b"hello",
    "binary": bytes(range(256)),
    "truncated": b'{"form": 1, "token": "x',
    "list": b"[]",
    "null": b"null",
    "number": b"7",
    "no form": b"{}",
    "deep": b"[" * 50_000,
    "huge": b'{"form": 1, "token": "' + b"x" * 100_000 + b'"}',
    "endless number": b'{"form": ' + b"9" * 10_000 + b"}",
}


@pytest.mark.parametrize("content", GARBAGE.values(), ids=GARBAGE.keys())
def test_a_damaged_file_is_replaced_with_one_warning(
    colour: Colour, folder: Path, warnings: Any, content: bytes
) -> None:
    imds = Imds(Clocks(NOW))
    with sharing(colour, folder, imds) as one:
        one.get_token()
    files(folder)[0].write_bytes(content)
    with sharing(colour, folder, imds) as other:
        assert number(other.get_token()) == 2
    with sharing(colour, folder, imds) as third:
        assert number(third.get_token()) == 2
    assert len(warnings()) == 1


@pytest.mark.parametrize("name", ["expires_on", "expires", "stored", "stored_monotonic", "life", "due", "fresh_for"])
@pytest.mark.parametrize(
    "value", [None, "x", True, [], {}, float("nan"), float("inf"), float("-inf"), 10**400], ids=lambda v: str(v)[:8]
)
def test_a_file_with_a_time_that_is_not_a_number_is_not_used(
    folder: Path, warnings: Any, name: str, value: Any
) -> None:
    imds = Imds(Clocks(NOW))
    with sharing(COLOURS[0], folder, imds) as one:
        one.get_token()
    spoil(folder, **{name: value})
    with sharing(COLOURS[0], folder, imds) as other:
        assert number(other.get_token()) == 2
    assert len(warnings()) == 1


@pytest.mark.parametrize(
    "changes",
    [{"token": ""}, {"token": 5}, {"token": None}, {"token_type": 5}, {"refresh_on": "x"}, {"refresh_on": []}],
    ids=str,
)
def test_a_file_with_a_member_of_the_wrong_type_is_not_used(
    folder: Path, warnings: Any, changes: dict[str, Any]
) -> None:
    imds = Imds(Clocks(NOW))
    with sharing(COLOURS[0], folder, imds) as one:
        one.get_token()
    spoil(folder, **changes)
    with sharing(COLOURS[0], folder, imds) as other:
        assert number(other.get_token()) == 2
    assert len(warnings()) == 1


@pytest.mark.parametrize(
    "changes",
    [
        *({"token": f"{CANARY}{end}"} for end in ("\n", "\r\nX: y", "ä", " ")),
        {"expires_on": NOW + 11 * 366 * DAY},
        {"expires_on": -NOW},
        {"expires": NOW + 11 * 366 * DAY},
        {"life": 11 * 366 * DAY},
    ],
    ids=ascii,
)
def test_a_stored_token_is_checked_like_one_from_imds(
    colour: Colour, folder: Path, warnings: Any, changes: dict[str, Any]
) -> None:
    imds = Imds(Clocks(NOW))
    with sharing(colour, folder, imds) as one:
        one.get_token()
    spoil(folder, **changes)
    with sharing(colour, folder, imds) as other:
        assert number(other.get_token()) == 2
    (warning,) = warnings()
    assert CANARY not in warning


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o277, 0o777], ids=oct)
def test_new_folders_and_files_are_private_whatever_the_umask(colour: Colour, tmp_path: Path, umask: int) -> None:
    folder = tmp_path / "new" / "and" / "deep"
    before = os.umask(umask)
    try:
        with sharing(colour, folder, Imds(Clocks(NOW))) as credential:
            credential.get_token()
    finally:
        os.umask(before)
    assert [mode(path) for path in (folder, folder.parent, folder.parent.parent)] == [0o700] * 3
    assert [mode(path) for path in (*files(folder), *files(folder, "lock"))] == [0o600] * 2


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become another user")
def test_a_program_with_another_effective_user_shares_tokens(folder: Path) -> None:
    # As a program with the set-user-ID bit: its new files belong to the effective user.
    code = """
import os, sys, tempfile
sys.path.insert(0, sys.argv[2])
from azure_imds import ImdsCredential
from token_support import Imds, number

def share(folder):
    imds = Imds()
    for _ in range(2):
        assert number(ImdsCredential(transport=imds, shared_cache=folder).get_token("https://x")) == 1

share(sys.argv[1])  # imports everything, since the other user may not be allowed to
with tempfile.TemporaryDirectory(dir="/tmp") as parent:
    os.chmod(parent, 0o777)
    os.seteuid(65534)
    share(parent + "/tokens")
    print({os.stat(f"{parent}/tokens/{name}").st_uid for name in os.listdir(parent + "/tokens")})
    os.seteuid(0)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder), str(ROOT / "tests")], capture_output=True, text=True, timeout=FOREVER
    )
    assert (done.stdout, done.stderr) == ("{65534}\n", "")


DIGESTS = "0123456789abcdef0123456789abcdef-0123456789abcdef0123456789abcdef"


def test_the_next_writer_removes_the_drafts_of_killed_ones(colour: Colour, folder: Path) -> None:
    with sharing(colour, folder, Imds(Clocks(NOW))) as credential:
        credential.get_token()
        (file,) = files(folder)
        drafts = [Path(f"{file}.1.0123abcd"), folder / f"{DIGESTS}.json.99999999.abcdef01"]
        for draft in drafts:
            draft.write_bytes(file.read_bytes())
        credential.get_token(force_refresh=True)
        assert not [draft for draft in drafts if draft.exists()]
        assert files(folder) == [file]


def test_a_writer_that_is_killed_leaves_a_draft_that_the_next_one_removes(folder: Path) -> None:
    code = """
import os, signal, sys
sys.path.insert(0, sys.argv[2])
from azure_imds import ImdsCredential
from token_support import Imds
os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
ImdsCredential(transport=Imds(), shared_cache=sys.argv[1]).get_token("https://x")
"""
    subprocess.run([sys.executable, "-c", code, str(folder), str(ROOT / "tests")], check=False, timeout=FOREVER)
    (draft,) = [path for path in folder.iterdir() if path.suffix != ".lock"]
    assert CANARY.encode() in draft.read_bytes()
    with sharing(COLOURS[0], folder, Imds(Clocks(NOW))) as credential:
        credential.get_token("https://y")
    assert not draft.exists()


def test_a_draft_of_a_process_that_is_writing_stays(folder: Path) -> None:
    with sharing(COLOURS[0], folder, Imds(Clocks(NOW))) as credential:
        credential.get_token("https://x")
        (file,) = files(folder)
        draft = Path(f"{file}.1.0123abcd")
        draft.write_bytes(file.read_bytes())
        with open(file.with_suffix(".lock"), "rb") as held:
            _private_files.fcntl.flock(held, _private_files.fcntl.LOCK_EX)
            credential.get_token("https://y")
            assert draft.exists()
        credential.get_token("https://z")
        assert not draft.exists()


def test_a_draft_that_another_process_removed_is_not_an_error(
    folder: Path, warnings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = os.replace

    def replace(source: Any, target: Any) -> None:
        os.unlink(source)
        usual(source, target)

    monkeypatch.setattr(os, "replace", replace)
    with sharing(COLOURS[0], folder, Imds(Clocks(NOW))) as credential:
        assert number(credential.get_token()) == 1
    assert not warnings()


def test_expired_tokens_of_other_resources_and_identities_are_removed(colour: Colour, folder: Path) -> None:
    clock = Clocks(NOW)
    imds = Imds(clock, 60)
    with sharing(colour, folder, imds) as one, sharing(colour, folder, imds, object_id=CLIENT_ID) as other:
        one.get_token("https://a")
        other.get_token("https://b")
        expired = files(folder)
        imds.life = DAY
        one.get_token("https://c")
        assert len(files(folder)) == 3
        clock.advance(60)
        one.get_token("https://d")
    assert len(files(folder)) == 2
    assert not {*expired} & {*files(folder)}


def test_a_token_that_another_process_is_replacing_is_not_removed(folder: Path) -> None:
    clock = Clocks(NOW)
    imds = Imds(clock, 60)
    with sharing(COLOURS[0], folder, imds) as credential:
        credential.get_token("https://a")
        (file,) = files(folder)
        clock.advance(60)
        with open(file.with_suffix(".lock"), "rb") as held:
            _private_files.fcntl.flock(held, _private_files.fcntl.LOCK_EX)
            credential.get_token("https://b")
        assert file.exists()


@pytest.mark.parametrize("name", ["config.json", "config.json.1.0123abcd", f"{DIGESTS}.json"])
def test_other_files_in_the_folder_stay(folder: Path, warnings: Any, name: str) -> None:
    folder.mkdir(mode=0o700)
    (folder / name).write_text('{"my": "settings"}')
    (folder / name).chmod(0o600)
    with sharing(COLOURS[0], folder, Imds(Clocks(NOW))) as credential:
        credential.get_token()
    assert (folder / name).read_text() == '{"my": "settings"}'
    assert not warnings()


def test_with_a_clock_that_is_ahead_processes_share_a_token(colour: Colour, folder: Path) -> None:
    imds, ahead = Imds(Clocks(NOW)), Clocks(NOW + 2 * DAY)
    for _ in range(2):
        with holding(colour, transport=imds, clock=ahead, shared_cache=folder) as credential:
            token = credential.get_token()
            assert (number(token), token.expires_on) == (1, NOW + DAY)
            credential.get_token("https://b")
    assert len(imds) == 2
    assert len(files(folder)) == 2


def test_a_warning_shows_no_content_of_a_file(folder: Path, warnings: Any) -> None:
    imds = Imds(Clocks(NOW))
    with sharing(COLOURS[0], folder, imds) as one:
        one.get_token()
    (file,) = files(folder)
    file.write_bytes(file.read_bytes()[:-2])
    with sharing(COLOURS[0], folder, imds) as other:
        other.get_token()
    (warning,) = warnings()
    assert CANARY not in warning
    assert str(folder) in warning


def test_a_file_of_another_version_is_ignored_without_a_warning(folder: Path, warnings: Any) -> None:
    imds = Imds(Clocks(NOW))
    with sharing(COLOURS[0], folder, imds) as one:
        one.get_token()
    spoil(folder, form=99)
    with sharing(COLOURS[0], folder, imds) as other:
        assert number(other.get_token()) == 2
    assert not warnings()


def test_a_token_from_another_boot_or_another_machine_is_not_used(folder: Path, warnings: Any) -> None:
    imds = Imds(Clocks(NOW))
    with sharing(COLOURS[0], folder, imds) as one:
        one.get_token()
    spoil(folder, boot="another")
    with sharing(COLOURS[0], folder, imds) as other:
        assert number(other.get_token()) == 2
    assert not warnings()


def test_a_token_too_large_for_a_file_is_not_shared(folder: Path, warnings: Any) -> None:
    imds = Imds(Clocks(NOW), suffix="x" * 100_000)
    with sharing(COLOURS[0], folder, imds) as one:
        one.get_token()
        one.get_token()
    assert not files(folder)
    assert not warnings()


def test_a_token_that_has_expired_is_not_used(colour: Colour, folder: Path) -> None:
    clock = Clocks(NOW)
    imds = Imds(clock)
    with sharing(colour, folder, imds) as one:
        one.get_token()
    clock.advance(DAY)
    with sharing(colour, folder, imds) as other:
        assert number(other.get_token()) == 2


@pytest.mark.parametrize(("passed", "step"), [(DAY, -DAY / 2), (DAY, -DAY - 1), (DAY - 1, -2 * DAY), (1, -2)], ids=str)
def test_a_wall_clock_set_back_does_not_prolong_a_shared_token(folder: Path, passed: float, step: float) -> None:
    clock = Clocks(NOW)
    imds = Imds(clock)
    with sharing(COLOURS[0], folder, imds) as one:
        one.get_token()
    clock.advance(passed)
    clock.step(step)
    with sharing(COLOURS[0], folder, imds) as other:
        assert number(other.get_token()) == 2


def test_a_suspended_machine_does_not_prolong_a_shared_token(folder: Path) -> None:
    clock = Clocks(NOW)
    imds = Imds(clock)
    with sharing(COLOURS[0], folder, imds) as one:
        one.get_token()
    clock.step(DAY)
    with sharing(COLOURS[0], folder, imds) as other:
        assert number(other.get_token()) == 2


def test_the_time_of_a_suspended_machine_counts_for_a_tokens_age(folder: Path) -> None:
    clock = Clocks(NOW)
    imds = Imds(clock, expires_on=NOW + DAY, expires_in=HOUR)
    with sharing(COLOURS[0], folder, imds) as one:
        one.get_token()
    clock.step(HOUR)
    with sharing(COLOURS[0], folder, imds) as other:
        assert number(other.get_token()) == 2


def test_a_wall_clock_set_back_does_not_delay_the_refresh_of_a_shared_token(folder: Path) -> None:
    clock = Clocks(NOW)
    imds = Imds(clock)
    with sharing(COLOURS[0], folder, imds) as one:
        one.get_token()
    clock.advance(DAY / 2)
    clock.step(-DAY / 4)
    with sharing(COLOURS[0], folder, imds) as other:
        assert number(other.get_token()) == 1
        clock.advance(30)
        other.get_token()
        other.wait_for_refreshes()
        assert number(other.get_token()) == 2


def test_a_token_from_before_a_restart_is_not_used(folder: Path) -> None:
    clock = Clocks(NOW)
    imds = Imds(clock)
    with sharing(COLOURS[0], folder, imds) as one:
        one.get_token()
    clock.ticks = 10
    with sharing(COLOURS[0], folder, imds) as other:
        assert number(other.get_token()) == 2


def test_the_age_of_a_shared_token_starts_with_its_request(folder: Path) -> None:
    clock = Clocks(NOW)
    imds = Imds(clock, expires_on=None, expires_in=HOUR)
    with sharing(COLOURS[0], folder, imds) as one:
        one.get_token()
    for _ in range(3):  # passing it from one process to the next does not reset its age
        clock.advance(HOUR / 4)
        with sharing(COLOURS[0], folder, imds) as other:
            assert number(other.get_token()) == 1
    clock.advance(HOUR / 4)
    clock.step(-1)
    with sharing(COLOURS[0], folder, imds) as other:
        assert number(other.get_token()) == 2


def test_an_expired_answer_is_not_shared_and_replaces_nothing(colour: Colour, folder: Path) -> None:
    clock = Clocks(NOW)
    imds = Imds(clock)
    with sharing(colour, folder, imds) as one:
        one.get_token()
        before = files(folder)[0].read_bytes()
        clock.advance(DAY / 2)
        imds.life = -1
        one.get_token()
        one.wait_for_refreshes()
    assert len(imds) == 2
    assert files(folder)[0].read_bytes() == before


@pytest.mark.parametrize("options", [{"claims": "c"}, {"force_refresh": True}], ids=str)
def test_a_forced_token_is_new_and_is_shared(colour: Colour, folder: Path, options: dict[str, Any]) -> None:
    imds = Imds(Clocks(NOW))
    with sharing(colour, folder, imds) as one, sharing(colour, folder, imds) as other:
        one.get_token()
        assert number(one.get_token(**options)) == 2
        assert number(other.get_token()) == 2
    assert imds.query()["bypass_cache"] == "true"


def test_an_early_refresh_uses_a_fresh_token_of_another_process(colour: Colour, folder: Path) -> None:
    clock = Clocks(NOW)
    imds = Imds(clock)
    with sharing(colour, folder, imds) as one, sharing(colour, folder, imds) as other:
        one.get_token()
        other.get_token()
        clock.advance(DAY / 2)
        one.get_token()
        one.wait_for_refreshes()
        assert len(imds) == 2
        assert number(other.get_token()) == 1
        other.wait_for_refreshes()
        assert number(other.get_token()) == 2
    assert len(imds) == 2


def test_an_early_refresh_does_not_use_a_stored_token_that_is_due(colour: Colour, folder: Path) -> None:
    clock = Clocks(NOW)
    imds = Imds(clock)
    with sharing(colour, folder, imds) as one:
        one.get_token()
        clock.advance(DAY / 2)
        one.get_token()
        one.wait_for_refreshes()
        assert number(one.get_token()) == 2


def test_clear_removes_the_tokens_of_this_identity_only(colour: Colour, folder: Path) -> None:
    imds = Imds(Clocks(NOW))
    with sharing(colour, folder, imds) as ours, sharing(colour, folder, imds, client_id=CLIENT_ID) as theirs:
        theirs.get_token()
        kept = files(folder)
        (folder / "other.json").write_text("{}")
        (folder / "notes.txt").write_text("")
        ours.get_token()
        ours.get_token("https://other")
        ours.clear()
        assert files(folder) == sorted([*kept, folder / "other.json"])
        assert (folder / "notes.txt").exists()
        assert number(ours.get_token()) == 4


def test_clear_removes_the_temporary_file_of_a_killed_process(colour: Colour, folder: Path) -> None:
    with sharing(colour, folder, Imds(Clocks(NOW))) as credential:
        credential.get_token()
        (file,) = files(folder)
        temporary = Path(f"{file}.1.abcdef")
        temporary.write_bytes(file.read_bytes())
        credential.clear()
    assert {path.suffix for path in folder.iterdir()} == {".lock"}


def test_clear_without_a_folder_is_not_an_error(colour: Colour, folder: Path, warnings: Any) -> None:
    with sharing(colour, folder, Imds(Clocks(NOW))) as credential:
        credential.clear()
    assert not warnings()


def test_a_fetch_from_before_clear_is_not_shared(colour: Colour, folder: Path) -> None:
    imds, gate = Imds(Clocks(NOW)), Gate()
    imds.gates = [gate]
    with sharing(colour, folder, imds) as credential:
        before = credential.crowd(1)
        gate.wait_for()
        credential.clear()
        gate.open()
        before.results()
        assert not files(folder)
        assert number(credential.get_token()) == 2


def test_a_clear_between_storing_and_sharing_removes_the_token(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    imds = Imds(Clocks(NOW))
    usual = SharedCache.write

    def write(self: SharedCache, name: str, new: Entry) -> None:
        credential.clear()
        usual(self, name, new)

    monkeypatch.setattr(SharedCache, "write", write)
    with sharing(COLOURS[0], folder, imds) as credential:
        credential.get_token()
        assert not files(folder)


@contextmanager
def lock_holder(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Starts a process that locks all lock files in the folder and sleeps. Ends it."""
    code = (
        "import fcntl, glob, sys, time\n"
        "held = [open(path) for path in glob.glob(sys.argv[1] + '/*.lock')]\n"
        "[fcntl.flock(file, fcntl.LOCK_EX) for file in held]\n"
        "print(len(held), flush=True)\n"
        "time.sleep(600)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert int(holder.stdout.readline()) > 0
        yield holder
    finally:
        holder.kill()
        holder.communicate()


@pytest.fixture
def locked(folder: Path) -> Path:
    """The folder after a token was shared and cleared. It has a lock file."""
    with sharing(COLOURS[0], folder, Imds(Clocks(NOW))) as credential:
        credential.get_token()
        credential.clear()
    return folder


def test_the_wait_for_a_process_that_hangs_is_limited(colour: Colour, locked: Path) -> None:
    clock = Clocks(NOW)
    imds = Imds(clock)
    with lock_holder(locked), sharing(colour, locked, imds, deadline=8) as credential:
        assert number(credential.get_token()) == 1
        assert clock.wall - NOW == pytest.approx(4, abs=0.1), "half of the deadline; the other half is for the request"
    assert files(locked), "the fetched token is shared"


def test_a_deadline_limits_waiting_and_fetching_together(colour: Colour, locked: Path) -> None:
    clock = Clocks(NOW)
    imds = Imds(clock)
    imds.failure = DOWN
    with lock_holder(locked), sharing(colour, locked, imds, deadline=8) as credential:
        credential.error()
        assert clock.wall - NOW <= 8.1


def test_a_wait_longer_than_the_deadline_leaves_time_to_fetch(colour: Colour, locked: Path) -> None:
    # This happens if the process was stopped during the wait.
    class Leaping(Clocks):
        def sleep(self, seconds: float) -> None:
            self.advance(1000)

    imds = Imds(Leaping(NOW))
    with lock_holder(locked), sharing(colour, locked, imds, deadline=8) as credential:
        assert number(credential.get_token()) == 1


def test_a_killed_process_blocks_no_other(colour: Colour, locked: Path) -> None:
    clock = Clocks(NOW)
    imds = Imds(clock)
    with lock_holder(locked) as holder:
        holder.send_signal(signal.SIGKILL)
        holder.wait(FOREVER)
        with sharing(colour, locked, imds) as credential:
            credential.get_token()
    assert clock.wall == NOW


def test_a_stored_token_needs_no_lock(colour: Colour, folder: Path) -> None:
    # The process that holds it may be waiting for an IMDS that does not answer.
    clock = Clocks(NOW)
    imds = Imds(clock)
    with sharing(colour, folder, imds) as one:
        one.get_token()
    with lock_holder(folder), sharing(colour, folder, imds) as other:
        assert number(other.get_token()) == 1
    assert clock.wall == NOW


def test_a_process_that_waited_for_the_lock_uses_the_token_of_its_holder(folder: Path) -> None:
    imds, gate = Imds(), Gate()
    imds.gates = [gate]
    with sharing(COLOURS[0], folder, imds) as one, sharing(COLOURS[0], folder, imds) as other:
        leader = one.crowd(1)
        gate.wait_for()
        follower = other.crowd(1)
        gate.open()
        assert {number(token) for token in leader.results() + follower.results()} == {1}
    assert len(imds) == 1


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL])
def test_without_locks_no_process_waits(
    colour: Colour, folder: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def none(*_: Any) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(_private_files.fcntl, "flock", none)
    clock = Clocks(NOW)
    imds = Imds(clock)
    with sharing(colour, folder, imds) as credential:
        credential.get_token()
    assert clock.wall == NOW
    assert files(folder)


def test_a_failed_fetch_releases_the_lock(colour: Colour, folder: Path) -> None:
    clock = Clocks(NOW)
    imds = Imds(clock)
    imds.failure = DOWN
    with sharing(colour, folder, imds, retry=None) as one, sharing(colour, folder, imds, retry=None) as other:
        one.error()
        imds.failure = None
        assert number(other.get_token()) == 1
    assert clock.wall == NOW


def test_no_descriptor_stays_open(colour: Colour, folder: Path) -> None:
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("needs /proc")
    imds = Imds(Clocks(NOW))
    with sharing(colour, folder, imds) as credential:
        credential.get_token()
        for turn in range(20):
            if turn == 10:
                files(folder)[0].write_text("damaged")
            credential.credential._cache.clear()
            credential.get_token(force_refresh=bool(turn % 2))
        assert open_files(folder) == []
        assert not any(Path(str(file.name)).is_relative_to(folder) for file in _shared_cache._locks)


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_no_descriptor_stays_open_after_an_interruption_at_any_line(folder: Path) -> None:
    # Another process would wait for its lock.
    credential = ImdsCredential(transport=Imds(Clocks(NOW)), shared_cache=folder)

    def fetch() -> None:
        credential._cache.clear()
        credential.get_token(SCOPE, force_refresh=True)

    opening = [_private_files.open_private, open_without_blocking]
    functions = [SharedCache._lock_file, SharedCache.wait_for_token, SharedCache.write, *opening]
    for place, _ in injected(fetch, TimeoutError, *functions):
        gc.collect()
        assert open_files(folder) == [], place


def open_files(folder: Path) -> list[str]:
    """Returns the files in a folder that this process has open."""
    links = []
    for descriptor in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            links.append(os.readlink(f"/proc/self/fd/{descriptor}"))
    return [link for link in links if Path(link).is_relative_to(folder)]


@needs_fork
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_child_forked_during_a_fetch_does_not_keep_the_lock(folder: Path) -> None:
    # A lock belongs to all copies of its descriptor. The child has a copy that nothing there would close.
    imds, gate = Imds(), Gate()
    imds.gates = [gate]
    credential = ImdsCredential(transport=imds, shared_cache=folder)
    with sharing(COLOURS[0], folder, imds) as held:
        held.credential = credential
        leader = held.crowd(1)
        gate.wait_for()
        end_child = forked_child()
        gate.open()
        leader.results()
        try:
            assert can_be_locked(folder)
        finally:
            end_child()


@needs_fork
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_child_forked_during_a_fetch_does_not_release_the_lock(folder: Path) -> None:
    imds, gate = Imds(), Gate()
    imds.gates = [gate]
    with sharing(COLOURS[0], folder, imds) as held:
        leader = held.crowd(1)
        gate.wait_for()
        pid = os.fork()
        if pid == 0:
            os._exit(len(_shared_cache._locks))
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        assert not can_be_locked(folder)
        gate.open()
        leader.results()


@needs_fork
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_lock_ends_with_the_parent_even_if_a_forked_child_lives_on(folder: Path) -> None:
    imds, gate = Imds(), Gate()
    imds.gates = [gate]
    with sharing(COLOURS[0], folder, imds) as held:
        leader = held.crowd(1)
        gate.wait_for()
        end_child = forked_child()
        # As if the parent was killed: its descriptor is closed without unlocking.
        nothing = os.open(os.devnull, os.O_RDWR)
        for file in _shared_cache._locks:
            os.dup2(nothing, file.fileno())
        os.close(nothing)
        try:
            assert can_be_locked(folder)
        finally:
            end_child()
            gate.open()
            leader.results()


@needs_fork
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_child_that_leaves_the_block_of_its_parent_does_not_unlock(folder: Path) -> None:
    cache = SharedCache.open(folder, Clocks())
    assert cache is not None
    with cache.wait_for_token("a-b", 1, ignore_stored=True, only_fresh=False):
        pid = os.fork()
        if pid:
            os.waitpid(pid, 0)
            assert not can_be_locked(folder)
    if pid == 0:
        os._exit(0)
    assert can_be_locked(folder)


def forked_child() -> Callable[[], object]:
    """Forks a child that lives until the returned function is called."""
    (told, tell), (wake, sleep) = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(sleep)
        os.write(tell, b"!")
        os.read(wake, 1)
        os._exit(0)
    os.read(told, 1)
    for descriptor in (told, tell, wake):
        os.close(descriptor)
    return lambda: (os.close(sleep), os.waitpid(pid, 0))


def can_be_locked(folder: Path) -> bool:
    """Returns whether the only lock is free."""
    with open(files(folder, "lock")[0]) as file:
        try:
            _private_files.fcntl.flock(file, _private_files.fcntl.LOCK_EX | _private_files.fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def test_the_default_folder_is_in_the_users_runtime_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with sharing(COLOURS[0], True, Imds(Clocks(NOW))) as credential:
        credential.get_token()
    assert files(tmp_path / "azure-imds")


@pytest.mark.parametrize("runtime", [None, "", "relative", "/does/not/exist"])
def test_without_a_runtime_folder_the_default_is_a_temporary_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runtime: str | None
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    if runtime is not None:
        monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with sharing(COLOURS[0], True, Imds(Clocks(NOW))) as credential:
        credential.get_token()
    assert files(tmp_path / f"azure-imds-{os.geteuid()}")


def test_the_runtime_folder_of_another_user_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # This happens after sudo.
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    theirs.mkdir()
    ours.mkdir()
    usual = os.stat

    def foreign(path: Any, *rest: Any, **options: Any) -> os.stat_result:
        found = usual(path, *rest, **options)
        return os.stat_result((*found[:4], 12345, *found[5:])) if path == str(theirs) else found

    monkeypatch.setenv("XDG_RUNTIME_DIR", str(theirs))
    monkeypatch.setattr("tempfile.tempdir", str(ours))
    monkeypatch.setattr(os, "stat", foreign)
    SharedCache.open(True, Clocks())
    found = SharedCache.open(True, Clocks())
    assert found is not None
    assert found._folder == str(ours / f"azure-imds-{os.geteuid()}")


def test_a_path_can_be_str_bytes_or_a_path_object(folder: Path) -> None:
    imds = Imds(Clocks(NOW))
    for path in (folder, str(folder), os.fsencode(folder)):
        with sharing(COLOURS[0], path, imds) as credential:
            credential.get_token()
    assert len(imds) == 1


def test_a_relative_path_is_resolved_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    with sharing(COLOURS[0], "tokens", Imds(Clocks(NOW))) as credential:
        monkeypatch.chdir(tmp_path / "elsewhere")
        credential.get_token()
    assert files(tmp_path / "tokens")


@pytest.mark.parametrize("path", [None, 5, 0, 1, "a\0b", ["x"]], ids=repr)
def test_a_wrong_path_is_rejected_by_the_constructor(path: Any) -> None:
    with pytest.raises(ImdsValidationError) as caught:
        ImdsCredential(shared_cache=path)
    assert caught.value.parameter == "shared_cache"


def test_the_constructor_creates_no_folder(folder: Path) -> None:
    ImdsCredential(shared_cache=folder)
    assert not folder.exists()


def test_windows_uses_its_own_locks(folder: Path) -> None:
    # Runs the Windows branch of the module on this system, with a replacement of msvcrt.
    code = """
import importlib, os, sys, types
sys.path.insert(0, sys.argv[2])
from azure_imds import ImdsCredential
from azure_imds._tokens import private_files, shared_cache
from token_support import Imds, number
locks = []
def locking(descriptor, how, size):
    locks.append((how, size))
    if how == "try" and locks.count((how, size)) < 3:
        raise PermissionError(13, "locked")
sys.modules["msvcrt"] = types.SimpleNamespace(locking=locking, LK_NBLCK="try", LK_UNLCK="unlock")
os.environ["LOCALAPPDATA"] = sys.argv[1]
sys.platform = "win32"
importlib.reload(private_files)
importlib.reload(shared_cache)
imds = Imds()
for _ in range(2):
    assert number(ImdsCredential(transport=imds, shared_cache=True).get_token("https://x")) == 1
print(locks)
print(sorted(name.rpartition(".")[2] for name in os.listdir(os.path.join(sys.argv[1], "azure-imds"))))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder), str(ROOT / "tests")], capture_output=True, text=True, timeout=FOREVER
    )
    assert not done.stderr
    assert done.stdout.splitlines() == ["[('try', 1), ('try', 1), ('try', 1), ('unlock', 1)]", "['json', 'lock']"]


def test_a_reader_sees_only_complete_files(folder: Path) -> None:
    clock = Clocks(NOW)
    cache = SharedCache.open(folder, clock)
    assert cache is not None
    name = SharedCache.name(("x",), "y")

    def entry(text: str) -> Entry:
        return Entry(AccessToken(text, NOW + DAY), NOW + DAY, clock.ticks + DAY, NOW + HOUR, clock.ticks + HOUR)

    cache.write(name, entry("a" * 5000))
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            cache.write(name, entry("b" * 9000))
            cache.write(name, entry("a" * 5000))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(300):
            found = cache.read(name)
            assert found is not None
            assert found.token.token in ("a" * 5000, "b" * 9000)
    finally:
        stop.set()
        writer.join(FOREVER)
