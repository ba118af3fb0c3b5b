"""Who may ask the admin listener about users and sessions, what it tells, and what it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from actions.login.session import IDENTITIES, SESSIONS, Person
from actions.login.sessions import groups_of
from policy.store import StoreDelete, StoreEffect, StoreFind, StoreGet, StoreUnavailable
from proxy.open_streams import OpenStreams
from proxy.store.memory import ProcessMemory
from tests.proxy.people import (
    SESSION,
    SHOWN,
    TOKEN,
    admin,
    identity,
    put_identity,
    put_session,
    session,
)
from tests.proxy.store.stores import Opened, opened_file, opened_memory

LINUS = Person(subject="linus", email="linus@example.com", name="Linus")
SESSIONS_PATH, USERS_PATH = "/app/sessions", "/app/users"
EVERYTHING = (
    ("GET", SESSIONS_PATH),
    ("GET", f"{SESSIONS_PATH}/as_1"),
    ("DELETE", f"{SESSIONS_PATH}/as_1"),
    ("GET", USERS_PATH),
    ("GET", f"{USERS_PATH}/au_1"),
    ("DELETE", f"{USERS_PATH}/au_1"),
)


async def filled(store: Opened) -> Opened:
    """Two users, of whom one is logged in twice."""
    for effect in (
        put_session(SESSION),
        put_session(session("as_2", user="au_2", person=LINUS)),
        put_session(session("as_3")),
        put_identity(identity()),
        put_identity(identity("au_2", LINUS)),
    ):
        assert await store.ask(effect) is not None
    return store


@pytest.fixture(params=["memory", "file"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Opened]:
    async with AsyncExitStack() as stack:
        if request.param == "memory":
            opened = opened_memory()
        else:
            opened = opened_file(tmp_path / "store.db")
        yield await filled(await stack.enter_async_context(opened))


@pytest.fixture
async def memory() -> Opened:
    return await filled(Opened(ProcessMemory()))


def ids(listed: Any) -> list[str]:
    (name,) = {"application_sessions", "application_users"} & set(listed)
    return [each["id"] for each in listed[name]]


async def test_sessions_are_listed_with_the_newest_activity_first(store: Opened) -> None:
    async with admin(store.store) as asked:
        assert ids(await asked.get(SESSIONS_PATH)) == ["as_3", "as_2", "as_1"]
        assert ids(await asked.get(f"{SESSIONS_PATH}?user_id=au_1")) == ["as_3", "as_1"]
        assert ids(await asked.get(f"{SESSIONS_PATH}?user_id=au_9")) == []


@pytest.mark.parametrize(
    ("path", "everything"),
    [(SESSIONS_PATH, ["as_3", "as_2", "as_1"]), (USERS_PATH, ["au_2", "au_1"])],
)
async def test_pages_lead_to_each_other(store: Opened, path: str, everything: list[str]) -> None:
    async with admin(store.store) as asked:
        found: list[str] = []
        following = f"{path}?limit=1"
        while following:
            page = await asked.get(following)
            assert len(ids(page)) <= 1
            found += ids(page)
            following = page["next_page_uri"]
    assert found == everything


async def test_one_session_and_one_user_are_shown_as_they_are_listed(store: Opened) -> None:
    async with admin(store.store) as asked:
        for listing, name in (
            (SESSIONS_PATH, "application_sessions"),
            (USERS_PATH, "application_users"),
        ):
            for each in (await asked.get(listing))[name]:
                assert await asked.get(each["uri"]) == each


async def test_a_deleted_session_is_gone_and_no_other(store: Opened) -> None:
    async with admin(store.store) as asked:
        assert await asked.ask("DELETE", f"{SESSIONS_PATH}/as_1") == (204, "")
        assert (await asked.ask("GET", f"{SESSIONS_PATH}/as_1"))[0] == 404
        assert (await asked.ask("DELETE", f"{SESSIONS_PATH}/as_1"))[0] == 404
        assert ids(await asked.get(SESSIONS_PATH)) == ["as_3", "as_2"]
        assert ids(await asked.get(USERS_PATH)) == ["au_2", "au_1"]


async def test_a_deleted_user_has_no_session_left(store: Opened) -> None:
    async with admin(store.store) as asked:
        assert await asked.ask("DELETE", f"{USERS_PATH}/au_1") == (204, "")
        assert ids(await asked.get(SESSIONS_PATH)) == ["as_2"]
        assert ids(await asked.get(USERS_PATH)) == ["au_2"]
        assert (await asked.ask("DELETE", f"{USERS_PATH}/au_1"))[0] == 404


async def test_a_user_of_whom_only_sessions_are_left_can_be_deleted(memory: Opened) -> None:
    await memory.ask(put_session(session("as_4", user="au_4")))
    async with admin(memory.store) as asked:
        assert (await asked.ask("GET", f"{USERS_PATH}/au_4"))[0] == 404
        assert (await asked.ask("DELETE", f"{USERS_PATH}/au_4"))[0] == 204
        assert "as_4" not in ids(await asked.get(SESSIONS_PATH))


async def test_a_session_that_is_over_is_not_shown(memory: Opened) -> None:
    await memory.ask(put_session(session("as_old", lasts_ns=0)))
    async with admin(memory.store) as asked:
        assert "as_old" not in ids(await asked.get(SESSIONS_PATH))
        assert (await asked.ask("GET", f"{SESSIONS_PATH}/as_old"))[0] == 404


class Streams(OpenStreams):
    """Open streams that remember which records were removed."""

    def __init__(self) -> None:
        super().__init__()
        self.removed: list[str] = []

    def record_removed(self, kind: str, key: str) -> None:
        self.removed.append(f"{kind} {key}")


async def test_streams_of_a_deleted_session_are_decided_again(memory: Opened) -> None:
    found = await memory.ask(StoreFind(kind=SESSIONS, group="identity:au_1"))
    async with admin(memory.store) as asked:
        streams = asked.service.streams = Streams()
        await asked.ask("DELETE", f"{USERS_PATH}/au_1")
    assert streams.removed == [*(f"session {each.key}" for each in found), "identity au_1"]


REFUSED = {
    "no token": {},
    "empty": {"Authorization": "Bearer "},
    "another": {"Authorization": "Bearer " + "x" * 44},
    "as a password": {"Authorization": f"Basic {TOKEN}"},
    "in a query": {"X-Token": TOKEN},
    "a page of another site": {**SHOWN, "Origin": "https://evil.example"},
    "a page of ours": {**SHOWN, "Origin": "http://localhost"},
    "a name that was bound anew": {**SHOWN, "Host": "evil.example"},
}


@pytest.mark.parametrize("headers", REFUSED.values(), ids=REFUSED)
async def test_t_ad_1_nobody_else_is_answered(memory: Opened, headers: dict[str, str]) -> None:
    async with admin(memory.store) as asked:
        for method, path in EVERYTHING:
            status, content = await asked.ask(method, path, headers)
            assert status == 403
            assert "au_1" not in str(content)
        assert len(ids(await asked.get(SESSIONS_PATH))) == 3


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded"])
async def test_t_ad_1_what_a_form_could_send_is_refused(memory: Opened, content_type: str) -> None:
    async with admin(memory.store) as asked:
        headers = {**SHOWN, "Content-Type": content_type}
        status, _ = await asked.ask("DELETE", f"{USERS_PATH}/au_1", headers, data=b"{}")
        assert status == 403
        assert ids(await asked.get(USERS_PATH)) == ["au_2", "au_1"]


async def test_without_a_token_file_nothing_is_shown(memory: Opened) -> None:
    async with admin(memory.store, None) as asked:
        for method, path in EVERYTHING:
            status, content = await asked.ask(method, path)
            assert (status, content["error"]) == (404, "no-token-file")
        assert (await asked.ask("GET", "/healthz"))[0] == 200


BAD = {
    "limit of nothing": ("?limit=0", 400, "limit-invalid"),
    "limit too high": ("?limit=101", 400, "limit-invalid"),
    "limit that is none": ("?limit=ten", 400, "limit-invalid"),
    "negative": ("?before=-1", 400, "before-invalid"),
    "too many digits": (f"?before={'9' * 30}", 400, "before-invalid"),
    "twice": ("?limit=1&limit=2", 400, "query-invalid"),
    "unknown": ("?offset=1", 400, "query-invalid"),
    "no id": ("?user_id=a:b", 404, "not-found"),
    "no id in the path": ("/a%20b", 404, "not-found"),
    "a path in the path": ("/..%2Fusers", 404, "not-found"),
    "an id that is too long": (f"/{'a' * 65}", 404, "not-found"),
}


@pytest.mark.parametrize(("rest", "status", "error"), BAD.values(), ids=BAD)
async def test_what_makes_no_sense_is_refused(
    memory: Opened, rest: str, status: int, error: str
) -> None:
    async with admin(memory.store) as asked:
        answered, content = await asked.ask("GET", SESSIONS_PATH + rest)
        assert (answered, content["error"]) == (status, error)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
async def test_there_is_nothing_else_to_do(memory: Opened, method: str) -> None:
    async with admin(memory.store) as asked:
        assert (await asked.ask(method, SESSIONS_PATH, json={}))[0] == 405


class Ill(ProcessMemory):
    """A store that can't be asked, about some kinds of effects."""

    def __init__(self, *ill: type) -> None:
        super().__init__()
        self.ill = ill

    def answer(self, effect: StoreEffect) -> Any:
        if not isinstance(effect, self.ill):
            return super().answer(effect)
        future = asyncio.get_running_loop().create_future()
        future.set_result(StoreUnavailable(reason="store-unreachable"))
        return future


