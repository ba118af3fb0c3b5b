"""What redirect and url-rewrite share: a pattern over the whole URL, and its usual mistakes."""

from __future__ import annotations

import re
from functools import cache

from policy.action import Lint
from policy.config_types import Pending
from policy.regex import Regex, Replaced
from policy.url import Url

INVALID_TARGET = "target-invalid"
INTERNAL_ERROR = "ERR_NGROK_2300"

_REACHES_THE_START = re.compile(
    r"(?:\(\?[a-zA-Z]+\))?(?:\^|\()*(?:\?:)?\(*(?:https?|\.[*+]|\[|\\[wS])"
)
_NGINX_WORD = re.compile(
    r"\$(args|authority|query_string|is_args|uri|arg_\w+|scheme|host|port|user|is_user)\b"
)
_EXPRESSIONS = {
    "args": "${req.url.query}",
    "authority": "${req.url.authority}",
    "host": "${req.url.host}",
    "port": "${req.url.port}",
    "query_string": "${req.url.query}",
    "scheme": "${req.url.scheme}",
    "uri": "${req.url.path}",
    "user": "${req.url.user_password}",
}


def replace_in(url: Url, pattern: Regex | None, replacement: str) -> Replaced:
    """Replace all matches in the normalised full URL; without a pattern, the URL itself."""
    return (pattern or whole_url()).replace(url.text, replacement)


@cache
def whole_url() -> Regex:
    """Make the pattern of a rule without one when the first such rule runs."""
    return Regex("(?s)^.*$")


def lint_replacement(pattern: Regex | None, replacement: str) -> tuple[Lint, ...]:
    """Warn of patterns and replacements that can't do what they seem to say."""
    source = _pattern_text(pattern)
    findings: list[Lint] = []
    if source.startswith("^/"):
        findings.append(
            Lint(
                code="pattern-never-matches",
                message=f"{source!r} can't match: it is matched against the whole URL",
                path=("from",),
                hint="a URL starts with its scheme: write '^https?://[^/]+' in front of the path",
            )
        )
    elif source and "://" in replacement[:10] and not _REACHES_THE_START.match(source):
        findings.append(
            Lint(
                code="partial-match-with-absolute-target",
                message="what stands before the match stays in front of the new URL",
                path=("from",),
                hint="let the pattern match from the start: '^https?://[^/]+...'",
            )
        )
    findings.extend(_lint_words(replacement))
    return tuple(findings)


def _pattern_text(pattern: Regex | None) -> str:
    if pattern is None:
        return ""
    # While loading, an interpolated pattern is still its template's text.
    return str(pattern) if isinstance(pattern, Pending) else pattern.pattern


def _lint_words(replacement: str) -> list[Lint]:
    word = _NGINX_WORD.search(replacement)
    if word is None:
        return []
    expression = _EXPRESSIONS.get(word[1])
    return [
        Lint(
            code="unknown-replacement-word",
            message=f"{word[0]!r} is no group of the pattern and stays as it is",
            path=("to",),
            hint=f"write {expression}" if expression else "write an expression in ${...}",
        )
    ]
