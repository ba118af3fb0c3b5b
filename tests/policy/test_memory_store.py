"""A store in memory: its clock is given, and it never holds more than it should."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from policy.memory_store import SPARE_ENDS, MemoryStore
from policy.store import ABSENT, Kind, StoreDelete, StoreFind, StoreGet, StorePut, StoreTake


def bytes_of(_value: object) -> bytes:
    raise AssertionError("memory encodes nothing")


KIND: Kind[object] = Kind(
    name="thing", encode=bytes_of, decode=bytes_of, max_entries=4, max_per_group=3
)


@dataclass
class World:
    """A store, and the time that it believes in."""

    now: float = 0.0
    store: MemoryStore = field(init=False)

    def __post_init__(self) -> None:
        self.store = MemoryStore(now=lambda: self.now)

    def put(self, key: str, value: object = None, ttl_s: float = 10, *groups: str) -> int | None:
        effect = StorePut(kind=KIND, key=key, value=value, ttl_s=ttl_s, groups=groups)
        version: int | None = self.store.answer(effect)
        return version

    def keys(self, group: str | None = None) -> list[str]:
        return [each.key for each in self.store.answer(StoreFind(kind=KIND, group=group))]


def test_the_very_object_is_handed_out() -> None:
    world, value = World(), object()
    world.put("k", value)
    assert world.store.answer(StoreGet(kind=KIND, key="k")).value is value


def test_a_record_ends_when_its_time_is_up() -> None:
    world = World()
    world.put("k", ttl_s=10)
    world.now = 9.999
    assert world.store.answer(StoreGet(kind=KIND, key="k")) is not None
    world.now = 10.0
    assert world.store.answer(StoreGet(kind=KIND, key="k")) is None
    assert world.store.answer(StoreTake(kind=KIND, key="k")) is None
    assert world.keys() == []


def test_what_has_ended_is_absent_for_a_write_and_takes_no_room() -> None:
    world = World()
    world.put("k", "old", 1, "g")
    world.now = 2.0
    effect = StorePut(kind=KIND, key="k", value="new", ttl_s=1, if_version=ABSENT)
    assert world.store.answer(effect) == 2
    assert world.keys("g") == []
    assert [len(shelf) for shelf in world.store.shelves] == [1]


def test_the_oldest_goes_first() -> None:
    world = World()
    for key in "abcdae":
        world.put(key)
    assert world.keys() == ["e", "a", "d", "c"]
    assert [shelf.evicted for shelf in world.store.shelves] == [1]


def test_a_million_writes_of_one_record_take_no_room() -> None:
    world = World()
    for _ in range(10_000):
        world.put("k", None, 1e9)
    (shelf,) = world.store.shelves
    assert len(shelf._ends) <= 2 * len(shelf) + SPARE_ENDS + 1


Step = tuple[str, str, int, str]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["put", "get", "take", "delete", "find", "wait"]),
        st.sampled_from("abcdefg"),
        st.integers(1, 5),
        st.sampled_from(["", "g", "h"]),
    ),
    max_size=60,
)


class Model:
    """The same by looking at everything each time."""

    def __init__(self) -> None:
        self.now = 0
        # Key, end and group, in the order of writing.
        self.kept: list[tuple[str, int, str]] = []

    def step(self, what: str, key: str, number: int, group: str) -> object:
        self.kept = [each for each in self.kept if self.now < each[1]]
        match what:
            case "put":
                self.kept = [each for each in self.kept if each[0] != key]
                self.kept.append((key, self.now + number, group))
                members = [each for each in self.kept if group and each[2] == group]
                if len(members) > 3:
                    self.kept.remove(members[0])
                self.kept = self.kept[-4:]
                return None
            case "get":
                return any(each[0] == key for each in self.kept)
            case "take" | "delete":
                found = any(each[0] == key for each in self.kept)
                self.kept = [each for each in self.kept if each[0] != key]
                return found
            case "find":
                wanted = [each[0] for each in self.kept if not group or each[2] == group]
                return wanted[::-1][:number]
        self.now += number
        return None


@given(STEPS)
def test_it_does_what_looking_at_everything_would_do(steps: list[Step]) -> None:
    world, model = World(), Model()
    for what, key, number, group in steps:
        expected = model.step(what, key, number, group)
        found: object = None
        match what:
            case "put":
                world.put(key, None, number, *([group] if group else []))
            case "get":
                found = world.store.answer(StoreGet(kind=KIND, key=key)) is not None
            case "take":
                found = world.store.answer(StoreTake(kind=KIND, key=key)) is not None
            case "delete":
                found = world.store.answer(StoreDelete(kind=KIND, key=key))
            case "find":
                found = world.keys(group or None)[:number]
            case _:
                world.now += number
        assert found == expected