async def test_without_the_store_nobody_is_told_anything() -> None:
    store = Ill(object)
    async with admin(store) as asked:
        for method, path in EVERYTHING:
            status, content = await asked.ask(method, path)
            assert (status, content["error"]) == (503, "store-unavailable")
            assert "store-unreachable" in content["message"]


async def test_a_session_that_could_not_be_ended_is_not_called_ended() -> None:
    memory = await filled(Opened(Ill(StoreDelete)))
    async with admin(memory.store) as asked:
        assert (await asked.ask("DELETE", f"{USERS_PATH}/au_1"))[0] == 503
        assert (await asked.ask("DELETE", f"{SESSIONS_PATH}/as_1"))[0] == 503
    assert len(await memory.ask(StoreFind(kind=SESSIONS))) == 3


class AlwaysBack(ProcessMemory):
    """A store in which a session is there again as soon as it is gone."""

    def answer(self, effect: StoreEffect) -> Any:
        if isinstance(effect, StoreFind):
            super().answer(put_session(SESSION))
        return super().answer(effect)


async def test_a_user_who_logs_in_all_the_time_is_not_waited_for_forever() -> None:
    store = AlwaysBack()
    store.answer(put_session(SESSION))
    async with admin(store) as asked:
        status, content = await asked.ask("DELETE", f"{USERS_PATH}/au_1")
        assert (status, content["error"]) == (503, "sessions-remain")


async def test_no_answer_holds_a_token_or_a_cookie(memory: Opened) -> None:
    async with admin(memory.store) as asked:
        for method, path in EVERYTHING:
            _, content = await asked.ask(method, path)
            assert "secret-" not in str(content)
            assert TOKEN not in str(content)
        key = (await memory.ask(StoreFind(kind=SESSIONS, limit=1)))[0].key
        assert key not in str(await asked.get(SESSIONS_PATH))


async def test_a_session_that_is_renewed_meanwhile_stays_ended(memory: Opened) -> None:
    (record,) = await memory.ask(StoreFind(kind=SESSIONS, group="id:as_1"))
    async with admin(memory.store) as asked:
        await asked.ask("DELETE", f"{SESSIONS_PATH}/as_1")
    renewed = replace(
        put_session(record.value), groups=groups_of(record.value), if_version=record.version
    )
    assert await memory.ask(renewed) is None
    assert await memory.ask(StoreGet(kind=SESSIONS, key=record.key)) is None
    assert len(await memory.ask(StoreFind(kind=IDENTITIES))) == 2
