"""The same bytes to an echo server, directly and through the proxy: the same answers.

The cases follow the sections of RFC 6455. `direct` names the answers of the server alone where
the proxy is stricter, `why` the reason.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from websockets.asyncio.server import ServerConnection, serve

from proxy.limits import Limits
from tests.proxy.rig import LOOPBACK, PATIENCE_S, proxy, request, served
from tests.proxy.test_websocket_frames import code, frame

HANDSHAKE = request(
    "GET",
    "/",
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
NAMES = {TEXT: "text", BINARY: "binary", CLOSE: "close", PING: "ping", PONG: "pong"}
MAX = 1 << 20

Answer = tuple[str, bytes | int]
# Bytes to send, or how many answers to wait for before going on.
Step = bytes | int


@dataclass(frozen=True)
class Case:
    """What is sent, and all answers up to and including the Close."""

    name: str
    steps: tuple[Step, ...]
    answers: tuple[Answer, ...]
    direct: tuple[Answer, ...] | None = None
    why: str = ""


GOODBYE = frame(CLOSE, code(1000))
CLOSED: Answer = ("close", 1000)
HELLO = frame(TEXT, b"hello")
HEARD: Answer = ("text", b"hello")


def echoed(name: str, *steps: Step, answers: tuple[Answer, ...]) -> Case:
    """A sound stream, after which we close."""
    return Case(name, (*steps, len(answers), GOODBYE), (*answers, CLOSED))


def failed(
    name: str, *steps: Step, status: int = 1002, direct: tuple[Answer, ...] | None = None,
    why: str = "",
) -> Case:  # fmt: skip
    """A broken stream after a sound message."""
    lone = None if direct is None else (HEARD, *direct)
    return Case(name, (HELLO, 1, *steps), (HEARD, ("close", status)), lone, why)


def chopped(data: bytes, size: int) -> tuple[bytes, ...]:
    return tuple(data[at : at + size] for at in range(0, len(data), size))


def framing() -> Iterator[Case]:
    for size in (0, 1, 125, 126, 127, 128, 65535, 65536, 65537):
        for opcode, byte in ((TEXT, b"*"), (BINARY, b"\xfe")):
            payload = byte * size
            name = f"framing-{NAMES[opcode]}-{size}"
            answer = (NAMES[opcode], payload)
            sent = frame(opcode, payload)
            yield echoed(name, sent, answers=(answer,))
            if size:
                pieces = chopped(sent, max(1, size // 60))
                yield echoed(f"{name}-chopped", *pieces, answers=(answer,))
    yield echoed("framing-two-at-once", HELLO + HELLO, answers=(HEARD, HEARD))
    yield echoed("framing-octet-wise", *chopped(HELLO + HELLO, 1), answers=(HEARD, HEARD))
    yield failed("framing-not-masked", frame(TEXT, b"x", masked=False))
    yield failed("framing-not-masked-ping", frame(PING, b"x", masked=False))
    lenient = "the server reads any length"
    for name, head, direct in (
        ("126-for-5", b"\x82\xfe\0\x05", 5),
        ("127-for-5", b"\x82\xff\0\0\0\0\0\0\0\x05", 5),
        ("127-for-65535", b"\x82\xff\0\0\0\0\0\0\xff\xff", 65535),
    ):
        sent = head + b"\0\0\0\0" + b"x" * direct
        answers: tuple[Answer, ...] = (("binary", b"x" * direct), CLOSED)
        yield failed(f"framing-length-{name}", sent, 2, GOODBYE, direct=answers, why=lenient)
    yield failed(
        "framing-length-highest-bit",
        b"\x82\xff\x80\0\0\0\0\0\0\0\0\0\0\0",
        direct=(("close", 1009),),
        why="the server calls it too big; no frame may have that length at all",
    )


def pings() -> Iterator[Case]:
    for name, payload in (
        ("empty", b""),
        ("text", b"payload"),
        ("binary", b"\0\xff\xfe\xfd"),
        ("125", b"\xfe" * 125),
    ):
        yield echoed(f"ping-{name}", frame(PING, payload), answers=(("pong", payload),))
        yield echoed(
            f"ping-{name}-octet-wise", *chopped(frame(PING, payload), 1),
            answers=(("pong", payload),),
        )  # fmt: skip
    yield failed("ping-126", frame(PING, b"x" * 126))
    yield failed("ping-65536", frame(PING, b"x" * 65536))
    yield failed("ping-fragmented", frame(PING, b"x", final=False))
    yield failed("pong-126", frame(PONG, b"x" * 126))
    yield failed("pong-fragmented", frame(PONG, b"x", final=False))
    yield echoed("pong-unasked", frame(PONG), HELLO, answers=(HEARD,))
    yield echoed("pong-unasked-payload", frame(PONG, b"x" * 125), HELLO, answers=(HEARD,))
    ten = [b"payload-%d" % number for number in range(10)]
    answers = tuple(("pong", each) for each in ten)
    yield echoed("ping-ten", b"".join(frame(PING, each) for each in ten), answers=answers)
    yield echoed("ping-ten-one-by-one", *(frame(PING, each) for each in ten), answers=answers)


def reserved() -> Iterator[Case]:
    for bits in range(1, 8):
        yield failed(f"reserved-{bits}-text", frame(TEXT, b"x", reserved=bits))
        yield failed(f"reserved-{bits}-binary", frame(BINARY, b"x", reserved=bits))
        yield failed(f"reserved-{bits}-ping", frame(PING, reserved=bits))
        yield failed(f"reserved-{bits}-close", frame(CLOSE, code(1000), reserved=bits))
    yield failed(
        "reserved-continuation", frame(TEXT, b"x", final=False), frame(CONTINUATION, reserved=4)
    )


def opcodes() -> Iterator[Case]:
    for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
        yield failed(f"opcode-{opcode}", frame(opcode))
        yield failed(f"opcode-{opcode}-payload", frame(opcode, b"payload") + HELLO)


def fragments() -> Iterator[Case]:
    begin, more, end = (
        frame(TEXT, b"he", final=False),
        frame(CONTINUATION, b"l", final=False),
        frame(CONTINUATION, b"lo"),
    )
    yield echoed("fragments-three", begin + more + end, answers=(HEARD,))
    yield echoed("fragments-one-by-one", begin, more, end, answers=(HEARD,))
    yield echoed("fragments-octet-wise", *chopped(begin + more + end, 1), answers=(HEARD,))
    yield echoed(
        "fragments-empty",
        *(frame(TEXT, final=False), frame(CONTINUATION, final=False), frame(CONTINUATION)),
        answers=(("text", b""),),
    )
    yield echoed(
        "fragments-empty-ends",
        frame(BINARY, final=False) + frame(CONTINUATION, b"x", final=False) + frame(CONTINUATION),
        answers=(("binary", b"x"),),
    )
    pinged = frame(PING, b"p")
    pong: Answer = ("pong", b"p")
    yield echoed("fragments-ping-between", begin, pinged, more + end, answers=(pong, HEARD))
    yield echoed(
        "fragments-pings-between",
        begin + pinged + more + pinged + end,
        answers=(pong, pong, HEARD),
    )
    yield echoed("fragments-pong-between", begin + frame(PONG) + more + end, answers=(HEARD,))
    # The server objects to a Close inside a message, which section 5.4 allows.
    yield Case("fragments-close-between", (begin, GOODBYE), (("close", 1002),))
    yield failed("fragments-ping-fragmented", begin, frame(PING, b"x", final=False))
    yield failed("fragments-continuation-first", end)
    yield failed("fragments-continuation-first-open", more)
    yield failed("fragments-text-inside", begin, HELLO)
    yield failed("fragments-binary-inside", begin, frame(BINARY, b"x"))
    yield failed("fragments-begun-twice", begin, begin)
    yield Case(
        "fragments-continuation-after-end",
        (begin + more + end, 1, more),
        (HEARD, ("close", 1002)),
    )
    many = b"".join(frame(CONTINUATION, b"x", final=False) for _ in range(1000))
    yield echoed(
        "fragments-thousand",
        frame(TEXT, final=False) + many + frame(CONTINUATION),
        answers=(("text", b"x" * 1000),),
    )


VALID_TEXT = {
    "two-bytes": "\x80\u07ff",
    "three-bytes": "\u0800\uffff",
    "four-bytes": "\U00010000\U0010ffff",
    "around-surrogates": "\ud7ff\ue000",
    "replacement": "\ufffd",
    "no-characters": "\ufffe\uffff\U0001fffe",
    "greek": "κόσμε",
    "mixed": "Hello-µ@ßöäüàá-UTF-8!!",
    "byte-order-mark": "\ufeffx",
    "nul": "a\0b",
    "combining": "e\u0301",
}
INVALID_TEXT = {
    "lone-continuation": b"\x80",
    "lone-last-continuation": b"\xbf",
    "continuations": b"\x80\xbf\x80\xbf",
    "start-then-space": b"\xc3 \xe3 ",
    "unfinished-2": b"\xc3",
    "unfinished-3": b"\xe2\x82",
    "unfinished-4": b"\xf0\x9f\x98",
    "fe": b"\xfe",
    "ff": b"\xff",
    "overlong-slash-2": b"\xc0\xaf",
    "overlong-slash-3": b"\xe0\x80\xaf",
    "overlong-slash-4": b"\xf0\x80\x80\xaf",
    "overlong-highest-2": b"\xc1\xbf",
    "overlong-highest-3": b"\xe0\x9f\xbf",
    "overlong-highest-4": b"\xf0\x8f\xbf\xbf",
    "overlong-nul": b"\xc0\x80",
    "surrogate-low": b"\xed\xa0\x80",
    "surrogate-high": b"\xed\xbf\xbf",
    "surrogate-pair": b"\xed\xa0\x81\xed\xb0\x80",
    "beyond-unicode": b"\xf4\x90\x80\x80",
    "five-bytes": b"\xf8\x88\x80\x80\x80",
    "six-bytes": b"\xfc\x84\x80\x80\x80\x80",
    "inside-text": b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited",
}


def fragmented(payload: bytes) -> bytes:
    """A text message with each byte in a frame of its own."""
    first = frame(TEXT, payload[:1], final=False)
    rest = (frame(CONTINUATION, payload[at : at + 1], final=False) for at in range(1, len(payload)))
    return b"".join((first, *rest, frame(CONTINUATION)))


def texts() -> Iterator[Case]:
    for name, text in VALID_TEXT.items():
        payload = text.encode("utf-8")
        answers = (("text", payload),)
        yield echoed(f"text-{name}", frame(TEXT, payload), answers=answers)
        yield echoed(f"text-{name}-fragmented", fragmented(payload), answers=answers)
        yield echoed(f"text-{name}-octet-wise", *chopped(frame(TEXT, payload), 1), answers=answers)
    for name, payload in INVALID_TEXT.items():
        yield failed(f"text-{name}", frame(TEXT, payload), status=1007)
        yield failed(f"text-{name}-fragmented", fragmented(payload), status=1007)
        yield failed(f"text-{name}-octet-wise", *chopped(frame(TEXT, payload), 1), status=1007)
        yield echoed(f"binary-{name}", frame(BINARY, payload), answers=(("binary", payload),))
    yield failed(
        "text-fails-before-its-end",
        frame(TEXT, b"\xff", final=False),
        GOODBYE,
        status=1007,
        direct=(("close", 1002),),
        why="the server looks at text only once a message is complete",
    )


def closes() -> Iterator[Case]:
    for number in (1000, 1001, 1002, 1003, *range(1007, 1015), 3000, 3999, 4000, 4999):
        yield Case(f"close-{number}", (frame(CLOSE, code(number)),), (("close", number),))
    for number in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535):
        yield failed(f"close-{number}", frame(CLOSE, code(number)))
    yield Case("close-empty", (frame(CLOSE),), (("close", 1005),))
    yield failed("close-one-byte", frame(CLOSE, b"\x03"))
    yield Case("close-reason", (frame(CLOSE, code(1000, b"bye")),), (CLOSED,))
    yield Case("close-reason-123", (frame(CLOSE, code(1000, b"x" * 123)),), (CLOSED,))
    yield Case("close-reason-utf-8", (frame(CLOSE, code(1000, "κόσμε".encode())),), (CLOSED,))
    yield failed("close-reason-124", frame(CLOSE, code(1000, b"x" * 124)))
    yield failed("close-reason-not-utf-8", frame(CLOSE, code(1000, b"\xed\xa0\x80")), status=1007)
    yield failed("close-fragmented", frame(CLOSE, code(1000), final=False))
    yield Case("close-octet-wise", chopped(GOODBYE, 1), (CLOSED,))
    yield Case("close-then-text", (GOODBYE + HELLO,), (CLOSED,))
    yield Case("close-then-ping", (GOODBYE + frame(PING, b"x"),), (CLOSED,))
    yield Case("close-twice", (GOODBYE + GOODBYE,), (CLOSED,))
    yield Case("close-then-nonsense", (GOODBYE + b"\xff" * 200,), (CLOSED,))
    yield echoed("close-after-message", HELLO, answers=(HEARD,))


def limits() -> Iterator[Case]:
    for size in (1 << 17, MAX):
        payload = bytes(range(256)) * (size // 256)
        yield echoed(f"size-{size}", frame(BINARY, payload), answers=(("binary", payload),))
        text = b"x" * size
        yield echoed(f"size-{size}-text", frame(TEXT, text), answers=(("text", text),))
    fragment = frame(CONTINUATION, b"x" * 4096, final=False)
    yield echoed(
        "size-in-fragments",
        frame(BINARY, final=False) + fragment * 256 + frame(CONTINUATION),
        answers=(("binary", b"x" * MAX),),
    )
    yield failed("size-too-big", frame(BINARY, b"x" * (MAX + 1)), status=1009)
    yield failed(
        "size-too-big-in-fragments",
        frame(BINARY, final=False) + fragment * 256 + frame(CONTINUATION, b"x"),
        status=1009,
    )
    for name, size in (("4-gigabytes", 1 << 32), ("most-that-can-be", (1 << 63) - 1)):
        head = b"\x82\xff" + size.to_bytes(8, "big") + b"\0\0\0\0"
        yield failed(f"size-{name}", head, status=1009)
    yield echoed("many-messages", HELLO * 500, answers=(HEARD,) * 500)
    yield echoed(
        "many-binary",
        frame(BINARY, b"\xff" * 100) * 500,
        answers=(("binary", b"\xff" * 100),) * 500,
    )


CASES = [
    *framing(), *pings(), *reserved(), *opcodes(), *fragments(), *texts(), *closes(), *limits(),
]  # fmt: skip


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


class Transcript:
    """What a server answers, message by message."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self.answers: list[Answer] = []

    async def reach(self, count: int) -> None:
        while len(self.answers) < count and not self._is_closed():
            self.answers.append(await self._answer())

    async def end(self) -> None:
        """Read up to the Close, behind which nothing may come but the end."""
        while not self._is_closed():
            self.answers.append(await self._answer())
        assert await self._reader.read() == b""

    def _is_closed(self) -> bool:
        return bool(self.answers) and self.answers[-1][0] == "close"

    async def _answer(self) -> Answer:
        first, second = await self._reader.readexactly(2)
        assert first & 0x80
        size = second
        if second >= 126:
            size = int.from_bytes(await self._reader.readexactly(2 if second == 126 else 8), "big")
        payload = await self._reader.readexactly(size)
        if first == 0x88:
            return "close", int.from_bytes(payload[:2], "big") if payload else 1005
        return NAMES[first & 15], payload


async def played(case: Case, port: int) -> tuple[Answer, ...]:
    async with asyncio.timeout(PATIENCE_S):
        reader, writer = await asyncio.open_connection(LOOPBACK, port, limit=1 << 24)
        writer.write(HANDSHAKE)
        assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
        transcript = Transcript(reader)
        for step in case.steps:
            if isinstance(step, int):
                await transcript.reach(step)
            else:
                writer.write(step)
                # Lets what was sent go on its way, so that it is not all one piece.
                await asyncio.sleep(0)
        await transcript.end()
        writer.close()
        return tuple(transcript.answers)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_the_proxy_answers_as_the_server_alone(case: Case) -> None:
    async with serve(echo, LOOPBACK, 0, compression=None, max_size=MAX) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        alone = await played(case, port)
        async with proxy(served(port), limits=Limits(max_websocket_message_bytes=MAX)) as running:
            proxied = await played(case, running.port)
    assert proxied == case.answers
    assert alone == (case.direct or case.answers)


def test_every_row_on_which_the_proxy_is_stricter_has_its_reason() -> None:
    stricter = [case for case in CASES if case.direct is not None]
    assert all(case.why for case in stricter)
    assert len(stricter) <= 5
