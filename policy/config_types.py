"""The field types of action configurations, and the marks that a field may carry.

A type reads what the document says and gives what the action uses. What it refuses becomes a
problem with a place; `refusal` makes the errors that say so.

A value that is only known per request reaches a type as `Pending` at load: types let it pass, and
see the real text when the request is there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeVar

from annotated_types import MaxLen, MinLen
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from policy import net, regex
from policy.duration import DurationError, parse_duration_ns, render_duration

__all__ = [
    "AbsoluteUrl", "AtMost", "DistinctNames", "DurationNs", "DurationRange", "FormerName",
    "FromScalar", "HeaderMap", "HeaderName", "HeaderValue", "Interpolated", "MaxLen", "MinLen",
    "NetworkSet", "Parsed", "Pending", "Reference", "Regex", "Secret", "StatusRange", "Unique",
    "refusal",
]  # fmt: skip

HEADER_NAME_LIMIT_BYTES: Final = 256
HEADER_VALUE_LIMIT_BYTES: Final = 8192
HEADER_COUNT_LIMIT: Final = 10

# RFC 9110, section 5.6.2.
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# RFC 9110, section 5.5: no control characters but the tab. Nor surrogates that stand for no byte.
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f\ud800-\udc7f\udd00-\udfff]")
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://[^/?#\s\\]+[^\s\\]*")

V = TypeVar("V")


class Pending(str):
    """The template text of a value that is rendered per request; only seen while loading."""

    __slots__ = ()


# --- marks -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpolated:
    """The strings in this field's value, at any depth but not map keys, hold `${...}` parts.

    `typed`: a string that is one single part keeps that part's type (language spec, section 2.4).
    `lenient`: a part that fails gives an empty value instead of ending the request.
    `after_item(activation, item)` is called after each item of a list (or entry of a map, as a
    one-entry map) is rendered, before the next one is: later items see what it does.
    `check(literals)` is asked at load about a template's fixed texts, of which there is one more
    than there are parts; it returns what is wrong with them, or None.
    """

    typed: bool = False
    lenient: bool = False
    after_item: Callable[[Any, Any], None] | None = None
    check: Callable[[tuple[str, ...]], str | None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """The values in this field, at any depth, are shown in no message.

    Of a text only what stands behind the first `behind` is secret, all of it if that is not in
    it. Values of keys named in `open_keys` are none.
    """

    behind: str = ""
    open_keys: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class FormerName:
    """A name that older documents use for this field: accepted with a warning."""

    name: str


@dataclass(frozen=True, slots=True)
class Reference:
    """The language's own error name for values that this field refuses ("ERR_NGROK_2214")."""

    name: str


@dataclass(frozen=True, slots=True)
class FromScalar:
    """A number or boolean of the document is taken as the text that stands there."""


# --- refusals ----------------------------------------------------------------------------------


def refusal(
    code: str,
    message: str,
    *,
    reference: str | None = None,
    hint: str | None = None,
    certain: bool = False,
) -> PydanticCustomError:
    """Make the error that a type raises to refuse a value; it may be shown to the author only.

    `code` is stable kebab-case, `reference` the language's own error name. While parts of a field
    wait for a request, refusals of the field as a whole are put off until then, unless they are
    `certain` whatever those parts turn out to be: a number of entries, for example.
    """
    context = {"message": message, "reference": reference, "hint": hint, "certain": certain}
    return PydanticCustomError(code, "{message}", context)


@dataclass(frozen=True, slots=True)
class Parsed:
    """Text of the document, read by `parse`, which raises `refusal` for what it does not accept.

    `text` names the type in the reference.
    """

    parse: Callable[[str], Any]
    text: str
    found_number: str | None = None

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Let pydantic call `parse`."""
        return core_schema.no_info_plain_validator_function(self._read)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Describe the text in a JSON Schema."""
        return {"type": "string", "description": self.text}

    def _read(self, value: object) -> Any:
        if type(value) is str:
            return self.parse(value)
        if isinstance(value, Pending):
            return value
        raise PydanticCustomError("string_type", "expected text", {"hint": self.found_number})


