"""`req.*`: the request as earlier actions left it (language spec, section 3.9)."""

from __future__ import annotations

from typing import cast

from policy.cel.functions.request import REQUEST_FIELDS
from policy.cel.types import BOOL, INT, STRING, TIMESTAMP, ListType, MapType, NullableType
from policy.cel.values import FieldMap, Timestamp
from policy.cookies import Cookie, request_cookies
from policy.exchange import Exchange, Request
from policy.media_type import media_type, parameters
from policy.phase import HTTP_PHASES
from policy.user_agent import UserAgent, parse_user_agent
from policy.variables.lazy import stored, variable
from policy.variables.types import COOKIE_MAP, FIELD_MAP, PARAMETER_MAP, STRINGS


class RequestVariables:
    """Everything that a policy reads of the request."""

    exchange: Exchange

    @property
    def request(self) -> Request:
        """The request; what reads it is refused at load in the phases that lack one."""
        return cast("Request", self.exchange.request)

    req_method = stored(
        "req.method",
        STRING,
        "The method, exactly as sent.",
        "exchange.request.method",
        phases=HTTP_PHASES,
    )

    req_version = stored(
        "req.version",
        STRING,
        "The protocol, such as `HTTP/1.1`.",
        "exchange.request.version",
        phases=HTTP_PHASES,
    )

    req_host = stored(
        "req.host", STRING, "The `Host` field.", "exchange.request.host", phases=HTTP_PHASES
    )

    @variable(
        "req.headers",
        FIELD_MAP,
        "Header fields: name to list of values. Names are found in any case.",
        phases=HTTP_PHASES,
        by_name=REQUEST_FIELDS,
    )
    def req_headers(self) -> FieldMap:
        return FieldMap(self.request.headers.by_name)

    @variable("req.trailers", FIELD_MAP, "Trailer fields of the body.", phases=HTTP_PHASES)
    def req_trailers(self) -> FieldMap:
        return FieldMap(self.request.trailers.by_name)

    @variable("req.cookies", COOKIE_MAP, "Cookies by name, in the order sent.", phases=HTTP_PHASES)
    def req_cookies(self) -> dict[str, list[Cookie]]:
        return request_cookies(self.request.headers.all("cookie"))

    @variable(
        "req.content_length", INT, "Announced body size in bytes, else 0.", phases=HTTP_PHASES
    )
    def req_content_length(self) -> int:
        return content_length(self.request.headers.first("content-length"))

    @variable("req.content_encoding", STRINGS, "Content codings applied.", phases=HTTP_PHASES)
    def req_content_encoding(self) -> list[str]:
        return listed(self.request.headers.all("content-encoding"))

    @variable("req.content_type", STRING, "Media type without its parameters.", phases=HTTP_PHASES)
    def req_content_type(self) -> str:
        return media_type(self.req_content_type_raw)

    @variable(
        "req.content_type.parameters",
        PARAMETER_MAP,
        "Parameters of the media type by lower-case name.",
        phases=HTTP_PHASES,
    )
    def req_content_type_parameters(self) -> dict[str, str]:
        return parameters(self.req_content_type_raw)

    @variable("req.content_type.raw", STRING, "The whole field value.", phases=HTTP_PHASES)
    def req_content_type_raw(self) -> str:
        return self.request.headers.first("content-type") or ""

    @variable("req.location", STRING, "The `Location` field.", phases=HTTP_PHASES)
    def req_location(self) -> str:
        return self.request.headers.first("location") or ""

    @variable("req.url", STRING, "The canonical full URL.", phases=HTTP_PHASES)
    def req_url(self) -> str:
        return self.request.url.text

    @variable("req.url.authority", STRING, "`[user[:password]@]host[:port]`.", phases=HTTP_PHASES)
    def req_url_authority(self) -> str:
        return self.request.url.authority

    req_url_host = stored(
        "req.url.host",
        STRING,
        "Host without the port.",
        "exchange.request.url.host",
        phases=HTTP_PHASES,
    )

    @variable("req.url.port", INT, "The port when the URL names one, else 0.", phases=HTTP_PHASES)
    def req_url_port(self) -> int:
        return self.request.url.port or 0

    req_url_path = stored(
        "req.url.path",
        STRING,
        "The canonical path: what the policy decides on and the upstream receives.",
        "exchange.request.url.path",
        phases=HTTP_PHASES,
    )

    req_url_query = stored(
        "req.url.query",
        STRING,
        "The query without `?`.",
        "exchange.request.url.query",
        phases=HTTP_PHASES,
    )

    @variable(
        "req.url.query_params",
        MapType(STRING, ListType(STRING, missing=""), missing=()),
        "Decoded query parameters: name to list of values.",
        phases=HTTP_PHASES,
    )
    def req_url_query_params(self) -> dict[str, list[str]]:
        return self.request.url.query_params

    @variable("req.url.raw", STRING, "The URL as sent. For logs only.", phases=HTTP_PHASES)
    def req_url_raw(self) -> str:
        return self.request.url.raw

    @variable("req.url.raw_path", STRING, "The path as sent. For logs only.", phases=HTTP_PHASES)
    def req_url_raw_path(self) -> str:
        return self.request.url.raw_path

    req_url_scheme = stored(
        "req.url.scheme",
        STRING,
        "`http` or `https`.",
        "exchange.request.url.scheme",
        phases=HTTP_PHASES,
    )

    @variable("req.url.uri", STRING, "Path and query.", phases=HTTP_PHASES)
    def req_url_uri(self) -> str:
        return self.request.url.uri

    req_url_user_password = stored(
        "req.url.user_password",
        STRING,
        "Userinfo of the URL, else empty.",
        "exchange.request.url.user_password",
        phases=HTTP_PHASES,
    )

    req_user_agent = stored(
        "req.user_agent",
        STRING,
        "The `User-Agent` field.",
        "exchange.request.user_agent",
        phases=HTTP_PHASES,
    )

    @variable("req.ts.header_received", TIMESTAMP, "End of the request head.", phases=HTTP_PHASES)
    def req_ts_header_received(self) -> Timestamp:
        return Timestamp(self.request.received_ns)

    @variable(
        "req.ts.body_received",
        NullableType(TIMESTAMP),
        "End of the request body; null without one or before its end.",
        phases=HTTP_PHASES,
    )
    def req_ts_body_received(self) -> Timestamp | None:
        received = self.request.body_received_ns
        return None if received is None else Timestamp(received)

    @property
    def agent(self) -> UserAgent:
        """The parsed user agent that the variables below share."""
        return parse_user_agent(self.req_user_agent)

    @variable("req.user_agent.name", STRING, "Browser or client.", phases=HTTP_PHASES)
    def req_user_agent_name(self) -> str:
        return self.agent.name

    @variable("req.user_agent.version", STRING, "Its version.", phases=HTTP_PHASES)
    def req_user_agent_version(self) -> str:
        return self.agent.version

    @variable("req.user_agent.os", STRING, "Operating system.", phases=HTTP_PHASES)
    def req_user_agent_os(self) -> str:
        return self.agent.os

    @variable("req.user_agent.os_version", STRING, "Its version.", phases=HTTP_PHASES)
    def req_user_agent_os_version(self) -> str:
        return self.agent.os_version

    @variable("req.user_agent.device", STRING, "Device text.", phases=HTTP_PHASES)
    def req_user_agent_device(self) -> str:
        return self.agent.device

    @variable("req.user_agent.url", STRING, "URL that a bot names.", phases=HTTP_PHASES)
    def req_user_agent_url(self) -> str:
        return self.agent.url

    @variable("req.user_agent.is_mobile", BOOL, "A telephone.", phases=HTTP_PHASES)
    def req_user_agent_is_mobile(self) -> bool:
        return self.agent.is_mobile

    @variable("req.user_agent.is_tablet", BOOL, "A tablet.", phases=HTTP_PHASES)
    def req_user_agent_is_tablet(self) -> bool:
        return self.agent.is_tablet

    @variable("req.user_agent.is_desktop", BOOL, "A desktop or laptop.", phases=HTTP_PHASES)
    def req_user_agent_is_desktop(self) -> bool:
        return self.agent.is_desktop

    @variable("req.user_agent.is_bot", BOOL, "A crawler or script.", phases=HTTP_PHASES)
    def req_user_agent_is_bot(self) -> bool:
        return self.agent.is_bot


def content_length(field_value: str | None) -> int:
    """Read a length that the parser has checked; 0 when there is none."""
    return (
        int(field_value) if field_value and field_value.isascii() and field_value.isdigit() else 0
    )


def listed(field_values: list[str]) -> list[str]:
    """Split comma-separated field values into their elements (RFC 9110, section 5.6.1)."""
    return [
        element
        for value in field_values
        for part in value.split(",")
        if (element := part.strip(" \t"))
    ]
