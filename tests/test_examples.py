"""Every example policy loads without a warning and does what its page shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.console import ROOT, Command, commands_in, run

EXAMPLES = sorted(path.parent for path in (ROOT / "policies-examples").glob("*/policy.yaml"))
SHOWN = [
    pytest.param(command, id=f"{folder.name}-{number}")
    for folder in EXAMPLES
    for number, command in enumerate(commands_in((folder / "README.md").read_text("utf-8")), 1)
]


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def test_there_are_at_least_eight() -> None:
    assert len(EXAMPLES) >= 8


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda folder: folder.name)
def test_an_example_loads_without_warnings(folder: Path) -> None:
    assert run(["check", "--strict", str(folder / "policy.yaml")]) == (0, "")


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda folder: folder.name)
def test_an_example_shows_what_it_lets_through_and_what_not(folder: Path) -> None:
    shown = commands_in((folder / "README.md").read_text("utf-8"))
    assert len(shown) >= 2
    own_policy = f"policies-examples/{folder.name}/policy.yaml"
    assert all(command.arguments[:3] == ["penstock", "eval", own_policy] for command in shown)
    assert len({command.output for command in shown}) > 1


@pytest.mark.parametrize("command", SHOWN)
def test_an_example_does_what_its_page_shows(command: Command) -> None:
    assert run(command.arguments[1:])[1].rstrip() == command.output


def test_the_list_of_examples_is_complete() -> None:
    listed = (ROOT / "policies-examples" / "README.md").read_text("utf-8")
    assert [folder.name for folder in EXAMPLES if f"({folder.name}/)" not in listed] == []
