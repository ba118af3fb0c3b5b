"""The benchmark's own WebSocket frames are those of RFC 6455."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bench.data_plane.frames import accept_token, masked_text, text, unmasked

payloads = st.binary(max_size=125)
keys = st.binary(min_size=4, max_size=4)


def test_the_answer_to_a_handshake_is_the_one_of_the_rfc() -> None:
    assert accept_token(b"dGhlIHNhbXBsZSBub25jZQ==") == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def test_a_masked_frame_is_the_one_of_the_rfc() -> None:
    sent = bytes.fromhex("818537fa213d7f9f4d5158")
    assert masked_text(b"Hello", bytes.fromhex("37fa213d")) == sent


@given(payloads, keys, st.integers(0, 130))
def test_frames_come_back_whole_however_they_are_cut(payload: bytes, key: bytes, at: int) -> None:
    sent = masked_text(payload, key)
    first, held = unmasked(sent[:at])
    second, rest = unmasked(held + sent[at:])
    assert (first + second, rest) == (text(payload), b"")
