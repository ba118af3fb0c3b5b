"""The parts of the configuration (language spec, section 5.11), and the types of their values."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from actions.jose.algorithm import ALGORITHMS
from actions.jose.key_set import KeySet, read_inline_key_set
from policy.action import ActionConfig, Doc
from policy.config_types import Interpolated, MinLen, Parsed, Unique, refusal
from policy.effect import BadDocument

TokenKind = Literal["id_token", "access_token", "at+jwt", "it+jwt", "plain", "jwt"]
AlgorithmName = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
    "HS256", "HS384", "HS512",
]  # fmt: skip
MAX_URL: Final = 2048


def read_key_set_url(text: str) -> str:
    """Read where a key set is; raises the refusal of anything that could be tampered with."""
    try:
        parts = urlsplit(text)
        is_safe = parts.scheme == "https" or (
            parts.scheme == "http" and ip_address(parts.hostname or "").is_loopback
        )
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_safe = has_host = False
        parts = urlsplit("")
    is_plain = text.isascii() and text.isprintable() and " " not in text and len(text) <= MAX_URL
    is_file = parts.scheme == "file" and not parts.netloc and parts.path.startswith("/")
    is_bare = "@" not in parts.netloc and not parts.fragment
    if is_plain and is_bare and (is_file or (is_safe and has_host)):
        return text
    raise refusal(
        "key-set-url-invalid",
        "that is no place to take keys from",
        reference="ERR_NGROK_2226",
        hint="write https://..., http:// only with a loopback address (127.0.0.1, [::1]), "
        "or file:///absolute/path",
    )


KeySetUrl = Annotated[str, Parsed(read_key_set_url, "URL of a key set")]


class _InlineKeySet:
    """A key set that stands in the policy itself: a map with a list of public keys."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Let pydantic read the set."""
        return core_schema.no_info_plain_validator_function(self._read)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Describe the set in a JSON Schema."""
        members = {"type": "array", "items": {"type": "object"}}
        return {"type": "object", "properties": {"keys": members}, "required": ["keys"]}

    @staticmethod
    def _read(value: object) -> KeySet:
        try:
            return read_inline_key_set(value)
        except BadDocument:
            raise refusal(
                "key-set-invalid",
                "that holds no usable public key",
                reference="ERR_NGROK_2204",
                hint="a key set is {keys: [...]} as issuers publish it; RSA keys have at least "
                "2048 bits; secrets belong into a file: key set",
            ) from None


class AllowedIssuer(ActionConfig):
    """One issuer."""

    value: Annotated[str, MinLen(1), Interpolated(), Doc("An `iss`, compared exactly.")]


class Issuer(ActionConfig):
    """Who may have issued a token."""

    allow_list: Annotated[list[AllowedIssuer], MinLen(1), Doc("The issuers; at least one.")]


class AllowedAudience(ActionConfig):
    """One audience."""

    value: Annotated[str, MinLen(1), Interpolated(), Doc("An `aud`, compared exactly.")]


class Audience(ActionConfig):
    """Whom a token may be for."""

    allow_list: Annotated[list[AllowedAudience], MinLen(1), Doc("A token is for one of these.")]


class ShownToken(ActionConfig):
    """One place where a request shows a token."""

    type: Annotated[TokenKind, Doc("What it is; `at+jwt` and `it+jwt` pin the token's `typ`.")]
    method: Annotated[Literal["header", "body"], Doc("Where it stands.")]
    name: Annotated[str, MinLen(1), Interpolated(), Doc("The field's name, in any case.")]
    prefix: Annotated[str, Interpolated(), Doc("What stands before it, as `Bearer `.")] = ""


class Http(ActionConfig):
    """Where tokens are."""

    tokens: Annotated[list[ShownToken], MinLen(1), Doc("All of them have to be there.")]


class KeySources(ActionConfig):
    """Where the keys are."""

    additional_jkus: Annotated[
        list[KeySetUrl],
        Interpolated(),
        Doc("URLs of key sets, kept fresh. Extension: `file:///path`, where secrets may be too."),
    ] = Field(default_factory=list)
    jwks: Annotated[
        list[Annotated[KeySet, _InlineKeySet()]],
        Doc("Extension. Key sets that stand here: maps with `keys`, public ones only."),
    ] = Field(default_factory=list)
    issuers: Annotated[
        list[str],
        Unique(),
        Interpolated(),
        Doc("Extension. Whose keys these are, of several issuers; absent: told by the URLs."),
    ] = Field(default_factory=list)


class Identification(ActionConfig):
    """How a token names its key."""

    token_claims: Annotated[list[Literal["kid"]], Doc("Only `kid`.")] = Field(default_factory=list)


class Keys(ActionConfig):
    """The keys that tokens are signed with."""

    sources: Annotated[KeySources | list[KeySources], Doc("Key sets; of a list, all.")]
    identification: Annotated[Identification | list[Identification] | None, Doc("Only `kid`.")] = (
        None
    )


class Jws(ActionConfig):
    """How tokens are signed."""

    allowed_algorithms: Annotated[
        list[AlgorithmName], MinLen(1), Unique(), Doc("Algorithms; `none` is not one of them.")
    ]
    keys: Annotated[Keys | list[Keys], Doc("The keys; of a list, all.")]

    def sources(self) -> list[KeySources]:
        """Return all sources, however many lists they stand in."""
        keys = self.keys if isinstance(self.keys, list) else [self.keys]
        return [
            source
            for each in keys
            for source in (each.sources if isinstance(each.sources, list) else [each.sources])
        ]


def is_secret(algorithm: str) -> bool:
    """Tell whether an algorithm's key is a shared secret."""
    return ALGORITHMS[algorithm].key_type == "oct"