# --- texts -------------------------------------------------------------------------------------


def _is_longer(text: str, limit_bytes: int) -> bool:
    # No character takes more than four bytes, so that short texts need no encoding.
    return len(text) * 4 > limit_bytes and len(_encoded(text)) > limit_bytes


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _read_header_name(text: str) -> str:
    if _is_longer(text, HEADER_NAME_LIMIT_BYTES):
        raise refusal(
            "header-name-too-long",
            f"a header name has at most {HEADER_NAME_LIMIT_BYTES} bytes",
            reference="ERR_NGROK_2208",
        )
    if not _TOKEN.fullmatch(text):
        raise refusal(
            "header-name-invalid",
            f"{text!r} is not a header name",
            reference="ERR_NGROK_2210",
            hint="a header name is made of letters, digits and !#$%&'*+-.^_`|~",
        )
    return text


def _read_header_value(text: str) -> str:
    if _is_longer(text, HEADER_VALUE_LIMIT_BYTES):
        raise refusal(
            "header-value-too-long",
            f"a header value has at most {HEADER_VALUE_LIMIT_BYTES} bytes",
            reference="ERR_NGROK_2209",
        )
    control = _CONTROL.search(text)
    if control:
        folded = "a block scalar ends with a line break: write '>-' or '|-' to leave it out"
        raise refusal(
            "header-value-invalid",
            f"a header value can't hold the control character {control[0]!r}",
            reference="ERR_NGROK_2211",
            hint=folded if control.end() == len(text) and control[0] == "\n" else None,
        )
    return text.strip(" \t")


HeaderName = Annotated[str, Parsed(_read_header_name, "header name")]
HeaderValue = Annotated[str, FromScalar(), Parsed(_read_header_value, "header value")]


@dataclass(frozen=True, slots=True)
class AtMost:
    """A limit on the number of entries, with the language's own error name for it."""

    count: int
    reference: str = "ERR_NGROK_2218"
    code: str = "too-many-entries"

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Let pydantic count after the entries themselves are checked."""
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def _check(self, value: Any) -> Any:
        if len(value) > self.count:
            message = f"{len(value)} entries where at most {self.count} are allowed"
            raise refusal(self.code, message, reference=self.reference, certain=True)
        return value


HeaderMap = Annotated[
    dict[HeaderName, HeaderValue],
    AtMost(HEADER_COUNT_LIMIT, "ERR_NGROK_2212", "too-many-headers"),
]


def _read_regex(text: str) -> regex.Regex:
    try:
        return regex.Regex(text)
    except regex.RegexError as error:
        raise refusal(
            "regex-invalid", str(error), reference="ERR_NGROK_2261", hint=error.hint
        ) from None


Regex = Annotated[regex.Regex, Parsed(_read_regex, "regular expression (RE2)")]


@dataclass(frozen=True, slots=True)
class AbsoluteUrl:
    """A text that is a URL with one of the schemes and a host."""

    schemes: tuple[str, ...] = ("http", "https")

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Let pydantic check the text."""
        parsed = Parsed(self._read, f"URL ({', '.join(self.schemes)})")
        return parsed.__get_pydantic_core_schema__(source, handler)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Describe the text in a JSON Schema."""
        return {"type": "string", "format": "uri"}

    def _read(self, text: str) -> str:
        match = _URL.fullmatch(text)
        if match and match[1].lower() in self.schemes and not _CONTROL.search(text):
            return text
        starts = " or ".join(f"{scheme}://" for scheme in self.schemes)
        raise refusal(
            "url-invalid",
            f"{text!r} is not a URL that can be used here",
            reference="ERR_NGROK_2226",
            hint=f"write the whole URL, starting with {starts}",
        )


# --- numbers and durations ---------------------------------------------------------------------


def _read_duration(text: str) -> int:
    try:
        return parse_duration_ns(text)
    except DurationError as error:
        raise refusal(
            "duration-invalid", str(error), reference="ERR_NGROK_2204", hint=error.hint
        ) from None


DurationNs = Annotated[
    int,
    Parsed(_read_duration, "duration", "a duration has a unit: 90s, 500ms, 1h30m"),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class DurationRange:
    """Bounds of a duration, both included, and the step that it must be a multiple of."""

    minimum: str = "0s"
    maximum: str
    step: str | None = None

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Let pydantic check the parsed duration."""
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def _check(self, value: int) -> int:
        written = render_duration(value)
        bounds = f"{self.minimum} to {self.maximum}"
        if value > parse_duration_ns(self.maximum):
            message = f"{written} is too long: {bounds} is allowed"
            raise refusal("duration-too-long", message, reference="ERR_NGROK_2225")
        if value < parse_duration_ns(self.minimum):
            message = f"{written} is too short: {bounds} is allowed"
            raise refusal("duration-too-short", message, reference="ERR_NGROK_2215")
        if self.step and value % parse_duration_ns(self.step):
            message = f"{written} is not a multiple of {self.step}"
            raise refusal("duration-step", message, reference="ERR_NGROK_2215")
        return value


