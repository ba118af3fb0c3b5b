"""`res.*`: the response as earlier actions left it (language spec, section 3.10)."""

from __future__ import annotations

from typing import cast

from policy.cel.functions.request import RESPONSE_FIELDS
from policy.cel.types import INT, STRING
from policy.cel.values import FieldMap
from policy.cookies import Cookie, response_cookies
from policy.exchange import Exchange, Response
from policy.media_type import media_type, parameters
from policy.phase import RESPONSE_PHASES
from policy.variables.lazy import stored, variable
from policy.variables.request import content_length, listed
from policy.variables.types import COOKIE_MAP, FIELD_MAP, PARAMETER_MAP, STRINGS


class ResponseVariables:
    """Everything that a policy reads of the response."""

    exchange: Exchange

    @property
    def response(self) -> Response:
        """The response; what reads it is refused at load in the phases that lack one."""
        return cast("Response", self.exchange.response)

    res_status_code = stored(
        "res.status_code",
        INT,
        "The status code.",
        "exchange.response.status_code",
        phases=RESPONSE_PHASES,
    )

    @variable(
        "res.headers",
        FIELD_MAP,
        "Header fields: name to list of values. Names are found in any case.",
        phases=RESPONSE_PHASES,
        by_name=RESPONSE_FIELDS,
    )
    def res_headers(self) -> FieldMap:
        return FieldMap(self.response.headers.by_name)

    @variable("res.trailers", FIELD_MAP, "Trailer fields of the body.", phases=RESPONSE_PHASES)
    def res_trailers(self) -> FieldMap:
        return FieldMap(self.response.trailers.by_name)

    @variable(
        "res.content_length", INT, "Announced body size in bytes, else 0.", phases=RESPONSE_PHASES
    )
    def res_content_length(self) -> int:
        return content_length(self.response.headers.first("content-length"))

    @variable("res.content_encoding", STRINGS, "Content codings applied.", phases=RESPONSE_PHASES)
    def res_content_encoding(self) -> list[str]:
        return listed(self.response.headers.all("content-encoding"))

    @variable(
        "res.content_type", STRING, "Media type without its parameters.", phases=RESPONSE_PHASES
    )
    def res_content_type(self) -> str:
        return media_type(self.res_content_type_raw)

    @variable(
        "res.content_type.parameters",
        PARAMETER_MAP,
        "Parameters of the media type by lower-case name.",
        phases=RESPONSE_PHASES,
    )
    def res_content_type_parameters(self) -> dict[str, str]:
        return parameters(self.res_content_type_raw)

    @variable("res.content_type.raw", STRING, "The whole field value.", phases=RESPONSE_PHASES)
    def res_content_type_raw(self) -> str:
        return self.response.headers.first("content-type") or ""

    @variable("res.location", STRING, "The `Location` field.", phases=RESPONSE_PHASES)
    def res_location(self) -> str:
        return self.response.headers.first("location") or ""

    @variable(
        "res.cookies",
        COOKIE_MAP,
        "Cookies that the response sets; those of one name longest path first.",
        phases=RESPONSE_PHASES,
    )
    def res_cookies(self) -> dict[str, list[Cookie]]:
        return response_cookies(self.response.headers.all("set-cookie"))
