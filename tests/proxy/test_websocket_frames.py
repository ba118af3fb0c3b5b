from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.websocket_frames import FrameChecker, FrameViolation, close_frame
from proxy.websocket_mask import unmasked, unmasked_by_integers

KEY = b"\x9a\x21\xf0\x07"
MAX = 1 << 16
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


def frame(
    opcode: int, payload: bytes = b"", *, final: bool = True, masked: bool = True, reserved: int = 0
) -> bytes:
    first = (0x80 if final else 0) | reserved << 4 | opcode
    mask = 0x80 if masked else 0
    size = len(payload)
    if size < 126:
        head = bytes((first, mask | size))
    elif size < 1 << 16:
        head = bytes((first, mask | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((first, mask | 127)) + size.to_bytes(8, "big")
    return head + (KEY + bytes(unmasked(payload, KEY)) if masked else payload)


def checker(*, masked: bool = True) -> FrameChecker:
    return FrameChecker(masked=masked, max_message_bytes=MAX)


def code(number: int, reason: bytes = b"") -> bytes:
    return number.to_bytes(2, "big") + reason


Verdict = tuple[int, str] | None


def verdict(pieces: list[bytes], *, masked: bool = True) -> tuple[Verdict, bytes, int]:
    """Feed a checker; return the violation, what passed, and what is left of the frame begun."""
    checked = checker(masked=masked)
    passed = b""
    for piece in pieces:
        try:
            passed += checked.take(piece)
        except FrameViolation as violation:
            passed += violation.sound
            return (violation.code, violation.reason), passed, checked.left
    return None, passed, checked.left


HELLO = frame(TEXT, b"hello")
EURO = "€".encode()
FINE = {
    "empty-text": frame(TEXT),
    "text": HELLO,
    "text-not-ascii": frame(TEXT, "κόσμε \U0001f600".encode()),
    "binary": frame(BINARY, bytes(range(256))),
    "long-payload": frame(BINARY, b"x" * MAX),
    "largest-short-length": frame(BINARY, b"x" * 125),
    "smallest-middle-length": frame(BINARY, b"x" * 126),
    "ping-and-pong": frame(PING) + frame(PONG, b"x" * 125),
    "fragments": frame(TEXT, b"a", final=False)
    + frame(CONTINUATION, b"b", final=False)
    + frame(CONTINUATION, b"c"),
    "ping-between-fragments": frame(TEXT, b"a", final=False)
    + frame(PING, b"p")
    + frame(CONTINUATION, b"c"),
    "character-over-fragments": frame(TEXT, EURO[:1], final=False)
    + frame(CONTINUATION, EURO[1:2], final=False)
    + frame(CONTINUATION, final=False)
    + frame(CONTINUATION, EURO[2:]),
    "binary-is-no-text": frame(TEXT, b"a") + frame(BINARY, b"\xff\xfe"),
    "close-empty": frame(CLOSE),
    "close-with-reason": frame(CLOSE, code(1000, b"x" * 123)),
    **{
        f"close-{number}": frame(CLOSE, code(number))
        for number in (1000, 1001, 1002, 1003, *range(1007, 1015), 3000, 4999)
    },
}

PROTOCOL, UTF_8, BIG = 1002, 1007, 1009
BROKEN: dict[str, tuple[bytes, Verdict]] = {
    **{
        f"reserved-{bits}": (
            frame(TEXT, b"x", reserved=bits),
            (PROTOCOL, "websocket-reserved-bits"),
        )
        for bits in range(1, 8)
    },
    "reserved-in-control": (frame(PING, reserved=4), (PROTOCOL, "websocket-reserved-bits")),
    **{
        f"opcode-{opcode}": (frame(opcode), (PROTOCOL, "websocket-opcode-unknown"))
        for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)
    },
    "not-masked": (frame(TEXT, b"x", masked=False), (PROTOCOL, "websocket-frame-not-masked")),
    "control-too-long": (frame(PING, b"x" * 126), (PROTOCOL, "websocket-control-frame-malformed")),
    "control-fragmented": (
        frame(PING, final=False),
        (PROTOCOL, "websocket-control-frame-malformed"),
    ),
    "close-fragmented": (
        frame(CLOSE, final=False),
        (PROTOCOL, "websocket-control-frame-malformed"),
    ),
    "continuation-of-nothing": (
        frame(CONTINUATION),
        (PROTOCOL, "websocket-fragments-out-of-order"),
    ),
    "text-inside-fragments": (
        frame(TEXT, b"a", final=False) + frame(TEXT, b"b"),
        (PROTOCOL, "websocket-fragments-out-of-order"),
    ),
    "continuation-after-the-end": (
        frame(TEXT, b"a", final=False) + 2 * frame(CONTINUATION, b"b"),
        (PROTOCOL, "websocket-fragments-out-of-order"),
    ),
    "length-126-for-125": (b"\x82\xfe\0\x7d" + KEY, (PROTOCOL, "websocket-length-malformed")),
    "length-127-for-65535": (
        b"\x82\xff\0\0\0\0\0\0\xff\xff" + KEY,
        (PROTOCOL, "websocket-length-malformed"),
    ),
    "length-with-highest-bit": (
        b"\x82\xff\x80\0\0\0\0\x01\0\0" + KEY,
        (PROTOCOL, "websocket-length-malformed"),
    ),
    "four-gigabytes": (b"\x82\xff\0\0\0\x01\0\0\0\0", (BIG, "websocket-message-too-big")),
    "one-byte-too-many": (frame(BINARY, b"x" * (MAX + 1)), (BIG, "websocket-message-too-big")),
    "fragments-too-many": (
        frame(BINARY, b"x" * MAX, final=False) + frame(CONTINUATION, b"x"),
        (BIG, "websocket-message-too-big"),
    ),
    "text-not-utf-8": (frame(TEXT, b"ab\xff"), (UTF_8, "websocket-text-not-utf-8")),
    "text-ends-inside-character": (frame(TEXT, EURO[:2]), (UTF_8, "websocket-text-not-utf-8")),
    "text-surrogate": (frame(TEXT, b"\xed\xa0\x80"), (UTF_8, "websocket-text-not-utf-8")),
    "text-beyond-unicode": (frame(TEXT, b"\xf4\x90"), (UTF_8, "websocket-text-not-utf-8")),
    "text-overlong": (frame(TEXT, b"\xc0\xaf"), (UTF_8, "websocket-text-not-utf-8")),
    "fragments-end-inside-character": (
        frame(TEXT, EURO[:1], final=False) + frame(CONTINUATION),
        (UTF_8, "websocket-text-not-utf-8"),
    ),
    "close-of-one-byte": (frame(CLOSE, b"\x03"), (PROTOCOL, "websocket-close-code-invalid")),
    "close-reason-not-utf-8": (
        frame(CLOSE, code(1000, b"\xff")),
        (UTF_8, "websocket-close-reason-not-utf-8"),
    ),
    **{
        f"close-{number}": (
            frame(CLOSE, code(number)),
            (PROTOCOL, "websocket-close-code-invalid"),
        )
        for number in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)
    },
}


