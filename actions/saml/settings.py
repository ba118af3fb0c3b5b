"""What `saml` is configured with (language spec, section 5.24)."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator
from functools import cached_property
from pathlib import PurePosixPath
from typing import Annotated, Any, Final

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema

from actions.login.lint import lint_login
from actions.login.settings import LoginSettings
from actions.saml.names import NAMEID_FORMATS
from policy.action import Doc, Lint
from policy.config_types import (
    DurationNs,
    DurationRange,
    Interpolated,
    MinLen,
    Parsed,
    Pending,
    Secret,
    refusal,
)
from policy.duration import parse_duration_ns
from policy.effect import BadDocument
from policy.problem import Severity

MINUTE_NS: Final = parse_duration_ns("1m")
MAX_ENTITY_ID: Final = 1024
LONGEST_FORMAT: Final = 256


def read_metadata(text: str) -> str:
    """Read metadata that stands in the policy; raises the refusal of what describes nobody."""
    from actions.saml.metadata import parse_metadata

    try:
        parse_metadata(text.encode("utf-8", "surrogateescape"))
    except BadDocument as error:
        raise refusal(
            "saml-metadata-invalid",
            f"that describes no identity provider that can be used: {error.reason}",
            reference="ERR_NGROK_2204",
            hint="paste the provider's metadata as it is, or name its address in idp_metadata_url",
        ) from None
    return text


def read_metadata_url(text: str) -> str:
    """Read where a provider's metadata is; https, because its certificates are believed."""
    from actions.saml.metadata import is_safe_url

    if is_safe_url(text):
        return text
    raise refusal(
        "saml-metadata-url-invalid",
        "that is no place to take metadata from",
        reference="ERR_NGROK_2226",
        hint="write https://..., or http:// only with a loopback address (127.0.0.1, [::1])",
    )


def read_metadata_file(text: str) -> str:
    """Read the absolute path of a file with metadata."""
    if PurePosixPath(text).is_absolute() and text.isprintable():
        return text
    raise refusal(
        "saml-metadata-file-invalid",
        f"{text!r} is no absolute path",
        reference="ERR_NGROK_2204",
        hint="write the whole path, as /etc/penstock/provider.xml",
    )


def read_entity_id(text: str) -> str:
    """Read the name of a party: a URI, compared exactly."""
    if 0 < len(text) <= MAX_ENTITY_ID and text.isprintable() and ":" in text and " " not in text:
        return text
    raise refusal(
        "saml-entity-id-invalid",
        f"{text[:100]!r} can't be an entity id",
        reference="ERR_NGROK_2204",
        hint="an entity id is a URI, usually the address of the metadata",
    )


def read_name_id_format(text: str) -> str:
    """Read a format of name identifiers by its short name, or written out."""
    if text in NAMEID_FORMATS:
        return NAMEID_FORMATS[text]
    if text.startswith("urn:") and text.isprintable() and len(text) <= LONGEST_FORMAT:
        return text
    raise refusal(
        "saml-nameid-format-invalid",
        f"{text[:100]!r} is no format of name identifiers",
        reference="ERR_NGROK_2204",
        hint=f"write one of {', '.join(NAMEID_FORMATS)}, or a whole urn:...",
    )


class PrivateKeyPem(str):
    """A private key in PEM. Has no representation that could show it."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Tell what it is, and nothing of it."""
        return "<private key>"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Let pydantic read it."""
        parsed = Parsed(read_private_key, "private key (PEM)")
        return parsed.__get_pydantic_core_schema__(source, handler)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Describe it in a JSON Schema."""
        return {"type": "string", "description": "private key (PEM)"}


def read_private_key(text: str) -> PrivateKeyPem:
    """Read our key; raises a refusal that shows nothing of it."""
    from actions.saml.keys import load_private_key

    try:
        load_private_key(text.encode("ascii", "replace"))
    except ValueError as error:
        raise refusal(
            "saml-private-key-invalid",
            str(error),
            reference="ERR_NGROK_2204",
            hint="a key begins with -----BEGIN PRIVATE KEY-----; keep it in a secret",
        ) from None
    return PrivateKeyPem(text)


