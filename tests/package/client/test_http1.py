"""The reader of HTTP/1.1 responses: what it accepts, and how it compares with h11, which httpx uses."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import h11
import httpx
import pytest
from attrs import frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from azure_imds._client.http1 import LARGEST_HEAD, ResponseReader, request_bytes

BODY = b'{"access_token": "x"}'
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def sized(body: bytes = BODY, *headers: bytes) -> bytes:
    return OK + b"".join(header + b"\r\n" for header in headers) + b"Content-Length: %d\r\n\r\n" % len(body) + body


@frozen
class Read:
    """What the reader has made of some bytes."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    is_reusable: bool


def read(*parts: bytes, method: str = "GET") -> Read | str:
    """Feeds the reader. If the response is not complete afterwards, the connection is closed.

    Returns:
        The response, or the text of the exception.
    """
    reader = ResponseReader(method)
    body = b""
    try:
        for part in parts:
            reader.feed(part)
            body += reader.body()
        if not reader.is_complete:
            reader.feed(b"")
        body += reader.body()
    except httpx.RemoteProtocolError as error:
        return str(error)
    assert reader.is_complete
    return Read(reader.status, reader.headers, body, reader.is_reusable)


def read_with_h11(data: bytes, method: str = "GET") -> tuple[int, bytes] | str:
    """The status and the body that h11 reads, or the text of its exception."""
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=2 * LARGEST_HEAD)
    connection.send(h11.Request(method=method, target="/", headers=[("Host", "x")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(data)
    status, body, is_closed = 0, bytearray(), False
    try:
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                return status, bytes(body)
            elif event is h11.NEED_DATA and not is_closed:
                is_closed = True
                connection.receive_data(b"")
            elif event in (h11.NEED_DATA, h11.PAUSED) or isinstance(event, h11.ConnectionClosed):
                return f"ends with {event!r}"
    except h11.RemoteProtocolError as error:
        return str(error) or "refused"


def each_byte(data: bytes) -> Iterable[bytes]:
    return (data[index : index + 1] for index in range(len(data)))


def agrees_with_h11(data: bytes, method: str = "GET") -> None:
    """Fails if the reader accepts a response that h11 refuses or reads differently."""
    found = read(data, method=method)
    if isinstance(found, Read):
        assert read_with_h11(data, method) == (found.status, found.body), data


#: Responses, each with its body, and whether the connection can be used again.
ACCEPTED: dict[str, tuple[bytes, bytes, bool]] = {
    "sized": (sized(), BODY, True),
    "sized, empty": (sized(b""), b"", True),
    "several equal lengths": (OK + b"Content-Length: 2\r\ncontent-length: 2, 2\r\n\r\n{}", b"{}", True),
    "until the end": (OK + b"\r\n" + BODY, BODY, False),
    "until the end, empty": (OK + b"\r\n", b"", False),
    "chunked": (CHUNKED + b"2\r\n{}\r\n0\r\n\r\n", b"{}", True),
    "chunked, empty": (CHUNKED + b"0\r\n\r\n", b"", True),
    "chunks of several sizes": (CHUNKED + b"1\r\n{\r\n00a\r\n\r\n234567\r\n\r\n01\r\n}\r\n000\r\n\r\n",
                                b"{\r\n234567\r\n}", True),
    "chunks with extensions": (CHUNKED + b'2;a=b;c="d"\r\n{}\r\n0;last\r\n\r\n', b"{}", True),
    "chunks with spaces after their size": (CHUNKED + b"2  \r\n{}\r\n0 \r\n\r\n", b"{}", True),
    "chunks with trailers": (CHUNKED + b"2\r\n{}\r\n0\r\nX: y\r\nZ:\r\n\r\n", b"{}", True),
    "trailers that end with LF": (CHUNKED + b"2\r\n{}\r\n0\r\nX: y\n\n", b"{}", True),
    "coding with capitals": (OK + b"Transfer-Encoding: Chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", b"{}", True),
    "after 100": (b"HTTP/1.1 100 Continue\r\n\r\n" + sized(), BODY, True),
    "after 102 and 103": (b"HTTP/1.1 102\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + sized(), BODY, True),
    "lines that end with LF": (b"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}", b"{}", True),
    "mixed ends of lines": (b"HTTP/1.1 200 OK\r\nA: b\nContent-Length: 2\n\r\n{}", b"{}", True),
    "LF in the body": (sized(b"\n\n{}\r\n\r\n"), b"\n\n{}\r\n\r\n", True),
    "a folded line": (OK + b"X: a\r\n  b\r\n\tc\r\nContent-Length: 2\r\n\r\n{}", b"{}", True),
    "no reason": (b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\n{}", b"{}", True),
    "an empty reason": (b"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\n{}", b"{}", True),
    "a reason with high bytes": (b"HTTP/1.1 200 \xc3\xa4\r\nContent-Length: 2\r\n\r\n{}", b"{}", True),
    "an unusual status": (b"HTTP/1.1 799 X\r\nContent-Length: 2\r\n\r\n{}", b"{}", True),
    "a value with high bytes": (sized(b"{}", b"X: \xff\xfe"), b"{}", True),
    "spaces around values": (sized(b"{}", b"X: \t y \t"), b"{}", True),
    "an empty value": (sized(b"{}", b"X:"), b"{}", True),
    "Connection: close": (sized(b"{}", b"Connection: close"), b"{}", False),
    "close among others": (sized(b"{}", b"Connection: keep-alive", b"connection: x, Close"), b"{}", False),
    "Connection: keep-alive": (sized(b"{}", b"Connection: keep-alive"), b"{}", True),
    "HTTP/1.0": (sized(b"{}").replace(b"1.1", b"1.0"), b"{}", False),
    "HTTP/1.0 that offers to stay": (sized(b"{}", b"Connection: keep-alive").replace(b"1.1", b"1.0"), b"{}", False),
    "HTTP/1.0 with chunks": (CHUNKED.replace(b"1.1", b"1.0") + b"2\r\n{}\r\n0\r\n\r\n", b"{}", False),
    "204 with a length": (b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", b"", True),
    "304 with chunks": (b"HTTP/1.1 304 X\r\nTransfer-Encoding: chunked\r\n\r\n", b"", True),
}  # fmt: skip

#: What is not a response, with a part of the reader's text.
REFUSED: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "without sending a response"),
    "half a status line": (b"HTTP/1.", "before the response was complete"),
    "half a header block": (OK + b"X: y\r\n", "before the response was complete"),
    "an interim response only": (b"HTTP/1.1 100 Continue\r\n\r\n", "before the response was complete"),
    "half a body": (sized()[:-1], "before the response was complete"),
    "half a chunk": (CHUNKED + b"5\r\n{", "before the response was complete"),
    "no last chunk": (CHUNKED + b"2\r\n{}\r\n", "before the response was complete"),
    "no end of trailers": (CHUNKED + b"0\r\nX: y\r\n", "before the response was complete"),
    "101": (b"HTTP/1.1 101 X\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "switched protocols"),
    "HTTP/0.9": (b"<html></html>", "not HTTP/1.1"),
    "HTTP/2": (b"\x00\x00\x12\x04\x00", "not HTTP/1.1"),
    "HTTP/1.2": (b"HTTP/1.2 200 OK\r\n\r\n", "not HTTP/1.1"),
    "SSH": (b"SSH-2.0-OpenSSH_9.6\r\n", "not HTTP/1.1"),
    "TLS": (b"\x15\x03\x01\x00\x02\x02\x46", "not HTTP/1.1"),
    "an empty line first": (b"\r\n" + sized(), "not HTTP/1.1"),
    "an empty line and nothing": (b"\r\n\r\n", "not HTTP/1.1"),
    "small letters": (b"http/1.1 200 OK\r\n\r\n", "not HTTP/1.1"),
    "two spaces": (b"HTTP/1.1  200 OK\r\n\r\n", "status line"),
    "status 99": (b"HTTP/1.1 099 OK\r\n\r\n", "status line"),
    "status of four digits": (b"HTTP/1.1 2000 OK\r\n\r\n", "status line"),
    "status without digits": (b"HTTP/1.1 OK\r\n\r\n", "status line"),
    "a control character in the reason": (b"HTTP/1.1 200 O\x00K\r\n\r\n", "status line"),
    "CR in the status line": (b"HTTP/1.1 200 O\rK\r\n\r\n", "status line"),
    "CR in a value": (OK + b"X: a\rb\r\n\r\n", "header line"),
    "two CRs": (OK + b"X: a\r\r\n\r\n", "header line"),
    "NUL in a value": (OK + b"X: a\0b\r\n\r\n", "header line"),
    "no colon": (OK + b"X\r\n\r\n", "header line"),
    "no name": (OK + b": x\r\n\r\n", "header line"),
    "a space before the colon": (OK + b"Content-Length : 2\r\n\r\n{}", "header line"),
    "a space in a name": (OK + b"X y: z\r\n\r\n", "header line"),
    "a folded line first": (OK + b" X: y\r\n\r\n", "header line"),
    "an illegal trailer": (CHUNKED + b"0\r\nX\r\n\r\n", "header line"),
    "two lengths": (OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", "Content-Length"),
    "two lengths in one value": (OK + b"Content-Length: 2, 3\r\n\r\n{}", "Content-Length"),
    "a negative length": (OK + b"Content-Length: -1\r\n\r\n", "Content-Length"),
    "a length with a sign": (OK + b"Content-Length: +2\r\n\r\n{}", "Content-Length"),
    "a hexadecimal length": (OK + b"Content-Length: 0x2\r\n\r\n{}", "Content-Length"),
    "an empty length": (OK + b"Content-Length:\r\n\r\n", "Content-Length"),
    "a length and an empty one": (OK + b"Content-Length: 2,\r\n\r\n{}", "Content-Length"),
    "a length of 21 digits": (OK + b"Content-Length: " + b"0" * 21 + b"\r\n\r\n", "Content-Length"),
    "superscript digits": (OK + b"Content-Length: \xb2\r\n\r\n", "Content-Length"),
    "another coding": (OK + b"Transfer-Encoding: gzip\r\n\r\n", "Transfer-Encoding"),
    "two codings": (OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "Transfer-Encoding"),
    "chunked twice": (OK + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n0\r\n\r\n", "Transfer-Encoding"),
    "an empty coding": (OK + b"Transfer-Encoding:\r\nContent-Length: 2\r\n\r\n{}", "Transfer-Encoding"),
    "a coding after a tab": (OK + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", "header line"),
    "a coding and a length": (OK + b"Content-Length: 2\r\n" + CHUNKED[len(OK):] + b"0\r\n\r\n", "Both"),
    "a chunk size that is negative": (CHUNKED + b"-2\r\n{}\r\n0\r\n\r\n", "size of a chunk"),
    "a chunk size with 0x": (CHUNKED + b"0x2\r\n{}\r\n0\r\n\r\n", "size of a chunk"),
    "a chunk size with an underscore": (CHUNKED + b"0_2\r\n{}\r\n0\r\n\r\n", "size of a chunk"),
    "a chunk without a size": (CHUNKED + b"\r\n{}\r\n0\r\n\r\n", "size of a chunk"),
    "a chunk size of 17 digits": (CHUNKED + b"0" * 16 + b"2\r\n{}\r\n0\r\n\r\n", "size of a chunk"),
    "a space before a chunk size": (CHUNKED + b" 2\r\n{}\r\n0\r\n\r\n", "size of a chunk"),
    "LF after a chunk size": (CHUNKED + b"2\n{}\r\n0\r\n\r\n", "size of a chunk"),
    "LF in an extension": (CHUNKED + b"2;a\nb\r\n{}\r\n0\r\n\r\n", "size of a chunk"),
    "CR in an extension": (CHUNKED + b"2;a\rb\r\n{}\r\n0\r\n\r\n", "size of a chunk"),
    "a chunk that is longer than its size": (CHUNKED + b"2\r\n{}}\r\n0\r\n\r\n", "does not end"),
    "LF after a chunk": (CHUNKED + b"2\r\n{}\n0\r\n\r\n", "does not end"),
    "two other bytes after a chunk": (CHUNKED + b"2\r\n{}XX0\r\n\r\n", "does not end"),
}  # fmt: skip

#: What h11 accepts, and the reader does not: parsers disagree about these, or IMDS has no use for them.
STRICTER = {
    "HTTP/1.2": b"HTTP/1.2 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    "a control character in a value": sized(b"{}", b"X: a\x01b"),
    "a control character in the reason": b"HTTP/1.1 200 \x01\r\nContent-Length: 2\r\n\r\n{}",
    "a control character in an extension": CHUNKED + b"2;\x01\r\n{}\r\n0\r\n\r\n",
    "a coding and a length": REFUSED["a coding and a length"][0],
    "a chunk size of 17 digits": REFUSED["a chunk size of 17 digits"][0],
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_response_is_read_however_it_is_split(name: str) -> None:
    data, body, is_reusable = ACCEPTED[name]
    whole = read(data)
    assert isinstance(whole, Read), whole
    assert (whole.body, whole.is_reusable) == (body, is_reusable)
    assert read(*each_byte(data)) == whole
    for index in range(1, len(data)):
        assert read(data[:index], data[index:]) == whole, index


@pytest.mark.parametrize("name", ACCEPTED)
def test_h11_reads_the_same(name: str) -> None:
    data, body, _ = ACCEPTED[name]
    found = read_with_h11(data)
    assert not isinstance(found, str), found
    assert found[1] == body


@pytest.mark.parametrize("name", REFUSED)
def test_anything_else_is_refused_however_it_is_split(name: str) -> None:
    data, text = REFUSED[name]
    whole = read(data)
    assert isinstance(whole, str), whole
    assert text in whole
    assert read(*each_byte(data)) == whole
    for index in range(1, len(data)):
        assert read(data[:index], data[index:]) == whole, index


@pytest.mark.parametrize("name", STRICTER)
def test_the_reader_is_stricter_than_h11(name: str) -> None:
    data = STRICTER[name]
    assert isinstance(read(data), str)
    assert not isinstance(read_with_h11(data), str)


@pytest.mark.parametrize("text", [text for _, text in REFUSED.values()])
def test_no_text_quotes_what_was_received(text: str) -> None:
    assert not re.search(r"[\\<]|SSH|XX", text)


@pytest.mark.parametrize("name", ["sized", "chunked", "until the end", "204 with a length"])
def test_a_response_to_head_has_no_body(name: str) -> None:
    data = ACCEPTED[name][0].partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    found = read(data, method="HEAD")
    assert isinstance(found, Read)
    assert (found.body, found.is_reusable) == (b"", True)
    assert read_with_h11(data, "HEAD") == (found.status, b"")


@pytest.mark.parametrize("status", [204, 304])
def test_bytes_after_a_response_without_a_body_end_the_connection(status: int) -> None:
    found = read(b"HTTP/1.1 %d X\r\nContent-Length: 2\r\n\r\n{}" % status)
    assert isinstance(found, Read)
    assert (found.body, found.is_reusable) == (b"", False)


@pytest.mark.parametrize("name", ["sized", "sized, empty", "chunked", "chunks with trailers"])
@pytest.mark.parametrize("more", [b"\n", b"\r\n", b"{}", sized()])
def test_bytes_after_a_response_end_the_connection(name: str, more: bytes) -> None:
    data, body, _ = ACCEPTED[name]
    together, apart = read(data + more), read(data, more)
    assert together == apart
    assert isinstance(together, Read)
    assert (together.body, together.is_reusable) == (body, False)


def test_headers_are_kept_in_their_order() -> None:
    found = read(sized(b"", b"Set-Cookie: a", b"x-A:  b c ", b"set-cookie: d", b"Fold: e \r\n\t f"))
    assert isinstance(found, Read)
    assert found.headers == [
        (b"Set-Cookie", b"a"),
        (b"x-A", b"b c"),
        (b"set-cookie", b"d"),
        (b"Fold", b"e  f"),
        (b"Content-Length", b"0"),
    ]


def test_the_header_of_an_interim_response_is_not_the_final_one() -> None:
    found = read(b"HTTP/1.1 103 X\r\nContent-Length: 99\r\nConnection: close\r\n\r\n" + sized(b"{}"))
    assert isinstance(found, Read)
    assert found.headers == [(b"Content-Length", b"2")]
    assert found.is_reusable


def padded(size: int) -> bytes:
    """A response whose header block has so many bytes."""
    start, end = OK + b"X: ", b"\r\nContent-Length: 0\r\n\r\n"
    return start + b"x" * (size - len(start) - len(end)) + end


def in_parts(data: bytes, size: int) -> list[bytes]:
    return [data[index : index + size] for index in range(0, len(data), size)]


@pytest.mark.parametrize("size", [7, 1000, 10 * LARGEST_HEAD])
def test_the_header_block_has_a_largest_size(size: int) -> None:
    assert isinstance(read(*in_parts(padded(LARGEST_HEAD), size)), Read)
    assert read(*in_parts(padded(LARGEST_HEAD + 1), size)) == "The header block is too large."


def test_a_header_block_without_an_end_is_refused_when_it_is_too_large() -> None:
    reader = ResponseReader("GET")
    reader.feed(OK + b"X: " + b"x" * (LARGEST_HEAD - len(OK) - 3))
    with pytest.raises(httpx.RemoteProtocolError, match="too large"):
        reader.feed(b"x")


def test_interim_responses_together_have_a_largest_size() -> None:
    interim = b"HTTP/1.1 102 Processing\r\n\r\n"
    count = LARGEST_HEAD // len(interim)
    assert isinstance(read(interim * (count - 10), sized()), Read)
    reader = ResponseReader("GET")
    for _ in range(count):
        reader.feed(interim)
    with pytest.raises(httpx.RemoteProtocolError, match="too large"):
        reader.feed(interim)


def test_trailers_count_as_header_bytes() -> None:
    trailers = CHUNKED + b"0\r\n" + b"X: y\r\n" * (LARGEST_HEAD // 6)
    assert read(*in_parts(trailers + b"\r\n", 999)) == read(trailers + b"\r\n") == "The header block is too large."


@pytest.mark.parametrize("size", [1, 10**6])
def test_the_line_before_a_chunk_has_a_largest_size(size: int) -> None:
    longest = CHUNKED + b"2;" + b"x" * 4092 + b"\r\n{}\r\n0\r\n\r\n"
    assert isinstance(read(*in_parts(longest, size)), Read)
    assert read(*in_parts(longest.replace(b";", b";x"), size)) == "The line before a chunk is too long."


def test_a_body_of_many_small_parts_is_read_in_linear_time() -> None:
    reader = ResponseReader("GET")
    reader.feed(CHUNKED)
    reader.feed(b"1\r\nx\r\n" * 50_000 + b"0\r\n\r\n")
    assert len(reader.body()) == 50_000
    assert isinstance(read(OK + b"X: " + b" \t" * 30_000 + b"\x00\r\n\r\n"), str)
    assert isinstance(read(OK + b"X: y\r\n" * 10_000 + b"X\r\n\r\n"), str)


def test_a_header_is_known_before_an_invalid_body() -> None:
    reader = ResponseReader("GET")
    reader.feed(b"HTTP/1.1 500 X\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n")
    assert reader.status == 500
    assert not reader.is_complete
    for _ in range(2):
        with pytest.raises(httpx.RemoteProtocolError, match="size of a chunk"):
            reader.body()


# Compared with h11, on anything that looks like a response

_ends = st.sampled_from([b"\r\n"] * 8 + [b"\n", b"\r", b"\r\r\n", b""])
_first = st.sampled_from(
    [b"HTTP/1.1 200 OK"] * 8
    + [b"HTTP/1.0 200 OK", b"HTTP/1.1 204", b"HTTP/1.1 304 X", b"HTTP/1.1 100 X", b"HTTP/1.1 500 ", b"HTTP/1.1 2 X"]
)
_fields = st.sampled_from(
    [b"Content-Length: %d" % n for n in (0, 2, 3, 40)]
    + [b"Transfer-Encoding: chunked"] * 4
    + [b"Transfer-Encoding: gzip", b"Transfer-Encoding:", b"Content-Length:", b"Content-Length: 2, 2", b"X: y", b" z"]
    + [b"Connection: close", b"X:", b"X", b"X : y", b": y", b"\tz", b"X: \xff", b"X: \x00", b"X: \x7f", b"", b" "]
)
_bodies = st.sampled_from(
    [
        *[b"2\r\n{}\r\n", b"3;x\r\nabc\r\n", b"28\r\n" + b"x" * 40 + b"\r\n", b"0\r\n\r\n", b"0\r\nX: y\r\n\r\n"],
        *[b"0\r\n\n", b"0\n\n", b"2\n{}\n", b"2 \r\n{}\r\n", b"2 ;x\r\n{}\r\n", b"\r\n", b"{}", b"x" * 40, b"-1\r\n"],
        b"0\r\nX\r\n\r\n",
    ]
)


@st.composite
def responses(draw: st.DrawFn) -> bytes:
    """Anything that looks like a response."""
    data = b""
    for _ in range(draw(st.integers(1, 2))):
        lines = [draw(_first), *draw(st.lists(_fields, max_size=3)), b""]
        data += b"".join(line + draw(_ends) for line in lines)
    return data + b"".join(draw(st.lists(_bodies, max_size=4)))


@settings(max_examples=400, deadline=None)
@given(responses(), st.sampled_from(["GET", "GET", "HEAD"]))
def test_what_the_reader_accepts_is_what_h11_reads(data: bytes, method: str) -> None:
    agrees_with_h11(data, method)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([data for data, _, _ in ACCEPTED.values()]), st.data())
def test_a_response_with_a_changed_byte_is_refused_or_read_as_h11_does(data: bytes, draw: Any) -> None:
    index = draw.draw(st.integers(0, len(data) - 1))
    change = draw.draw(st.sampled_from([b"", b"\r", b"\n", b"\r\n", b" ", b"\0", b"\x0b", b"\xa0", b"0", b";", b":"]))
    agrees_with_h11(data[:index] + change + data[index + draw.draw(st.integers(0, 1)) :])


@settings(max_examples=150, deadline=None)
@given(responses(), st.lists(st.integers(0, 120), max_size=5))
def test_a_response_is_the_same_however_it_is_split(data: bytes, places: list[int]) -> None:
    bounds = [0, *sorted(min(place, len(data)) for place in places), len(data)]
    parts = [data[start:end] for start, end in pairwise(bounds) if start < end]
    assert read(*parts) == read(data)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200), st.lists(st.integers(1, 50), max_size=5), st.sampled_from(["sized", "chunked", "end"]))
def test_what_h11_sends_is_read(body: bytes, sizes: list[int], framing: str) -> None:
    headers = {"sized": [("Content-Length", str(len(body)))], "chunked": [("Transfer-Encoding", "chunked")], "end": []}
    server = h11.Connection(h11.SERVER)
    server.receive_data(b"GET / HTTP/1.1\r\nHost: x\r\n" + b"Connection: close\r\n" * (framing == "end") + b"\r\n")
    server.next_event()
    sent = server.send(h11.Response(status_code=200, headers=headers[framing])) or b""
    bounds = [0, *sorted(min(size, len(body)) for size in sizes), len(body)]
    for start, end in pairwise(bounds):
        sent += server.send(h11.Data(data=body[start:end])) or b""
    found = read(sent + (server.send(h11.EndOfMessage()) or b""))
    assert isinstance(found, Read)
    assert found.body == body


# Requests


def sent(method: str = "GET", url: str = "http://x/a", **options: Any) -> bytes:
    request = httpx.Request(method, url, **options)
    return request_bytes(request, request.read())


def received(data: bytes) -> tuple[h11.Request, bytes]:
    """A request as h11 reads it."""
    server = h11.Connection(h11.SERVER)
    server.receive_data(data)
    request = server.next_event()
    assert isinstance(request, h11.Request)
    body = b""
    while not isinstance(event := server.next_event(), h11.EndOfMessage):
        assert isinstance(event, h11.Data)
        body += event.data
    assert server.next_event() in (h11.PAUSED, h11.NEED_DATA), "bytes after the request"
    return request, body


@pytest.mark.parametrize(
    ("options", "body"),
    [
        ({}, b""),
        ({"method": "POST"}, b""),
        ({"method": "POST", "json": [1]}, b"[1]"),
        ({"method": "POST", "content": b"\r\n\r\n"}, b"\r\n\r\n"),
        ({"method": "POST", "content": iter([b"a", b"", b"bc"])}, b"abc"),
        ({"method": "POST", "content": iter([])}, b""),
        ({"method": "PUT", "data": {"a": "b c"}}, b"a=b+c"),
        ({"method": "DELETE"}, b""),
        ({"url": "http://[::1]:80/a?b=c d#e"}, b""),
        ({"url": "http://x"}, b""),
        ({"url": "http://x?y"}, b""),
        ({"url": "http://x/\u00e4 %0d%0aX: y"}, b""),
        ({"headers": {"X": "", "Y": " z ", "Cookie": "\u00e4".encode()}}, b""),
    ],
)
def test_h11_reads_a_request_as_it_was_meant(options: dict[str, Any], body: bytes) -> None:
    request, found = received(sent(**options))
    assert request.method == options.get("method", "GET").encode()
    assert request.target.startswith(b"/")
    assert found == body
    assert len([name for name, _ in request.headers if name == b"host"]) == 1


KEY = "canary-KEY"


@pytest.mark.parametrize(
    "options",
    [
        {"method": "GET / HTTP/1.1\r\nX: y\r\n\r\n"},
        {"method": "GE T"},
        {"method": ""},
        {"method": "G\u00c4T"},
        {"headers": {"X": f"{KEY}\r\nY: z"}},
        {"headers": {"X": f"{KEY}\n"}},
        {"headers": {"X": f"{KEY}\0"}},
        {"headers": {"X\r\nY": KEY}},
        {"headers": {"": KEY}},
        {"headers": {"X Y": KEY}},
        {"headers": {"Content-Length": "3"}, "method": "POST", "content": b"{}"},
        {"headers": {"Content-Length": "3"}},
        {"headers": {"Content-Length": "02"}, "method": "POST", "content": b"{}"},
        {"headers": [("Content-Length", "2"), ("Content-Length", "2")], "method": "POST", "content": b"{}"},
        {"headers": {"Transfer-Encoding": "gzip, chunked"}, "method": "POST", "content": iter([b"{}"])},
        {"headers": {"Transfer-Encoding": "gzip"}, "method": "POST", "content": iter([b"{}"])},
        {"headers": [("Transfer-Encoding", "chunked"), ("Content-Length", "2")], "method": "POST", "content": b"{}"},
    ],
)
def test_a_request_that_could_be_read_in_two_ways_is_not_sent(options: dict[str, Any]) -> None:
    with pytest.raises(httpx.LocalProtocolError) as caught:
        sent(**options)
    assert KEY not in str(caught.value)


def test_a_body_without_a_length_is_not_sent() -> None:
    request = httpx.Request("POST", "http://x", content=b"{}")
    del request.headers["content-length"]
    with pytest.raises(httpx.LocalProtocolError):
        request_bytes(request, request.read())
