"""The blocks of docs/guides/token-clients.md with the real clients, and what these send."""

from __future__ import annotations

import asyncio
import json
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from integration import parts
from integration.kubernetes_api import free_ports
from integration.mongo_server import MongoServer

from azure_imds_emulator import Emulator
from docs_support import DOCS, find_blocks
from emulator_support import wait_until
from support import Wire, raw_server, reply

openai = parts.module("openai")
pymongo = parts.module("pymongo")
redis = parts.module("redis")
parts.module("redis_entraid")

pytestmark = pytest.mark.integration

PAGE = DOCS / "guides" / "token-clients.md"
FIRST, *BLOCKS = [block.text for block in find_blocks(PAGE, "python")]


def block(word: str, **replaced: str) -> str:
    """Returns the first block of the page, and the one that contains a word, with other addresses."""
    [found] = [text for text in BLOCKS if f"import {word}" in text]
    for old, new in replaced.items():
        assert old in found
        found = found.replace(old, new)
    return FIRST + found


def run(code: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(code, str(PAGE), "exec", dont_inherit=True), names)
    return names


def resources(emulator: Emulator) -> list[str]:
    return [request.query["resource"] for request in emulator.requests]


def test_each_block_of_the_page_has_a_test() -> None:
    assert len(BLOCKS) == 5
    assert {block(word) for word in ("OpenAI", "AzureOpenAI", "MongoClient", "pyodbc", "Redis\n")} == {
        FIRST + one for one in BLOCKS
    }


@pytest.mark.parametrize(
    ("word", "client", "resource", "path"),
    [
        ("OpenAI", "openai", "https://ai.azure.com", "/openai/v1/models"),
        ("AzureOpenAI", "azure_openai", "https://cognitiveservices.azure.com", "/openai/models?api-version="),
    ],
)
def test_openai_sends_the_token_with_each_request(
    word: str, client: str, resource: str, path: str, emulator: Emulator
) -> None:
    wire = Wire(reply(200, json.dumps({"object": "list", "data": []}), "Content-Type: application/json"))
    with raw_server(wire) as url:
        names = run(block(word).replace("https://example.openai.azure.com", url))
        with names[client] as opened:
            assert [list(opened.models.list()), list(opened.models.list())] == [[], []]
    token = names["credential"].get_token(f"{resource}/.default").token
    assert [wire.header("authorization", index) for index in range(2)] == [f"Bearer {token}"] * 2
    assert all(wire.target(index).startswith(path) for index in range(2))
    assert resources(emulator) == [resource]


def test_pymongo_logs_in_with_the_token(emulator: Emulator) -> None:
    server = MongoServer()
    with raw_server(server) as url:
        names = run(block("MongoClient").replace(*mongo_address(url)))
        with names["mongo"] as client:
            assert client.admin.command("ping") == {"ok": 1}
    assert set(server.tokens) == {names["mongo_token"]()}
    assert resources(emulator) == ["https://ossrdbms-aad.database.windows.net"]


def test_pymongo_logs_in_again_after_a_refusal(emulator: Emulator) -> None:
    server = MongoServer()
    with raw_server(server) as url:
        names = run(block("MongoClient").replace(*mongo_address(url)))
        server.refusals = [{"code": 18, "codeName": "AuthenticationFailed", "errmsg": "Authentication failed."}]
        with names["mongo"] as client:
            with pytest.raises(pymongo.errors.OperationFailure) as caught:
                client.admin.command("ping")
            assert client.admin.command("ping") == {"ok": 1}
    assert len(server.tokens) == 2
    assert "eyJ" not in f"{caught.value} {names['mongo']!r}"


def test_pymongo_asks_for_the_token_again_when_a_login_has_expired(emulator: Emulator) -> None:
    server = MongoServer()
    with raw_server(server) as url:
        names = run(block("MongoClient").replace(*mongo_address(url)))
        with names["mongo"] as client:
            client.admin.command("ping")
            names["credential"].clear()
            server.expired = 1
            assert client.admin.command("ping") == {"ok": 1}
    assert len(server.tokens) == 2
    assert len(resources(emulator)) == 2


def test_the_asynchronous_client_of_pymongo_takes_the_same_callback(emulator: Emulator) -> None:
    server = MongoServer()

    async def ping(url: str) -> Any:
        code = block("MongoClient").replace("MongoClient", "AsyncMongoClient").replace(*mongo_address(url))
        async with run(code)["mongo"] as client:
            return await client.admin.command("ping")

    with raw_server(server) as url:
        assert asyncio.run(ping(url)) == {"ok": 1}
    assert len(set(server.tokens)) == 1


def mongo_address(url: str) -> tuple[str, str]:
    return "mongodb://example.mongocluster.cosmos.azure.com:10260/?tls=true", url.replace("http://", "mongodb://")


@pytest.fixture
def odbc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file to which the driver writes tokens. The driver has the name of Microsoft's."""
    library, tokens = tmp_path / "driver.so", tmp_path / "tokens"
    source = Path(__file__).with_name("odbc_driver.c")
    subprocess.run([parts.program("cc"), "-shared", "-fPIC", "-o", library, source], check=True, timeout=60)
    (tmp_path / "odbcinst.ini").write_text(f"[ODBC Driver 18 for SQL Server]\nDriver={library}\n", encoding="utf-8")
    monkeypatch.setenv("ODBCSYSINI", str(tmp_path))
    monkeypatch.setenv("ACCESS_TOKEN_FILE", str(tokens))
    return tokens


def test_the_odbc_driver_receives_the_token_as_it_expects_it(emulator: Emulator, odbc: Path) -> None:
    parts.module("pyodbc")
    # In its own process: unixODBC reads the configuration once.
    code = block("pyodbc") + "connect().close()\nconnect().close()\nprint(sql_token())\n"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    token = done.stdout.strip()
    expected = struct.pack("<I", 2 * len(token)) + b"".join(bytes([ord(letter), 0]) for letter in token)
    assert odbc.read_bytes() == expected * 2
    assert resources(emulator) == ["https://database.windows.net"]


@pytest.fixture
def redis_port(tmp_path: Path) -> Iterator[int]:
    """The port of a Redis server that accepts no user yet but its administrator."""
    program = parts.program("redis-server")
    [port] = free_ports(1)
    options = {"port": port, "bind": "127.0.0.1", "save": "", "dir": tmp_path, "requirepass": "administrator"}
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    with subprocess.Popen([program, *words], stdout=subprocess.DEVNULL) as process:
        try:
            yield port
        finally:
            process.kill()


def test_redis_accepts_the_token_as_the_password_of_the_identity(emulator: Emulator, redis_port: int) -> None:
    code = block("Redis\n").replace("example.redis.azure.net", "127.0.0.1").replace("10000", str(redis_port))
    names = run(code.replace("    ssl=True,\n", ""))
    identity = emulator.machine.identities[0].object_id
    with redis.Redis(port=redis_port, password="administrator") as administrator, names["redis"] as client:
        wait_until(lambda: answers(administrator))
        with pytest.raises(redis.exceptions.AuthenticationError):
            client.ping()
        administrator.acl_setuser(identity, enabled=True, passwords=[f"+{names['redis_token']()}"], commands=["+@all"])
        assert client.ping() is True
        assert client.acl_whoami() == identity
    assert resources(emulator) == ["https://redis.azure.com"]


def answers(client: Any) -> bool:
    try:
        return bool(client.ping())
    except redis.exceptions.ConnectionError:
        return False
