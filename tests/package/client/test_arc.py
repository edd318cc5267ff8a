"""Azure Arc's challenge, with an agent on loopback that names a real key file, and every reason not to answer it."""

from __future__ import annotations

import errno
import json
import os
import pickle
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Any

import pytest

from azure_imds import (
    ArcChallengeError,
    ImdsError,
    ImdsResponseError,
    ImdsStatusError,
    ImdsUnavailableError,
    RetryPolicy,
    ThrottledError,
)
from azure_imds._client import arc, files
from support import (
    CANARY,
    CLIENT_ID,
    RESOURCE,
    Colour,
    FakeClock,
    Script,
    Wire,
    answer,
    get_token,
    list_errors,
    raw_server,
    reply,
    token,
)

KEY = "canary-KEY-that-must-not-show"
OTHER_ID = "00000000-0000-0000-0000-00000000000f"
RESOURCE_ID = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/Name"

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs what POSIX files can be")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in place of the agent's own, which only root may create."""
    tokens = tmp_path / "tokens"
    tokens.mkdir()
    monkeypatch.setenv("AZURE_IMDS_ARC_TOKEN_DIR", str(tokens))
    return tokens


def challenge(path: object, *headers: str) -> bytes:
    return reply(401, "", f"WWW-Authenticate: Basic realm={path}", *headers)


def granted(**members: Any) -> bytes:
    return reply(200, json.dumps(token(**members)), "Content-Type: application/json")


class Agent(Wire):
    """Challenges each request that has no Authorization with a new key file, and checks the key of the others."""

    def __init__(self, folder: Path, *then: bytes) -> None:
        super().__init__(*(then or (granted(),)))
        self._folder = folder
        self._lock = threading.Lock()
        self.keys: dict[str, Path] = {}

    def __call__(self, connection: socket.socket) -> None:
        from support import read_request

        while request := read_request(connection):
            with self._lock:
                self.requests.append(request)
                connection.sendall(self._answer())

    def _answer(self) -> bytes:
        authorization = self.header("authorization")
        if authorization is None:
            key = f"{KEY}-{len(self.keys)}"
            path = self.keys[key] = self._folder / f"{len(self.keys)}.key"
            path.write_text(key)
            return challenge(path)
        path = self.keys[authorization.removeprefix("Basic ")]
        path.unlink()  # a key is valid for one request: a second use fails here
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


def refusal(colour: Colour, header: str, **options: Any) -> ArcChallengeError:
    """The error of a call with this challenge, after checks that apply to all of them."""
    wire = Wire(reply(401, "", f"WWW-Authenticate: {header}"))
    with raw_server(wire) as endpoint:
        error = colour.error(get_token, endpoint=endpoint, deadline=10, **options)
    assert type(error) is ArcChallengeError, repr(error)
    assert len(wire.requests) == error.attempts == 1
    assert error.url.startswith(endpoint)
    assert f"({endpoint}/metadata/identity/oauth2/token, 1 attempt, " in str(error)
    assert error.elapsed > 0
    assert str(error).isprintable()
    assert list_errors(error) == [error]
    assert KEY not in f"{error} {error!r} {vars(error)}"
    assert pickle.loads(pickle.dumps(error)).args == error.args
    return error


def refused_path(colour: Colour, path: object) -> ArcChallengeError:
    return refusal(colour, f"Basic realm={path}")


def test_the_challenge_is_answered_with_the_content_of_the_file(colour: Colour, folder: Path) -> None:
    agent = Agent(folder)
    with raw_server(agent) as endpoint:
        assert colour.run(get_token, endpoint=endpoint).access_token == CANARY
    assert [agent.header("authorization", i) for i in (0, 1)] == [None, f"Basic {KEY}-0"]


def test_both_requests_have_the_same_parameters(colour: Colour, folder: Path) -> None:
    agent = Agent(folder, granted(client_id=CLIENT_ID))
    with raw_server(agent) as endpoint:
        colour.run(lambda imds: imds.identity.get_token(resource=RESOURCE, client_id=CLIENT_ID), endpoint=endpoint)
    first, second = agent.target(0), agent.target(1)
    assert first == second
    assert f"client_id={CLIENT_ID}" in first


def test_both_requests_have_the_metadata_header(colour: Colour, folder: Path) -> None:
    agent = Agent(folder)
    with raw_server(agent) as endpoint:
        colour.run(get_token, endpoint=endpoint)
    assert [agent.header("metadata", i) for i in (0, 1)] == ["true", "true"]


