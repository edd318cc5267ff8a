"""Writes an HTTP/1.1 request as bytes, and reads a response from bytes, without I/O. (RFC 9110, RFC 9112)

It accepts less than the RFCs allow, since IMDS is simple and whatever else answers in its place is not trusted.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx

#: Bytes of all header blocks of a response together, and of its trailers. Real responses have a few hundred.
LARGEST_HEAD = 64 * 1024
#: Bytes of the line before a chunk: its size and its extensions.
_LARGEST_CHUNK_LINE = 4096

_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(rb"[\t -~\x80-\xff]*")
_TARGET = re.compile(rb"[!-~]+")
_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: ([\t -~\x80-\xff]*))?")
#: Lines of a header block. A line that begins with a space or tab continues the one before. (RFC 9112, section 5.2)
_FIELDS = re.compile(rb"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]++:[\t -~\x80-\xff]*+(?:\n[\t ][\t -~\x80-\xff]*+)*+\n)*+")
_FOLD = re.compile(rb"\n[\t ]+")
_EMPTY_LINE = re.compile(rb"\n\r?\n")
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})(?:;[\t -~\x80-\xff]*|[ \t]*)")

Headers = list[tuple[bytes, bytes]]


def request_bytes(request: httpx.Request, body: bytes) -> bytes:
    """A request as it is sent.

    Raises:
        httpx.LocalProtocolError: the method or a header contains a character that is not allowed, or the headers do not
            match the body.
    """
    method, target = request.method.encode("utf-8", "replace"), request.url.raw_path
    if not _NAME.fullmatch(method) or not _TARGET.fullmatch(target):
        raise httpx.LocalProtocolError("Illegal method or URL")
    lines = [b"%b %b HTTP/1.1" % (method, target)]
    for name, value in request.headers.raw:
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            # The text must not quote the value, which may be a key.
            raise httpx.LocalProtocolError("Illegal header name or value")
        lines.append(b"%b: %b" % (name, value))
    encoding, length = request.headers.get("transfer-encoding"), request.headers.get("content-length")
    if encoding is not None:
        if encoding.lower() != "chunked" or length is not None:
            raise httpx.LocalProtocolError("Transfer-Encoding must be chunked, without Content-Length")
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n"
    elif length != str(len(body)) and (body or length is not None):
        raise httpx.LocalProtocolError("Content-Length is not the length of the body")
    return b"\r\n".join((*lines, b"", body))


class ResponseReader:
    """Reads one response. Feed it with bytes until `is_complete`.

    Lines of a header block may end with LF alone, as simple servers send them, and may be folded. The lines around
    chunks may not, since a body could then be read in two ways.

    Attributes:
        status: the HTTP status. 0 until the header block is complete.
        reason: the reason phrase.
        http_version: HTTP/1.0 or HTTP/1.1.
        headers: names and values as received.
        is_complete: whether the whole body was received.
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
        self._searched = 0
        self._head_bytes = 0
        self._body = bytearray()
        self._body_error: httpx.RemoteProtocolError | None = None
        #: Bytes of the body, or of the current chunk, that are missing.
        self._left = 0
        #: Reads the next part of the response from the buffer. Returns whether it has found it.
        self._read_next: Callable[[], bool] = self._read_head

    def feed(self, data: bytes) -> None:
        """Adds received bytes. Empty bytes mean that the server has closed the connection.

        Raises:
            httpx.RemoteProtocolError: this is not a valid response, or it has ended too early.
        """
        if not data:
            self._end()
            return
        self.has_begun = True
        self._buffer += data
        try:
            while not self.is_complete and self._read_next():
                pass
        except httpx.RemoteProtocolError as error:
            if not self.status:
                raise
            # The header may have arrived in the same bytes, and an error status is of use without its body.
            self._body_error = error
        if self.is_complete and self._buffer:
            # Bytes after the response belong to no request.
            self.is_reusable = False

    def body(self) -> bytes:
        """Removes and returns the part of the body that has been received since the last call.

        Raises:
            httpx.RemoteProtocolError: the body is not valid.
        """
        if self._body_error is not None:
            raise self._body_error
        part = bytes(self._body)
        self._body.clear()
        return part

    def _end(self) -> None:
        if self._read_next == self._read_until_close:
            self.is_complete = True
        elif not self.is_complete:
            raise httpx.RemoteProtocolError(
                "Server disconnected without sending a response."
                if not self.has_begun
                else "Server disconnected before the response was complete."
            )
        self.is_reusable = False

    def _take_block(self) -> bytes | None:
        """Removes and returns the next header block. None if it has not been received completely."""
        found = _EMPTY_LINE.search(self._buffer, self._searched)
        size = found.end() if found else len(self._buffer)
        if self._head_bytes + size > LARGEST_HEAD:
            raise httpx.RemoteProtocolError("The header block is too large.")
        if found is None:
            self._searched = max(0, size - 2)
            return None
        block = bytes(self._buffer[: found.start() + 1])
        del self._buffer[:size]
        self._searched = 0
        self._head_bytes += size
        return block.replace(b"\r\n", b"\n")

    def _read_head(self) -> bool:
        start = bytes(self._buffer[:9])
        if not b"HTTP/1.1 ".startswith(start) and not b"HTTP/1.0 ".startswith(start):
            raise httpx.RemoteProtocolError("The response is not HTTP/1.1.")
        block = self._take_block()
        if block is None:
            return False
        line, _, lines = block.partition(b"\n")
        match = _STATUS_LINE.fullmatch(line)
        if match is None:
            raise httpx.RemoteProtocolError("Illegal status line.")
        headers = _headers(lines)
        length, is_chunked, ends_connection = _framing(headers)
        status = int(match[2])
        if status == 101:
            raise httpx.RemoteProtocolError("The server switched protocols without being asked.")
        if status < 200:  # an interim response: the final one follows
            return True
        self.status = status
        self.headers = headers
        self.reason = match[3] or b""
        self.http_version = b"HTTP/1." + match[1]
        self.is_reusable = match[1] == b"1" and not ends_connection
        if self._method == "HEAD" or status in (204, 304) or length == 0:
            self.is_complete = True
        elif is_chunked:
            self._read_next = self._read_chunk_line
        elif length is not None:
            self._left = length
            self._read_next = self._read_sized
        else:
            self.is_reusable = False
            self._read_next = self._read_until_close
        return True

    def _read_until_close(self) -> bool:
        self._body += self._buffer
        self._buffer.clear()
        return False

    def _read_sized(self) -> bool:
        self._take_body()
        self.is_complete = not self._left
        return False

    def _read_chunk_line(self) -> bool:
        end = self._buffer.find(b"\r\n", 0, _LARGEST_CHUNK_LINE)
        if end < 0:
            if len(self._buffer) >= _LARGEST_CHUNK_LINE:
                raise httpx.RemoteProtocolError("The line before a chunk is too long.")
            return False
        match = _CHUNK_LINE.fullmatch(bytes(self._buffer[:end]))
        if match is None:
            raise httpx.RemoteProtocolError("Illegal size of a chunk.")
        del self._buffer[: end + 2]
        self._left = int(match[1], 16)
        self._read_next = self._read_chunk if self._left else self._read_trailers
        return True

    def _read_chunk(self) -> bool:
        self._take_body()
        if not self._left:
            self._read_next = self._read_chunk_end
        return not self._left

    def _read_chunk_end(self) -> bool:
        end = bytes(self._buffer[:2])
        if not b"\r\n".startswith(end):
            raise httpx.RemoteProtocolError("A chunk does not end where it should.")
        if len(end) < 2:
            return False
        del self._buffer[:2]
        self._read_next = self._read_chunk_line
        return True

    def _read_trailers(self) -> bool:
        for empty in (b"\r\n", b"\n"):
            if self._buffer.startswith(empty):
                del self._buffer[: len(empty)]
                self.is_complete = True
                return True
        block = self._take_block()
        if block is not None:
            _headers(block)
            self.is_complete = True
        return self.is_complete

    def _take_body(self) -> None:
        part = self._buffer[: self._left]
        del self._buffer[: self._left]
        self._left -= len(part)
        self._body += part


