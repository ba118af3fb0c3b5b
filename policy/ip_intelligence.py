"""What databases know about an address: where it is, whose network it is in, which lists name it.

The databases are the operator's (language spec, section 3.3); without one every field has its
zero value.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place on earth in English; coordinates and radius (km) as text."""

    city: str = ""
    continent: str = ""
    country: str = ""
    country_code: str = ""
    subdivision: str = ""
    timezone: str = ""
    metro_code: str = ""
    postal_code: str = ""
    latitude: str = ""
    longitude: str = ""
    radius: str = ""
    is_eu: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AutonomousSystem:
    """The network operator that announces an address."""

    number: int = 0
    organization: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Geo:
    """Where an address is used, and where it is registered."""

    location: Place = field(default_factory=Place)
    registered_location: Place = field(default_factory=Place)


@dataclass(frozen=True, slots=True, kw_only=True)
class IpRecord:
    """All that is known of one address. `categories` holds every prefix of each category."""

    autonomous_system: AutonomousSystem = field(default_factory=AutonomousSystem)
    geo: Geo = field(default_factory=Geo)
    categories: tuple[str, ...] = ()


UNKNOWN = IpRecord()


class IpIntelligence(Protocol):
    """A source of records; must not block."""

    def lookup(self, address: str) -> IpRecord:
        """Return what is known of an address; `UNKNOWN` when nothing is."""
        ...


class NoIntelligence:
    """Stands in where the operator configured no database."""

    def lookup(self, address: str) -> IpRecord:  # noqa: ARG002 - the protocol's signature
        """Know nothing."""
        return UNKNOWN


NO_INTELLIGENCE = NoIntelligence()