def test_a_challenge_does_not_count_as_a_failed_attempt(colour: Colour, folder: Path) -> None:
    clock = FakeClock()
    with raw_server(Agent(folder)) as endpoint:
        colour.run(get_token, endpoint=endpoint, retry=None, clock=clock)
    assert clock.waits == []


def test_each_call_requests_its_own_key(folder: Path) -> None:
    from azure_imds import ImdsClient

    agent = Agent(folder)
    with raw_server(agent) as endpoint, ImdsClient(endpoint) as imds:
        for _ in range(3):
            imds.identity.get_token(resource=RESOURCE)
    assert len(agent.keys) == 3
    assert len(agent.requests) == 6


@pytest.mark.parametrize("scheme", ["Basic realm=", "basic realm=", "BASIC REALM=", "Basic  realm = "])
def test_the_scheme_is_read_in_any_case(colour: Colour, folder: Path, scheme: str) -> None:
    (folder / "a.key").write_text(KEY)
    wire = Wire(reply(401, "", f"Www-Authenticate: {scheme}{folder}/a.key"), granted())
    with raw_server(wire) as endpoint:
        colour.run(get_token, endpoint=endpoint)
    assert wire.header("authorization") == f"Basic {KEY}"


def test_a_realm_in_quotes_is_read(colour: Colour, folder: Path) -> None:
    (folder / "a.key").write_text(KEY)
    with raw_server(Wire(challenge(f'"{folder}/a.key"'), granted())) as endpoint:
        assert colour.run(get_token, endpoint=endpoint).access_token == CANARY


def test_a_name_with_an_equals_sign_is_read_whole(colour: Colour, folder: Path) -> None:
    (folder / "a=b c.key").write_text(KEY)
    with raw_server(Wire(challenge(folder / "a=b c.key"), granted())) as endpoint:
        assert colour.run(get_token, endpoint=endpoint).access_token == CANARY


@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n"])
def test_line_ends_after_the_key_are_not_sent(colour: Colour, folder: Path, end: str) -> None:
    (folder / "a.key").write_bytes(f"{KEY}{end}".encode())
    wire = Wire(challenge(folder / "a.key"), granted())
    with raw_server(wire) as endpoint:
        colour.run(get_token, endpoint=endpoint)
    assert wire.header("authorization") == f"Basic {KEY}"


def test_a_key_of_4096_bytes_is_sent(colour: Colour, folder: Path) -> None:
    (folder / "a.key").write_text("k" * 4096)
    wire = Wire(challenge(folder / "a.key"), granted())
    with raw_server(wire) as endpoint:
        colour.run(get_token, endpoint=endpoint)
    assert wire.header("authorization") == "Basic " + "k" * 4096


