"""Users and sessions on the admin listener: who is logged in, and an end to it.

    GET     /app/sessions, /app/users             a page of them, the newest activity first
    GET     /app/sessions/ID, /app/users/ID       one
    DELETE  /app/sessions/ID                      ends a session
    DELETE  /app/users/ID                         ends all sessions of a user, and forgets the user

Whoever asks shows the token, and sends nothing but JSON (security T-AD-1). No answer holds a
token or a cookie. Open streams of a session that is ended here end with it: at once in this
process, within five seconds in others.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final, TypeAlias, TypeVar

from aiohttp import web

from actions.login.session import (
    IDENTITIES,
    MAX_SESSIONS_OF_A_USER,
    SESSIONS,
    Identity,
    Session,
)
from actions.login.sessions import identity_group, session_group
from policy.effect import Compute, Effect
from policy.store import Kind, Record, StoreDelete, StoreFind, StoreGet, StoreUnavailable
from proxy.admin_token import AdminToken
from proxy.effects import answer_effect
from proxy.people_json import SESSIONS_PATH, USERS_PATH, identity_json, session_json
from proxy.service import Service

MAX_LIMIT: Final = 100
# A user who logs in again and again meanwhile does not keep us busy.
MOST_ROUNDS: Final = 20
# What ids of ours are made of; nothing else is looked for.
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,17}")
FIELDS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}

T = TypeVar("T", Session, Identity)
Handler: TypeAlias = Callable[[web.Request], Awaitable[web.Response]]
Render: TypeAlias = Callable[[T, str], dict[str, Any]]


class Refused(Exception):  # noqa: N818 - an answer, not a failure
    """What was asked for is not given; `error` is a stable code."""

    def __init__(self, status: int, error: str, message: str, **fields: str) -> None:
        self.answer = web.json_response(
            {"error": error, "status_code": status, "message": message},
            status=status,
            headers={**FIELDS, **fields},
        )
        super().__init__(error)


class People:
    """Answers about users and sessions."""

    def __init__(self, service: Service, token: Callable[[], AdminToken | None]) -> None:
        """Prepare; `token` gives the token of the configuration that runs now."""
        self._service = service
        self._token = token

    def routes(self) -> list[web.RouteDef]:
        """Return what is answered. Without a token every answer says that there is none."""
        one = "/{id}"
        return [
            web.get(SESSIONS_PATH, self._guarded(self.sessions)),
            web.get(SESSIONS_PATH + one, self._guarded(self.session)),
            web.delete(SESSIONS_PATH + one, self._guarded(self.end_session)),
            web.get(USERS_PATH, self._guarded(self.users)),
            web.get(USERS_PATH + one, self._guarded(self.user)),
            web.delete(USERS_PATH + one, self._guarded(self.delete_user)),
        ]

    def _guarded(self, answer: Handler) -> Handler:
        async def handler(request: web.Request) -> web.Response:
            try:
                check_access(request, self._token())
                return await answer(request)
            except Refused as refused:
                return refused.answer

        return handler

    async def sessions(self, request: web.Request) -> web.Response:
        """List sessions, with `user_id` those of one user."""
        query = query_of(request, {"limit", "before", "user_id"})
        user_id = query.get("user_id")
        group = None if user_id is None else identity_group(checked_id(user_id))
        found = await self._page(SESSIONS, query, group)
        now_ns = self._service.now_ns()
        # Ended ones stay for a while, so that the log can say why they have.
        running = [each for each in found if each.value.ends_ns > now_ns]
        return await self._listed(request, "application_sessions", session_json, found, running)

    async def users(self, request: web.Request) -> web.Response:
        """List users."""
        found = await self._page(IDENTITIES, query_of(request, {"limit", "before"}), None)
        return await self._listed(request, "application_users", identity_json, found, found)

    async def session(self, request: web.Request) -> web.Response:
        """Show one session."""
        record = await self._session(request)
        return await self._shown(partial(session_json, record.value, base_of(request)))

    async def user(self, request: web.Request) -> web.Response:
        """Show one user."""
        found = await self._ask(StoreGet(kind=IDENTITIES, key=checked_id(id_of(request))))
        if found is None:
            raise not_found("user")
        return await self._shown(partial(identity_json, found.value, base_of(request)))

    async def end_session(self, request: web.Request) -> web.Response:
        """End one session."""
        record = await self._session(request)
        await self._ask(StoreDelete(kind=SESSIONS, key=record.key))
        return web.Response(status=204, headers=FIELDS)

    async def delete_user(self, request: web.Request) -> web.Response:
        """End all sessions of a user, and forget the user, who may log in again."""
        user_id = checked_id(id_of(request))
        has_ended = await self._end_sessions_of(user_id)
        # Last: while there is anything of the user's left, it can be asked for again.
        was_known = await self._ask(StoreDelete(kind=IDENTITIES, key=user_id))
        if not (was_known or has_ended):
            raise not_found("user")
        return web.Response(status=204, headers=FIELDS)

    async def _end_sessions_of(self, user_id: str) -> bool:
        find = StoreFind(kind=SESSIONS, group=identity_group(user_id), limit=MAX_SESSIONS_OF_A_USER)
        for number in range(MOST_ROUNDS):
            found = await self._ask(find)
            if not found:
                return number > 0
            for record in found:
                await self._ask(StoreDelete(kind=SESSIONS, key=record.key))
        raise Refused(503, "sessions-remain", "the user logs in all the time: ask again")

    async def _session(self, request: web.Request) -> Record[Session]:
        session_id = checked_id(id_of(request))
        found = await self._ask(StoreFind(kind=SESSIONS, group=session_group(session_id), limit=1))
        now_ns = self._service.now_ns()
        if not found or found[0].value.ends_ns <= now_ns:
            raise not_found("session")
        record: Record[Session] = found[0]
        return record

    async def _page(
        self, kind: Kind[T], query: dict[str, str], group: str | None
    ) -> tuple[Record[T], ...]:
        limit = number_of(query, "limit") or MAX_LIMIT
        if limit > MAX_LIMIT:
            raise Refused(400, "limit-invalid", f"a page has up to {MAX_LIMIT} entries")
        before = number_of(query, "before")
        found: tuple[Record[T], ...] = await self._ask(
            StoreFind(kind=kind, group=group, limit=limit, before=before)
        )
        return found

    async def _listed(
        self,
        request: web.Request,
        name: str,
        render: Render[T],
        found: tuple[Record[T], ...],
        shown: list[Record[T]] | tuple[Record[T], ...],
    ) -> web.Response:
        base = base_of(request)
        following = None
        if found:
            # Also after a page that is not full: records that can't be read are left out of it.
            query = {**request.query, "before": str(found[-1].version)}
            following = str(request.url.with_query(query))
        return await self._shown(
            lambda: {
                name: [render(each.value, base) for each in shown],
                "uri": str(request.url),
                "next_page_uri": following,
            }
        )

    async def _shown(self, content: Callable[[], dict[str, Any]]) -> web.Response:
        # The patterns for user agents take a quarter of a second when they are first used.
        return web.json_response(await self._ask(Compute(run=content)), headers=FIELDS)

    async def _ask(self, effect: Effect) -> Any:
        answer = answer_effect(effect, self._service)
        if isinstance(answer, asyncio.Future):
            answer = await answer
        if isinstance(answer, StoreUnavailable):
            message = f"the store can't be asked at the moment: {answer.reason}"
            raise Refused(503, "store-unavailable", message, **{"Retry-After": "5"})
        return answer


def check_access(request: web.Request, token: AdminToken | None) -> None:
    """Let in who shows the token and sends no body but JSON; raises Refused."""
    if token is None:
        message = "users and sessions are not shown here: give 'admin' a 'token_file'"
        raise Refused(404, "no-token-file", message)
    if not token.is_shown_in(request.headers.getall("Authorization", [])):
        fields = {"WWW-Authenticate": 'Bearer realm="penstock"'}
        raise Refused(403, "token-refused", "the token of this listener is needed", **fields)
    if request.body_exists and request.content_type != "application/json":
        raise Refused(403, "not-json", "what is sent has to be application/json")


def query_of(request: web.Request, known: set[str]) -> dict[str, str]:
    """Return the parameters of a request, each once; raises Refused for others."""
    names = [name for name, _ in request.query.items()]
    if len(set(names)) < len(names) or not known.issuperset(names):
        raise Refused(400, "query-invalid", f"parameters are: {', '.join(sorted(known))}")
    return dict(request.query)


def number_of(query: dict[str, str], name: str) -> int | None:
    """Return a number that a request gives, None where it gives none; raises Refused."""
    text = query.get(name)
    if text is None:
        return None
    if _NUMBER.fullmatch(text) is None:
        raise Refused(400, f"{name}-invalid", f"{name!r} is a number above 0")
    return int(text)


def id_of(request: web.Request) -> str:
    """Return the id that a path ends with."""
    return request.match_info["id"]


def checked_id(text: str) -> str:
    """Return what can be an id of ours; raises Refused."""
    if _ID.fullmatch(text) is None:
        raise Refused(404, "not-found", "that is no id")
    return text


def not_found(what: str) -> Refused:
    """Refuse because there is no such thing, or not any more."""
    return Refused(404, "not-found", f"there is no such {what}")


def base_of(request: web.Request) -> str:
    """Return where this API is, as whoever asks knows it."""
    return str(request.url.origin())
