"""What the operator is told, and where events go."""

from __future__ import annotations

import io
import os
import stat
import sys
from pathlib import Path

import pytest

from penstock.operator import open_events, say
from proxy.failure import Failure


class Broken(io.StringIO):
    def write(self, _text: str) -> int:
        raise BrokenPipeError


def test_a_message_goes_to_standard_error_and_can_not_move_the_cursor(
    capsys: pytest.CaptureFixture[str],
) -> None:
    say("ready\x1b[2J")
    assert capsys.readouterr() == ("", "ready\\x1b[2J\n")


def test_a_message_that_nobody_takes_is_lost_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stderr", Broken())
    say("ready")


@pytest.mark.parametrize(
    ("destination", "descriptor"), [("stdout", 1), ("stderr", 2), ("false", None)]
)
def test_a_standard_stream_is_its_descriptor(destination: str, descriptor: int | None) -> None:
    assert open_events(destination) == descriptor


def test_events_are_added_to_a_file_that_others_can_not_read(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    for line in (b"one\n", b"two\n"):
        descriptor = open_events(str(path))
        assert descriptor is not None
        os.write(descriptor, line)
        os.close(descriptor)
    assert path.read_bytes() == b"one\ntwo\n"
    assert not path.stat().st_mode & stat.S_IRWXO


def test_a_file_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="can't write events"):
        open_events(str(tmp_path / "none" / "events"))