@pytest.mark.parametrize("suffix", ["", "/", "/.", "//"])
def test_the_folder_may_be_given_in_any_spelling(
    colour: Colour, folder: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    monkeypatch.setenv("AZURE_IMDS_ARC_TOKEN_DIR", f"{folder}{suffix}")
    with raw_server(Agent(folder)) as endpoint:
        assert colour.run(get_token, endpoint=endpoint).access_token == CANARY


# Files that are not read


def test_a_relative_path_is_refused(colour: Colour, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "a.key").write_text(KEY)
    monkeypatch.chdir(folder)
    for path in ("a.key", "./a.key", f"..{os.sep}tokens{os.sep}a.key"):
        assert "relative path" in str(refused_path(colour, path))


def test_a_file_elsewhere_is_refused(colour: Colour, folder: Path) -> None:
    elsewhere = folder.parent / "a.key"
    elsewhere.write_text(KEY)
    error = refused_path(colour, elsewhere)
    assert "not directly in" in str(error)
    assert str(folder) in str(error)


def test_a_file_in_a_subfolder_is_refused(colour: Colour, folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "a.key").write_text(KEY)
    assert "not directly in" in str(refused_path(colour, folder / "sub" / "a.key"))


@pytest.mark.parametrize(
    "path", ["{0}/../tokens/a.key", "{0}/../a.key", "{0}/./a.key", "/{0}/a.key", "{0}/sub/../a.key"]
)
def test_a_path_with_detours_is_refused(colour: Colour, folder: Path, path: str) -> None:
    (folder / "sub").mkdir()
    for file in (folder / "a.key", folder.parent / "a.key"):
        file.write_text(KEY)
    assert "not directly in" in str(refused_path(colour, path.format(folder)))


@pytest.mark.parametrize("name", ["..", ".", "..key", "a.key/..", "a.key/"])
def test_an_invalid_file_name_is_refused(colour: Colour, folder: Path, name: str) -> None:
    refused_path(colour, f"{folder}/{name}")


@posix
def test_a_link_to_a_file_in_the_folder_is_refused(colour: Colour, folder: Path) -> None:
    (folder / "real.key").write_text(KEY)
    (folder / "a.key").symlink_to(folder / "real.key")
    assert "is a link" in str(refused_path(colour, folder / "a.key"))


@posix
def test_a_link_to_a_file_elsewhere_is_refused(colour: Colour, folder: Path) -> None:
    (folder.parent / "shadow").write_text(KEY)
    (folder / "a.key").symlink_to(folder.parent / "shadow")
    assert "is a link" in str(refused_path(colour, folder / "a.key"))


@posix
def test_a_link_to_nothing_is_refused(colour: Colour, folder: Path) -> None:
    (folder / "a.key").symlink_to(folder / "nothing")
    assert "is a link" in str(refused_path(colour, folder / "a.key"))


@posix
@pytest.mark.parametrize("elsewhere", [False, True], ids=["in the folder", "elsewhere"])
def test_a_file_with_a_second_name_is_refused(colour: Colour, folder: Path, elsewhere: bool) -> None:
    # A user who may create names in the folder, but not read the file, would have its content sent.
    target = folder.parent / "shadow" if elsewhere else folder / "real.key"
    target.write_text(KEY)
    (folder / "a.key").hardlink_to(target)
    assert "has 2 names (hard links), and key files have one" in str(refused_path(colour, folder / "a.key"))


@posix
def test_a_link_that_appears_just_before_the_open_is_refused(
    colour: Colour, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder.parent / "shadow").write_text(KEY)
    (folder / "a.key").symlink_to(folder.parent / "shadow")
    monkeypatch.setattr(os.path, "islink", lambda path: False)
    assert "is a link" in str(refused_path(colour, folder / "a.key"))


@posix
def test_a_fifo_is_refused_without_waiting_for_a_writer(colour: Colour, folder: Path) -> None:
    os.mkfifo(folder / "a.key")
    assert "not a regular file" in str(refused_path(colour, folder / "a.key"))


@posix
def test_a_folder_with_the_name_of_a_key_is_refused(colour: Colour, folder: Path) -> None:
    (folder / "a.key").mkdir()
    assert "not a regular file" in str(refused_path(colour, folder / "a.key"))


@posix
def test_a_socket_is_refused(colour: Colour, folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(folder / "a.key"))
        refused_path(colour, folder / "a.key")


@posix
def test_no_descriptor_stays_open_after_a_refusal(folder: Path) -> None:
    descriptors = Path("/proc/self/fd")
    if not descriptors.exists():
        pytest.skip("needs /proc")
    (folder / "a.key").mkdir()
    (folder / "b.key").write_text("k" * 5000)
    before = len(list(descriptors.iterdir()))
    for name in ("a.key", "b.key") * 20:
        assert isinstance(arc.answer_challenge(f"Basic realm={folder}/{name}", is_loopback=True), ArcChallengeError)
    assert len(list(descriptors.iterdir())) == before


def test_a_key_of_4097_bytes_is_refused(colour: Colour, folder: Path) -> None:
    (folder / "a.key").write_text(KEY + "k" * (4097 - len(KEY)))
    assert "larger than 4096 bytes" in str(refused_path(colour, folder / "a.key"))


@pytest.mark.parametrize("content", [b"", b"\n", b"\r\n\r\n", b" ", b"\0"], ids=repr)
def test_an_empty_file_is_refused(colour: Colour, folder: Path, content: bytes) -> None:
    (folder / "a.key").write_bytes(content)
    assert "contains no key" in str(refused_path(colour, folder / "a.key"))


@pytest.mark.parametrize(
    "content",
    [
        f"{KEY}\r\nX-Forwarded-For: 1.2.3.4",
        f"{KEY}\nx",
        f"\n{KEY}",
        f"{KEY}\0",
        f"{KEY}\t",
        f"{KEY} ",
        f" {KEY}",
        f"{KEY} \n",
        f"{KEY}\x7f",
        f"{KEY}é",
        f"\ufeff{KEY}",
    ],
    ids=repr,
)
def test_a_key_that_is_invalid_in_a_header_is_refused(colour: Colour, folder: Path, content: str) -> None:
    (folder / "a.key").write_bytes(content.encode())
    assert "not allowed in a header" in str(refused_path(colour, folder / "a.key"))


@pytest.mark.parametrize("name", ["a.txt", "a", "a.key.txt", "a.KEY", "a.keys", "akey", "a.key "])
def test_a_file_with_another_suffix_is_refused(colour: Colour, folder: Path, name: str) -> None:
    (folder / name).write_text(KEY)
    # A space at the end of a header is not part of its value, so it is quoted there.
    path = f'"{folder}/{name}"' if name.endswith(" ") else folder / name
    assert ".key file" in str(refused_path(colour, path))


def test_a_suffix_without_a_name_is_refused(colour: Colour, folder: Path) -> None:
    (folder / ".key").write_text(KEY)
    assert ".key file" in str(refused_path(colour, folder / ".key"))


def test_an_error_about_a_missing_file_is_retryable(colour: Colour, folder: Path) -> None:
    error = refused_path(colour, folder / "a.key")
    assert "does not exist" in str(error)
    assert error.retryable


def test_an_unreadable_file_names_the_group_that_may_read(
    colour: Colour, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a.key").write_text(KEY)
    original = os.open

    def deny(path: Any, *rest: Any, **more: Any) -> int:
        if str(path).endswith(".key"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return original(path, *rest, **more)

    monkeypatch.setattr(os, "open", deny)
    error = refused_path(colour, folder / "a.key")
    assert "not allowed to read" in str(error)
    assert "himds" in error.hint
    assert error.hint in str(error)


@pytest.mark.parametrize("number", [errno.EIO, errno.EMFILE, errno.ENAMETOOLONG])
def test_any_other_failure_to_open_is_reported(
    colour: Colour, folder: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    (folder / "a.key").write_text(KEY)
    original = os.open

    def fail(path: Any, *rest: Any, **more: Any) -> int:
        if str(path).endswith(".key"):
            raise OSError(number, os.strerror(number))
        return original(path, *rest, **more)

    monkeypatch.setattr(os, "open", fail)
    assert os.strerror(number) in str(refused_path(colour, folder / "a.key"))


def test_a_failure_to_read_is_reported(colour: Colour, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "a.key").write_text(KEY)

    class Broken(FileIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(files, "FileIO", Broken)
    assert os.strerror(errno.EIO) in str(refused_path(colour, folder / "a.key"))


@pytest.mark.parametrize("path", ["", '""', '"', " "], ids=repr)
def test_a_challenge_without_a_file_is_refused(colour: Colour, folder: Path, path: str) -> None:
    refused_path(colour, path)


def test_a_very_long_path_is_refused_with_a_short_message(colour: Colour, folder: Path) -> None:
    assert len(str(refused_path(colour, f"{folder}/{'a' * 50_000}.key"))) < 500


def test_a_path_may_contain_non_ascii_characters(colour: Colour, folder: Path) -> None:
    (folder / "é.key").write_text(KEY)
    with raw_server(Wire(challenge(folder / "é.key"), granted())) as endpoint:
        assert colour.run(get_token, endpoint=endpoint).access_token == CANARY


def test_a_path_that_cannot_be_decoded_is_refused(colour: Colour, folder: Path) -> None:
    wire = Wire(
        f"HTTP/1.1 401 X\r\nWWW-Authenticate: Basic realm={folder}/".encode() + b"\xff.key\r\nContent-Length: 0\r\n\r\n"
    )
    with raw_server(wire) as endpoint:
        error = colour.error(get_token, endpoint=endpoint)
    assert type(error) is ArcChallengeError


@pytest.mark.parametrize("filler", [" ", ",", ", a", ",a b=", "=", "a", '"', "/"])
def test_a_long_challenge_is_parsed_in_linear_time(folder: Path, filler: str) -> None:
    start = time.monotonic()
    for header in (f"Basic realm={filler * 90_000}x", f"Basic realm=/x{filler * 90_000}", filler * 90_000):
        assert arc.is_challenge(header, is_loopback=True)
        arc.is_challenge(header, is_loopback=False)
        assert isinstance(arc.answer_challenge(header, is_loopback=True), ArcChallengeError)
    assert time.monotonic() - start < 20, "hung"


# Challenges that are not Azure Arc's


@pytest.mark.parametrize(
    "header",
    ["Bearer", 'Bearer realm="x"', "Negotiate", "Basic", 'Basic charset="UTF-8"', "Digest realm={0}/a.key", "x", ""],
)
def test_another_scheme_is_refused_on_this_machine(colour: Colour, folder: Path, header: str) -> None:
    (folder / "a.key").write_text(KEY)
    assert "Basic realm=" in str(refusal(colour, header.format(folder)))


SECRET_PART = "s3cret-Part"
QUOTED = [
    ("Bearer", "Bearer"),
    ('Bearer realm="x"', 'Bearer realm="x"'),
    (f'Bearer realm="x", token="{SECRET_PART}"', 'Bearer realm="x" token=[removed]'),
    (f"Bearer {SECRET_PART}", "Bearer [removed]"),
    (f"Negotiate {SECRET_PART}==", "Negotiate [removed]"),
    (f'Digest realm="a b", nonce="{SECRET_PART}", qop="auth"', 'Digest realm="a b" nonce=[removed] qop="auth"'),
    (f'Bearer error="invalid_token", error_description="{CANARY} expired"', 'error_description="[removed] expired"'),
    (f'Bearer scope="{SECRET_PART * 3}"', 'Bearer scope="[removed]"'),
    (f"Custom key={SECRET_PART}", "Custom key=[removed]"),
    (f'Custom key="{SECRET_PART}', "Custom key=[removed]"),
    ("", "an empty header"),
]


@pytest.mark.parametrize(("header", "quoted"), QUOTED)
def test_a_challenge_of_another_server_is_quoted_without_its_secret_part(
    colour: Colour, folder: Path, header: str, quoted: str
) -> None:
    error = refusal(colour, header)
    assert quoted in str(error)
    assert SECRET_PART not in f"{error} {vars(error)}"
    assert CANARY not in f"{error} {vars(error)}"


@pytest.mark.parametrize(
    ("header", "quoted"),
    [
        (f'Basic realm="/x.key",key={SECRET_PART}', 'Basic realm="/x.key" key=[removed]'),
        (f'Basic realm="/x.key", key="{SECRET_PART}"', 'Basic realm="/x.key" key=[removed]'),
        (f'Basic realm="/x.key" key="{SECRET_PART}"', 'Basic realm="/x.key" key=[removed]'),
        (f"Basic realm=/x.key, key={SECRET_PART}", "Basic realm=/x.key key=[removed]"),
        (f"Basic realm=/x.key key={SECRET_PART}", "Basic realm=/x.key key=[removed]"),
    ],
)
def test_a_challenge_with_other_parameters_is_quoted_without_their_values(
    colour: Colour, folder: Path, header: str, quoted: str
) -> None:
    error = refusal(colour, header)
    assert f"It was: {quoted} (" in str(error)
    assert SECRET_PART not in f"{error} {vars(error)}"


@pytest.mark.parametrize("server", ["nginx", "IMDS/1.2"])
@pytest.mark.parametrize(("header", "quoted"), [entry for entry in QUOTED if entry[0]])
def test_a_challenge_of_another_machine_is_quoted_as_well(
    colour: Colour, header: str, quoted: str, server: str
) -> None:
    error = colour.error(get_token, transport=Script(answer(401, b"", www_authenticate=header, server=server)))
    assert type(error) is (ImdsUnavailableError if server == "nginx" else ImdsStatusError)
    assert f"asks for: {quoted}" in str(error).replace('Bearer error="invalid_token" ', "")
    assert SECRET_PART not in f"{error} {error.hint}"
    assert CANARY not in f"{error} {error.hint}"


def test_a_login_of_another_machine_is_no_challenge_of_azure_arc(colour: Colour) -> None:
    script = Script(answer(401, b"", www_authenticate='Basic realm="Restricted"', server="nginx"))
    error = colour.error(get_token, transport=script)
    assert type(error) is ImdsUnavailableError
    assert 'asks for: Basic realm="Restricted".' in error.hint


@pytest.mark.parametrize(
    "header",
    [
        "Basic realm={0}/a.key, Basic realm={0}/b.key",
        "Basic realm={0}/a.key, Negotiate",
        'Basic realm="{0}/a.key", Bearer realm="x"',
        "Basic realm={0}/a.key\r\nWWW-Authenticate: Basic realm={0}/b.key",
        "Basic realm={0}/a.key\r\nWWW-Authenticate: Negotiate",
    ],
    ids=["twice", "and Negotiate", "and Bearer", "two headers", "two headers, two schemes"],
)
def test_several_challenges_are_refused(colour: Colour, folder: Path, header: str) -> None:
    for name in ("a.key", "b.key"):
        (folder / name).write_text(KEY)
    assert "several challenges" in str(refusal(colour, header.format(folder)))


@pytest.mark.parametrize(
    "header", ["Negotiate, Basic realm={0}/a.key", "Bearer\r\nWWW-Authenticate: Basic realm={0}/a.key"]
)
def test_a_challenge_after_another_is_refused(colour: Colour, folder: Path, header: str) -> None:
    (folder / "a.key").write_text(KEY)
    refusal(colour, header.format(folder))


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://169.254.169.254",
        "http://10.0.0.1",
        "http://example.com",
        "http://127.0.0.1.example.com",
        "http://[fe80::1]",
    ],
)
def test_a_key_never_leaves_this_machine(colour: Colour, folder: Path, endpoint: str) -> None:
    (folder / "a.key").write_text(KEY)
    script = Script(answer(401, b"", www_authenticate=f"Basic realm={folder}/a.key"))
    error = colour.error(get_token, transport=script, endpoint=endpoint)
    assert type(error) is ArcChallengeError
    assert "another machine" in str(error)
    assert len(script.requests) == 1


@pytest.mark.parametrize(
    "endpoint", ["http://localhost:1", "http://LOCALHOST:1", "http://127.8.9.1:1", "http://[::1]:1"]
)
def test_every_name_of_this_machine_is_accepted(colour: Colour, folder: Path, endpoint: str) -> None:
    (folder / "a.key").write_text(KEY)
    script = Script(answer(401, b"", www_authenticate=f"Basic realm={folder}/a.key"), answer(200, token()))
    assert colour.run(get_token, transport=script, endpoint=endpoint).access_token == CANARY


@pytest.mark.parametrize("header", ["Bearer", "Negotiate", 'Basic charset="UTF-8"'])
def test_another_scheme_from_another_machine_is_a_plain_401(colour: Colour, header: str) -> None:
    script = Script(answer(401, {"error": "x"}, www_authenticate=header))
    error = colour.error(get_token, transport=script)
    assert type(error) is ImdsStatusError
    assert error.status_code == 401


def test_a_redirect_is_not_followed_with_the_key(colour: Colour, folder: Path) -> None:
    with raw_server(Wire(granted())) as elsewhere:
        agent = Agent(folder, reply(302, "", f"Location: {elsewhere}/x"))
        with raw_server(agent) as endpoint:
            error = colour.error(get_token, endpoint=endpoint)
    assert isinstance(error, ImdsStatusError)
    assert error.status_code == 302


# The second request


@pytest.mark.parametrize("again", ["Basic realm={0}/a.key", "Basic realm={0}/b.key", "Bearer", None])
def test_a_rejected_key_is_not_sent_again(colour: Colour, folder: Path, again: str | None) -> None:
    for name in ("a.key", "b.key"):
        (folder / name).write_text(KEY)
    headers = [] if again is None else [f"WWW-Authenticate: {again.format(folder)}"]
    wire = Wire(challenge(folder / "a.key"), reply(401, "", *headers))
    with raw_server(wire) as endpoint:
        error = colour.error(get_token, endpoint=endpoint)
    assert type(error) is ArcChallengeError
    assert "rejected the key" in str(error)
    assert error.attempts == len(wire.requests) == 2


@pytest.mark.parametrize("status", [404, 408, 410, 429, 500, 503])
def test_a_temporary_failure_of_the_second_request_requests_a_new_key(
    colour: Colour, folder: Path, status: int
) -> None:
    agent = Agent(folder, reply(status, "{}"), granted())
    with raw_server(agent) as endpoint:
        assert colour.run(get_token, endpoint=endpoint, clock=FakeClock()).access_token == CANARY
    assert [agent.header("authorization", i) for i in range(4)] == [None, f"Basic {KEY}-0", None, f"Basic {KEY}-1"]


def test_a_second_request_without_a_response_requests_a_new_key(colour: Colour, folder: Path) -> None:
    agent = Agent(folder, reply(200, "{", "Connection: close", length=50), granted())

    def closing(connection: socket.socket) -> None:
        from support import read_request

        while request := read_request(connection):
            agent.requests.append(request)
            said = agent._answer()
            connection.sendall(said)
            if b"close" in said:
                return

    with raw_server(closing) as endpoint:
        assert colour.run(get_token, endpoint=endpoint, clock=FakeClock()).access_token == CANARY
    assert agent.header("authorization") == f"Basic {KEY}-1"


def test_endless_challenges_are_limited_by_the_attempts(colour: Colour, folder: Path) -> None:
    agent = Agent(folder, reply(500, "{}"))
    with raw_server(agent) as endpoint:
        error = colour.error(get_token, endpoint=endpoint, clock=FakeClock(), retry=RetryPolicy(attempts=3))
    assert isinstance(error, ImdsStatusError)
    assert error.attempts == len(agent.requests) == 6


def test_an_error_of_the_first_request_is_reported(colour: Colour, folder: Path) -> None:
    wire = Wire(reply(429, '{"error":"x"}'))
    with raw_server(wire) as endpoint:
        error = colour.error(get_token, endpoint=endpoint, retry=None)
    assert type(error) is ThrottledError


@pytest.mark.parametrize("status", [400, 403, 404, 500])
def test_an_agent_that_repeats_the_key_does_not_get_it_into_the_error(
    colour: Colour, folder: Path, status: int
) -> None:
    echo = reply(
        status, json.dumps({"error": f"bad key {KEY}-0"}), f"X-Seen: Basic {KEY}-0", f"x-ms-request-id: {KEY}-0"
    )
    with raw_server(Agent(folder, echo)) as endpoint:
        error = colour.error(get_token, endpoint=endpoint, retry=None)
    assert isinstance(error, ImdsStatusError)
    assert error.response is not None
    assert KEY not in f"{error} {vars(error)} {error.response.headers} {error.response.text}"
    assert KEY.encode() not in pickle.dumps(error)


# The identity of the token

SELECTED: list[tuple[dict[str, str], dict[str, Any]]] = [
    ({"client_id": CLIENT_ID}, {"client_id": CLIENT_ID}),
    ({"object_id": OTHER_ID}, {"object_id": OTHER_ID.upper()}),
    ({"msi_res_id": RESOURCE_ID}, {"msi_res_id": RESOURCE_ID}),
    ({"msi_res_id": RESOURCE_ID}, {"msi_res_id": RESOURCE_ID.lower()}),
    ({"msi_res_id": RESOURCE_ID}, {"mi_res_id": RESOURCE_ID.upper()}),
    ({"msi_res_id": RESOURCE_ID}, {"mi_res_id": RESOURCE_ID, "msi_res_id": RESOURCE_ID}),
    ({}, {"client_id": OTHER_ID}),
]


@pytest.mark.parametrize(("selector", "members"), SELECTED, ids=repr)
def test_a_response_that_repeats_the_identity_is_accepted(
    colour: Colour, folder: Path, selector: dict[str, str], members: dict[str, Any]
) -> None:
    with raw_server(Agent(folder, granted(**members))) as endpoint:
        result = colour.run(lambda imds: imds.identity.get_token(resource=RESOURCE, **selector), endpoint=endpoint)
    assert result.access_token == CANARY


MISTAKEN: list[tuple[dict[str, str], dict[str, Any]]] = [
    ({"client_id": CLIENT_ID}, {"client_id": OTHER_ID}),
    ({"client_id": CLIENT_ID}, {"client_id": None}),
    ({"client_id": CLIENT_ID}, {"client_id": ""}),
    ({"client_id": CLIENT_ID}, {"client_id": [CLIENT_ID]}),
    ({"object_id": OTHER_ID}, {}),
    ({"object_id": OTHER_ID}, {"object_id": CLIENT_ID}),
    ({"object_id": OTHER_ID}, {"client_id": OTHER_ID}),
    ({"msi_res_id": RESOURCE_ID}, {}),
    ({"msi_res_id": RESOURCE_ID}, {"msi_res_id": RESOURCE_ID + "x"}),
    ({"msi_res_id": RESOURCE_ID}, {"msi_res_id": RESOURCE_ID, "mi_res_id": RESOURCE_ID + "x"}),
    ({"msi_res_id": RESOURCE_ID}, {"msi_res_id": True}),
]


@pytest.mark.parametrize(("selector", "members"), MISTAKEN, ids=repr)
def test_a_token_of_another_identity_is_refused(
    colour: Colour, folder: Path, selector: dict[str, str], members: dict[str, Any]
) -> None:
    with raw_server(Agent(folder, granted(**members))) as endpoint:
        error = colour.error(lambda imds: imds.identity.get_token(resource=RESOURCE, **selector), endpoint=endpoint)
    assert type(error) is ImdsResponseError
    assert next(iter(selector)) in str(error)
    assert CANARY not in str(error)
    assert error.attempts == 2


@contextmanager
def arc_variables(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{endpoint}/metadata/identity/oauth2/token")
    monkeypatch.setenv("IMDS_ENDPOINT", endpoint)
    yield


def test_an_agent_that_does_not_challenge_must_repeat_the_identity_too(
    colour: Colour, monkeypatch: pytest.MonkeyPatch
) -> None:
    with raw_server(Wire(granted(client_id=None))) as endpoint, arc_variables(endpoint, monkeypatch):
        error = colour.error(lambda imds: imds.identity.get_token(resource=RESOURCE, client_id=CLIENT_ID))
    assert type(error) is ImdsResponseError


def test_an_azure_machine_need_not_repeat_the_identity(colour: Colour) -> None:
    script = Script(answer(200, token(client_id=OTHER_ID)))
    action: Callable[[Any], Any] = lambda imds: imds.identity.get_token(resource=RESOURCE, msi_res_id=RESOURCE_ID)  # noqa: E731
    assert colour.run(action, transport=script).access_token == CANARY


def test_an_azure_machine_that_names_another_identity_is_refused(colour: Colour) -> None:
    script = Script(answer(200, token(client_id=OTHER_ID)))
    error = colour.error(lambda imds: imds.identity.get_token(resource=RESOURCE, client_id=CLIENT_ID), transport=script)
    assert type(error) is ImdsResponseError


def test_the_variables_of_arc_select_the_agent(colour: Colour, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    agent = Agent(folder)
    with raw_server(agent) as endpoint, arc_variables(endpoint, monkeypatch):
        assert colour.run(get_token).access_token == CANARY
    assert "api-version=2020-06-01" in agent.target(0)


def test_threads_do_not_mix_up_their_keys(folder: Path) -> None:
    from azure_imds import ImdsClient

    agent = Agent(folder)
    failures: list[ImdsError] = []
    with raw_server(agent) as endpoint, ImdsClient(endpoint) as imds:

        def ask() -> None:
            try:
                for _ in range(5):
                    imds.identity.get_token(resource=RESOURCE)
            except ImdsError as error:
                failures.append(error)

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not failures
    assert len(agent.keys) == 40


# The folder on each system


def test_the_folder_on_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    assert arc.token_folder() == "/var/opt/azcmagent/tokens"


def test_the_folder_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("PROGRAMDATA", r"D:\Data")
    assert arc.token_folder() == r"D:\Data\AzureConnectedMachineAgent\Tokens"


def test_there_is_no_folder_on_other_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    error = arc.answer_challenge("Basic realm=/var/opt/azcmagent/tokens/a.key", is_loopback=True)
    assert isinstance(error, ArcChallengeError)
    assert "darwin" in str(error)


WINDOWS = r"C:\ProgramData\AzureConnectedMachineAgent\Tokens"


@pytest.mark.parametrize(
    "path", [rf"{WINDOWS}\a.key", rf"{WINDOWS.lower()}\A.key", "C:/ProgramData/AzureConnectedMachineAgent/Tokens/a.key"]
)
def test_a_windows_path_is_compared_as_windows_does(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.delenv("PROGRAMDATA", raising=False)
    assert arc._path_problem(path) == ""


@pytest.mark.parametrize(
    "path",
    [
        rf"{WINDOWS}\sub\a.key",
        rf"{WINDOWS}\..\a.key",
        rf"{WINDOWS}\..\Tokens\a.key",
        r"C:\Windows\a.key",
        r"\\server\share\a.key",
        rf"\\?\{WINDOWS}\a.key",
        r"C:a.key",
        r"a.key",
        rf"{WINDOWS}\secret.txt:a.key",
        rf"{WINDOWS}\a.key.",
        rf"{WINDOWS}\a.key::$DATA",
        rf"{WINDOWS}\.key",
        "/var/opt/azcmagent/tokens/a.key",
    ],
)
def test_other_windows_paths_are_refused(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.delenv("PROGRAMDATA", raising=False)
    assert arc._path_problem(path) != ""
