"""Reads an HTTP/1.1 response from bytes, without I/O, and writes the bytes of a request. (RFC 9110, RFC 9112)

It accepts less than the RFCs allow, since IMDS is simple and whatever else answers in its place is not trusted.
"""

from __future__ import annotations

import re

import httpx

#: Bytes of all header blocks of a response, and of its trailers. Real ones have a few hundred.
LARGEST_HEAD = 64 * 1024
#: Bytes of the line before a chunk: its size and its extensions.
_LARGEST_CHUNK_LINE = 4096

_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: ([\t -~\x80-\xff]*))?")
_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(rb"[\t -~\x80-\xff]*")
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[\t -~\x80-\xff]*)?")

Headers = list[tuple[bytes, bytes]]


def request_bytes(request: httpx.Request) -> bytes:
    """The head of a request as it is sent.

    Raises:
        httpx.LocalProtocolError: a header contains a character that is not allowed.
    """
    lines = [b"%b %b HTTP/1.1" % (request.method.encode("ascii"), request.url.raw_path)]
    for name, value in request.headers.raw:
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            # The text must not quote the value, which may be a key.
            raise httpx.LocalProtocolError("Illegal header name or value")
        lines.append(b"%b: %b" % (name, value))
    return b"\r\n".join((*lines, b"", b""))


