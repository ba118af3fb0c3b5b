"""`conn.*`: the client's connection (language spec, sections 3.1 to 3.3)."""

from __future__ import annotations

from policy.cel.types import BOOL, INT, STRING, TIMESTAMP, ListType, ObjectType
from policy.cel.values import Timestamp
from policy.exchange import Connection, Exchange
from policy.ip_intelligence import Geo, IpRecord, Place
from policy.phase import HTTP_PHASES
from policy.variables.lazy import stored, variable

REGISTERED_FIELDS = {
    "city": STRING,
    "continent": STRING,
    "country": STRING,
    "country_code": STRING,
    "subdivision": STRING,
    "timezone": STRING,
    "metro_code": STRING,
    "is_eu": BOOL,
}
LOCATION_FIELDS = REGISTERED_FIELDS | {
    "postal_code": STRING,
    "latitude": STRING,
    "longitude": STRING,
    "radius": STRING,
}
GEO = ObjectType(
    "geo",
    {
        "location": ObjectType("location", LOCATION_FIELDS),
        "registered_location": ObjectType("registered_location", REGISTERED_FIELDS),
    },
)


class ConnectionVariables:
    """Everything that a policy reads of the connection."""

    exchange: Exchange

    @property
    def connection(self) -> Connection:
        """The connection that the exchange is one of."""
        return self.exchange.connection

    conn_client_ip = stored(
        "conn.client_ip",
        STRING,
        "The client's address: the socket peer, or who a trusted proxy says it is.",
        "exchange.connection.client_ip",
    )

    conn_client_port = stored(
        "conn.client_port", INT, "The client's port.", "exchange.connection.client_port"
    )

    conn_server_ip = stored(
        "conn.server_ip",
        STRING,
        "The local address that accepted the connection.",
        "exchange.connection.server_ip",
    )

    conn_server_port = stored(
        "conn.server_port", INT, "The local port.", "exchange.connection.server_port"
    )

    conn_server_region = stored(
        "conn.server_region",
        STRING,
        "The operator's label for this place.",
        "exchange.connection.server_region",
    )

    @variable("conn.ts.start", TIMESTAMP, "When the connection was accepted.")
    def conn_ts_start(self) -> Timestamp:
        return Timestamp(self.connection.started_ns)

    conn_bytes_in = stored(
        "conn.bytes_in",
        INT,
        "Bytes received so far.",
        "exchange.connection.bytes_in",
        phases=HTTP_PHASES,
    )

    conn_bytes_out = stored(
        "conn.bytes_out",
        INT,
        "Bytes sent so far.",
        "exchange.connection.bytes_out",
        phases=HTTP_PHASES,
    )

    def record(self, address: str) -> IpRecord:
        """Return what the databases know of an address; they keep their own caches."""
        return self.exchange.surroundings.intelligence.lookup(address)

    @property
    def client_place(self) -> Place:
        """Where the client is."""
        return self.record(self.connection.client_ip).geo.location

    @variable("conn.geo.city", STRING, "City of the client.")
    def conn_geo_city(self) -> str:
        return self.client_place.city

    @variable("conn.geo.country", STRING, "Country of the client, in English.")
    def conn_geo_country(self) -> str:
        return self.client_place.country

    @variable("conn.geo.country_code", STRING, "ISO 3166-1 alpha-2 code.")
    def conn_geo_country_code(self) -> str:
        return self.client_place.country_code

    @variable("conn.geo.latitude", STRING, "Degrees, as text.")
    def conn_geo_latitude(self) -> str:
        return self.client_place.latitude

    @variable("conn.geo.longitude", STRING, "Degrees, as text.")
    def conn_geo_longitude(self) -> str:
        return self.client_place.longitude

    @variable("conn.geo.radius", STRING, "Accuracy in kilometres, as text.")
    def conn_geo_radius(self) -> str:
        return self.client_place.radius

    @variable("conn.geo.subdivision", STRING, "State or province.")
    def conn_geo_subdivision(self) -> str:
        return self.client_place.subdivision

    @variable("conn.client_ip.categories", ListType(STRING), "Lists that name the address.")
    def conn_client_ip_categories(self) -> tuple[str, ...]:
        return self.record(self.connection.client_ip).categories

    @variable("conn.client_ip.is_on_blocklist", BOOL, "Some blocklist names the address.")
    def conn_client_ip_is_on_blocklist(self) -> bool:
        return "blocklist" in self.conn_client_ip_categories

    @variable("conn.client_ip.is_tor_node", BOOL, "The address is a Tor node.")
    def conn_client_ip_is_tor_node(self) -> bool:
        return "proxy.anonymous.tor" in self.conn_client_ip_categories

    @variable("conn.client_ip.as.number", INT, "Number of the autonomous system.")
    def conn_client_ip_as_number(self) -> int:
        return self.record(self.connection.client_ip).autonomous_system.number

    @variable("conn.client_ip.as.organization", STRING, "Who runs it.")
    def conn_client_ip_as_organization(self) -> str:
        return self.record(self.connection.client_ip).autonomous_system.organization

    @variable("conn.client_ip.geo", GEO, "Where the address is used and registered.")
    def conn_client_ip_geo(self) -> Geo:
        return self.record(self.connection.client_ip).geo

    @variable("conn.server_ip.categories", ListType(STRING), "Lists that name the address.")
    def conn_server_ip_categories(self) -> tuple[str, ...]:
        return self.record(self.connection.server_ip).categories

    @variable("conn.server_ip.is_on_blocklist", BOOL, "Some blocklist names the address.")
    def conn_server_ip_is_on_blocklist(self) -> bool:
        return "blocklist" in self.conn_server_ip_categories

    @variable("conn.server_ip.is_tor_node", BOOL, "The address is a Tor node.")
    def conn_server_ip_is_tor_node(self) -> bool:
        return "proxy.anonymous.tor" in self.conn_server_ip_categories

    @variable("conn.server_ip.as.number", INT, "Number of the autonomous system.")
    def conn_server_ip_as_number(self) -> int:
        return self.record(self.connection.server_ip).autonomous_system.number

    @variable("conn.server_ip.as.organization", STRING, "Who runs it.")
    def conn_server_ip_as_organization(self) -> str:
        return self.record(self.connection.server_ip).autonomous_system.organization

    @variable("conn.server_ip.geo", GEO, "Where the address is used and registered.")
    def conn_server_ip_geo(self) -> Geo:
        return self.record(self.connection.server_ip).geo
