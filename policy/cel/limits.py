"""How much an expression may ask for, at load and at run time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on every expression of a policy.

    `max_length` counts code points of the text, `max_nesting` open brackets, `max_depth` levels
    of the tree and `max_nodes` its nodes. `max_regex_length` counts code points of a pattern and
    `max_regex_program` the instructions that RE2 makes of it; a pattern that only run time knows is
    bound by `max_dynamic_regex_length`. `work` bounds one evaluation: a
    unit is about 50 ns of Python, so the default keeps a worker busy for at most 50 ms.
    `max_string` bounds strings and bytes built at run time, in code points.
    """

    max_length: int = 32_768
    max_nesting: int = 50
    max_depth: int = 100
    max_nodes: int = 5_000
    max_regex_length: int = 2_048
    max_regex_program: int = 4_000
    max_dynamic_regex_length: int = 256
    work: int = 500_000
    max_string: int = 1_048_576
