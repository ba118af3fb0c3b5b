"""Texts with `${...}` parts: found, compiled once, rendered per request (language spec, 2.4).

A part's value is put in as it is and never read again: what a client sends can't become a part.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from policy.cel import (
    CelError,
    Environment,
    Expression,
    ExpressionError,
    Finding,
    compile_expression,
    types,
)
from policy.interpolated_text import text_of
from policy.problem import Severity

TEMPLATE_REFERENCE: Final = "ERR_NGROK_2224"
INTERPOLATION_REFERENCE: Final = "ERR_NGROK_2238"
UNCLOSED: Final = "unclosed-interpolation"
PART_LIMIT: Final = 1000
# JSON may decode to these; unlike the surrogates that stand for odd bytes, nothing can be sent.
_NO_CHARACTER = re.compile("[\ud800-\udc7f\udd00-\udfff]")
_LITERAL_SEARCH = re.compile(r"\$(?:\$\{|\{)")
_NUMBER = re.compile(r"\s*[0-9]{1,2}\s*")
# A CEL string literal: an optional prefix, then quotes.
_STRING_START = re.compile(r"([rRbB]{0,2})('''|\"\"\"|'|\")")
_CALL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*\(.*\)", re.DOTALL)


class TemplateError(Exception):
    """A template that can't be used. Offsets of the findings count in the template's text."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        self.findings = findings
        super().__init__("; ".join(finding.message for finding in findings))


class InterpolationError(Exception):
    """A part that failed at run time. Names the part, never a value.

    `field` is the path of the configuration's field, empty outside of one.
    """

    reference = INTERPOLATION_REFERENCE

    def __init__(self, code: str, message: str, *, field: str = "") -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.code = code
        self.message = message
        self.field = field


@dataclass(frozen=True, slots=True)
class Segment:
    """One `${...}` part; `start` and `end` are its offsets in the template's text."""

    expression: Expression
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Template:
    """Fixed texts around parts: `literals` has one more entry than `segments`."""

    text: str
    literals: tuple[str, ...]
    segments: tuple[Segment, ...]
    warnings: tuple[Finding, ...]
    render: Callable[[Any], str]
    value: Callable[[Any], Any]
    """`render(activation)` gives the text; `value(activation)` keeps the type of a single part.

    Both raise InterpolationError.
    """

    @property
    def is_single_part(self) -> bool:
        """Tell whether the whole text is one part."""
        return len(self.segments) == 1 and not any(self.literals)


def parse_template(text: str, environment: Environment) -> str | Template:
    """Compile a text; what has nothing to interpolate comes back as text, `$${` as `${`.

    Raises TemplateError with the findings of all parts.
    """
    if "${" not in text:
        return text
    literals: list[str] = [""]
    segments: list[Segment] = []
    findings: list[Finding] = []
    position = 0
    while mark := _LITERAL_SEARCH.search(text, position):
        literals[-1] += text[position : mark.start()]
        if mark[0] == "$${":
            literals[-1] += "${"
            position = mark.end()
            continue
        if len(segments) == PART_LIMIT:
            raise TemplateError((_too_many(mark.start(), mark.end()),))
        part = _read_part(text, mark.start(), environment)
        findings += part.findings
        if part.expression is not None:
            segments.append(Segment(part.expression, mark.start(), part.end))
            literals.append("")
        position = part.end
    literals[-1] += text[position:]
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise TemplateError(tuple(findings))
    if not segments:
        return literals[0]
    return _template(text, tuple(literals), tuple(segments), tuple(findings))


def lint_literal(text: str, environment: Environment) -> tuple[Finding, ...]:
    """Warn of a text without parts that is a call of a known function: it will stay text."""
    stripped = text.strip()
    if not _CALL.fullmatch(stripped) or not _calls_known_function(stripped, environment):
        return ()
    start = len(text) - len(text.lstrip())
    finding = Finding(
        code="uninterpolated-call",
        message="this looks like an expression, but is used as the text that it is",
        start=start,
        end=start + len(stripped),
        severity=Severity.WARNING,
        hint=f"write ${{{_shortened(stripped)}}} for its value",
        reference=None,
    )
    return (finding,)


def _calls_known_function(text: str, environment: Environment) -> bool:
    name = text.partition("(")[0]
    if name not in environment.functions:
        return False
    try:
        compile_expression(text, environment)
    except ExpressionError:
        return False
    return True


# --- finding the parts -------------------------------------------------------------------------


class _Part(NamedTuple):
    """What was read behind a `${`: an expression or findings, and where it ends."""

    expression: Expression | None
    end: int
    findings: list[Finding]

    @property
    def is_broken(self) -> bool:
        return self.expression is None

    @property
    def is_unclosed(self) -> bool:
        return any(finding.code == UNCLOSED for finding in self.findings)


def _read_part(text: str, start: int, environment: Environment) -> _Part:
    """Read one part. Where that fails, escaped double quotes are tried without their escape."""
    part = _compile_part(text, start, environment, lambda offset: offset)
    window = start + environment.limits.max_length
    if not part.is_broken or text.find('\\"', start, window) < 0:
        return part
    unescaped, offsets = _without_escaped_quotes(text[:window], start)
    second = _compile_part(unescaped, start, environment, lambda offset: offsets[offset])
    if second.is_broken and (second.is_unclosed or not part.is_unclosed):
        return part
    return second