def _headers(lines: bytes) -> Headers:
    if not _FIELDS.fullmatch(lines):
        raise httpx.RemoteProtocolError("Illegal header line.")
    fields = [line.partition(b":") for line in _FOLD.sub(b" ", lines).split(b"\n")[:-1]]
    return [(name, value.strip(b" \t")) for name, _, value in fields]


def _framing(headers: Headers) -> tuple[int | None, bool, bool]:
    """The length of the body, whether it is chunked, and whether it ends the connection. (RFC 9112, section 6)

    The length is None if it is not known in advance.
    """
    fields: dict[bytes, list[bytes]] = {b"content-length": [], b"transfer-encoding": [], b"connection": []}
    for name, value in headers:
        if (lower := name.lower()) in fields:
            fields[lower].append(value)
    lengths = {length.strip() for value in fields[b"content-length"] for length in value.split(b",")}
    codings = fields[b"transfer-encoding"]
    if len(lengths) > 1 or any(not length.isdigit() or len(length) > 20 for length in lengths):
        raise httpx.RemoteProtocolError("Illegal Content-Length.")
    if codings and [coding.lower() for coding in codings] != [b"chunked"]:
        raise httpx.RemoteProtocolError("Unsupported Transfer-Encoding.")
    if codings and lengths:
        raise httpx.RemoteProtocolError("Both Content-Length and Transfer-Encoding.")
    ends_connection = b"close" in b",".join(fields[b"connection"]).lower()
    return int(lengths.pop()) if lengths else None, bool(codings), ends_connection
