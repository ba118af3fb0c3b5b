"""The modules that an installation compiles do what their sources do: the same tests pass."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.e2e import debian

HOUSE = Path(__file__).parent.parent
TESTS = ("tests/policy", "tests/proxy", "tests/actions", "tests/test_security_rows.py")
WHERE = "import sys\nfor name in sys.argv[1:]: print(__import__(name, fromlist=['x']).__file__)"
COMPILED = re.findall(
    r'^    "(.+)\.py",$', (HOUSE / "setup.py").read_text(encoding="utf-8"), re.MULTILINE
)
HARMLESS = re.compile(r"^len$|\.(?:start|end)$")
SUMMARY = re.compile(r"^(\d+) passed(?:, \d+ skipped)?(?:, \d+ warnings?)? in ", re.MULTILINE)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the compiled packages are: what `pip install .` makes of the sources."""
    debian.need("gcc", "gcc", "libc6-dev")
    home = tmp_path_factory.mktemp("installed")
    # Elsewhere than in the sources, where an earlier build may have left modules that are gone.
    builds = tmp_path_factory.mktemp("builds")
    (builds / "extra.cfg").write_text(f"[build]\nbuild_base = {builds}\n")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--target", str(home)]
    run(
        [sys.executable, "-m", "pip", "install", *options, str(HOUSE)],
        {"PENSTOCK_COMPILE": "1", "DIST_EXTRA_CONFIG": str(builds / "extra.cfg")},
    )
    return home


@pytest.mark.parametrize("name", COMPILED)
def test_what_would_mean_something_else_when_compiled_is_not_written(name: str) -> None:
    tree = ast.parse((HOUSE / f"{name}.py").read_text(encoding="utf-8"))
    assert [*names_of_two_types(tree), *bounds_that_do_something(tree)] == []


def names_of_two_types(tree: ast.Module) -> Iterator[str]:
    """Find names that hold exceptions of several kinds: the compiler believes the first."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            kinds: dict[str, str] = {}
            for node in ast.walk(function):
                if isinstance(node, ast.ExceptHandler) and node.name and node.type:
                    kind = ast.unparse(node.type)
                    if kinds.setdefault(node.name, kind) != kind:
                        yield f"line {node.lineno}: {node.name}"


def bounds_that_do_something(tree: ast.Module) -> Iterator[str]:
    """Find slices between bounds that call something: it may be called twice."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Slice):
            for part in ast.walk(node):
                if isinstance(part, ast.Call) and not HARMLESS.search(ast.unparse(part.func)):
                    yield f"line {node.lineno}: {ast.unparse(node)}"


@pytest.mark.timeout(900)
def test_every_listed_module_is_compiled(installed: Path) -> None:
    names = [name.replace("/", ".") for name in COMPILED]
    found = run([sys.executable, "-P", "-c", WHERE, *names], {"PYTHONPATH": str(installed)})
    places = [Path(line).relative_to(installed) for line in found.splitlines()]
    assert [place.suffix for place in places] == [".so"] * len(COMPILED)
    version = [sys.executable, "-P", "-m", "penstock", "--version"]
    assert run(version, {"PYTHONPATH": str(installed)}).endswith(" (compiled)\n")


@pytest.mark.timeout(2400)
def test_compiled_modules_pass_the_tests_of_their_sources(installed: Path) -> None:
    command = [
        sys.executable, "-P", "-m", "pytest", "-n", "2", "-p", "no:cacheprovider",
        "--import-mode=importlib", "-o", f"pythonpath={installed} .", *TESTS,
    ]  # fmt: skip
    said = run(command, {"PYTHONPATH": str(installed), "PENSTOCK_TESTS_EXPECT": "compiled"})
    passed = SUMMARY.search(said)
    assert passed is not None, said[-3000:]
    assert int(passed[1]) > 1000


def run(command: list[str], more: Mapping[str, str]) -> str:
    ended = subprocess.run(
        command, cwd=HOUSE, env={**os.environ, **more}, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, f"{ended.stdout[-5000:]}\n{ended.stderr[-5000:]}"
    return ended.stdout
