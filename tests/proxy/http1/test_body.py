from __future__ import annotations

from itertools import pairwise

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.http1.body import (
    BodyReader,
    ChunkedReader,
    LengthReader,
    UntilCloseReader,
    chunk,
    last_chunk,
)
from proxy.http1.grammar import GrammarError


def chunked() -> ChunkedReader:
    return ChunkedReader(max_trailers=10, max_trailer_bytes=1000)


def feed(reader: BodyReader, data: bytes, cuts: list[int]) -> bytes:
    """Feed data in pieces; what comes behind the end is collected in `rest`."""
    content, start = b"", 0
    for end in [*sorted(cut % (len(data) + 1) for cut in cuts), len(data)]:
        piece, start = data[start:end], end
        if reader.ended:
            reader.rest += piece
        elif piece:
            content += reader.read(piece)
    return content


@given(st.binary(max_size=50), st.binary(max_size=20), st.lists(st.integers(0, 99)))
def test_a_length_ends_a_body_exactly(body: bytes, rest: bytes, cuts: list[int]) -> None:
    reader = LengthReader(len(body))
    assert feed(reader, body + rest, cuts) == body
    assert (reader.ended, reader.rest) == (True, rest)


@given(
    st.lists(st.binary(min_size=1, max_size=30), max_size=5),
    st.binary(max_size=20),
    st.lists(st.integers(0, 999)),
)
def test_chunks_are_read_back_however_they_are_cut(
    pieces: list[bytes], rest: bytes, cuts: list[int]
) -> None:
    reader = chunked()
    data = b"".join(map(chunk, pieces)) + last_chunk((("X-A", "1"), ("X-B", ""))) + rest
    assert feed(reader, data, cuts) == b"".join(pieces)
    assert (reader.ended, reader.rest) == (True, rest)
    assert reader.trailers == (("X-A", "1"), ("X-B", ""))


soup = st.lists(
    st.sampled_from(
        [b"5", b"\r\n", b"\r", b"\n", b"hello", b"0", b"a", b";", b"=", b'"', b" ", b":", b"-",
         b"0\r\n\r\n", b"5\r\nhello\r\n", b"X: 1\r\n", b"ffffffffffffffff", b"\xff"]
    ),
    max_size=12,
).map(b"".join)  # fmt: skip


@given(soup | st.binary(max_size=100), st.lists(st.integers(0, 99), max_size=4))
def test_any_bytes_are_a_body_or_a_refusal_whatever_the_cuts(data: bytes, cuts: list[int]) -> None:
    outcomes: list[object] = []
    for where in (cuts, [], list(range(len(data)))):
        reader = chunked()
        try:
            content = feed(reader, data, where)
        except GrammarError:
            outcomes.append(None)
        else:
            outcomes.append((content, reader.ended, reader.rest, reader.trailers))
    assert outcomes[0] == outcomes[1] == outcomes[2]


@given(soup)
def test_what_we_accept_another_reader_reads_the_same(data: bytes) -> None:
    reader = chunked()
    try:
        content = reader.read(data) if data else b""
    except GrammarError:
        return
    if not reader.ended:
        return
    other = h11.Connection(h11.SERVER)
    other.receive_data(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + data)
    other.next_event()
    theirs = b""
    while not isinstance(event := other.next_event(), h11.EndOfMessage):
        assert isinstance(event, h11.Data)
        theirs += bytes(event.data)
    assert theirs == content


@pytest.mark.parametrize("reader", [LengthReader(5), chunked()], ids=["length", "chunked"])
def test_an_early_end_of_the_stream_is_an_error(reader: BodyReader) -> None:
    with pytest.raises(GrammarError, match="incomplete-body"):
        reader.end_of_stream()


def test_a_body_until_close_ends_with_the_stream() -> None:
    reader = UntilCloseReader()
    assert reader.read(b"abc") == b"abc"
    assert not reader.ended
    reader.end_of_stream()
    assert reader.ended


def test_tiny_chunks_cost_little() -> None:
    reader = chunked()
    data = b"1\r\nx\r\n" * 1000 + last_chunk()
    assert reader.read(data) == b"x" * 1000


def test_a_reader_holds_at_most_one_line() -> None:
    reader = chunked()
    with pytest.raises(GrammarError, match="chunk-extensions-too-long"):
        for _ in range(10_000):
            reader.read(b"5;" if not reader._partial else b"a")


SIZES = st.lists(st.sampled_from([1, 1, 1, 2, 15, 16, 17, 255]), min_size=1, max_size=40)
CUTS = st.lists(st.integers(0, 5000), max_size=8)


@given(SIZES, CUTS, st.sampled_from(["%x", "%X", "0%x", "%x;a=b"]))
def test_chunks_of_any_size_are_read_alike_however_they_come(
    sizes: list[int], cuts: list[int], spelling: str
) -> None:
    content = [bytes([n % 256]) * size for n, size in enumerate(sizes, start=9)]
    wire = b"".join((spelling % len(each)).encode() + b"\r\n" + each + b"\r\n" for each in content)
    wire += b"0\r\n\r\nnext"
    edges = [0, *sorted({cut for cut in cuts if cut < len(wire)}), len(wire)]
    reader = ChunkedReader(max_trailers=10, max_trailer_bytes=1000)
    got = b"".join(reader.read(wire[a:b]) for a, b in pairwise(edges) if not reader.ended)
    assert got == b"".join(content)
    assert reader.ended


@pytest.mark.parametrize(
    "wire", [b"1\r\nxx\r\n", b"1\r\nx\n1\r\nx\r\n", b"1\r\nx\r\n1\r\nx\rx", b"1\r\nx\r\n1\nx\r\n"]
)
def test_a_run_of_small_chunks_hides_no_broken_one(wire: bytes) -> None:
    reader = ChunkedReader(max_trailers=10, max_trailer_bytes=1000)
    with pytest.raises(GrammarError):
        reader.read(b"1\r\na\r\n" * 3 + wire)
