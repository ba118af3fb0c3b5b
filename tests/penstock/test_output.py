"""Text for a person never controls the person's terminal."""

from __future__ import annotations

import io

import pytest

from penstock.output import Span, line, show, visible


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("plain\ttext\n", "plain\ttext\n", id="tabs-and-line-ends-stay"),
        pytest.param("\x1b]0;title\x07", "\\x1b]0;title\\x07", id="escape-sequence"),
        pytest.param("a\rb", "a\\x0db", id="carriage-return"),
        pytest.param("\u202ereversed", "\\u202ereversed", id="bidirectional-override"),
        pytest.param("\udcff", "\\xff", id="byte-that-is-not-utf8"),
        pytest.param("\ud800", "\\ud800", id="lone-surrogate"),
        pytest.param("größe 🙂", "größe 🙂", id="other-scripts-stay"),
    ],
)
def test_control_characters_are_shown_not_obeyed(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_piped_output_is_plain() -> None:
    stream = io.StringIO()
    show([line("one ", Span("two", "bold red")), line()], to=stream)
    assert stream.getvalue() == "one two\n\n"


def test_a_terminal_gets_colours_and_no_markup_is_interpreted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    stream = Terminal()
    show([line(Span("two", "bold red"), " [bold]x[/bold] ", "\x1b[2J")], to=stream)
    written = stream.getvalue()
    assert "\x1b[1;31mtwo\x1b[0m" in written
    assert "[bold]x[/bold]" in written
    assert "\x1b[2J" not in written


def test_long_lines_are_not_broken_on_a_terminal() -> None:
    stream = Terminal()
    show([line("x" * 500)], to=stream)
    assert "x" * 500 in stream.getvalue()
