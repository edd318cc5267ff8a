"""A server that speaks as much of MongoDB's protocol as a login with a token and a ping need."""

from __future__ import annotations

import socket
import struct
from typing import Any

from integration import parts

bson = parts.module("bson")

_LEGACY_QUERY, _LEGACY_REPLY, _MESSAGE = 2004, 1, 2013

_HELLO = {
    "isWritablePrimary": True,
    "ismaster": True,
    "helloOk": True,
    "minWireVersion": 0,
    "maxWireVersion": 25,
    "maxBsonObjectSize": 16 << 20,
    "maxMessageSizeBytes": 48 << 20,
    "maxWriteBatchSize": 1000,
    "ok": 1,
}


class MongoServer:
    """A handler for `raw_server`.

    Attributes:
        tokens: the token of each login.
        commands: the names of the commands.
        refusals: the errors with which to refuse the next logins.
        expired: how many of the next other commands to refuse, because the login has expired.
    """

    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.commands: list[str] = []
        self.refusals: list[dict[str, Any]] = []
        self.expired = 0

    def __call__(self, connection: socket.socket) -> None:
        while header := _read(connection, 16):
            size, request_id, _, code = struct.unpack("<4i", header)
            body = _read(connection, size - 16)
            if code == _LEGACY_QUERY:
                start = body.index(b"\0", 4) + 1 + 8
                answer = struct.pack("<iqii", 8, 0, 0, 1) + bson.encode(self._answer(_first(body[start:])))
                answer_code = _LEGACY_REPLY
            else:
                assert code == _MESSAGE
                answer = struct.pack("<iB", 0, 0) + bson.encode(self._answer(_first(body[5:])))
                answer_code = _MESSAGE
            connection.sendall(struct.pack("<4i", 16 + len(answer), 0, request_id, answer_code) + answer)

    def _answer(self, command: dict[str, Any]) -> dict[str, Any]:
        name = next(iter(command))
        self.commands.append(name)
        if name == "saslStart":
            return self._log_in(command)
        if name in ("hello", "ismaster"):
            speculative = command.get("speculativeAuthenticate")
            return _HELLO | ({"speculativeAuthenticate": self._log_in(speculative)} if speculative else {})
        if self.expired:
            self.expired -= 1
            return {"ok": 0, "code": 391, "codeName": "ReauthenticationRequired", "errmsg": "The login has expired."}
        return {"ok": 1}

    def _log_in(self, command: dict[str, Any]) -> dict[str, Any]:
        assert command["mechanism"] == "MONGODB-OIDC"
        self.tokens.append(bson.decode(command["payload"])["jwt"])
        if self.refusals:
            return {"ok": 0, **self.refusals.pop()}
        return {"ok": 1, "conversationId": 1, "done": True, "payload": b""}


def _first(body: bytes) -> dict[str, Any]:
    document: dict[str, Any] = bson.decode(body[: int.from_bytes(body[:4], "little")])
    return document


def _read(connection: socket.socket, size: int) -> bytes:
    """Reads exactly so many bytes. Returns none if the client has closed the connection."""
    data = b""
    while len(data) < size:
        piece = connection.recv(size - len(data))
        if not piece:
            return b""
        data += piece
    return data