class ResponseReader:
    """Reads one response. Feed it with bytes until `is_complete`.

    Attributes:
        status: the HTTP status. 0 until the header block is complete.
        reason: the reason phrase.
        http_version: HTTP/1.0 or HTTP/1.1.
        headers: names and values as received.
        is_complete: whether the body is complete.
        is_reusable: whether the connection can be used for another request after this response.
        has_begun: whether any byte was received.
    """

    def __init__(self, method: str) -> None:
        self.status = 0
        self.reason = b""
        self.http_version = b""
        self.headers: Headers = []
        self.is_complete = False
        self.is_reusable = False
        self.has_begun = False
        self._method = method
        self._buffer = bytearray()
        self._head_bytes = 0
        self._left: int | None = None
        self._is_chunked = False
        self._in_trailers = False

    @property
    def has_whole_body(self) -> bool:
        """Whether the body has a known length and has been received."""
        return self.status != 0 and self._left is not None and len(self._buffer) >= self._left and not self._is_chunked

    def feed(self, data: bytes) -> None:
        """Adds received bytes. Empty bytes mean that the server has closed the connection.

        Raises:
            httpx.RemoteProtocolError: this is not a valid response.
        """
        if not data:
            self._end()
            return
        self.has_begun = True
        self._buffer += data
        while not self.status and (block := self._next_block()) is not None:
            self._read_head(block)

    def body(self) -> bytes:
        """Removes and returns the part of the body that has been received since the last call.

        Raises:
            httpx.RemoteProtocolError: a chunk is not valid.
        """
        if not self.status or self.is_complete:
            return b""
        if self._is_chunked:
            return self._chunks()
        if self._left is None:
            part = bytes(self._buffer)
            self._buffer.clear()
            return part
        part = bytes(self._buffer[: self._left])
        del self._buffer[: self._left]
        self._left -= len(part)
        if not self._left:
            self._complete()
        return part

    def _end(self) -> None:
        if self.status and self._left is None and not self._is_chunked:
            self.is_complete = True
        elif not self.is_complete:
            raise httpx.RemoteProtocolError(
                "Server disconnected without sending a response."
                if not self.has_begun
                else "Server disconnected before the response was complete."
            )

    def _complete(self) -> None:
        self.is_complete = True
        # Bytes after the response belong to nothing that was asked for.
        self.is_reusable = self.is_reusable and not self._buffer

    def _next_block(self) -> bytes | None:
        """The next header block without the empty line at its end. None if it has not arrived completely."""
        end = self._buffer.find(b"\r\n\r\n", max(0, self._head_bytes - 3))
        if end < 0:
            self._head_bytes = len(self._buffer)
            self._check_size(self._head_bytes)
            return None
        self._check_size(end)
        block = bytes(self._buffer[:end])
        del self._buffer[: end + 4]
        self._head_bytes = 0
        return block

    def _check_size(self, size: int) -> None:
        if size > LARGEST_HEAD:
            raise httpx.RemoteProtocolError("The header block is too large.")
        start = bytes(self._buffer[:9])
        if not b"HTTP/1.1 ".startswith(start) and not b"HTTP/1.0 ".startswith(start) and not self._in_trailers:
            raise httpx.RemoteProtocolError("The response is not HTTP/1.1.")

    def _read_head(self, block: bytes) -> None:
        first, *lines = block.split(b"\r\n")
        match = _STATUS_LINE.fullmatch(first)
        if match is None:
            raise httpx.RemoteProtocolError("Illegal status line.")
        headers = _headers(lines)
        status = int(match[2])
        if 100 <= status < 200:
            if status == 101:
                raise httpx.RemoteProtocolError("The server switched protocols without being asked.")
            return  # an interim response; the final one follows
        self.headers = headers
        self.status = status
        self.reason = match[3] or b""
        self.http_version = b"HTTP/1.1" if match[1] == b"1" else b"HTTP/1.0"
        self._read_framing()

    def _read_framing(self) -> None:
        """Determines where the body ends. (RFC 9112, section 6.3)"""
        fields: dict[bytes, list[bytes]] = {}
        for name, value in self.headers:
            fields.setdefault(name.lower(), []).append(value)
        lengths = {length.strip() for value in fields.get(b"content-length", ()) for length in value.split(b",")}
        encodings = b",".join(fields.get(b"transfer-encoding", ())).lower()
        connection = b",".join(fields.get(b"connection", ())).lower()
        self.is_reusable = self.http_version == b"HTTP/1.1" and b"close" not in connection
        if len(lengths) > 1 or any(not length.isdigit() or len(length) > 20 for length in lengths):
            raise httpx.RemoteProtocolError("Illegal Content-Length.")
        if self._method == "HEAD" or self.status in (204, 304):
            self._left = 0
        elif encodings:
            if encodings.strip() != b"chunked":
                raise httpx.RemoteProtocolError("Unsupported Transfer-Encoding.")
            if lengths:
                raise httpx.RemoteProtocolError("Both Content-Length and Transfer-Encoding.")
            self._is_chunked = True
        elif lengths:
            self._left = int(lengths.pop())
        else:
            self.is_reusable = False  # the body ends with the connection
        if self._left == 0 and not self._is_chunked:
            self._complete()

    def _chunks(self) -> bytes:
        parts: list[bytes] = []
        while not self.is_complete:
            if self._in_trailers:
                self._read_trailers()
                break
            if self._left is None:
                end = self._buffer.find(b"\r\n", 0, _LARGEST_CHUNK_LINE + 2)
                if end < 0:
                    if len(self._buffer) > _LARGEST_CHUNK_LINE:
                        raise httpx.RemoteProtocolError("The size of a chunk is too long.")
                    break
                match = _CHUNK_LINE.fullmatch(bytes(self._buffer[:end]))
                if match is None:
                    raise httpx.RemoteProtocolError("Illegal size of a chunk.")
                del self._buffer[: end + 2]
                self._left = int(match[1], 16)
                if not self._left:
                    self._in_trailers = True
            elif self._left:
                part = bytes(self._buffer[: self._left])
                if not part:
                    break
                del self._buffer[: len(part)]
                self._left -= len(part)
                parts.append(part)
            if self._left == 0 and not self._in_trailers:
                if len(self._buffer) < 2:
                    break
                if not self._buffer.startswith(b"\r\n"):
                    raise httpx.RemoteProtocolError("A chunk does not end where it should.")
                del self._buffer[:2]
                self._left = None
        return b"".join(parts)

    def _read_trailers(self) -> None:
        if self._buffer.startswith(b"\r\n"):
            del self._buffer[:2]
            self._complete()
        elif (block := self._next_block()) is not None:
            _headers(block.split(b"\r\n"))
            self._complete()


def _headers(lines: list[bytes]) -> Headers:
    found: Headers = []
    for line in lines:
        name, colon, value = line.partition(b":")
        value = value.strip(b" \t")
        # Folded lines (RFC 9112, section 5.2) are not accepted: their name would begin with a space.
        if not colon or not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise httpx.RemoteProtocolError("Illegal header line.")
        found.append((name, value))
    return found
