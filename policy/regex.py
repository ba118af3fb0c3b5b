"""Regular expressions as policies use them: RE2, linear in the text, with `$n` in replacements.

RE2 runs in linear time whatever the pattern, which is why it has neither look-around nor
back-references. Texts may hold bytes that are no UTF-8 (as surrogate escapes): they survive.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

PATTERN_LIMIT_CHARS: Final = 8192
_GROUP = re.compile(rb"\$(\$|[0-9]{1,2})")
_SURROGATE = re.compile("[\ud800-\udc7f\udd00-\udfff]")
_PERL_ONLY = re.compile(r"\(\?<?[=!]|\(\?>|\\[1-9]")


class RegexError(ValueError):
    """A pattern that can't be compiled. `hint` says what to do, if we can tell."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class Replaced(NamedTuple):
    """The outcome of a replacement: the new text and every stretch that was replaced."""

    text: str
    matches: tuple[str, ...]


class Regex:
    """A compiled pattern. Raises RegexError for a pattern that RE2 does not accept."""

    __slots__ = ("_compiled", "_groups", "pattern")

    def __init__(self, pattern: str) -> None:
        if len(pattern) > PATTERN_LIMIT_CHARS:
            raise RegexError(f"the pattern is longer than {PATTERN_LIMIT_CHARS} characters")
        self.pattern = pattern
        self._compiled = _compile(pattern)
        self._groups: int = self._compiled.groups

    def search(self, text: str) -> bool:
        """Tell whether the pattern matches anywhere."""
        return self._compiled.search(_encoded(text)) is not None

    def replace(self, text: str, replacement: str) -> Replaced:
        """Replace every match. `replacement` may name groups: see `replace_bytes`."""
        data, matches = self.replace_bytes(_encoded(text), _encoded(replacement))
        return Replaced(_decoded(data), tuple(map(_decoded, matches)))

    def replace_bytes(self, data: bytes, replacement: bytes) -> tuple[bytes, list[bytes]]:
        """Do the same on UTF-8 bytes; bytes that are no UTF-8 match nothing and stay.

        `$0` is the whole match, `$1` to `$99` its groups (the longest number that is a group of
        the pattern), `$$` one dollar sign; a group that does not exist is empty.
        """
        expand = _expander(replacement, self._groups)
        pieces: list[bytes] = []
        matches: list[bytes] = []
        end = 0
        for match in self._matches(data):
            pieces += (data[end : match.start()], expand(match))
            matches.append(match.group())
            end = match.end()
        pieces.append(data[end:])
        return b"".join(pieces), matches

    def _matches(self, data: bytes) -> Iterator[Any]:
        position, previous_end = 0, -1
        while match := self._compiled.search(data, position):
            start, end = match.span()
            # An empty match right behind the previous match would replace the same spot twice.
            if start != end or start != previous_end:
                yield match
            previous_end = end
            position = end if end > start else _next_character(data, end)
            if position > len(data):
                return

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Regex) and self.pattern == other.pattern

    def __hash__(self) -> int:
        return hash(self.pattern)

    def __repr__(self) -> str:
        return f"Regex({self.pattern!r})"


# Literal texts between bars, perhaps in any case; nothing in them means anything to RE2.
_PLAIN_TEXTS = re.compile(r"(\(\?i\))?([A-Za-z0-9 _/:;,=@-]+(?:\|[A-Za-z0-9 _/:;,=@-]+)*)")
# With more of them RE2, which looks for all at once, is faster.
MAX_PLAIN_TEXTS = 16


class Matcher:
    """A pattern that is only asked whether it matches, which spares RE2 finding its groups.

    A pattern of a few plain texts, such as `(?i)sqlmap|nikto`, is not even given to RE2: to call
    it takes longer than to look for them.

    `program_size` counts RE2's instructions: what a match may cost grows with it. Raises
    RegexError for a pattern that RE2 does not accept.
    """

    __slots__ = ("_anywhere", "_in_any_case", "_match", "_texts", "pattern", "program_size")

    def __init__(self, pattern: str) -> None:
        import re2

        compiled = _compile(pattern, groups=False)
        self._anywhere = re2._re2.RE2.Anchor.UNANCHORED  # noqa: SLF001
        self.pattern = pattern
        self.program_size: int = compiled.programsize
        # RE2 itself: `search` makes a generator and a match object, and takes three times as long.
        self._match = compiled._regexp.Match  # noqa: SLF001
        self._texts, self._in_any_case = _plain_texts(pattern)

    def search(self, text: str) -> bool:
        """Tell whether the pattern matches anywhere."""
        # Some letters beyond ASCII are another case of one within it, such as the Kelvin sign.
        if self._texts and (text.isascii() or not self._in_any_case):
            where = text.lower() if self._in_any_case else text
            for plain in self._texts:  # noqa: SIM110 - a generator costs as much as the search
                if plain in where:
                    return True
            return False
        data = _encoded(text)
        [(start, _)] = self._match(self._anywhere, data, 0, len(data))
        return bool(start >= 0)


def _plain_texts(pattern: str) -> tuple[tuple[str, ...], bool]:
    """Return what a pattern looks for and whether in any case; nothing if it has operators."""
    found = _PLAIN_TEXTS.fullmatch(pattern)
    if found is None or pattern.count("|") >= MAX_PLAIN_TEXTS:
        return (), False
    in_any_case = found[1] is not None
    texts = found[2].lower() if in_any_case else found[2]
    return tuple(texts.split("|")), in_any_case


def _compile(pattern: str, *, groups: bool = True) -> Any:
    # It takes 2.5 MB, which only a process with patterns shall pay for.
    import re2

    options = re2.Options()
    options.log_errors = False
    options.never_capture = not groups
    if _SURROGATE.search(pattern):
        raise RegexError("the pattern holds half a surrogate pair, which is no character")
    try:
        return re2.compile(_encoded(pattern), options)
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        if isinstance(reason, bytes):
            reason = reason.decode("utf-8", "replace")
        message = f"not a regular expression that RE2 accepts: {reason}"
        raise RegexError(message, _hint(pattern)) from None


def _hint(pattern: str) -> str | None:
    if _PERL_ONLY.search(pattern):
        return "RE2 has no look-around and no back-references; write the pattern without them"
    return None


def _expander(replacement: bytes, groups: int) -> Callable[[Any], bytes]:
    if b"$" not in replacement:
        return lambda _match: replacement
    pieces = list(_pieces(replacement, groups))

    def expand(match: Any) -> bytes:
        return b"".join(
            piece if isinstance(piece, bytes) else (match.group(piece) or b"") for piece in pieces
        )

    return expand


def _pieces(replacement: bytes, groups: int) -> Iterator[bytes | int]:
    end = 0
    for reference in _GROUP.finditer(replacement):
        yield replacement[end : reference.start()]
        end = reference.end()
        name = reference[1]
        if name == b"$":
            yield b"$"
        elif int(name) <= groups:
            yield int(name)
        elif len(name) == 2 and int(name[:1]) <= groups:
            yield int(name[:1])
            yield name[1:]
    yield replacement[end:]


def _next_character(data: bytes, position: int) -> int:
    position += 1
    while position < len(data) and data[position] & 0xC0 == 0x80:
        position += 1
    return position


def _encoded(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half a surrogate pair, which JSON may decode to
        return text.encode("utf-8", "surrogatepass")


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