@dataclass(frozen=True, slots=True)
class StatusRange:
    """An HTTP status code within bounds, both included."""

    minimum: int = 200
    maximum: int = 599
    excluded: tuple[int, ...] = ()

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Let pydantic check the number."""
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def _check(self, value: int) -> int:
        if self.minimum <= value <= self.maximum and value not in self.excluded:
            return value
        without = f" except {', '.join(map(str, self.excluded))}" if self.excluded else ""
        raise refusal(
            "status-code-invalid",
            f"{value} is no status code that can be used here",
            reference="ERR_NGROK_2215",
            hint=f"use {self.minimum} to {self.maximum}{without}",
        )


# --- lists -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Unique:
    """No value twice."""

    reference: str = "ERR_NGROK_2231"

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Let pydantic compare the checked entries."""
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def _check(self, value: Iterable[Hashable]) -> Iterable[Hashable]:
        seen: set[Hashable] = set()
        for item in value:
            if item in seen and not isinstance(item, Pending):
                raise refusal("duplicate-value", f"{item!r} twice", reference=self.reference)
            seen.add(item)
        return value


@dataclass(frozen=True, slots=True)
class DistinctNames:
    """No two keys that differ in case only: of field names they are the same."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Let pydantic compare the checked keys."""
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def _check(self, value: dict[str, Any]) -> dict[str, Any]:
        seen: dict[str, str] = {}
        for name in value:
            if (first := seen.setdefault(name.lower(), name)) != name:
                raise refusal(
                    "duplicate-value",
                    f"{name!r} and {first!r} are one header: names have no case",
                    reference="ERR_NGROK_2231",
                    certain=True,
                )
        return value


def _read_network(text: str) -> str:
    try:
        net.parse_network(text)
    except net.AddressError as error:
        raise refusal(
            "network-invalid", str(error), reference="ERR_NGROK_2217", hint=error.hint
        ) from None
    return text


@dataclass(frozen=True, slots=True)
class _Networks:
    """A list of texts, each an address or a CIDR, compiled to one set."""

    text: str = "list of networks (CIDR)"

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Check each entry at its own place, then build the set."""
        entry = Parsed(_read_network, "network").__get_pydantic_core_schema__(str, handler)
        entries = core_schema.list_schema(entry, strict=True)
        return core_schema.no_info_after_validator_function(self._build, entries)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Describe the list in a JSON Schema."""
        return {"type": "array", "items": {"type": "string", "description": "network (CIDR)"}}

    @staticmethod
    def _build(entries: list[str]) -> net.NetworkSet:
        return net.NetworkSet.parse(entry for entry in entries if not isinstance(entry, Pending))


NetworkSet = Annotated[net.NetworkSet, _Networks()]
