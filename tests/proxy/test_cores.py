"""As many workers as cores that may be used, in a container too."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from proxy.cores import usable_cores

GRANTED = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@pytest.mark.parametrize(
    ("text", "cores"),
    [
        pytest.param("max 100000\n", GRANTED, id="no quota"),
        pytest.param("100000 100000\n", 1, id="one"),
        pytest.param("50000 100000\n", 1, id="half of one"),
        pytest.param("150000 100000\n", min(2, GRANTED), id="one and a half"),
        pytest.param("100000000 100000\n", GRANTED, id="more than there are"),
        pytest.param("nonsense", GRANTED, id="unreadable"),
        pytest.param(None, GRANTED, id="no control groups"),
    ],
)
def test_the_quota_of_the_control_group_counts(
    tmp_path: Path, text: str | None, cores: int
) -> None:
    quota = tmp_path / "cpu.max"
    if text is not None:
        quota.write_text(text)
    assert usable_cores(quota) == cores
