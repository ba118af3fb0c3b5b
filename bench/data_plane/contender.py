"""What takes part in a measurement."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

from bench.data_plane.site import Site

NO_RULES, TEN_RULES, FIFTY_RULES = "no rules", "ten rules", "fifty rules"
VERSION = re.compile(r"\d+\.\d+[0-9A-Za-z.]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """One proxy with one set of rules.

    `program` returns the path of what is run, and raises MissingError; `command` writes the
    configuration and returns the command line; `version` is what the program is asked with.
    """

    proxy: str
    rules: str = NO_RULES
    program: Callable[[], str]
    command: Callable[[str, Site], list[str]]
    version: tuple[str, ...] = ("--version",)

    @property
    def name(self) -> str:
        """The name in tables."""
        return f"{self.proxy}, {self.rules}"

    def read_version(self) -> str:
        """Ask the program for its version; an empty text when it does not tell."""
        # Not from here: `python -m` imports from the working directory first.
        asked = subprocess.run(
            [self.program(), *self.version], capture_output=True, text=True, check=False, cwd="/"
        )
        found = VERSION.search(asked.stdout + asked.stderr)
        return found[0] if found else ""
