"""The generated page on actions, read off the actions' own modules."""

from __future__ import annotations

import re
import sys
import types
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from actions import ACTIONS, NOT_BUILT
from penstock.reference_fields import UndocumentedField, fields_table
from penstock.reference_language import GENERATED, LETTERS, code, page, table, type_text
from policy.action import Action, Doc
from policy.phase import Phase
from policy.variables import RESULTS
from policy.variables.results import field_type

LABEL = re.compile(r"^([A-Z][a-z]+) {2,}(.*(?:\n {4,}.*)*)", re.MULTILINE)
# Ids of security requirements are for readers of the code.
SECURITY_ID = re.compile(r"\s\(T-[A-Z]{2}-\d+\)")
INTRODUCTION = (
    "Each action with its configuration and the variables that it leaves behind. A field marked "
    "in the column `${}` is interpolated: its text may hold `${...}` parts "
    "([how](../policy-language.md#interpolation)). Result variables are null before the action "
    "ran, and show its last run only."
)


def actions_page() -> str:
    """Return the page on actions; raises UndocumentedField."""
    overview = table(
        ("Action", *(code(phase.value) for phase in LETTERS), "Does"),
        ((link(action), *ticks(action), summary(action)) for action in ACTIONS.values()),
    )
    missing = table(("Action", "Would do"), ((code(n), text) for n, text in NOT_BUILT.items()))
    return page(
        "# Actions",
        GENERATED,
        INTRODUCTION,
        overview,
        *map(section, ACTIONS.values()),
        "## Not built yet",
        "A policy that uses one of these is refused when it is loaded.",
        missing,
    )


def link(action: Action[Any]) -> str:
    """Return a link to an action's section."""
    return f"[{action.name}](#{action.name})"


def ticks(action: Action[Any]) -> Iterator[str]:
    """Mark the phases that an action may stand in."""
    return ("yes" if phase in action.phases else "" for phase in LETTERS)


def section(action: Action[Any]) -> str:
    """Lay out one action."""
    names = ", ".join(code(phase.value) for phase in Phase if phase in action.phases)
    parts = [f"## {action.name}", summary(action), f"Phases: {names}.", *remarks(action)]
    if action.config.model_fields:
        parts.append(fields_table(action.config))
    else:
        parts.append("No configuration.")
    if action.result is not None:
        rows = list(result_rows(action.result, f"{RESULTS}.{action.result_namespace}"))
        parts.append(table(("Result variable", "Type", "Meaning"), rows))
    return "\n\n".join(parts)


def docstring(action: Action[Any]) -> str:
    """Return the docstring of an action's module."""
    text = (sys.modules[action.run.__module__].__doc__ or "").strip()
    return SECURITY_ID.sub("", text)


def summary(action: Action[Any]) -> str:
    """Return the first sentence of an action's module, without its name."""
    first = " ".join(docstring(action).partition("\n\n")[0].split())
    text = first.removeprefix(f"{action.name}: ")
    return text[:1].upper() + text[1:]


def remarks(action: Action[Any]) -> Iterator[str]:
    """Return what else the docstring says: its labelled lines as a list, the rest as it is."""
    for paragraph in docstring(action).split("\n\n")[1:]:
        labelled = LABEL.findall(paragraph)
        if not labelled:
            yield " ".join(paragraph.split())
            continue
        yield "\n".join(
            f"- {label}: {' '.join(text.split())}" for label, text in labelled if label != "Phases"
        )


def result_rows(result: type[Any], prefix: str) -> Iterator[tuple[str, ...]]:
    """Lay out a result's variables; raises UndocumentedField for one without a sentence."""
    hints = get_type_hints(result, include_extras=True)
    plain = get_type_hints(result)
    for each in fields(result):
        name = f"{prefix}.{each.name}"
        doc = sentence(hints[each.name])
        nested = nested_result(plain[each.name])
        if not doc:
            raise UndocumentedField(name)
        yield (code(name), type_text(field_type(plain[each.name], name)), doc)
        if nested is not None:
            yield from plain_rows(nested, name)


def plain_rows(result: type[Any], prefix: str) -> Iterator[tuple[str, ...]]:
    """Lay out the fields of an object inside a result."""
    hints = get_type_hints(result, include_extras=True)
    plain = get_type_hints(result)
    for each in fields(result):
        name = f"{prefix}.{each.name}"
        yield (
            code(name),
            type_text(field_type(plain[each.name], name)),
            sentence(hints[each.name]),
        )


def sentence(hint: Any) -> str:
    """Return the documentation inside an annotation, "" without one."""
    if get_origin(hint) is not Annotated:
        return ""
    return next((mark.text for mark in hint.__metadata__ if isinstance(mark, Doc)), "")


def nested_result(hint: Any) -> type[Any] | None:
    """Return the class of an object inside a result, None for plain values."""
    if isinstance(hint, type) and is_dataclass(hint):
        return hint
    if get_origin(hint) in (Union, types.UnionType, tuple, list):
        found = (nested_result(argument) for argument in get_args(hint))
        return next((each for each in found if each is not None), None)
    return None
