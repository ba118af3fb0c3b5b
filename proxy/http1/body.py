"""Finds the end of a body in a stream of bytes, and frames one (RFC 9112, sections 6 and 7).

A reader is fed what arrives and returns the content in it. Once `ended` is true, `rest` holds the
bytes behind the message. Readers keep no content: at most one incomplete line.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from proxy.http1.grammar import FieldLines, GrammarError, head_lines
from proxy.http1.request_head import CHUNKED

# chunk = chunk-size [ chunk-ext ] CRLF chunk-data CRLF (RFC 9112, section 7.1). Stricter: at most
# 15 hexadecimal digits, and no space around the extension, where smuggling lived (T-SM-6).
_CHUNK_HEAD: Final = re.compile(
    rb"""([0-9A-Fa-f]{1,15}+)
         ((?:;[!#$%&'*+\-.^_`|~0-9A-Za-z]++            # chunk-ext-name
             (?:=(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]++      # chunk-ext-val = token
                 |"(?:[\t !\#-\[\]-~\x80-\xff]|\\[\t !-~\x80-\xff])*+"))?+)*+)\r\n""",
    re.VERBOSE,
)
# Everything that a chunk's first line may be made of, CRLF aside: what is not finished must at
# least look like this.
MAX_CHUNK_LINE: Final = 4096
# Bytes of extensions over the whole body. Nobody uses extensions; floods of them cost (T-SM-7).
MAX_EXTENSIONS: Final = 16384

_SIZE: Final = 0
_DATA: Final = 1
_DATA_END: Final = 2
_TRAILERS: Final = 3


class LengthReader:
    """A body of a known number of bytes."""

    __slots__ = ("_left", "ended", "rest")

    trailers: tuple[tuple[str, str], ...] = ()

    def __init__(self, length: int) -> None:
        self._left = length
        self.ended = length == 0
        self.rest = b""

    def read(self, data: bytes) -> bytes:
        """Return the content in `data`."""
        size = len(data)
        if size < self._left:
            self._left -= size
            return data
        self.ended = True
        if size == self._left:
            self._left = 0
            return data
        content, self.rest = data[: self._left], data[self._left :]
        self._left = 0
        return content

    def end_of_stream(self) -> None:
        """Say that nothing more will come; raises GrammarError when something is missing."""
        if not self.ended:
            raise GrammarError("incomplete-body")


class UntilCloseReader:
    """A body that ends when its connection does."""

    __slots__ = ("ended", "rest")

    trailers: tuple[tuple[str, str], ...] = ()

    def __init__(self) -> None:
        self.ended = False
        self.rest = b""

    def read(self, data: bytes) -> bytes:
        """Return `data`: all of it is content."""
        return data

    def end_of_stream(self) -> None:
        """Take the end of the connection as the end of the body."""
        self.ended = True


class ChunkedReader:
    """A body in the chunked coding. Raises GrammarError on any deviation."""

    __slots__ = (
        "_extensions",
        "_left",
        "_limits",
        "_partial",
        "_state",
        "ended",
        "rest",
        "trailers",
    )

    def __init__(self, *, max_trailers: int, max_trailer_bytes: int) -> None:
        self._state = _SIZE
        self._left = 0
        self._partial = b""
        self._extensions = 0
        self._limits = (max_trailers, max_trailer_bytes)
        self.ended = False
        self.rest = b""
        self.trailers: tuple[tuple[str, str], ...] = ()

    def read(self, data: bytes) -> bytes:
        """Return the content of all chunks in `data`, in one piece."""
        if self._partial:
            data = self._partial + data
            self._partial = b""
        pieces: list[bytes] = []
        at, size = 0, len(data)
        while at < size and not self.ended:
            if self._state == _SIZE:
                at = _take_whole_chunks(data, at, pieces)
                if at == size:
                    break
            if self._state == _DATA:
                piece = data[at : at + self._left]
                pieces.append(piece)
                at += len(piece)
                self._left -= len(piece)
                if self._left == 0:
                    self._state = _DATA_END
            elif self._state == _SIZE:
                at = self._read_size(data, at)
            elif self._state == _DATA_END:
                at = self._read_data_end(data, at)
            else:
                at = self._read_trailers(data, at)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def end_of_stream(self) -> None:
        """Say that nothing more will come; raises GrammarError when something is missing."""
        if not self.ended:
            raise GrammarError("incomplete-body")

    def _read_size(self, data: bytes, at: int) -> int:
        match = _CHUNK_HEAD.match(data, at)
        if match is None:
            return self._wait_for_line(data, at)
        self._count_extension(len(match[2]))
        self._left = int(match[1], 16)
        self._state = _DATA if self._left else _TRAILERS
        return match.end()

    def _count_extension(self, size: int) -> None:
        self._extensions += size
        if size > MAX_CHUNK_LINE or self._extensions > MAX_EXTENSIONS:
            raise GrammarError("chunk-extensions-too-long")

    def _wait_for_line(self, data: bytes, at: int) -> int:
        # Without its end the line may still become valid, unless a line end is already there.
        line = data[at : at + MAX_CHUNK_LINE + 1]
        if b"\n" in line or b"\r" in line[:-1] or not _may_start_chunk(line):
            raise GrammarError("bad-chunk-line")
        if len(line) > MAX_CHUNK_LINE:
            raise GrammarError("chunk-extensions-too-long")
        self._partial = line
        return len(data)

    def _read_data_end(self, data: bytes, at: int) -> int:
        end = data[at : at + 2]
        if end == b"\r\n":
            self._state = _SIZE
            return at + 2
        if end == b"\r":
            self._partial = end
            return len(data)
        raise GrammarError("bad-chunk-end")

    def _read_trailers(self, data: bytes, at: int) -> int:
        # trailer-section = *( field-line CRLF ), closed by an empty line (section 7.1.2).
        if data.startswith(b"\r\n", at):
            self._finish(data, at + 2)
            return len(data)
        max_trailers, max_bytes = self._limits
        end = data.find(b"\r\n\r\n", at)
        if (end if end >= 0 else len(data)) - at > max_bytes:
            raise GrammarError("trailers-too-long")
        if end < 0:
            self._partial = data[at:]
            if self._partial[:1] == b"\n" or self._partial.count(b"\n") > max_trailers:
                raise GrammarError("bad-trailers")
            return len(data)
        lines = head_lines(data[at:end])
        if len(lines) > max_trailers:
            raise GrammarError("too-many-trailers")
        self.trailers = tuple(FieldLines().read(lines).lines)
        self._finish(data, end + 4)
        return len(data)

    def _finish(self, data: bytes, at: int) -> None:
        self.ended = True
        self.rest = data[at:]


# A chunk's first line without extensions, as nearly all are.
_PLAIN_CHUNK_HEAD: Final = re.compile(rb"([0-9A-Fa-f]{1,15}+)\r\n")
_ONE_BYTE_CHUNKS: Final = re.compile(rb"(?:1\r\n[\x00-\xff]\r\n)++")


def _take_whole_chunks(data: bytes, at: int, pieces: list[bytes]) -> int:
    """Take the plain chunks that are all there; returns where the first other one begins.

    A body may come in chunks of one byte: that must not cost a round of states for each (T-AH-6).
    """
    while head := _PLAIN_CHUNK_HEAD.match(data, at):
        if head[1] == b"1" and (ones := _ONE_BYTE_CHUNKS.match(data, at)):
            pieces.append(ones[0][3::6])
            at = ones.end()
            continue
        start = head.end()
        end = start + int(head[1], 16)
        if end == start or data[end : end + 2] != b"\r\n":
            break
        pieces.append(data[start:end])
        at = end + 2
    return at


_CHUNK_START: Final = re.compile(rb"[0-9A-Fa-f]{1,15}+(?:;[^\x00-\x08\x0a-\x1f\x7f]*+)?+\r?+")


def _may_start_chunk(line: bytes) -> bool:
    return _CHUNK_START.fullmatch(line) is not None


BodyReader: TypeAlias = LengthReader | ChunkedReader | UntilCloseReader


def chunk(content: bytes) -> bytes:
    """Frame content as one chunk; it must not be empty, for that would end the body."""
    return b"%x\r\n%b\r\n" % (len(content), content)


def last_chunk(trailers: tuple[tuple[str, str], ...] = ()) -> bytes:
    """End a chunked body."""
    if not trailers:
        return b"0\r\n\r\n"
    lines = "".join([f"{name}: {value}\r\n" for name, value in trailers])
    return b"0\r\n%b\r\n" % lines.encode("utf-8", "surrogateescape")


def request_body_reader(
    length: int, *, max_trailers: int, max_trailer_bytes: int
) -> LengthReader | ChunkedReader:
    """Return the reader for a head's `length`."""
    if length == CHUNKED:
        return ChunkedReader(max_trailers=max_trailers, max_trailer_bytes=max_trailer_bytes)
    return LengthReader(length)
