"""Rows in columns, for a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from penstock.output import STRONG, Line, Span, line, visible

GAP = "  "


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[Line]:
    """Lay out rows below a head; nothing where there are none."""
    if not rows:
        return
    # What a terminal would obey counts as wide as it is shown.
    shown = [[visible(cell).replace("\n", " ") for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(head, *shown, strict=True)]
    yield line(Span(_joined(head, widths), STRONG))
    for row in shown:
        yield line(_joined(row, widths))


def _joined(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return GAP.join(padded).rstrip()
