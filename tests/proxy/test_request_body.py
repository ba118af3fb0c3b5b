from __future__ import annotations

from proxy.request_body import RequestBody


def body_of(*pieces: bytes, ended: bool = False) -> RequestBody:
    body = RequestBody()
    for piece in pieces:
        body.add(piece, ended=False)
    body.add(b"", ended=ended)
    return body


def test_what_is_taken_is_kept_no_longer() -> None:
    body = body_of(b"ab", b"c")
    assert (body.take(), body.take()) == (b"abc", b"")
    body.add(b"d", ended=True)
    assert (body.take(), body.received_bytes, body.ended) == (b"d", 4, True)


def test_nobody_awaits_a_body_at_first() -> None:
    assert not body_of(b"ab").is_awaited


def test_a_body_that_is_awaited_is_enough_at_its_end() -> None:
    body = body_of(b"ab")
    body.await_whole(3)
    assert (body.is_awaited, body.is_enough) == (True, False)
    body.add(b"c", ended=True)
    assert body.is_enough
    assert body.whole() == b"abc"
    assert not body.is_awaited


def test_a_body_that_was_looked_at_still_goes_to_the_upstream() -> None:
    body = body_of(b"ab", ended=True)
    body.await_whole(2)
    assert body.whole() == b"ab"
    assert body.take() == b"ab"


def test_an_empty_body_is_whole() -> None:
    body = body_of(ended=True)
    body.await_whole(0)
    assert (body.is_enough, body.whole()) == (True, b"")


def test_a_body_that_is_too_long_is_enough_before_its_end() -> None:
    body = body_of(b"abc")
    body.await_whole(2)
    assert body.is_enough
    assert body.whole() is None
    assert body.take() == b"abc"
