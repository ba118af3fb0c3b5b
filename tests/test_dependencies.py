"""Every dependency is pinned with its hash and has a reason."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.console import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
RUNTIME = [re.split(r"[^\w.-]", each)[0] for each in PROJECT["dependencies"]]
DEVELOPMENT = [re.split(r"[^\w.-]", each)[0] for each in PROJECT["optional-dependencies"]["dev"]]
LOCKED = ("requirements.txt", "requirements-dev.txt")


def section(number: int) -> str:
    return (ROOT / "docs/dependencies.md").read_text("utf-8").split("\n## ")[number]


@pytest.mark.parametrize("name", RUNTIME)
def test_a_dependency_has_a_reason(name: str) -> None:
    assert re.search(rf"^\| {re.escape(name)} \| \S", section(0), re.MULTILINE)


@pytest.mark.parametrize("name", DEVELOPMENT)
def test_a_development_dependency_has_a_reason(name: str) -> None:
    assert re.search(rf"^\|[^|]*\b{re.escape(name)}\b[^|]*\| \S", section(1), re.MULTILINE)


@pytest.mark.parametrize("file", LOCKED)
def test_every_requirement_is_pinned_with_a_hash(file: str) -> None:
    text = (ROOT / file).read_text("utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    assert len(lines) > 20
    assert [line for line in lines if not re.match(r"[\w.-]+==\S+ .*--hash=sha256:", line)] == []


@pytest.mark.parametrize("file", LOCKED)
def test_a_locked_file_names_no_server_and_no_path_of_a_machine(file: str) -> None:
    text = (ROOT / file).read_text("utf-8")
    assert re.search(r"://|--index|--find-links|--trusted|(?<![\w.])/\w", text) is None


def test_what_is_declared_is_locked() -> None:
    locked = (ROOT / "requirements.txt").read_text("utf-8").lower()
    assert [name for name in RUNTIME if f"\n{name.lower()}==" not in f"\n{locked}"] == []


def test_the_development_lock_agrees_with_the_runtime_lock() -> None:
    runtime, development = (
        set(re.findall(r"^[\w.-]+==\S+", (ROOT / file).read_text("utf-8"), re.MULTILINE))
        for file in LOCKED
    )
    assert runtime - development == set()


def test_the_build_backend_is_locked() -> None:
    assert re.search(r"^setuptools==", (ROOT / "requirements.txt").read_text("utf-8"), re.MULTILINE)
