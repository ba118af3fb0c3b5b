"""What leaves the process can be read by nobody else, and trusted when it comes back (OA-12)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.store import BadRecord, Record
from proxy.store.sealed import RecentlyOpened, Seal, key_id, record_id
from tests.proxy.store.stores import KEY, OTHER_KEY, kind

NAMES = kind()
ID = record_id("name", "alice")
SEALED = Seal([KEY]).seal(NAMES, "alice", "secret value")


@given(key=st.text(st.characters()), value=st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_sealed_is_opened(key: str, value: str) -> None:
    sealed = Seal([KEY]).seal(NAMES, key, value)
    opened = Seal([KEY]).opened(NAMES, record_id("name", key), sealed, 7)
    assert opened == Record(key=key, value=value, version=7)


def test_nothing_of_it_can_be_read() -> None:
    assert b"secret" not in SEALED
    assert b"alice" not in SEALED + ID


def test_the_same_content_never_looks_the_same() -> None:
    assert Seal([KEY]).seal(NAMES, "alice", "secret value") != SEALED


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(lambda data: b"\x02" + data[1:], id="format"),
        pytest.param(lambda data: data[:1] + key_id(OTHER_KEY) + data[9:], id="key"),
        pytest.param(lambda data: data[:9] + bytes(12) + data[21:], id="nonce"),
        pytest.param(lambda data: data[:-20] + bytes(4) + data[-16:], id="content"),
        pytest.param(lambda data: data[:-1] + bytes([data[-1] ^ 1]), id="tag"),
        pytest.param(lambda data: data[:-1], id="shorter"),
        pytest.param(lambda data: data + b"\0", id="longer"),
        pytest.param(lambda _: b"", id="nothing"),
    ],
)
def test_what_was_changed_does_not_exist(changed: Callable[[bytes], bytes]) -> None:
    assert Seal([KEY]).opened(NAMES, ID, changed(SEALED), 1) is None


@given(st.binary(max_size=100))
def test_other_bytes_are_absent_never_an_error(data: bytes) -> None:
    assert Seal([KEY]).opened(NAMES, ID, data, 1) is None


@given(st.integers(0, len(SEALED)), st.binary(max_size=10))
def test_bytes_that_begin_well_are_absent_too(cut: int, rest: bytes) -> None:
    data = SEALED[:cut] + rest
    opened = Seal([KEY]).opened(NAMES, ID, data, 1)
    assert (opened is None) == (data != SEALED)


def test_a_record_can_not_be_put_into_the_place_of_another() -> None:
    seal = Seal([KEY])
    assert seal.opened(NAMES, record_id("name", "bob"), SEALED, 1) is None
    assert seal.opened(kind("other"), ID, SEALED, 1) is None
    assert seal.opened(kind("other"), record_id("other", "alice"), SEALED, 1) is None


def test_all_listed_keys_open_and_the_first_one_seals() -> None:
    both = Seal([OTHER_KEY, KEY])
    assert both.opened(NAMES, ID, SEALED, 1) is not None
    sealed = both.seal(NAMES, "alice", "x")
    assert Seal([OTHER_KEY]).opened(NAMES, ID, sealed, 1) is not None
    assert Seal([KEY]).opened(NAMES, ID, sealed, 1) is None


def test_a_removed_key_makes_its_records_absent() -> None:
    assert Seal([OTHER_KEY]).opened(NAMES, ID, SEALED, 1) is None


def refuse(_data: bytes) -> str:
    raise BadRecord("of another version")


def test_a_content_of_another_version_is_absent() -> None:
    assert Seal([KEY]).opened(kind(decode=refuse), ID, SEALED, 1) is None


def test_a_record_that_has_not_changed_is_decoded_once() -> None:
    decoded: list[bytes] = []

    def decode(data: bytes) -> str:
        decoded.append(data)
        return data.decode()

    counting = kind(decode=decode)
    seal = Seal([KEY])
    opened = RecentlyOpened(seal)
    assert opened(counting, ID, SEALED, 1) is opened(counting, ID, SEALED, 1)
    assert len(decoded) == 1
    newer = seal.seal(NAMES, "alice", "newer")
    found = opened(counting, ID, newer, 2)
    assert found is not None
    assert found.value == "newer"
    assert opened(counting, ID, SEALED[:-1] + b"\0", 2) is None


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxy.store.sealed.MAX_RECENT", 2)
    seal = Seal([KEY])
    opened = RecentlyOpened(seal)
    for key in "abc":
        assert opened(NAMES, record_id("name", key), seal.seal(NAMES, key, key), 1) is not None
    assert len(opened._opened) == 2
