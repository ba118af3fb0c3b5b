"""The generated pages on variables and functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policy.cel.declarations import Function, Overload, Variable
from policy.cel.functions import STANDARD_FUNCTIONS
from policy.cel.types import DYN, CelType, ListType, MapType, NullableType, ObjectType
from policy.phase import ALL_PHASES, Phase
from policy.variables import RESULTS, declarations

GENERATED = "<!-- Generated from the code by `make docs`; do not edit. -->"
LETTERS = {
    Phase.ON_TCP_CONNECT: "T",
    Phase.ON_HTTP_REQUEST: "Q",
    Phase.ON_HTTP_RESPONSE: "S",
    Phase.ON_EVENT_STREAM_MESSAGE: "E",
}
LEGEND = (
    "Phases: T is `on_tcp_connect`, Q `on_http_request`, S `on_http_response`, "
    "E `on_event_stream_message`."
)
FUNCTIONS_INTRODUCTION = (
    "Beside the operators of CEL, indexing, field selection, `in` and `has()`, and the macros "
    "`all`, `exists`, `exists_one`, `filter` and `map`, which work on lists and on the keys of "
    "maps. A single letter is a type that the arguments decide.\n\n" + LEGEND
)
SHORT_NAMES = {
    "google.protobuf.Timestamp": "timestamp",
    "google.protobuf.Duration": "duration",
    "null_type": "null",
}


def variables_page() -> str:
    """Return the page on variables."""
    variables = [each for each in declarations(()) if not each.name.startswith(RESULTS)]
    return page(
        "# Variables",
        GENERATED,
        LEGEND,
        "A name may be text and at once the beginning of others: `conn.client_ip` is an address, "
        "`conn.client_ip.is_tor_node` a fact about it. What is missing reads as empty, not as an "
        "error; see [the guide](../policy-language.md#what-is-missing-is-empty-not-an-error).\n\n"
        "Results of actions, `actions.ngrok.*`, are described with "
        "[the actions](actions.md).",
        *(section(name, group) for name, group in grouped(variables).items()),
    )


def section(title: str, variables: Iterable[Variable]) -> str:
    """Lay out the variables of one namespace."""
    rows = [row for variable in variables for row in variable_rows(variable)]
    return f"## `{title}`\n\n" + table(("Name", "Type", "Phases", "Meaning"), rows)


def grouped(variables: Iterable[Variable]) -> dict[str, list[Variable]]:
    """Sort variables by their first name; within it the order of the code stays."""
    groups: dict[str, list[Variable]] = {}
    for variable in variables:
        groups.setdefault(variable.name.partition(".")[0], []).append(variable)
    return dict(sorted(groups.items()))


def variable_rows(variable: Variable) -> Iterator[tuple[str, ...]]:
    """Lay out one variable, and below it the fields of an object."""
    phases = phase_letters(variable.phases)
    yield (code(variable.name), type_text(variable.type), phases, variable.doc)
    for name, type_ in fields_below(variable.name, variable.type):
        yield (code(name), type_text(type_), phases, "")


def fields_below(name: str, type_: CelType) -> Iterator[tuple[str, CelType]]:
    """Return every field of an object, of objects in it, and of a list's or map's objects."""
    match type_:
        case ObjectType(fields=fields):
            for field, below in fields.items():
                yield f"{name}.{field}", below
                yield from fields_below(f"{name}.{field}", below)
        case ListType(element=element):
            yield from fields_below(f"{name}[i]", element)
        case MapType(value=value):
            yield from fields_below(f"{name}[k]", value)
        case NullableType(of=below):
            yield from fields_below(name, below)


def functions_page() -> str:
    """Return the page on functions."""
    known = [function for function in STANDARD_FUNCTIONS if function.alias_of is None]
    aliases = [function for function in STANDARD_FUNCTIONS if function.alias_of is not None]
    parts = [
        "# Functions",
        GENERATED,
        FUNCTIONS_INTRODUCTION,
        table(("Call", "Gives", "Phases", "Meaning"), map(function_row, by_name(known))),
    ]
    if aliases:
        rows = [(code(each.name), code(each.alias_of or "")) for each in by_name(aliases)]
        parts += [
            "## Other names",
            "Accepted with a warning, for policies that use them.",
            table(("Written", "Means"), rows),
        ]
    return page(*parts)


def by_name(functions: Iterable[Function]) -> list[Function]:
    """Sort functions for the eye: without regard to case."""
    return sorted(functions, key=lambda function: (function.name.lower(), function.name))


def function_row(function: Function) -> tuple[str, ...]:
    """Lay out one function with all its signatures."""
    calls = "<br>".join(code(signature(function.name, each)) for each in function.overloads)
    results = dict.fromkeys(type_text(each.result) for each in function.overloads)
    return (calls, "<br>".join(results), phase_letters(function.phases), function.doc)


def signature(name: str, overload: Overload) -> str:
    """Return a signature as an author writes the call."""
    parameters = [type_text(parameter) for parameter in overload.parameters]
    if overload.method:
        return f"{parameters[0]}.{name}({', '.join(parameters[1:])})"
    return f"{name}({', '.join(parameters)})"


def type_text(type_: CelType) -> str:
    """Return a type as the guide calls it."""
    match type_:
        case ListType(element=element):
            return f"list({type_text(element)})"
        case MapType(key=key, value=value):
            return f"map({type_text(key)}, {type_text(value)})"
        case NullableType(of=below):  # any value may be null anyway
            return type_text(DYN) if below == DYN else f"{type_text(below)} or null"
        case ObjectType():
            return "object"
    return SHORT_NAMES.get(type_.name, type_.name)


def phase_letters(phases: frozenset[Phase]) -> str:
    """Name the phases in which something exists."""
    return "all" if phases == ALL_PHASES else "".join(LETTERS[p] for p in Phase if p in phases)


def code(text: str) -> str:
    """Mark text as code inside a table."""
    return f"`{text}`".replace("|", "\\|")


def table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Lay out a Markdown table."""
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join("".join(f"| {cell} " if cell else "| " for cell in row) + "|" for row in lines)


def page(*parts: str) -> str:
    """Join the parts of a page."""
    return "\n\n".join(parts) + "\n"
