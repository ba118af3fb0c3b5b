"""The fuzz targets hold on their seeds, and on every input that once failed.

`tests/cases/fuzz/TARGET/NAME` is such an input, named after what it shows.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from fuzz.target import Target
from fuzz.targets import TARGETS

FOUND = Path(__file__).parent / "cases" / "fuzz"


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_seeds_hold(target: Target) -> None:
    for seed in target.seeds:
        target.run(seed)


def found_inputs() -> list[object]:
    targets = {target.name: target for target in TARGETS}
    return [
        pytest.param(
            targets[path.parent.name], path.read_bytes(), id=f"{path.parent.name}/{path.name}"
        )
        for path in sorted(FOUND.glob("*/*"))
    ]


@pytest.mark.parametrize(("target", "data"), found_inputs())
def test_what_once_failed_holds(target: Target, data: bytes) -> None:
    target.run(data)