def read_certificate(text: str) -> str:
    """Read our certificate, as PEM."""
    from actions.saml.algorithms import STRICT
    from actions.saml.keys import usable_key

    if usable_key(certificate_octets(text), STRICT) is None:
        raise refusal(
            "saml-certificate-invalid",
            "that is no certificate for an RSA key of 2048 bits or an elliptic curve key",
            reference="ERR_NGROK_2204",
            hint="a certificate begins with -----BEGIN CERTIFICATE-----",
        )
    return text


def certificate_octets(text: str) -> bytes:
    """Return the first certificate in PEM text as DER; nothing for text without one."""
    _, _, rest = text.partition("-----BEGIN CERTIFICATE-----")
    encoded, _, _ = rest.partition("-----END CERTIFICATE-----")
    try:
        return b64decode("".join(encoded.split()), validate=True)
    except (Base64Error, ValueError):
        return b""


EntityId = Annotated[str, Parsed(read_entity_id, "entity id (URI)")]


class Config(LoginSettings):
    idp_metadata: Annotated[
        Annotated[str, Parsed(read_metadata, "metadata (XML)")] | None,
        Interpolated(),
        Doc("The identity provider's metadata; give exactly one of the three."),
    ] = None
    idp_metadata_url: Annotated[
        Annotated[str, Parsed(read_metadata_url, "URL (https)")] | None,
        Doc("Where the metadata is; kept fresh, and the last good one kept."),
    ] = None
    idp_metadata_file: Annotated[
        Annotated[str, Parsed(read_metadata_file, "absolute path")] | None,
        Doc("A file with the metadata; read again when it changes."),
    ] = None
    idp_entity_id: Annotated[
        EntityId | None,
        Doc("Extension. Which provider is meant, where the metadata describes several."),
    ] = None
    entity_id: Annotated[
        EntityId | None, Doc("Who we are to the provider; absent: our metadata's own address.")
    ] = None
    force_authn: Annotated[
        bool, Doc("True: the provider asks for the credentials at every login.")
    ] = False
    allow_idp_initiated: Annotated[
        bool, Doc("True: a login may begin at the provider, without a request of ours.")
    ] = False
    nameid_format: Annotated[
        str,
        Parsed(read_name_id_format, "`persistent`, `transient`, `email`, `unspecified` or a URN"),
        Doc("What name the provider is asked for; any other is refused, but for `unspecified`."),
    ] = NAMEID_FORMATS["persistent"]
    authorized_groups: Annotated[
        list[Annotated[str, MinLen(1)]] | None,
        MinLen(1),
        Doc("Whoever is in one of these groups may pass; absent: whoever has signed in."),
    ] = None
    groups_attribute: Annotated[
        str, MinLen(1), Doc("The attribute that lists the groups, by its `Name`.")
    ] = "groups"
    attributes: Annotated[
        dict[Annotated[str, MinLen(1)], Annotated[str, MinLen(1)]],
        Doc("Names in the result, each with the `Name` of the attribute it shows."),
    ] = Field(default_factory=dict)
    sp_private_key: Annotated[
        PrivateKeyPem | None,
        Interpolated(),
        Secret(),
        Doc("Our key, for signing and for encrypted assertions; with `sp_certificate`."),
    ] = None
    sp_certificate: Annotated[
        Annotated[str, Parsed(read_certificate, "certificate (PEM)")] | None,
        Interpolated(),
        Doc("Our certificate, shown in our metadata; with `sp_private_key`."),
    ] = None
    sign_requests: Annotated[
        bool | None, Doc("Whether requests for a login are signed; absent: when there is a key.")
    ] = None
    want_assertions_signed: Annotated[
        bool,
        Doc("Extension. False: the signature of the response around an assertion is enough."),
    ] = True
    want_responses_signed: Annotated[
        bool, Doc("Extension. True: the response around an assertion must be signed too.")
    ] = False
    allow_cbc_encryption: Annotated[
        bool,
        Doc("Extension. True: assertions may be encrypted with AES-CBC, which can be attacked."),
    ] = False
    clock_skew: Annotated[
        DurationNs,
        DurationRange(maximum="120s"),
        Doc("How far the provider's clock and ours may be apart."),
    ] = MINUTE_NS

    @cached_property
    def agreed(self) -> str:
        """What a session was opened under; with another one it ends."""
        return repr(
            (
                self.entity_id,
                self.force_authn,
                self.nameid_format,
                self.authorized_groups,
                self.groups_attribute,
                self.attributes,
                self.want_assertions_signed,
                self.want_responses_signed,
                self.allow_cbc_encryption,
            )
        )

    @cached_property
    def signs_requests(self) -> bool:
        """Whether requests for a login are signed."""
        return self.sp_private_key is not None if self.sign_requests is None else self.sign_requests


