"""Every message about a configuration: what was found, what is accepted, what to do.

pydantic finds the mistakes; the words and places are ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final, NamedTuple

from policy.cel import Finding
from policy.config.shape import ModelShape
from policy.problem import Place, Problem, Severity
from policy.source import Node, Scalar, describe, is_null, why_text

WRONG_TYPE: Final = "ERR_NGROK_2203"
WRONG_VALUE: Final = "ERR_NGROK_2204"
OUT_OF_RANGE: Final = "ERR_NGROK_2215"
REQUIRED: Final = "ERR_NGROK_2234"
UNKNOWN_FIELD: Final = WRONG_TYPE

EXPECTED: Final = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a map",
    "mapping_type": "a map",
    "model_type": "a map",
    "model_attributes_type": "a map",
    "dataclass_type": "a map",
}


class _Words(NamedTuple):
    """What is said about one kind of error; `message` is filled from the error's context."""

    code: str
    message: str
    reference: str


_WORDS: Final = {
    "greater_than": _Words("out-of-range", "must be more than {gt}", OUT_OF_RANGE),
    "greater_than_equal": _Words("out-of-range", "must be at least {ge}", OUT_OF_RANGE),
    "less_than": _Words("out-of-range", "must be less than {lt}", OUT_OF_RANGE),
    "less_than_equal": _Words("out-of-range", "must be at most {le}", OUT_OF_RANGE),
    "multiple_of": _Words("out-of-range", "must be a multiple of {multiple_of}", OUT_OF_RANGE),
    "finite_number": _Words("out-of-range", "must be a finite number", OUT_OF_RANGE),
    "too_long": _Words(
        "too-many-entries", "at most {max_length} entries are allowed", "ERR_NGROK_2218"
    ),
    "too_short": _Words("too-few-entries", "at least {min_length} must be given", REQUIRED),
    "string_too_long": _Words(
        "text-too-long", "at most {max_length} characters are allowed", "ERR_NGROK_2221"
    ),
    "string_too_short": _Words(
        "text-too-short", "at least {min_length} characters are needed", "ERR_NGROK_2237"
    ),
    "string_pattern_mismatch": _Words(
        "value-invalid", "the text does not have the form {pattern}", WRONG_VALUE
    ),
    "literal_error": _Words("value-not-permitted", "expected {expected}", "ERR_NGROK_2222"),
    "enum": _Words("value-not-permitted", "expected {expected}", "ERR_NGROK_2222"),
}
TYPE_ERRORS: Final = frozenset(EXPECTED)
LENGTH_ERRORS: Final = frozenset({"too_long", "too_short"})


# --- fields ------------------------------------------------------------------------------------


def not_a_map(node: Node) -> Problem:
    """Report a configuration that is no map."""
    return Problem(
        code="wrong-type",
        message=f"a configuration is a map of fields, found {describe(node)}",
        place=node.place(),
        hint="write 'field: value' on lines of their own",
        reference=WRONG_TYPE,
    )


def unknown_field(key: Scalar, shape: ModelShape) -> Problem:
    """Report a field that does not exist, with the one that was probably meant."""
    hints: Mapping[str, str] = getattr(shape.model, "field_hints", {})
    known = [field.key for field in shape.fields]
    hint = hints.get(key.text) or did_you_mean(key.text, known) or _all_of(known)
    return Problem(
        code="unknown-field",
        message=f"there is no field {key.text!r} here",
        place=key.place(),
        hint=hint,
        reference=UNKNOWN_FIELD,
    )


def former_name(key: Scalar, name: str) -> Problem:
    """Warn of a name of the past."""
    return Problem(
        code="former-name",
        message=f"{key.text!r} is an old name",
        place=key.place(),
        severity=Severity.WARNING,
        hint=f"write {name!r}",
    )


def named_twice(key: Scalar, name: str) -> Problem:
    """Report a field that is given under two of its names."""
    return Problem(
        code="duplicate-key",
        message=f"{name!r} is given twice, under two names",
        place=key.place(),
        hint="keep one of the two",
        reference=UNKNOWN_FIELD,
    )


def did_you_mean(name: str, known: list[str]) -> str | None:
    """Return the remedy that names the nearest known name, None when none is near."""
    by_plain = {_plain(candidate): candidate for candidate in known}
    near = get_close_matches(_plain(name), by_plain, n=1, cutoff=0.6)
    return f"did you mean {by_plain[near[0]]!r}?" if near else None