def _compile_part(
    text: str, start: int, environment: Environment, original: Callable[[int], int]
) -> _Part:
    """Read one part; `original` gives the offset in the template for an offset in `text`."""
    inside = start + 2
    end = _closing_brace(text, inside)
    if end is None:
        return _Part(None, len(text), [_unclosed(original(start), original(len(text)))])

    def shifted(finding: Finding) -> Finding:
        return replace(
            finding,
            start=original(min(inside + finding.start, end)),
            end=original(min(inside + finding.end, end)),
            reference=TEMPLATE_REFERENCE,
        )

    source = text[inside:end]
    after = original(end) + 1
    try:
        expression = compile_expression(source, environment)
    except ExpressionError as error:
        return _Part(None, after, [shifted(finding) for finding in error.findings])
    findings = [shifted(finding) for finding in expression.warnings]
    if _NUMBER.fullmatch(source):
        findings.append(_group_reference(source.strip(), original(start), after))
    return _Part(expression, after, findings)


def _without_escaped_quotes(text: str, start: int) -> tuple[str, list[int]]:
    kept = [
        at
        for at in range(len(text))
        if at < start or text[at] != "\\" or text[at + 1 : at + 2] != '"'
    ]
    return "".join(text[at] for at in kept), [*kept, len(text)]


def _closing_brace(text: str, position: int) -> int | None:
    """Return where the brace closes that was opened before `position`, strings passed over."""
    depth = 0
    while position < len(text):
        string = _STRING_START.match(text, position)
        if string:
            end = _end_of_string(text, string)
            if end is None:
                return None
            position = end
            continue
        if text[position] == "{":
            depth += 1
        elif text[position] == "}":
            if depth == 0:
                return position
            depth -= 1
        elif text[position].isalnum() or text[position] == "_":
            position = _end_of_word(text, position) - 1
        position += 1
    return None


def _end_of_word(text: str, position: int) -> int:
    """Pass over a name, so that its last letter is not taken for the prefix of a string."""
    end = position
    while end < len(text) and (text[end].isalnum() or text[end] == "_"):
        end += 1
    return end


def _end_of_string(text: str, opening: re.Match[str]) -> int | None:
    quote, raw = opening[2], "r" in opening[1].lower()
    position = opening.end()
    while position < len(text):
        if text[position] == "\\" and not raw:
            position += 2
        elif text.startswith(quote, position):
            return position + len(quote)
        else:
            position += 1
    return None


def _unclosed(start: int, end: int) -> Finding:
    return Finding(
        code=UNCLOSED,
        message="'${' is never closed",
        start=start,
        end=end,
        hint="close it with '}', or write '$${' for these two characters themselves",
        reference=TEMPLATE_REFERENCE,
    )


def _too_many(start: int, end: int) -> Finding:
    return Finding(
        code="too-many-interpolations",
        message=f"more than {PART_LIMIT} '${{...}}' parts in one text",
        start=start,
        end=end,
        reference=TEMPLATE_REFERENCE,
    )


def _group_reference(number: str, start: int, end: int) -> Finding:
    return Finding(
        code="number-interpolated",
        message=f"'${{{number}}}' is just the number {number}",
        start=start,
        end=end,
        severity=Severity.WARNING,
        hint=f"a group of a regular expression is written ${number}",
        reference=None,
    )


# --- rendering ---------------------------------------------------------------------------------


def _template(
    text: str,
    literals: tuple[str, ...],
    segments: tuple[Segment, ...],
    warnings: tuple[Finding, ...],
) -> Template:
    renderers = [_part_renderer(segment.expression) for segment in segments]
    is_single_part = len(segments) == 1 and not any(literals)
    render = renderers[0] if is_single_part else _joiner(literals, renderers)
    value = _part_value(segments[0].expression) if is_single_part else render
    return Template(text, literals, segments, warnings, render, value)


def _part_value(expression: Expression) -> Callable[[Any], Any]:
    evaluate = expression.evaluate

    def value(activation: Any) -> Any:
        try:
            return evaluate(activation)
        except CelError as error:
            raise _failure(expression, error) from None

    return value


def _part_renderer(expression: Expression) -> Callable[[Any], str]:
    evaluate = expression.evaluate
    is_text = expression.type == types.STRING

    def render(activation: Any) -> str:
        try:
            value = evaluate(activation)
            return checked(value if is_text else text_of(value))
        except CelError as error:
            raise _failure(expression, error) from None

    def checked(text: str) -> str:
        if not text.isascii() and _NO_CHARACTER.search(text):
            raise CelError("no-text", "the text holds half a surrogate pair")
        return text

    return render


def _joiner(
    literals: tuple[str, ...], renderers: list[Callable[[Any], str]]
) -> Callable[[Any], str]:
    first, pairs = literals[0], tuple(zip(renderers, literals[1:], strict=True))

    def render(activation: Any) -> str:
        pieces = [first]
        for part, literal in pairs:
            pieces += (part(activation), literal)
        return "".join(pieces)

    return render


def _failure(expression: Expression, error: CelError) -> InterpolationError:
    return InterpolationError(error.code, f"${{{_shortened(expression.text)}}}: {error.message}")


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "\u2026"