def lint(config: Config) -> Iterator[Lint]:
    """Refuse combinations that make no sense, and warn of what weakens a login."""
    yield from lint_login(config)
    yield from lint_fields(config)
    if config.allow_cbc_encryption:
        yield Lint(
            code="saml-cbc-encryption",
            message="AES-CBC lets whoever can tell refusals apart read assertions",
            path=("allow_cbc_encryption",),
            hint="let the provider encrypt with AES-GCM",
        )
    if not config.want_assertions_signed:
        yield Lint(
            code="saml-assertions-unsigned",
            message="an assertion passes whose only signature is the response's",
            path=("want_assertions_signed",),
            hint="let the provider sign assertions",
        )
    if config.allow_idp_initiated:
        yield Lint(
            code="saml-idp-initiated",
            message="anybody can sign a browser in that has not asked for it, as himself",
            path=("allow_idp_initiated",),
            hint="let bookmarks at the provider point to this service instead",
        )


def lint_fields(config: Config) -> Iterator[Lint]:
    """Look at fields that depend on each other."""
    sources = (config.idp_metadata, config.idp_metadata_url, config.idp_metadata_file)
    if sum(each is not None for each in sources) != 1:
        yield Lint(
            code="saml-metadata-sources",
            message="the identity provider is described in exactly one place",
            hint="give one of idp_metadata, idp_metadata_url and idp_metadata_file",
            severity=Severity.ERROR,
            reference="ERR_NGROK_2204",
        )
    if config.idp_metadata is not None and not isinstance(config.idp_metadata, Pending):
        yield from lint_provider(config.idp_metadata, config.idp_entity_id)
    if (config.sp_private_key is None) != (config.sp_certificate is None):
        yield Lint(
            code="saml-key-without-certificate",
            message="a key and its certificate come together",
            path=("sp_certificate" if config.sp_private_key is None else "sp_private_key",),
            severity=Severity.ERROR,
            reference="ERR_NGROK_2204",
        )
    elif not is_pair(config.sp_private_key, config.sp_certificate):
        yield Lint(
            code="saml-key-of-another-certificate",
            message="the certificate is not for this key",
            path=("sp_certificate",),
            severity=Severity.ERROR,
            reference="ERR_NGROK_2204",
        )
    if config.sign_requests and config.sp_private_key is None:
        yield Lint(
            code="saml-key-missing",
            message="requests can't be signed without a key",
            path=("sign_requests",),
            hint="add sp_private_key and sp_certificate",
            severity=Severity.ERROR,
            reference="ERR_NGROK_2204",
        )
    if config.userinfo_refresh_interval is not None:
        yield Lint(
            code="saml-no-refresh",
            message="SAML has no way to ask about a user between logins",
            path=("userinfo_refresh_interval",),
            hint="use max_session_duration",
            severity=Severity.ERROR,
            reference="ERR_NGROK_2204",
        )


def lint_provider(metadata: str, entity_id: str | None) -> Iterator[Lint]:
    """Refuse metadata of several providers, or of others, that leaves open which one is meant."""
    from actions.saml.metadata import parse_metadata

    known = parse_metadata(metadata.encode("utf-8", "surrogateescape"))
    if known.provider(entity_id) is None:
        names = ", ".join(each.entity_id for each in known.providers[:5])
        yield Lint(
            code="saml-provider-unclear",
            message=f"the metadata describes {names}",
            path=("idp_metadata",) if entity_id is None else ("idp_entity_id",),
            hint="name the one that is meant in idp_entity_id",
            severity=Severity.ERROR,
            reference="ERR_NGROK_2204",
        )


def is_pair(key: str | None, certificate: str | None) -> bool:
    """Tell whether a certificate is for a key; also for what only comes with a request."""
    if key is None or certificate is None or isinstance(key, Pending):
        return True
    if isinstance(certificate, Pending):
        return True
    from actions.saml.algorithms import STRICT
    from actions.saml.keys import load_private_key, usable_key

    public = usable_key(certificate_octets(certificate), STRICT)
    return load_private_key(key.encode("ascii", "replace")).public_key() == public