def _plain(name: str) -> str:
    """Take away how a name is spelled: `statusCode`, `status-code` and `status_code` agree."""
    return "".join(character for character in name.lower() if character.isalnum())


def _all_of(known: list[str]) -> str:
    if not known:
        return "this takes no fields"
    return f"the fields are {', '.join(known)}"


# --- templates ---------------------------------------------------------------------------------


def inside(node: Scalar, finding: Finding) -> Problem:
    """Place a finding about an expression or template where it stands in the file."""
    return Problem(
        code=finding.code,
        message=finding.message,
        place=node.place(finding.start, finding.end),
        severity=finding.severity,
        hint=finding.hint,
        reference=finding.reference,
    )


def unfit_template(node: Scalar, complaint: str) -> Problem:
    """Report a template whose fixed texts break a field's own rule."""
    return Problem(
        code="value-invalid", message=complaint, place=node.place(), reference=WRONG_VALUE
    )


# --- values ------------------------------------------------------------------------------------


class Error(NamedTuple):
    """One of pydantic's errors, with the node it is about (None: it is not there)."""

    type: str
    path: tuple[str | int, ...]
    context: Mapping[str, Any]
    text: str
    node: Node | None
    place: Place
    reference: str | None


def missing_field(error: Error) -> Problem:
    """Report a required field that is absent or empty."""
    name = error.path[-1]
    message = f"the required field {name!r} is missing"
    if error.node is not None and is_null(error.node):
        message = f"the required field {name!r} has no value"
    return Problem(
        code="missing-field",
        message=message,
        place=error.place,
        hint=f"add {name!r}" if error.node is None else None,
        reference=error.reference or REQUIRED,
    )


def wrong_type(expected: list[str], error: Error) -> Problem:
    """Report a value of the wrong kind, showing how YAML read it."""
    wanted = " or ".join(dict.fromkeys(expected))
    found = f", found {describe(error.node)}" if error.node is not None else ""
    return Problem(
        code="wrong-type",
        message=f"expected {wanted}{found}",
        place=error.place,
        hint=error.context.get("hint") or _type_hint(wanted, error.node),
        reference=error.reference or WRONG_TYPE,
    )


def _type_hint(wanted: str, node: Node | None) -> str | None:
    if not isinstance(node, Scalar):
        return None
    if wanted == "text":
        if node.value is None:
            return 'write "" for an empty text'
        return "put it in quotes" if node.is_secret else f'put it in quotes: "{node.text}"'
    if isinstance(node.value, str) and "${" in node.text:
        return "this field takes no '${...}'"
    if wanted == "a list":
        return "write it as a list, each entry on its own line behind '- '"
    return why_text(node)


def wrong_value(error: Error) -> Problem:
    """Report a value that is refused, in the type's own words where it has any."""
    words = _WORDS.get(error.type)
    if words is None:
        return _own_words(error)
    context = {name: _plain_number(value) for name, value in error.context.items()}
    return Problem(
        code=words.code,
        message=_with_found(words, words.message.format(**context), error.node),
        place=error.place,
        hint=_value_hint(error),
        reference=error.reference or words.reference,
    )


def _with_found(words: _Words, message: str, node: Node | None) -> str:
    if node is None or not isinstance(node, Scalar):
        return message
    if words.code == "out-of-range":
        value = "the value" if node.is_secret else node.text
        return f"{value} is out of range: it {message}"
    if words.code == "value-not-permitted":
        return f"{message}, found {describe(node)}"
    return message


def _plain_number(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _own_words(error: Error) -> Problem:
    said = error.context.get("message") or error.text.removeprefix("Value error, ")
    return Problem(
        code=error.type.replace("_", "-"),
        message=str(said),
        place=error.place,
        hint=error.context.get("hint"),
        reference=error.context.get("reference") or error.reference or WRONG_VALUE,
    )


def _value_hint(error: Error) -> str | None:
    if error.type not in {"literal_error", "enum"} or not isinstance(error.node, Scalar):
        return None
    if error.node.is_secret:
        return None
    accepted = str(error.context.get("expected", "")).replace(" or ", ", ").split(", ")
    return did_you_mean(error.node.text, [name.strip("'") for name in accepted])
