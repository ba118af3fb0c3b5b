"""The modules that an installation compiles do what their sources do: the same tests pass."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from zipfile import ZipFile

import pytest

from bench.data_plane import installation
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
def installed() -> Path:
    """Where the compiled packages are: what `pip install .` makes of the sources."""
    debian.need("cc", "gcc", "libc6-dev")
    return installation.packages_of(Path(installation.penstock()))


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


# Stands in for mypyc: it gives a module to compile, or gives up as mypyc does.
TRANSLATES = """
from setuptools import Extension
def mypycify(*_, **__):
    open("build_me.c", "w").write("int x;")
    return [Extension("policy.url", ["build_me.c"])]
"""
GIVES_UP = """
def mypycify(*_, **__):
    raise SystemExit("policy/url.py:1: error: no")
"""


@pytest.mark.parametrize(
    ("mypyc", "wanted", "builds"),
    [
        (TRANSLATES, "", True),
        (TRANSLATES, "1", False),
        (GIVES_UP, "", True),
        (GIVES_UP, "1", False),
    ],
    ids=["no-compiler", "no-compiler-but-wanted", "no-translation", "no-translation-but-wanted"],
)
def test_what_cannot_be_compiled_is_left_as_it_is(
    tmp_path: Path, mypyc: str, wanted: str, *, builds: bool
) -> None:
    house, stand_in = tmp_path / "house", tmp_path / "mypyc"
    house.mkdir()
    stand_in.mkdir()
    (stand_in / "__init__.py").touch()
    (stand_in / "build.py").write_text(mypyc)
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(HOUSE / name, house)
    shutil.copytree(HOUSE / "policy", house / "policy")
    ended = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w",
         str(tmp_path), str(house)],
        env={
            **os.environ, "PYTHONPATH": str(tmp_path), "CC": str(tmp_path / "none"),
            "PENSTOCK_COMPILE": wanted,
        },
        capture_output=True, check=False,
    )  # fmt: skip
    assert (ended.returncode == 0) is builds, ended.stderr.decode()
    for wheel in tmp_path.glob("*.whl"):
        names = ZipFile(wheel).namelist()
        assert "policy/url.py" in names
        assert not [name for name in names if name.endswith(".so")]
