"""The operator's databases about addresses: MMDB files and lists of networks by category.

City and ASN data come in MaxMind's MMDB format. A category is a text file named after it, such
as `blocklist.firehol_org.level_1.txt`, with one network a line and `#` comments.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import maxminddb

from policy.cel import CelError
from policy.ip_intelligence import AutonomousSystem, Geo, IpRecord, Place
from policy.net import AddressError, NetworkSet

CACHED_ADDRESSES = 65_536
# Damage deep in a large file is found when it is read; at load a part of it has to do, so that
# a start with tens of megabytes stays quick.
RECORDS_CHECKED_AT_LOAD = 20_000
MAX_CATEGORY_BYTES = 64 * 1024 * 1024

# The language's own list has the misspelling; documents use both.
SAME_CATEGORY = {
    "com.algolia.crawer": "com.algolia.crawler",
    "com.algolia.crawler": "com.algolia.crawer",
}


class IpDatabaseError(Exception):
    """A file that can't be used. `path` is the file, the message says why and what to do."""

    def __init__(self, path: Path, message: str) -> None:
        self.path = path
        super().__init__(message)


class IpDatabases:
    """Looks addresses up in whatever the operator supplied. Never changes after loading."""

    def __init__(
        self,
        *,
        city: maxminddb.Reader | None = None,
        asn: maxminddb.Reader | None = None,
        categories: Mapping[str, NetworkSet] | None = None,
    ) -> None:
        self._city = city
        self._asn = asn
        self._categories = dict(categories or {})
        # Bounded: whoever sends from many addresses pushes out the oldest, nothing else.
        self.lookup = lru_cache(maxsize=CACHED_ADDRESSES)(self._lookup)

    def _lookup(self, address: str) -> IpRecord:
        """Return what is known of an address; raises CelError where a database is damaged."""
        return IpRecord(
            autonomous_system=autonomous_system(read(self._asn, address)),
            geo=geo(read(self._city, address)),
            categories=self._categories_of(address),
        )

    def _categories_of(self, address: str) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for category, networks in self._categories.items():
            if networks.find(address) is not None:
                for name in (category, SAME_CATEGORY.get(category, category)):
                    found.update(dict.fromkeys(with_parents(name)))
        return tuple(found)


def load_ip_databases(
    *, city: Path | None = None, asn: Path | None = None, categories: Path | None = None
) -> IpDatabases:
    """Open all files; raises IpDatabaseError for the first that can't be used."""
    return IpDatabases(
        city=open_mmdb(city, expected="City") if city else None,
        asn=open_mmdb(asn, expected="ASN") if asn else None,
        categories=read_categories(categories) if categories else None,
    )


def open_mmdb(path: Path, *, expected: str) -> maxminddb.Reader:
    """Open an MMDB file and read its beginning; raises IpDatabaseError."""
    try:
        reader = maxminddb.open_database(str(path), maxminddb.MODE_AUTO)
        for _ in islice(iter(reader), RECORDS_CHECKED_AT_LOAD):
            pass
    except (OSError, ValueError, RecursionError, maxminddb.InvalidDatabaseError) as error:
        raise IpDatabaseError(path, f"not a usable MMDB file: {plain_reason(error)}") from error
    found = reader.metadata().database_type
    if expected.lower() not in found.lower():
        reader.close()
        raise IpDatabaseError(path, f"holds {found} data where {expected} data is expected")
    return reader


def plain_reason(error: Exception) -> str:
    """Say what went wrong without repeating the path."""
    if isinstance(error, OSError):
        return error.strerror or "can't be read"
    return "it is damaged or of another format"


def read_categories(directory: Path) -> dict[str, NetworkSet]:
    """Read every `<category>.txt` of a directory; raises IpDatabaseError."""
    if not directory.is_dir():
        raise IpDatabaseError(directory, "is not a directory of category files")
    return {path.stem: read_networks(path) for path in sorted(directory.glob("*.txt"))}


def read_networks(path: Path) -> NetworkSet:
    """Read one list of networks; raises IpDatabaseError naming the line."""
    try:
        if path.stat().st_size > MAX_CATEGORY_BYTES:
            raise IpDatabaseError(path, f"is larger than {MAX_CATEGORY_BYTES} bytes")
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise IpDatabaseError(path, plain_reason(error)) from error
    except UnicodeDecodeError as error:
        raise IpDatabaseError(path, "is not UTF-8 text") from error
    networks: list[str] = []
    for number, line in enumerate(lines, start=1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        try:
            NetworkSet.parse([text])
        except AddressError as error:
            raise IpDatabaseError(path, f"line {number}: {error}") from error
        networks.append(text)
    return NetworkSet.parse(networks)


def read(reader: maxminddb.Reader | None, address: str) -> Mapping[str, Any]:
    """Look one address up; an empty record when nothing is known of it."""
    if reader is None:
        return {}
    try:
        found = reader.get(address)
    except ValueError:
        return {}  # not an address of this database's family
    except maxminddb.InvalidDatabaseError as error:
        # A check that can't be made refuses (P1): the expression fails, and with it the request.
        raise CelError("ip-database-damaged", "the IP database is damaged") from error
    return found if isinstance(found, dict) else {}


def autonomous_system(record: Mapping[str, Any]) -> AutonomousSystem:
    """Read an ASN record."""
    return AutonomousSystem(
        number=int(record.get("autonomous_system_number", 0)),
        organization=str(record.get("autonomous_system_organization", "")),
    )


def geo(record: Mapping[str, Any]) -> Geo:
    """Read a City record."""
    if not record:
        return Geo()
    where = record.get("location", {})
    subdivisions = record.get("subdivisions", [])
    country = record.get("country", {})
    registered = record.get("registered_country", {})
    return Geo(
        location=Place(
            city=english(record.get("city", {})),
            continent=english(record.get("continent", {})),
            country=english(country),
            country_code=str(country.get("iso_code", "")),
            subdivision=english(subdivisions[0]) if subdivisions else "",
            timezone=str(where.get("time_zone", "")),
            metro_code=text(where.get("metro_code")),
            postal_code=str(record.get("postal", {}).get("code", "")),
            latitude=text(where.get("latitude")),
            longitude=text(where.get("longitude")),
            radius=text(where.get("accuracy_radius")),
            is_eu=bool(country.get("is_in_european_union", False)),
        ),
        registered_location=Place(
            country=english(registered),
            country_code=str(registered.get("iso_code", "")),
            is_eu=bool(registered.get("is_in_european_union", False)),
        ),
    )


def english(named: Mapping[str, Any]) -> str:
    """Return the English name of a place."""
    return str(named.get("names", {}).get("en", ""))


def text(value: object) -> str:
    """Write a number as the language has it: text, empty when unknown."""
    return "" if value is None else str(value)


def with_parents(category: str) -> list[str]:
    """Return `a`, `a.b` and `a.b.c` for `a.b.c` (language spec, section 3.4)."""
    parts = category.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts) + 1)]
