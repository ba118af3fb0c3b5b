"""The command lines shown in Markdown files: what is shown must be what happens.

In a fenced block marked `console`, each line that begins with `$ ` is a command (a backslash at
its end continues it) and the lines up to the next command are its output. `python -m tests.console
FILE...` writes the present output into the files.
"""

from __future__ import annotations

import io
import re
import shlex
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from penstock.__main__ import main

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command of a block, as written, with the output shown below it."""

    text: str
    output: str

    @property
    def arguments(self) -> list[str]:
        """Return the words of the command; the first one is `penstock`."""
        return shlex.split(self.text.replace("\\\n", " "))


def commands_in(markdown: str) -> list[Command]:
    """Return the commands of all console blocks, in order."""
    return [command for block in BLOCK.findall(markdown) for command in _commands(block)]


def _commands(block: str) -> list[Command]:
    found: list[Command] = []
    for piece in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        text, _, output = re.sub(r"\\\n", "\0", piece).partition("\n")
        found.append(
            Command(text=text.replace("\0", "\\\n"), output=output.replace("\0", "\\\n").rstrip())
        )
    return found


def run(arguments: list[str]) -> tuple[int, str]:
    """Run `penstock` with arguments here; returns its exit code and everything it printed."""
    printed = io.StringIO()
    before = sys.argv
    sys.argv = ["penstock", *arguments]
    try:
        with redirect_stdout(printed), redirect_stderr(printed):
            main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    else:
        code = 0
    finally:
        sys.argv = before
    return code, printed.getvalue()


def rewritten(markdown: str) -> str:
    """Return the text with the present output below each command."""

    def fresh(block: re.Match[str]) -> str:
        parts = [
            f"$ {command.text}\n{run(command.arguments[1:])[1]}" for command in _commands(block[1])
        ]
        return "```console\n" + "\n".join(part.rstrip("\n") + "\n" for part in parts) + "```"

    return BLOCK.sub(fresh, markdown)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        file = Path(name)
        file.write_text(rewritten(file.read_text("utf-8")), "utf-8")
