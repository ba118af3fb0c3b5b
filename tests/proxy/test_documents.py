"""Documents kept fresh: the clock is a value, the network a function."""

from __future__ import annotations

import asyncio
from pathlib import Path

from policy.effect import BadDocument, Document, Fetch, Fetched, FetchFailed, GetDocument
from proxy.documents import MAX_UNNAMED, Answer, Documents, document_path, read_document

URL = "https://issuer.example.com/jwks"
DAY = 86_400.0


class Read(list[bytes]):
    """What `parse` makes: a new object each time."""


def parse(data: bytes) -> Read:
    if data == b"bad":
        raise BadDocument("bad-content")
    return Read([data])


class World:
    def __init__(self, content: bytes | None = b"one") -> None:
        self.content = content
        self.now = 1_000.0
        self.fetches: list[Fetch] = []
        self.open = asyncio.Event()
        self.open.set()
        self.documents = Documents(self.fetch, now=lambda: self.now)

    async def fetch(self, fetch: Fetch) -> Fetched | FetchFailed:
        self.fetches.append(fetch)
        await self.open.wait()
        if self.content is None:
            return FetchFailed(reason="not-connected")
        return Fetched(status_code=200, body=self.content)

    def name(self, *urls: str) -> None:
        requests = [GetDocument(url=url, parse=parse) for url in urls or (URL,)]
        self.documents.keep(requests, max_stale_s=DAY)

    async def get(self, url: str = URL, *, wait: bool = True, newer_than: int = 0) -> Answer:
        request = GetDocument(url=url, parse=parse, wait=wait, newer_than=newer_than)
        found = self.documents.answer(request)
        return await found if isinstance(found, asyncio.Future) else found


def content(answer: Answer) -> object:
    return answer.value[0] if isinstance(answer, Document) else answer.reason


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_many_who_ask_wait_for_one_fetch() -> None:
    world = World()
    world.name()
    world.open.clear()
    asked = [asyncio.ensure_future(world.get()) for _ in range(50)]
    await settle()
    world.open.set()
    assert {content(answer) for answer in await asyncio.gather(*asked)} == {b"one"}
    assert len(world.fetches) == 1
    assert world.fetches[0].is_host_trusted


async def test_one_who_leaves_does_not_end_the_fetch() -> None:
    world = World()
    world.name()
    world.open.clear()
    leaving, staying = (asyncio.ensure_future(world.get()) for _ in range(2))
    await settle()
    leaving.cancel()
    world.open.set()
    assert content(await staying) == b"one"


async def test_what_is_at_hand_is_answered_at_once() -> None:
    world = World()
    world.name()
    assert content(await world.get(wait=False)) == "not-at-hand"
    first = await world.get()
    request = GetDocument(url=URL, parse=parse)
    assert world.documents.answer(request) is first


async def test_a_document_is_fetched_again_in_the_background() -> None:
    world = World()
    world.name()
    running = asyncio.create_task(world.documents.run())
    await settle()
    world.content = b"two"
    world.now += 899
    assert content(await world.get()) == b"one"
    assert len(world.fetches) == 1
    world.now += 1
    assert content(await world.get()) == b"one"
    await settle()
    answer = await world.get()
    assert content(answer) == b"two"
    assert isinstance(answer, Document)
    assert answer.version == 2
    running.cancel()


async def test_the_same_content_is_the_same_version() -> None:
    world = World()
    world.name()
    first = await world.get()
    world.now += 901
    await world.get()
    await settle()
    assert await world.get() is first
    assert len(world.fetches) == 2


async def test_a_newer_version_is_fetched_once_a_minute_at_most() -> None:
    """JW-5."""
    world = World()
    world.name()
    await world.get()
    world.content = b"two"
    assert content(await world.get(newer_than=1)) == b"two"
    for _ in range(1_000):
        await world.get(newer_than=2)
    assert len(world.fetches) == 2
    world.now += 60
    await asyncio.gather(*(world.get(newer_than=2) for _ in range(100)))
    assert len(world.fetches) == 3


async def test_a_failure_never_drops_a_good_document() -> None:
    """JW-6."""
    world = World()
    world.name()
    await world.get()
    for bad in (None, b"bad"):
        world.content = bad
        world.now += 1_000
        await world.get(newer_than=1)
        assert content(await world.get()) == b"one"


async def test_a_good_document_serves_for_a_bounded_time() -> None:
    world = World()
    world.name()
    await world.get()
    world.content = None
    world.now += DAY - 1
    assert content(await world.get()) == b"one"
    await settle()
    world.now += 2
    assert content(await world.get(wait=False)) == "too-old"
    assert content(await world.get()) == "too-old"
    world.content = b"two"
    world.now += 60
    assert content(await world.get()) == b"two"


