"""Every function of the language, one module for each family."""

from __future__ import annotations

from typing import Final

from policy.cel.declarations import Function
from policy.cel.functions.conversions import CONVERSION_FUNCTIONS
from policy.cel.functions.encodings import ENCODING_FUNCTIONS
from policy.cel.functions.formats import FORMAT_FUNCTIONS
from policy.cel.functions.hashes import HASH_FUNCTIONS
from policy.cel.functions.json_values import JSON_FUNCTIONS
from policy.cel.functions.lists import LIST_FUNCTIONS
from policy.cel.functions.networks import NETWORK_FUNCTIONS
from policy.cel.functions.patterns import PATTERN_FUNCTIONS
from policy.cel.functions.request import REQUEST_FUNCTIONS
from policy.cel.functions.strings import STRING_FUNCTIONS
from policy.cel.functions.time import TIME_FUNCTIONS
from policy.cel.functions.urls import URL_FUNCTIONS

STANDARD_FUNCTIONS: Final[tuple[Function, ...]] = (
    *CONVERSION_FUNCTIONS,
    *ENCODING_FUNCTIONS,
    *FORMAT_FUNCTIONS,
    *HASH_FUNCTIONS,
    *JSON_FUNCTIONS,
    *LIST_FUNCTIONS,
    *NETWORK_FUNCTIONS,
    *PATTERN_FUNCTIONS,
    *REQUEST_FUNCTIONS,
    *STRING_FUNCTIONS,
    *TIME_FUNCTIONS,
    *URL_FUNCTIONS,
)
