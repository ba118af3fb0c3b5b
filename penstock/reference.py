"""Writes the generated reference pages: `python -m penstock.reference FOLDER`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from penstock.reference_actions import actions_page
from penstock.reference_fields import fields_table
from penstock.reference_language import GENERATED, functions_page, page, variables_page
from proxy.settings import Settings


def settings_page() -> str:
    """Return the page on the fields of `penstock.yml`."""
    return page(
        "# Fields of `penstock.yml`",
        GENERATED,
        "How they fit together is told in [the guide](../configuration.md).",
        fields_table(Settings),
    )


def reference_pages() -> Mapping[str, str]:
    """Return the text of every generated page by its file name."""
    return {
        "actions.md": actions_page(),
        "variables.md": variables_page(),
        "functions.md": functions_page(),
        "settings.md": settings_page(),
    }


def write_pages(folder: Path) -> None:
    """Write all pages into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in reference_pages().items():
        (folder / name).write_text(text, "utf-8")


if __name__ == "__main__":
    write_pages(Path(sys.argv[1]))
