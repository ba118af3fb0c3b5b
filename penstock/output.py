"""Text for a person: coloured on a terminal, plain when piped or captured."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from typing import NamedTuple, TextIO, TypeAlias

# What a terminal would obey instead of showing it. A policy, a request file or an upstream's
# answer may hold anything; none of it may move the cursor or retitle the window.
CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


class Span(NamedTuple):
    """A piece of a line; `style` is one of rich's, "" for none."""

    text: str
    style: str = ""


Line: TypeAlias = tuple[Span, ...]

GOOD = "green"
BAD = "bold red"
DOUBTFUL = "yellow"
FAINT = "dim"
STRONG = "bold"


def line(*parts: str | Span) -> Line:
    """Make a line out of texts and styled spans."""
    return tuple(Span(part) if isinstance(part, str) else part for part in parts)


def show(lines: Iterable[Line], *, to: TextIO | None = None) -> None:
    """Write lines to standard output, or to another stream."""
    stream = sys.stdout if to is None else to
    if stream.isatty():
        _show_coloured(lines, stream)
        return
    for each in lines:
        stream.write(visible("".join(span.text for span in each)) + "\n")


def _show_coloured(lines: Iterable[Line], stream: TextIO) -> None:
    # Imported here because a pipe, the usual case in scripts, does without it.
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream, highlight=False, markup=False, emoji=False, soft_wrap=True)
    for each in lines:
        text = Text()
        for span in each:
            text.append(visible(span.text), style=span.style)
        console.print(text)


def visible(text: str) -> str:
    """Write control and unprintable characters as escapes; line ends and tabs stay."""
    return CONTROL.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    # A lone surrogate stands for one byte that is not UTF-8 (PEP 383).
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