@pytest.mark.parametrize("stream", FINE.values(), ids=FINE)
def test_sound_frames_pass_as_they_are(stream: bytes) -> None:
    assert verdict([stream]) == (None, stream, 0)


@pytest.mark.parametrize(("stream", "broken"), BROKEN.values(), ids=BROKEN)
def test_a_broken_frame_is_told_and_those_before_it_pass(stream: bytes, broken: Verdict) -> None:
    found, passed, left = verdict([HELLO + stream])
    assert found == broken
    assert passed == HELLO + stream[: len(passed) - len(HELLO)]
    assert left == 0


@pytest.mark.parametrize(("stream", "broken"), BROKEN.values(), ids=BROKEN)
def test_a_broken_frame_is_told_when_bytes_come_one_by_one(stream: bytes, broken: Verdict) -> None:
    found, passed, _ = verdict([stream[at : at + 1] for at in range(len(stream))])
    assert found == broken
    assert stream.startswith(passed)


def test_a_masked_frame_of_an_upstream_is_refused() -> None:
    found, _, _ = verdict([frame(TEXT, b"x")], masked=False)
    assert found == (1002, "websocket-frame-masked")


def test_an_unmasked_stream_of_an_upstream_passes() -> None:
    stream = frame(TEXT, EURO, masked=False) + close_frame(1001, masked=False)
    assert verdict([stream], masked=False) == (None, stream, 0)


