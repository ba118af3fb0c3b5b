"""Logins at the level of bytes: what a connection shows, and what passes through it."""

from __future__ import annotations

import asyncio
import json

import pytest
from aiohttp import web

from actions.login.session import PENDING_LOGINS, SESSIONS
from policy.source import parse_source
from proxy.plan import EndpointPlan, InlinePolicy, UpstreamPlan
from proxy.settings_types import UpstreamTarget, read_public_url
from tests.proxy.gate import Gate, gate
from tests.proxy.rig import LOOPBACK, Client, Received, Reply, origin, until
from tests.proxy.serving import plan_for, serving

SESSION = "ngrok.default.session"
TELLING = """
      - type: add-headers
        config: {headers: {x-user: "${actions.ngrok.oidc.identity.provider_user_id}"}}
"""
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
UPGRADE = (
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)


def asked(door: Gate, *lines: str, line: str = "GET / HTTP/1.1", body: str = "") -> bytes:
    return "\r\n".join([line, f"Host: {host_of(door)}", *lines, "", body]).encode("latin-1")


def host_of(door: Gate) -> str:
    # The name under which an endpoint without a URL sees the port that the system has chosen.
    return f"localhost:{door.running.port}"


async def client_of(door: Gate) -> Client:
    return Client(*await asyncio.open_connection(LOOPBACK, door.running.port, limit=1 << 24))


async def answered(door: Gate, data: bytes, method: str = "GET") -> Reply:
    client = await client_of(door)
    try:
        client.send(data)
        return await client.reply(method)
    finally:
        client.close()


async def log_in(door: Gate, user: str = "user-7") -> str:
    """Log in with a browser that has no cookies yet; return its Cookie line."""
    door.browser.cookie_jar.clear()
    door.provider.changes.setdefault("id_token", {})["sub"] = user
    door.provider.changes.setdefault("userinfo", {})["sub"] = user
    assert (await door.come_back(await door.leave()))[0] == 302
    [secret] = [each.value for each in door.browser.cookie_jar if each.key == SESSION]
    return f"Cookie: {SESSION}={secret}"


async def test_users_on_one_connection_are_never_taken_for_each_other() -> None:
    def user(received: Received) -> bytes:
        name = ",".join(received.all("x-user")).encode()
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(name), name)

    async with origin(user) as app, gate(more=TELLING, app_port=app.port) as door:
        users = {name: await log_in(door, name) for name in ("ada", "bob")}
        client = await client_of(door)
        for name in ("ada", "", "bob", "ada", ""):
            client.send(asked(door, *([users[name]] if name else ["Accept: application/json"])))
            reply = await client.reply()
            assert (reply.status, reply.body) == ((200, name.encode()) if name else reply_to(reply))
        # All at once, before any answer.
        for name in ("bob", "", "ada"):
            client.send(asked(door, *([users[name]] if name else ["Accept: application/json"])))
        replies = [await client.reply() for _ in range(3)]
        assert [each.status for each in replies] == [200, 401, 200]
        assert (replies[0].body, replies[2].body) == (b"bob", b"ada")
        assert not any(each.all("cookie") for each in app.received)
        client.close()


def reply_to(reply: Reply) -> tuple[int, bytes]:
    assert json.loads(reply.body)["error"] == "login-required"
    return 401, reply.body


async def test_t_ck_1_our_cookies_reach_no_upstream_by_any_way() -> None:
    async with origin(OK) as app, gate(app_port=app.port) as door:
        cookie = await log_in(door)
        secret = cookie.partition("=")[2]
        chunked = asked(
            door, cookie, "X-Other: 1", "Transfer-Encoding: chunked", "TE: trailers",
            "Trailer: Cookie", line="POST / HTTP/1.1",
            body=f"2\r\nhi\r\n0\r\n{cookie}\r\nX-Trail: 1\r\n\r\n",
        )  # fmt: skip
        assert (await answered(door, chunked)).status == 200
        assert (await answered(door, asked(door, cookie, "Cookie: a=1"))).status == 200
        assert (await answered(door, asked(door, cookie, "Connection: cookie"))).status == 200
        await answered(door, asked(door, cookie, *UPGRADE))
        assert len(app.received) == 4
        passed = b"".join(each.head + each.body + each.trailers for each in app.received)
        assert secret.encode() not in passed
        assert b"X-Trail" in app.received[0].trailers
        assert app.received[1].all("cookie") == ["a=1"]


SETTING = {
    "in the head": b"HTTP/1.1 200 OK\r\nSet-Cookie: %b\r\nContent-Length: 2\r\n\r\nok",
    "in early hints": (
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nSet-Cookie: %b\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    ),
    "in trailers": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Set-Cookie\r\n\r\n"
        b"2\r\nok\r\n0\r\nSet-Cookie: %b\r\n\r\n"
    ),
}


