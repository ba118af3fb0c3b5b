"""The command itself: what it shows without a subcommand, and how it ends."""

from __future__ import annotations

from importlib import metadata

import pytest
from typer.testing import CliRunner

from penstock.__main__ import COMMANDS, GROUPS, build_app


@pytest.mark.parametrize(
    ("arguments", "exit_code", "shown"),
    [
        (["--version"], 0, f"penstock {metadata.version('penstock')}\n"),
        (["--help"], 0, "Show the version and end."),
        ([], 2, "Commands:"),
        (["nosuch"], 2, "No such command 'nosuch'"),
        (["check", "--nosuch"], 2, "No such option"),
    ],
    ids=["version", "help", "nothing", "unknown-command", "unknown-option"],
)
def test_ends(arguments: list[str], exit_code: int, shown: str) -> None:
    result = CliRunner().invoke(build_app(), arguments)
    assert result.exit_code == exit_code
    assert shown in result.output


@pytest.mark.parametrize("command", [*COMMANDS, *GROUPS])
def test_every_command_explains_itself(command: str) -> None:
    result = CliRunner().invoke(build_app(), [command, "--help"])
    assert result.exit_code == 0
    assert f"penstock {command}" in result.output or f"{command} [OPTIONS]" in result.output