def test_a_length_is_refused_before_any_payload_comes() -> None:
    found, passed, left = verdict([HELLO + b"\x82\xff\0\0\0\x01\0\0\0\0"])
    assert (found, passed, left) == ((1009, "websocket-message-too-big"), HELLO, 0)


def test_payload_passes_at_once_and_heads_when_they_are_complete() -> None:
    whole = frame(BINARY, b"x" * 1000)
    checked = checker()
    assert checked.take(whole[:7]) == b""
    assert checked.take(whole[7:9]) == whole[:9]
    assert checked.left == 999
    assert checked.take(whole[9:]) == whole[9:]
    assert checked.left == 0


def test_control_frames_pass_whole() -> None:
    ping = frame(PING, b"abc")
    checked = checker()
    assert checked.take(HELLO + ping[:8]) == HELLO
    assert checked.left == 0
    assert checked.take(ping[8:]) == ping


def test_broken_text_inside_a_frame_that_has_begun_to_pass_leaves_it_cut() -> None:
    whole = frame(TEXT, b"a" * 10 + b"\xff")
    found, passed, left = verdict([whole[:10], whole[10:]])
    assert found == (1007, "websocket-text-not-utf-8")
    assert passed == whole[:10]
    assert left > 0


def test_nothing_passes_behind_a_close() -> None:
    checked = checker()
    goodbye = frame(CLOSE, code(1000))
    assert checked.take(goodbye + HELLO) == goodbye
    assert checked.closed
    assert checked.take(b"anything") == b""


@pytest.mark.parametrize("masked", [True, False])
def test_our_own_close_is_a_sound_frame(masked: bool) -> None:  # noqa: FBT001 - a parameter
    checked = checker(masked=masked)
    made = close_frame(1008, masked=masked)
    assert checked.take(made) == made
    assert checked.closed


def split(stream: bytes, cuts: list[int]) -> Iterator[bytes]:
    places = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    for start, end in pairwise(places):
        yield stream[start:end]


CUTS = st.lists(st.integers(0, 1 << 17), max_size=20)
PIECES = st.sampled_from([*FINE.values(), *(stream for stream, _ in BROKEN.values())])


@given(streams=st.lists(st.sampled_from(list(FINE.values())), max_size=6), cuts=CUTS)
def test_a_valid_stream_passes_however_it_is_split(streams: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(streams)
    assert verdict(list(split(stream, cuts))) == verdict([stream])


@given(streams=st.lists(PIECES, max_size=4), cuts=CUTS)
def test_the_verdict_does_not_depend_on_the_split(streams: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(streams)
    assert verdict(list(split(stream, cuts)))[0] == verdict([stream])[0]


@given(stream=st.binary(max_size=300), cuts=CUTS, masked=st.booleans())
def test_random_bytes_pass_or_violate_the_same_way_in_any_split(
    stream: bytes,
    cuts: list[int],
    masked: bool,  # noqa: FBT001 - a parameter
) -> None:
    whole = verdict([stream], masked=masked)
    parts = verdict(list(split(stream, cuts)), masked=masked)
    assert parts[0] == whole[0]
    assert stream.startswith(parts[1])
    assert stream.startswith(whole[1])


@given(payload=st.binary(max_size=300), key=st.binary(min_size=4, max_size=4))
def test_both_ways_to_unmask_agree_and_undo_themselves(payload: bytes, key: bytes) -> None:
    plain = bytes(unmasked(payload, key))
    assert plain == unmasked_by_integers(payload, key)
    assert bytes(unmasked(plain, key)) == payload


@given(text=st.text(max_size=200), cuts=CUTS)
def test_all_text_is_text(text: str, cuts: list[int]) -> None:
    stream = frame(TEXT, text.encode())
    assert verdict(list(split(stream, cuts)))[0] is None


@given(payload=st.binary(max_size=60), cuts=CUTS)
def test_text_is_judged_as_python_does(payload: bytes, cuts: list[int]) -> None:
    try:
        payload.decode()
        expected = None
    except UnicodeDecodeError:
        expected = (1007, "websocket-text-not-utf-8")
    assert verdict(list(split(frame(TEXT, payload), cuts)))[0] == expected
