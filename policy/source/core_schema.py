"""How YAML 1.2 reads a plain scalar (its core schema), and how we tell an author about it.

Only what the core schema calls a boolean or a number is one: `yes`, `no`, `on`, `off`, `1_000` and
`22:22` are text. So is a number with a leading zero, which older YAML read as octal.
"""

from __future__ import annotations

import re
from typing import Final

from policy.source.node import Node, Scalar, ScalarValue, Sequence, Style

_WORDS: Final[dict[str, ScalarValue]] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True,
    "false": False, "False": False, "FALSE": False,
    ".nan": float("nan"), ".NaN": float("nan"), ".NAN": float("nan"),
}  # fmt: skip
# Python refuses to convert very long digit strings; nothing we accept is as long as this.
_LONGEST_NUMBER: Final = 64
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*(?:[eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+))"
    r"|[-+]?\.[0-9]+[eE][-+]?[0-9]+"
)
_INFINITY = re.compile(r"[-+]?\.(?:inf|Inf|INF)")
_OLD_BOOLEANS: Final = frozenset({"yes", "no", "on", "off", "y", "n"})
_SHOWN_CHARACTERS: Final = 40


def read_plain(text: str) -> ScalarValue:
    """Return the value of a plain scalar."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "-+.0123456789" or len(text) > _LONGEST_NUMBER:
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    if _BASED.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _INFINITY.fullmatch(text):
        return float(text.replace(".", ""))
    return text


_KINDS: Final[dict[type, str]] = {
    type(None): "nothing",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "a text",
}


def describe(node: Node) -> str:
    """Say what a node is, as YAML read it: "the number 12", "the text 'yes'", "a list"."""
    if not isinstance(node, Scalar):
        return "a list" if isinstance(node, Sequence) else "a map"
    if node.is_secret:
        return _KINDS[type(node.value)]
    match node.value:
        case None:
            return "nothing" if not node.text else f"{node.text} (nothing)"
        case bool():
            return f"the boolean {node.text}"
        case int() | float():
            return f"the number {node.text}"
        case str():
            return f"the text {_shown(node.text)}"


def why_text(node: Node) -> str | None:
    """Explain why a scalar that looks like a number or boolean is text; None if it doesn't."""
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        return None
    text = node.text
    if text.lower() in _OLD_BOOLEANS:
        return f"YAML 1.2 reads {text} as text; booleans are true and false"
    if node.style is not Style.PLAIN:
        quotable = read_plain(text) if text else text
        return None if isinstance(quotable, str) else "quotes make it text: leave them out"
    if re.fullmatch(r"0[0-9]+", text):
        return "a number has no leading zero"
    if re.fullmatch(r"[0-9][0-9_,]+", text):
        return "a number is written in digits only"
    if re.fullmatch(r"[0-9]+(:[0-9]+)+", text):
        return "YAML 1.2 reads numbers with colons as text"
    return None


def _shown(text: str) -> str:
    if len(text) > _SHOWN_CHARACTERS:
        text = text[: _SHOWN_CHARACTERS - 1] + "\u2026"
    return repr(text)
