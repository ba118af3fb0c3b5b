"""Every function of the language, one module for each family."""

from __future__ import annotations

from typing import Final

from policy.cel.declarations import Function
from policy.cel.functions.strings import STRING_FUNCTIONS

STANDARD_FUNCTIONS: Final[tuple[Function, ...]] = (*STRING_FUNCTIONS,)