@pytest.mark.parametrize("template", SETTING.values(), ids=SETTING)
@pytest.mark.parametrize(
    "cookie", [b"ngrok.default.session=planted", b"=ngrok.default.session=planted"]
)
async def test_t_ck_2_an_upstream_sets_no_cookie_of_ours(template: bytes, cookie: bytes) -> None:
    async with origin(template % cookie) as app, gate(app_port=app.port) as door:
        own = await log_in(door)
        client = await client_of(door)
        client.send(asked(door, own, "Connection: close", "TE: trailers"))
        said = await client.rest()
        assert b"200 OK" in said
        assert b"planted" not in said
        client.close()


HANDSHAKES = {
    "no origin": ((), True),
    "our origin": (("Origin: {origin}",), True),
    "null": (("Origin: null",), False),
    "another host": (("Origin: http://evil.example",), False),
    "another port": ((f"Origin: http://{LOOPBACK}:1",), False),
    "another scheme": (("Origin: https{rest}",), False),
    "ours and another": (("Origin: {origin}", "Origin: http://evil.example"), False),
    "ours as a part": (("Origin: {origin}.evil.example",), False),
}


@pytest.mark.parametrize(("lines", "passes"), HANDSHAKES.values(), ids=HANDSHAKES)
async def test_t_ws_1_a_page_of_another_origin_opens_no_websocket(
    lines: tuple[str, ...],
    passes: bool,  # noqa: FBT001
) -> None:
    async with origin(OK) as app, gate(app_port=app.port) as door:
        cookie = await log_in(door)
        host = host_of(door)
        shown = [each.format(origin=f"http://{host}", rest=f"://{host}") for each in lines]
        reply = await answered(door, asked(door, cookie, *UPGRADE, *shown))
        assert len(app.received) == int(passes)
        if not passes:
            assert reply.status in (400, 403)


OWN = {
    "absolute form": ("GET http://{host}/ngrok/logout HTTP/1.1", 200),
    "encoded": ("GET /ngrok/%6Cogout HTTP/1.1", 200),
    "HEAD": ("HEAD /ngrok/logout HTTP/1.1", 200),
    "HTTP/1.0": ("GET /ngrok/logout HTTP/1.0", 200),
    "a method that it has not": ("PUT /ngrok/logout HTTP/1.1", 405),
    "OPTIONS on the login": ("OPTIONS /ngrok/login HTTP/1.1", 401),
    "POST on the callback": ("POST /ngrok/oauth2/callback?state=x HTTP/1.1", 400),
    "a fragment": ("GET /ngrok/oauth2/callback?state=x&code=c#a HTTP/1.1", 400),
    "two slashes": ("GET //ngrok/logout HTTP/1.1", 200),
    "a dot": ("GET /./ngrok/logout HTTP/1.1", 200),
    "an encoded slash": ("GET /ngrok%2Flogout HTTP/1.1", None),
    "another host": ("GET http://evil.example/ngrok/logout HTTP/1.1", 500),
}


@pytest.mark.parametrize(("line", "status"), OWN.values(), ids=OWN)
async def test_paths_of_ours_are_ours_in_every_form_or_refused(
    line: str, status: int | None
) -> None:
    async with origin(OK) as app, gate(app_port=app.port) as door:
        sent = asked(door, "Content-Length: 0", line=line.format(host=host_of(door)))
        reply = await answered(door, sent, line.partition(" ")[0])
        assert reply.status == status or (status is None and reply.status in (302, 400))
        assert app.received == []
        assert reply.first("set-cookie") is None or "session=;" in str(reply.first("set-cookie"))


async def test_t_ws_4_a_logout_ends_what_is_open_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actions.login.gate.LEASE_NS", 3600 * 10**9)
    events = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n"

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(events)
        await reader.read()

    async with origin(script=script) as app, gate(app_port=app.port) as door:
        cookie = await log_in(door)
        client = await client_of(door)
        client.send(asked(door, cookie, "Accept: text/event-stream"))
        await client.reader.readuntil(b"data: 1\n\n")
        assert (await door.get("/ngrok/logout"))[0] in (200, 302)
        await client.rest()
        await door.running.event(
            lambda each: each["object"]["decision"]["reason"] == "stream-admission-ended"
        )
        client.close()


