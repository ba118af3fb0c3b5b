"""How a bug of ours is told: one line that names the place, and the whole stack where asked for.

The message of an exception may hold what a client sent, so it is left to the stack.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable
from hashlib import blake2s
from pathlib import Path
from typing import Any

from proxy.rare_warning import RareWarning

STACK_WANTED = "PENSTOCK_TRACEBACK"
HOUSE = Path(__file__).parent.parent
HOW_TO_REPORT = f"a bug in Penstock; set {STACK_WANTED}=1 and report what it shows"


def internal_error(error: BaseException) -> str:
    """Name an exception that nobody expected: a reference, its kind, and where it was raised.

    The reference is the same for the same place in the same version.
    """
    frames = traceback.extract_tb(error.__traceback__)
    ours = [each for each in frames if _is_ours(each.filename)]
    places = [f"{_shown(each.filename)}:{each.lineno}" for each in ours or frames]
    kind = type(error).__name__
    reference = blake2s(" ".join([kind, *places]).encode(), digest_size=4).hexdigest()
    return f"{reference}: {kind} at {places[-1] if places else 'an unknown place'}"


def stack(error: BaseException) -> str:
    """Return the stack where the environment asks for it, else ""."""
    if not os.environ.get(STACK_WANTED):
        return ""
    return "".join(traceback.format_exception(error))


def _is_ours(filename: str) -> bool:
    # What is compiled gives its place within the house; so do others within theirs.
    path = HOUSE / filename
    return path.is_relative_to(HOUSE) and path.is_file()


def _shown(filename: str) -> str:
    return str((HOUSE / filename).relative_to(HOUSE)) if _is_ours(filename) else Path(filename).name


class LoopErrors:
    """Hears of what goes wrong inside an event loop. One line a minute, however often it does."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._rare = RareWarning(say, "internal errors")

    def __call__(self, _loop: object, context: dict[str, Any]) -> None:
        """Take one report, as asyncio's exception handler."""
        error = context.get("exception")
        if error is None:
            self._rare.note(1, f"{context['message']}; {HOW_TO_REPORT}")
            return
        self._rare.note(1, f"{internal_error(error)}; {HOW_TO_REPORT}")
        if text := stack(error):
            self._say(text.rstrip())