async def test_a_failing_fetch_is_tried_again_ever_more_seldom() -> None:
    world = World(None)
    world.name()
    for wait_s in (1, 2, 4, 8, 8, 8):
        before = len(world.fetches)
        assert content(await world.get()) == "not-connected"
        assert content(await world.get()) == "not-connected"
        assert len(world.fetches) == before + 1
        world.now += wait_s


async def test_other_statuses_are_failures() -> None:
    world = World()

    async def fetch(_: Fetch) -> Fetched:
        return Fetched(status_code=302, body=b"one")

    world.documents = Documents(fetch, now=lambda: world.now)
    world.name()
    assert content(await world.get()) == "status-302"


async def test_a_reload_drops_what_was_derived_and_fetches_nothing() -> None:
    """JW-19."""
    world = World()
    world.name()
    first = await world.get()
    world.name()
    second = await world.get()
    assert isinstance(first, Document)
    assert isinstance(second, Document)
    assert first.value == second.value
    assert first.value is not second.value
    assert len(world.fetches) == 1


async def test_what_no_policy_names_is_fetched_with_care_and_bounded() -> None:
    world = World()
    world.documents.keep((), max_stale_s=DAY)
    for number in range(MAX_UNNAMED + 5):
        world.now += 1
        assert content(await world.get(f"https://{number}.example.com/")) == b"one"
    assert not any(fetch.is_host_trusted for fetch in world.fetches)
    assert content(await world.get("https://0.example.com/", wait=False)) == "not-at-hand"
    assert content(await world.get("file:///etc/passwd")) == "file-not-named-by-policy"


async def test_a_document_on_a_trusted_host_is_one_of_its_own() -> None:
    world = World()
    world.documents.keep((), max_stale_s=DAY)
    for is_trusted in (False, True):
        request = GetDocument(url=URL, parse=parse, is_host_trusted=is_trusted)
        found = world.documents.answer(request)
        assert isinstance(found, asyncio.Future)
        assert content(await found) == b"one"
    assert [fetch.is_host_trusted for fetch in world.fetches] == [False, True]


async def test_documents_that_are_being_fetched_are_not_pushed_out() -> None:
    world = World()
    world.documents.keep((), max_stale_s=DAY)
    world.open.clear()
    asked = [
        asyncio.ensure_future(world.get(f"https://{number}.example.com/"))
        for number in range(MAX_UNNAMED)
    ]
    await settle()
    assert content(await world.get("https://more.example.com/")) == "too-many-documents"
    await world.documents.close()
    assert {content(answer) for answer in await asyncio.gather(*asked)} == {"stopped"}


async def test_a_file_is_read_and_read_again_after_a_reload(tmp_path: Path) -> None:
    world, path = World(), tmp_path / "a key.json"
    world.name(path.as_uri())
    assert content(await world.get(path.as_uri())) == "file-unreadable"
    path.write_bytes(b"one")
    world.name(path.as_uri())
    assert content(await world.get(path.as_uri())) == b"one"
    path.write_bytes(b"two")
    world.name(path.as_uri())
    await world.get(path.as_uri())
    async with asyncio.timeout(5):
        while content(await world.get(path.as_uri())) != b"two":  # noqa: ASYNC110
            await asyncio.sleep(0)
    path.write_bytes(b"x" * 600_000)
    assert read_document(path) == FetchFailed(reason="answer-too-large")
    assert world.fetches == []
    assert document_path("https://x/") is None


async def test_a_good_document_is_at_hand_unless_it_is_due() -> None:
    world = World()
    request = GetDocument(url=URL, parse=parse)
    assert world.documents.at_hand(request) is None
    world.name()
    assert world.documents.at_hand(request) is None
    await world.get()
    world.now += 1000
    assert world.documents.at_hand(request) is not None
    world.now += DAY
    assert world.documents.at_hand(request) is None


async def test_an_unnamed_document_is_at_hand_until_it_is_to_be_fetched_anew() -> None:
    world = World()
    request = GetDocument(url="https://other.example.com/", parse=parse)
    assert content(await world.get(request.url)) == b"one"
    assert world.documents.at_hand(request) is not None
    world.now += 1000
    assert world.documents.at_hand(request) is None


async def test_what_was_never_there_is_asked_for_once_a_minute() -> None:
    world = World(None)
    world.name()
    for _ in range(40):
        await world.get()
        world.now += 8
    before = len(world.fetches)
    for _ in range(75):
        await world.get()
        world.now += 8
    assert len(world.fetches) - before <= 11


async def test_new_content_is_told_and_the_first_is_not() -> None:
    world = World()
    told: list[bytes | None] = []
    world.documents.on_change = lambda: told.append(world.content)
    world.name()
    for answer in (b"one", b"one", b"two", b"bad", None, b"three"):
        world.content = answer
        world.now += 1000
        await world.get()
        await settle()
    assert told == [b"two", b"three"]
