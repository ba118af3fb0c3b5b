"""What keeps a command from its work though every document is fine: a taken port, a lost file."""

from __future__ import annotations


class Failure(Exception):  # noqa: N818 - it is read as a word in the sentence it prints
    """One clear message, and what to do about it. Commands end with exit code 1 on it."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        self.message = message
        self.hint = hint
        super().__init__(message if hint is None else f"{message}\n        {hint}")
