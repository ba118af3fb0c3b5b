"""Databases about addresses: what they say, and what a damaged one does."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from policy.ip_intelligence import UNKNOWN
from proxy.ip_databases import IpDatabaseError, load_ip_databases, with_parents

CORPORA = Path(os.environ.get("PENSTOCK_CORPORA", "../shared/corpora"))
GEOIP = CORPORA / "geoip"

needs_corpus = pytest.mark.skipif(
    not GEOIP.is_dir(), reason=f"the test databases are missing: {GEOIP} (set PENSTOCK_CORPORA)"
)


@needs_corpus
def test_a_known_address_has_a_place_and_a_network() -> None:
    databases = load_ip_databases(
        city=GEOIP / "GeoIP2-City-Test.mmdb", asn=GEOIP / "GeoLite2-ASN-Test.mmdb"
    )
    place = databases.lookup("81.2.69.142").geo.location
    assert (place.city, place.country_code, place.subdivision) == ("London", "GB", "England")
    assert (place.latitude, place.longitude, place.radius) == ("51.5142", "-0.0931", "10")
    assert databases.lookup("81.2.69.142").geo.registered_location.country_code == "US"
    system = databases.lookup("1.128.0.0").autonomous_system
    assert (system.number, system.organization) == (1221, "Telstra Pty Ltd")


@needs_corpus
@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1", "not an address", ""])
def test_an_unknown_address_has_zero_values(address: str) -> None:
    databases = load_ip_databases(city=GEOIP / "GeoIP2-City-Test.mmdb")
    assert databases.lookup(address) == UNKNOWN


@needs_corpus
@pytest.mark.parametrize("name", sorted(path.name for path in (GEOIP / "bad").glob("*.mmdb")))
def test_a_damaged_file_is_refused_at_load(name: str) -> None:
    with pytest.raises(IpDatabaseError, match="not a usable MMDB file"):
        load_ip_databases(city=GEOIP / "bad" / name)


@needs_corpus
def test_data_of_another_kind_is_refused() -> None:
    with pytest.raises(IpDatabaseError, match="holds GeoLite2-ASN data where City data"):
        load_ip_databases(city=GEOIP / "GeoLite2-ASN-Test.mmdb")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IpDatabaseError, match="No such file"):
        load_ip_databases(city=tmp_path / "none.mmdb")


def test_categories_hold_their_parents(tmp_path: Path) -> None:
    (tmp_path / "blocklist.firehol_org.level_1.txt").write_text("# list\n203.0.113.0/24 # a\n\n")
    (tmp_path / "proxy.anonymous.tor.txt").write_text("203.0.113.7\n2001:db8::/32\n")
    databases = load_ip_databases(categories=tmp_path)
    assert databases.lookup("203.0.113.7").categories == (
        "blocklist", "blocklist.firehol_org", "blocklist.firehol_org.level_1",
        "proxy", "proxy.anonymous", "proxy.anonymous.tor",
    )  # fmt: skip
    assert databases.lookup("2001:db8::1").categories == (
        "proxy", "proxy.anonymous", "proxy.anonymous.tor",
    )  # fmt: skip
    assert databases.lookup("198.51.100.1").categories == ()


def test_both_spellings_of_a_misspelt_category_hold(tmp_path: Path) -> None:
    (tmp_path / "com.algolia.crawler.txt").write_text("203.0.113.7\n")
    categories = load_ip_databases(categories=tmp_path).lookup("203.0.113.7").categories
    assert {"com.algolia.crawer", "com.algolia.crawler"} <= set(categories)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"10.0.0.0/8\n10.1\n", "line 2"), (b"\xff\xfe", "not UTF-8")],
    ids=["bad-network", "bad-text"],
)
def test_a_bad_category_file_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "com.example.txt").write_bytes(content)
    with pytest.raises(IpDatabaseError, match=message):
        load_ip_databases(categories=tmp_path)


def test_a_missing_category_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IpDatabaseError, match="not a directory"):
        load_ip_databases(categories=tmp_path / "none")


def test_parents_of_a_category() -> None:
    assert with_parents("a.b.c") == ["a", "a.b", "a.b.c"]
