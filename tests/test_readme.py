"""What the README and the guides show is what happens."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.console import ROOT, Command, commands_in, run

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SHOWN = [
    pytest.param(command, id=f"{page.stem}-{number}")
    for page in PAGES
    for number, command in enumerate(commands_in(page.read_text("utf-8")), 1)
]
QUOTED = re.compile(r"^```yaml\n# (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
DOCUMENTS = [
    *PAGES,
    *sorted((ROOT / "docs" / "reference").glob("*.md")),
    *sorted((ROOT / "policies-examples").glob("**/*.md")),
    *(ROOT / name for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")),
]


def test_the_readme_shows_a_refusal_explained() -> None:
    shown = commands_in((ROOT / "README.md").read_text("utf-8"))
    assert any("--explain" in c.arguments and "respond 403" in c.output for c in shown)


@pytest.mark.parametrize("command", SHOWN)
def test_a_page_shows_what_happens(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert run(command.arguments[1:])[1].rstrip() == command.output


def test_quoted_files_are_quoted_exactly() -> None:
    quoted = [found for page in PAGES for found in QUOTED.findall(page.read_text("utf-8"))]
    assert quoted
    for name, text in quoted:
        assert text in (ROOT / name).read_text("utf-8")


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    targets = LINK.findall(page.read_text("utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []
