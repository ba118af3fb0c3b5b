"""`matches`: RE2, which takes linear time, within a budget for long texts and big patterns."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

from policy.cel.declarations import InvalidConstantError, Prepared
from policy.cel.functions.define import function, method, plain
from policy.cel.limits import Limits
from policy.cel.types import BOOL, STRING
from policy.cel.values import CelError
from policy.cel.work import BUDGET_CODE, Work
from policy.regex import Matcher, RegexError

# Work for 1,024 characters: about 10 ns for each with RE2's automaton; where its states may
# explode RE2 follows all instructions at once, about 20 ns for each instruction and character.
AUTOMATON_COST: Final = 256
_EXPLODED_COST: Final = 410

_ESCAPE: Final = re.compile(r"\\(?:[pP]\{[^}]*\}|.)", re.DOTALL)
_COUNTED: Final = re.compile(r"\{([0-9]+)(,([0-9]*))?\}")
_CLASS: Final = re.compile(r"\[\^?\]?[^\]]*\]|\.")
_UNBOUNDED: Final = re.compile(r"[*+]|\{[0-9]+,\}")


def may_explode(pattern: str, program_size: int) -> bool:
    """Tell whether RE2's automaton may need very many states for a pattern.

    That takes a long row of wide classes, written out or counted, at no fixed place of the text.
    A cheap test that errs on the careful side.
    """
    if program_size <= 16:
        return False
    bare = _ESCAPE.sub(lambda match: "." if match[0][1] in "pPwWdDsS" else "_", pattern)
    if bare.startswith("^") and not _UNBOUNDED.search(bare) and "|" not in bare:
        return False
    counts = [int(match[3] or match[1]) for match in _COUNTED.finditer(bare)]
    wide = len(_CLASS.findall(bare)) + bare.count("(")
    return max(counts, default=0) >= 8 or wide >= 24


def cost_of(matcher: Matcher) -> int:
    """Return the work of a match for each 1,024 characters."""
    if may_explode(matcher.pattern, matcher.program_size):
        return _EXPLODED_COST * matcher.program_size
    return AUTOMATON_COST


@lru_cache(maxsize=256)
def _matcher(pattern: str) -> Matcher:
    return Matcher(pattern)


def matches(work: Work, text: str, pattern: str) -> bool:
    """Tell whether a pattern that only run time knows matches anywhere. Raises CelError."""
    if len(pattern) > work.limits.max_dynamic_regex_length:
        raise CelError("regex-too-big", "a pattern made at run time is too long")
    work.spend(200 + 50 * len(pattern))
    try:
        matcher = _matcher(pattern)
    except RegexError:
        raise CelError("invalid-regex", "a pattern made at run time is not valid") from None
    if matcher.program_size > work.limits.max_regex_program:
        raise CelError("regex-too-big", "a pattern made at run time is too big")
    work.spend(1 + (len(text) * cost_of(matcher) >> 10))
    return matcher.search(text)


def prepare(pattern: Any, limits: Limits) -> Prepared:
    """Compile a constant pattern at load. Raises InvalidConstantError."""
    if len(pattern) > limits.max_regex_length:
        raise InvalidConstantError(
            "regex-too-big",
            f"the pattern has {len(pattern)} characters; at most {limits.max_regex_length}"
            " are accepted",
        )
    try:
        matcher = Matcher(pattern)
    except RegexError as error:
        start, end = _place(pattern, str(error))
        raise InvalidConstantError(
            "invalid-regex", str(error), hint=error.hint, start=start, end=end
        ) from error
    if matcher.program_size > limits.max_regex_program:
        raise InvalidConstantError(
            "regex-too-big",
            f"the pattern makes a program of {matcher.program_size} instructions;"
            f" at most {limits.max_regex_program} are accepted",
            hint="lower the counts in braces, or the number of alternatives",
        )
    cost = cost_of(matcher)
    if cost == AUTOMATON_COST:
        return Prepared(call=matcher.search, cost=cost)
    longest = (limits.work // 2 << 10) // cost

    def search(text: str) -> bool:
        if len(text) > longest:
            raise CelError(BUDGET_CODE, "a text is too long for a pattern of this size")
        return matcher.search(text)

    return Prepared(call=search, cost=cost, raises=True)


def _place(pattern: str, message: str) -> tuple[int | None, int | None]:
    # RE2 names the part that it does not accept behind a colon.
    part = message.rpartition(": ")[2]
    start = pattern.find(part) if part else -1
    return (None, None) if start < 0 else (start, start + len(part))


_PATTERN_ARGUMENTS: Final = (STRING, STRING)

PATTERN_FUNCTIONS: Final = (
    function(
        "matches",
        "Whether a regular expression (RE2) matches anywhere in a text.",
        *(
            declare(
                _PATTERN_ARGUMENTS,
                BOOL,
                matches,
                counts_work=True,
                cost=AUTOMATON_COST,
                prepare=prepare,
            )
            for declare in (plain, method)
        ),
    ),
)