async def test_oa_14_a_client_that_goes_away_loses_no_refreshed_token() -> None:
    async with gate() as door:
        door.provider.changes["token"] = {"expires_in": 1}
        cookie = await log_in(door)
        [before] = door.stored(SESSIONS)
        door.provider.changes["token"] = {"expires_in": 3600}
        arrived, go_on = asyncio.Event(), asyncio.Event()
        real = dict(door.served.instead)

        async def slow(request: web.Request) -> web.StreamResponse:
            arrived.set()
            await go_on.wait()
            return await door.served.answered(request)

        door.served.instead["/token"] = slow
        await until_expired(before.value.tokens.expires_ns)
        client = await client_of(door)
        client.send(asked(door, cookie))
        await asyncio.wait_for(arrived.wait(), 10)
        client.close()
        go_on.set()
        door.served.instead = real
        await until(lambda: door.stored(SESSIONS)[0].value.tokens != before.value.tokens)
        assert (await answered(door, asked(door, cookie))).status == 200
        assert door.served.asked("/token") == 2


async def until_expired(expires_ns: int | None) -> None:
    import time

    assert expires_ns is not None
    await until(lambda: time.time_ns() >= expires_ns)


async def test_a_client_that_goes_away_at_the_callback_has_no_session_and_no_second_try() -> None:
    async with gate() as door:
        back = await door.leave()
        arrived, go_on = asyncio.Event(), asyncio.Event()

        async def slow(request: web.Request) -> web.StreamResponse:
            arrived.set()
            await go_on.wait()
            return await door.served.answered(request)

        door.served.instead["/token"] = slow
        coming = asyncio.create_task(door.come_back(back))
        await asyncio.wait_for(arrived.wait(), 10)
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)
        await door.running.event(
            lambda each: each["object"]["http"]["request"]["url"]["path"].endswith("/callback")
        )
        go_on.set()
        assert (await door.come_back(back))[0] == 400
        assert door.sessions() == 0
        assert door.stored(PENDING_LOGINS) == ()
        assert door.served.asked("/token") == 1


async def test_oa_17_a_flood_of_notices_ends_nothing_and_costs_the_provider_nothing() -> None:
    async with gate() as door:
        await log_in(door)
        before = len(door.served.hits)
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        token = door.provider.logout_body().decode().removeprefix("logout_token=")
        head, claims, signature = token.split(".")
        bad = [f"{head}.{claims}.{'A' * len(signature)}", "a.b.c", "x" * 60_000, f"{token}&x=1&x=2"]

        async def notify(number: int) -> int:
            data = f"logout_token={bad[number % len(bad)]}"
            url = f"{door.origin}/ngrok/backchannel-logout"
            async with door.browser.post(url, data=data, headers=form) as answer:
                assert answer.headers["Cache-Control"] == "no-store"
                return answer.status

        assert set(await asyncio.gather(*map(notify, range(200)))) == {400}
        assert door.sessions() == 1
        # The keys are looked for anew once, not two hundred times.
        assert len(door.served.hits) - before <= 2
        assert (await door.get("/"))[0] == 200


async def test_a_shared_login_s_cookie_reaches_no_other_endpoint_s_upstream() -> None:
    login = """
on_http_request:
  - actions:
      - type: openid-connect
        config:
          issuer_url: https://login.example.com
          client_id: orders
          client_secret: "only-for-tests-0123456789-0123456789"
          auth_cookie_domain: example.com
"""
    cookies = "__Secure-ngrok.default.session=stolen; __Host-ngrok.default.session=inner; a=1"
    setting = b"HTTP/1.1 200 OK\r\nSet-Cookie: __Secure-ngrok.default.session=planted; Domain=example.com\r\nContent-Length: 2\r\n\r\nok"  # noqa: E501
    async with origin(setting) as app:
        target = UpstreamPlan(target=UpstreamTarget("http", LOOPBACK, app.port, ""))
        endpoints = tuple(
            EndpointPlan(
                name=name,
                url=read_public_url(f"https://{name}.example.com"),
                upstream=target,
                policy=None if text is None else inline(text),
            )
            for name, text in (("orders", login), ("open", None), ("other", "on_http_request: []"))
        )
        async with serving(plan_for(app.port, endpoints=endpoints)) as running:
            for name in ("open", "other"):
                reader, writer = await asyncio.open_connection(LOOPBACK, running.port)
                sent = f"GET / HTTP/1.1\r\nHost: {name}.example.com\r\nCookie: {cookies}\r\nConnection: close\r\n\r\n"  # noqa: E501
                writer.write(sent.encode())
                said = await asyncio.wait_for(reader.read(), 10)
                assert b"200 OK" in said
                assert b"planted" not in said
                writer.close()
        # A gate of its own behind another one keeps what is for its own host alone.
        passed = ["__Host-ngrok.default.session=inner; a=1"]
        assert [each.all("cookie") for each in app.received] == [passed, passed]


def inline(text: str) -> InlinePolicy:
    return InlinePolicy(node=parse_source(text, name="policy.yml"), name="policy.yml")
