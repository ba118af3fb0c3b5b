"""Bugs are told in a line that names their place, and holds nothing that a client sent."""

from __future__ import annotations

import asyncio
import re

import pytest

from policy.media_type import media_type
from proxy.internal_error import HOUSE, LoopErrors, internal_error, stack

LINE = re.compile(r"[0-9a-f]{8}: AttributeError at policy/media_type\.py:\d+")


def bug() -> Exception:
    """Fail inside the house."""
    try:
        media_type(None)  # type: ignore[arg-type]
    except AttributeError as error:
        return error
    raise AssertionError


def secret_bug() -> Exception:
    try:
        raise KeyError("token=planted")
    except KeyError as error:
        return error


def test_a_bug_is_named_by_kind_and_place_and_always_alike() -> None:
    assert LINE.fullmatch(internal_error(bug()))
    assert internal_error(bug()) == internal_error(bug())
    assert internal_error(ValueError()).endswith(": ValueError at an unknown place")


@pytest.mark.parametrize(
    ("filename", "place"),
    [
        ("policy/url.py", "policy/url.py:1"),
        (str(HOUSE / "policy/url.py"), "policy/url.py:1"),
        ("uvloop/loop.pyx", "loop.pyx:1"),
    ],
    ids=["ours-compiled", "ours", "not-ours"],
)
def test_a_place_is_told_from_the_house_on(filename: str, place: str) -> None:
    with pytest.raises(ZeroDivisionError) as raised:
        exec(compile("1 // 0", filename, "exec"))
    # The last frame alone: this test's own is of the house, too.
    error = raised.value.with_traceback(raised.tb.tb_next)
    assert internal_error(error).endswith(f": ZeroDivisionError at {place}")


def test_what_the_exception_says_is_for_the_stack_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PENSTOCK_TRACEBACK", raising=False)
    assert "planted" not in internal_error(secret_bug()) + stack(secret_bug())
    monkeypatch.setenv("PENSTOCK_TRACEBACK", "1")
    assert "planted" in stack(secret_bug())


def test_the_loop_s_errors_are_told_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PENSTOCK_TRACEBACK", raising=False)
    said: list[str] = []
    errors = LoopErrors(said.append)
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(errors)
    for _ in range(100):
        loop.call_exception_handler({"message": "a phase failed", "exception": bug()})
    loop.call_exception_handler({"message": "something closed badly"})
    loop.close()
    (line,) = said
    assert line.startswith("penstock: internal errors: 1 (")
    assert LINE.search(line)
    assert "PENSTOCK_TRACEBACK=1" in line


def test_stacks_are_shown_where_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_TRACEBACK", "1")
    said: list[str] = []
    LoopErrors(said.append)(None, {"message": "a phase failed", "exception": bug()})
    assert said[1].startswith("Traceback (most recent call last):")


def test_errors_without_an_exception_are_told_too() -> None:
    said: list[str] = []
    LoopErrors(said.append)(None, {"message": "something closed badly"})
    assert "something closed badly" in said[0]
