"""The bar while a long policy loads: for whoever waits at a terminal, and for nobody else."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable

import pytest

from penstock.loading_bar import PATIENCE_S, loading_bar, with_bar_at_first
from policy.load import Progress
from tests.console import ROOT, run


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def ticking(step_s: float) -> Callable[[], float]:
    """Return a clock that is later by one step each time it is read."""
    times = itertools.count(0.0, step_s)
    return lambda: next(times)


def test_a_pipe_gets_no_bar() -> None:
    with loading_bar(io.StringIO()) as progress:
        assert progress is None


def test_loading_that_ends_within_a_second_shows_nothing() -> None:
    terminal = Terminal()
    with loading_bar(terminal, clock=ticking(PATIENCE_S / 100)) as progress:
        assert progress is not None
        for done in range(50):
            progress(done, 50)
    assert terminal.getvalue() == ""


def test_a_long_load_shows_how_far_it_is() -> None:
    terminal = Terminal()
    with loading_bar(terminal, clock=ticking(PATIENCE_S)) as progress:
        assert progress is not None
        progress(20, 1000)
        progress(700, 1000)
        shown = terminal.getvalue()
    assert "20/1000" in shown
    assert "700/1000" in shown


def test_the_bar_is_drawn_a_few_times_a_second_at_most() -> None:
    terminal = Terminal()
    with loading_bar(terminal, clock=ticking(0.01)) as progress:
        assert progress is not None
        for done in range(200):
            progress(done, 200)
    assert terminal.getvalue().count("/200") < 20


def test_the_bar_is_gone_after_a_failure() -> None:
    terminal = Terminal()
    with (
        pytest.raises(ValueError, match="broken"),
        loading_bar(terminal, clock=ticking(PATIENCE_S)) as progress,
    ):
        assert progress is not None
        progress(1, 2)
        raise ValueError("broken")
    # Erases the line of the bar, and shows the cursor again (ECMA-48, EL and DECTCEM).
    assert "\x1b[2K" in terminal.getvalue().rpartition("1/2")[2]
    assert terminal.getvalue().rpartition("\x1b[?25")[2].startswith("h")


def test_only_the_first_load_has_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", Terminal())
    seen: list[Progress | None] = []
    load = with_bar_at_first(seen.append)
    load()
    load()
    assert seen[0] is not None
    assert seen[1] is None


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "policies-examples/admin-path/policy.yaml"],
        ["eval", "policies-examples/admin-path/policy.yaml"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_captured_output_has_no_trace_of_it(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("penstock.loading_bar.PATIENCE_S", 0.0)
    code, printed = run(arguments)
    assert code == 0
    assert "Loading" not in printed
