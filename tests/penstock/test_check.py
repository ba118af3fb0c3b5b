"""`penstock check`: every problem of every file, at its place, for people and for machines.

`tests/cases/check/NAME.yml` is checked, `NAME.expected` beside it is what comes out.
"""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
import typer

from penstock.check import check
from tests.console import ROOT, run

CASES = ROOT / "tests" / "cases" / "check"
DOCUMENTS = sorted(path for path in CASES.iterdir() if path.suffix in (".yml", ".json"))
GOOD = "policies-examples/admin-path/policy.yaml"
WARNED = "tests/cases/check/warnings_only.yml"
BROKEN = "tests/cases/check/misspelt_phase.yml"
FIELDS = ["file", "line", "column", "code", "severity", "message", "hint"]


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_a_document_gets_its_messages(path: Path) -> None:
    _, printed = run(["check", str(path.relative_to(ROOT))])
    # A hint may show where a missing file was looked for.
    portable = printed.replace(f"{ROOT}/", "")
    assert portable == path.with_suffix(".expected").read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param([GOOD], 0, id="nothing-wrong"),
        pytest.param([WARNED], 0, id="warnings"),
        pytest.param([WARNED, "--strict"], 1, id="warnings-strictly"),
        pytest.param([GOOD, BROKEN], 1, id="one-of-two-with-an-error"),
        pytest.param(["no-such-file.yaml"], 1, id="missing-file"),
        pytest.param(["policies-examples"], 1, id="folder"),
        pytest.param([], 2, id="no-file"),
        pytest.param([GOOD, "--format", "xml"], 2, id="unknown-format"),
    ],
)
def test_the_exit_code_is_the_answer(arguments: list[str], expected: int) -> None:
    assert run(["check", *arguments])[0] == expected


def test_all_problems_of_all_files_are_reported_in_the_order_of_the_files() -> None:
    code, printed = run(["check", "--format", "json", BROKEN, "missing.yaml", WARNED, GOOD])
    found = json.loads(printed)
    assert code == 1
    assert [*dict.fromkeys(each["file"] for each in found)] == [BROKEN, "missing.yaml", WARNED]


def test_the_json_format_has_exactly_the_promised_fields() -> None:
    _, printed = run(["check", "--format", "json", BROKEN, WARNED])
    found = json.loads(printed)
    assert all(list(each) == FIELDS for each in found)
    assert {each["severity"] for each in found} == {"error", "warning"}
    assert all(isinstance(each["line"], int) and each["line"] >= 1 for each in found)
    assert all(isinstance(each["column"], int) and each["column"] >= 1 for each in found)


def test_the_json_format_says_nothing_with_an_empty_list() -> None:
    assert run(["check", "--format", "json", GOOD]) == (0, "[]\n")


def test_a_warning_is_marked_as_one() -> None:
    _, printed = run(["check", WARNED])
    assert ": warning: " in printed


def test_a_missing_file_is_named_with_a_remedy() -> None:
    _, printed = run(["check", "no-such-file.yaml"])
    first, *_ = printed.splitlines()
    assert first.startswith("no-such-file.yaml:1:1: file-unusable: can't read 'no-such-file.yaml'")
    assert "name a file that exists" in printed


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\xff\xfe\x00\x00", id="utf-16"),
        pytest.param(b"\x00" * 100, id="nul"),
        pytest.param(b"a: &a [*a]", id="alias-of-itself"),
        pytest.param(b"[" * 100_000, id="very-deep"),
        pytest.param(b"on_http_request: 7", id="number-for-a-phase"),
        pytest.param(b"\x1b]0;owned\x07: 1", id="terminal-escape"),
        pytest.param(b"- " * 2_000_000, id="too-large"),
        pytest.param(b"endpoints: 7", id="number-for-endpoints"),
        pytest.param(b"apiVersion: v1\nkind: [1]\nspec: 3", id="odd-kubernetes-object"),
        pytest.param(b"tunnels: {a: {policy: 3}}", id="odd-agent-file"),
        pytest.param(b"{enabled: maybe, value: '['}", id="odd-edge-module"),
    ],
)
def test_whatever_a_file_holds_there_is_a_message_and_no_traceback(
    data: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "policy.yaml"
    path.write_bytes(data)
    code, printed = run(["check", str(path)])
    assert code == 1
    assert printed.startswith(f"{path}:")
    assert "Traceback" not in printed
    assert "internal error" not in printed
    assert "\x1b" not in printed


def test_a_file_that_can_not_be_read_is_a_problem_beside_the_others(tmp_path: Path) -> None:
    code, printed = run(["check", str(tmp_path), BROKEN])
    assert code == 1
    assert f"{tmp_path}:1:1: file-unusable" in printed
    assert f"{BROKEN}:1:1: unknown-phase" in printed


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_is_told_that_nothing_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    with pytest.raises(typer.Exit) as ended:
        check([Path(GOOD)])
    assert ended.value.exit_code == 0
    assert "1 file, no problems" in terminal.getvalue()
