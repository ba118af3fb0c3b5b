"""The server's life on real sockets: reload under load, graceful stop, the admin listener."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve

from policy.problem import PolicyError
from proxy.assembly import Assembly, assemble
from proxy.config import read_config
from proxy.limits import Limits
from proxy.plan import EndpointPlan, FileReference, ListenerPlan, Plan, UpstreamPlan
from proxy.settings_types import UpstreamTarget
from tests.proxy.serving import (
    ANY_PORT,
    LOOPBACK,
    PATIENCE_S,
    Running,
    ask,
    plan_for,
    serving,
    until,
    upstream,
)

SAY = "on_http_request: [{{actions: [{{type: custom-response, config: {{body: {word}}}}}]}}]\n"
BAD = "on_http_request: [{actions: [{type: den}]}]\n"


def load_from(policy: Path, port: int) -> Callable[[], Assembly]:
    endpoint = EndpointPlan(
        name="test",
        url=None,
        upstream=UpstreamPlan(target=UpstreamTarget("http", LOOPBACK, port, "")),
        policy=FileReference(path=policy, name=policy.name),
    )
    plan = Plan(listeners=(ListenerPlan(address=ANY_PORT),), endpoints=(endpoint,))
    return lambda: assemble(plan)


async def said(running: Running, text: str) -> None:
    await until(lambda: any(text in message for message in running.said))


async def body(running: Running) -> str:
    status, answer = await ask(running.port)
    assert status == 200
    return answer.rpartition("\r\n\r\n")[2]


async def test_a_changed_policy_file_decides_the_next_request(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yml"
    policy.write_text(SAY.format(word="one"))
    async with serving(load=load_from(policy, 1)) as running:
        assert await body(running) == "one"
        policy.write_text(SAY.format(word="two"))
        await said(running, "loaded anew")
        assert await body(running) == "two"


async def test_a_replaced_file_and_a_replaced_link_are_noticed(tmp_path: Path) -> None:
    """Editors rename a new file into place; mounted configuration swaps a link to a folder."""
    for version in ("one", "two", "three"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "policy.yml").write_text(SAY.format(word=version))
    current = tmp_path / "current"
    current.symlink_to(tmp_path / "one")
    (tmp_path / "served").mkdir()
    policy = tmp_path / "served" / "policy.yml"
    policy.symlink_to(current / "policy.yml")
    async with serving(load=load_from(policy, 1)) as running:
        assert await body(running) == "one"
        (tmp_path / "next").symlink_to(tmp_path / "two")
        os.replace(tmp_path / "next", current)  # noqa: PTH105 - replaces the link itself
        await said(running, "loaded anew")
        assert await body(running) == "two"
        running.said.clear()
        (tmp_path / "policy.new").write_text(SAY.format(word="three"))
        (tmp_path / "policy.new").rename(policy)
        await said(running, "loaded anew")
        assert await body(running) == "three"


async def test_a_policy_in_a_new_folder_is_watched_from_then_on(tmp_path: Path) -> None:
    for folder in ("old", "new"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "policy.yml").write_text(SAY.format(word=folder))
    config = tmp_path / "penstock.yml"
    text = (
        "listeners: [{{address: '127.0.0.1:0'}}]\n"
        "endpoints: [{{traffic_policy_file: {folder}/policy.yml}}]\n"
    )
    config.write_text(text.format(folder="old"))
    async with serving(load=lambda: assemble(read_config(config))) as running:
        assert await body(running) == "old"
        config.write_text(text.format(folder="new"))
        await said(running, "loaded anew")
        assert await body(running) == "new"
        running.said.clear()
        (tmp_path / "new" / "policy.yml").write_text(SAY.format(word="newer"))
        await said(running, "loaded anew")
        assert await body(running) == "newer"
        running.said.clear()
        config.write_text(text.format(folder="new").replace(":0", ":1"))
        await said(running, "addresses to listen on have changed: restart")
        assert await body(running) == "newer"


async def test_a_bad_policy_is_reported_and_the_good_one_stays(tmp_path: Path) -> None:
    """T-UP-1."""
    policy = tmp_path / "policy.yml"
    policy.write_text(SAY.format(word="good"))
    async with serving(load=load_from(policy, 1)) as running:
        policy.write_text(BAD)
        await said(running, "the old configuration stays\npolicy.yml:1:")
        assert await body(running) == "good"
        policy.unlink()
        await said(running, "can't read 'policy.yml'")
        assert await body(running) == "good"
        policy.write_text(SAY.format(word="better"))
        await said(running, "loaded anew")
        assert await body(running) == "better"


async def test_a_reload_closes_a_websocket_that_its_policy_denies(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yml"
    policy.write_text("on_http_request: []\n")
    async with (
        serve(lambda connection: connection.wait_closed(), LOOPBACK, 0) as server,
        serving(load=load_from(policy, next(iter(server.sockets)).getsockname()[1])) as running,
        connect(f"ws://{LOOPBACK}:{running.port}/") as client,
    ):
        policy.write_text("on_http_request: [{actions: [{type: deny}]}]\n")
        async with asyncio.timeout(PATIENCE_S):
            await client.wait_closed()
        assert client.close_code == 1008


async def test_reloads_under_load_drop_no_request(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yml"
    policy.write_text(SAY.format(word="first"))
    async with upstream() as behind, serving(load=load_from(policy, behind.port)) as running:
        statuses: list[int] = []
        done = asyncio.Event()

        async def client() -> None:
            reader, writer = await asyncio.open_connection(LOOPBACK, running.port)
            while not done.is_set():
                writer.write(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
                head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_S)
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
                await reader.readexactly(length)
                statuses.append(int(head.split(b" ", 2)[1]))
            writer.close()

        clients = [asyncio.create_task(client()) for _ in range(8)]
        for number in range(1, 6):
            running.said.clear()
            policy.write_text(BAD if number % 2 else SAY.format(word=f"n{number}"))
            await said(running, "the old configuration stays" if number % 2 else "loaded anew")
        done.set()
        await asyncio.gather(*clients)
    assert len(statuses) > 100
    assert set(statuses) == {200}


async def test_a_storm_of_signals_makes_few_reloads(tmp_path: Path) -> None:
    """T-DO-8."""
    policy = tmp_path / "policy.yml"
    policy.write_text(SAY.format(word="calm"))
    async with serving(load=load_from(policy, 1)) as running:
        for _ in range(200):
            os.kill(os.getpid(), signal.SIGHUP)
            await asyncio.sleep(0)
        await said(running, "loaded anew")
        assert await body(running) == "calm"
    assert sum("loaded anew" in message for message in running.said) < 100


async def test_a_request_in_progress_is_finished_before_the_end() -> None:
    async with upstream() as behind, serving(plan_for(behind.port)) as running:
        behind.allowed.clear()
        asked = asyncio.create_task(ask(running.port))
        await until(lambda: bool(behind.heads))
        port = running.port
        running.server.stop()
        await said(running, "penstock: stopping")
        with pytest.raises(ConnectionError):
            await ask(port)
        assert not running.task.done()
        behind.allowed.set()
        status, answer = await asked
        assert (status, answer.endswith("upstream")) == (200, True)
        await asyncio.wait_for(asyncio.shield(running.task), PATIENCE_S)


async def test_idle_connections_do_not_hold_up_the_end() -> None:
    async with upstream() as behind, serving(plan_for(behind.port)) as running:
        reader, writer = await asyncio.open_connection(LOOPBACK, running.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
        await reader.readuntil(b"upstream")
        running.server.stop()
        assert await asyncio.wait_for(reader.read(), PATIENCE_S) == b""
        writer.close()
        await asyncio.wait_for(asyncio.shield(running.task), PATIENCE_S)


async def test_the_end_comes_when_its_time_is_over() -> None:
    plan = plan_for(1, limits=Limits(stop_timeout_s=0.05))
    async with upstream() as behind:
        plan = plan_for(behind.port, limits=Limits(stop_timeout_s=0.05))
        async with serving(plan) as running:
            behind.allowed.clear()
            asked = asyncio.create_task(ask(running.port))
            await until(lambda: bool(behind.heads))
            running.server.stop()
            await asyncio.wait_for(asyncio.shield(running.task), PATIENCE_S)
            assert "penstock: 1 connections were cut off" in running.said
            behind.allowed.set()
            asked.cancel()


async def test_health_readiness_and_metrics() -> None:
    async with upstream() as behind, serving(plan_for(behind.port), admin=True) as running:
        await ask(running.port)
        await until(lambda: bool(running.events()))
        assert (await ask(running.admin_port, "/healthz", host="localhost"))[0] == 200
        status, answer = await ask(running.admin_port, "/readyz", host="127.0.0.1:4041")
        ready = json.loads(answer.rpartition("\r\n\r\n")[2])
        assert (status, ready["ready"], ready["last_reload"]["successful"]) == (200, True, True)
        _, metrics = await ask(running.admin_port, "/metrics", host="[::1]:4041")
    assert "penstock_events_total 1\n" in metrics
    assert "penstock_config_last_reload_successful 1\n" in metrics


async def test_readiness_tells_of_a_refused_reload(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yml"
    policy.write_text(SAY.format(word="good"))
    async with serving(load=load_from(policy, 1), admin=True) as running:
        policy.write_text(BAD)
        await said(running, "the old configuration stays")
        status, answer = await ask(running.admin_port, "/readyz", host="localhost")
        last = json.loads(answer.rpartition("\r\n\r\n")[2])["last_reload"]
        _, metrics = await ask(running.admin_port, "/metrics", host="localhost")
    assert status == 200
    assert (last["successful"], last["problems"][0]["line"]) == (False, 1)
    assert "penstock_config_last_reload_successful 0\n" in metrics
    assert "penstock_config_reloads_refused_total 1\n" in metrics


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "localhost\r\nOrigin: null",
     "localhost\r\nOrigin: http://localhost"],
    ids=["other name", "our name in front", "address in front", "opaque origin", "page of ours"],
)  # fmt: skip
async def test_web_pages_get_nothing_from_the_admin_listener(host: str) -> None:
    """T-AD-1."""
    async with serving(plan_for(1), admin=True) as running:
        for path in ("/healthz", "/readyz", "/metrics", "/"):
            assert (await ask(running.admin_port, path, host=host))[0] == 403


async def test_nothing_is_served_that_has_a_problem(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yml"
    policy.write_text(BAD)
    with pytest.raises(PolicyError):
        async with serving(load=load_from(policy, 1)):
            pass
